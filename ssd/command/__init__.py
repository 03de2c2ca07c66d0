"""The command ``ssd``: read the command line, then load the code of one verb only."""

import os

from ssd.command import options as opts
from ssd.command.faults import Unusable, Usage
from ssd.command.messages import FAILED, TRY_HELP, USAGE, WARN_NAME, Voice, describe, status_of
from ssd.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.processes.types import ProcessTable


def main(argv: list[str], table: "ProcessTable | None" = None) -> int:
    """Run the command in a process of its own and return its exit status (start-stop-daemon(8)).

    A foreground start does not return: the program takes this process's place.
    """
    if "/ssd-service/" in argv[0]:  # the link that ssd-service --with-ssd has made
        from ssd.command.substitute import leave

        leave(argv[0])
    return run(argv[1:], Voice(os.path.basename(argv[0])), table, _settle)


def run(
    words: list[str],
    voice: Voice,
    table: "ProcessTable | None",
    settle: "Callable[[], None]" = lambda: None,
) -> int:
    """Run the command with these words; ``settle`` prepares the process for it.

    In a process that is not its own nothing is prepared, ``voice`` is one that writes to no
    descriptor, and ``table`` makes its processes itself (``ssd.processes.types.Launcher``).
    """
    options = opts.Options()
    try:
        opts.read(words, options, posix="POSIXLY_CORRECT" in os.environ)
        voice.quietness = options.quietness
        return _run(options, voice, table, settle)
    except Usage as error:
        voice.complain(str(error), TRY_HELP.format(program=voice.program))
        return status_of(USAGE, _asks(options))
    except Unusable as error:
        voice.complain(str(error))
    except Error as error:
        voice.flush()
        voice.complain(describe(error))
    except OSError as error:
        # Not about the service but about ssd itself: no descriptor or no memory left, say.
        voice.flush()
        voice.complain(str(error))
    finally:
        voice.flush()
    return status_of(FAILED, _asks(options))


def _asks(options: opts.Options) -> bool:
    """Tell whether the command seen is one that asks for a status."""
    return options.command in (opts.STATUS, opts.PIDOF)


def _run(
    options: opts.Options, voice: Voice, table: "ProcessTable | None", settle: "Callable[[], None]"
) -> int:
    """Load the verb and do it."""
    if options.command in (opts.HELP, opts.VERSION):
        from ssd.command import help as help_text

        return help_text.show(options, voice)
    if len(os.fsencode(options.value("name") or "")) > opts.NAME_LIMIT:
        voice.warn(WARN_NAME.format(limit=opts.NAME_LIMIT))
    settle()
    if options.command == opts.START:
        from ssd.command.start import start

        return start(options, voice, table)
    if options.chuid is not None or options.group is not None:
        from ssd.launch.identity import Identity

        Identity(options.chuid, options.group)  # of no use here, and fatal if unknown
    if options.command == opts.STOP:
        from ssd.command.stop import stop

        return stop(options, voice, table)
    from ssd.command.status import status

    return status(options, voice, table)


def _settle() -> None:
    """Make this process behave as a C program does."""
    from ssd.launch.stdio import settle

    settle()
