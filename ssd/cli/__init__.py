"""The command ``ssd``: read the command line, then load the code of one verb only."""

import os

from ssd.cli import options as opts
from ssd.cli.grammar import Unusable, Usage
from ssd.errors import Error
from ssd.statuses import FATAL, UNKNOWN, USAGE
from ssd.stdio import Voice, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable


def main(argv: list[str], table: "ProcessTable | None" = None) -> int:
    """Run the command in a process of its own and return its exit status (start-stop-daemon(8)).

    A foreground start does not return: the program takes this process's place. An unforeseen
    error must not look like an answer.
    """
    options, voice = opts.Options(), Voice(argv[0].rpartition("/")[2])
    try:
        if "/ssd-service/" in argv[0]:  # the link that ssd-service --with-ssd has made
            from ssd.environment import leave_path

            leave_path(argv[0])
        return run(argv[1:], voice, table, True, options)
    except BaseException as error:  # noqa: BLE001 - status 1 would look like an answer
        from ssd.sentences import describe

        voice.complain(describe(error))
        return _fault(FATAL, options)


def run(
    words: list[str],
    voice: Voice,
    table: "ProcessTable | None",
    own: bool = False,
    options: opts.Options | None = None,
    recorded: bool = False,
) -> int:
    """Run the command with these words, which go into ``options``.

    ``recorded``: for ``--json`` and ``--timeline``, what is done is written down already.

    In a process that is not its ``own`` it changes nothing of that process; then ``voice`` writes
    to no descriptor, and ``table`` makes its processes itself (``ssd.starting.Launcher``).
    """
    options = options or opts.Options()
    if not recorded and any(word.startswith(("--j", "--ti")) for word in words):
        from ssd.cli.answers import run_recorded

        return run_recorded(run, words, voice, table, own, options)
    try:
        opts.read(words, options, lambda: "POSIXLY_CORRECT" in os.environ)
        voice.quietness = options.quietness
        return _run(options, voice, table, own)
    except Usage as error:
        from ssd.sentences import TRY_HELP

        voice.complain(str(error), TRY_HELP.format(program=voice.program))
        return _fault(USAGE, options)
    except Unusable as error:
        voice.complain(str(error))
    except (Error, OSError) as error:
        from ssd.sentences import describe

        # An OSError is about ssd itself, not the daemon: no descriptor is left, for example.
        voice.flush()
        voice.complain(describe(error))
    finally:
        voice.flush()
    return _fault(FATAL, options)


def _fault(status: int, options: opts.Options) -> int:
    """Return the exit status of a failure: 4 if a status was asked for."""
    return UNKNOWN if options.command in (opts.STATUS, opts.PIDOF) else status


def _run(options: opts.Options, voice: Voice, table: "ProcessTable | None", own: bool) -> int:
    """Load the code of the verb, and run it."""
    if options.command in (opts.HELP, opts.VERSION):
        from ssd.cli import help as help_text

        return help_text.show(options, voice)
    from ssd.matching import NAME_LIMIT

    name = options.value("name") or ""
    if len(os.fsencode(name)) > NAME_LIMIT and not options.has("interpreted"):
        from ssd.sentences import WARN_NAME

        voice.warn(WARN_NAME.format(limit=NAME_LIMIT))
    if own:
        from ssd.processes import default_table

        settle()  # so that this process behaves as a C program does
        table = table or default_table(may_fork=True)
    if options.command == opts.START:
        from ssd.cli.start import start

        return start(options, voice, table)
    if options.chuid is not None or options.group is not None:
        from ssd.accounts import Account

        Account(options.chuid, options.group)  # not used, but an unknown account is fatal
    if options.command == opts.STOP:
        from ssd.cli.stop import stop

        return stop(options, voice, table)
    from ssd.cli.status import status

    return status(options, voice, table)
