"""The commands initctl, start, stop, restart, reload and status: ask a supervisor of Upstart jobs.

Jobs call them in loops, so each loads only what it needs. Texts and exit statuses are those of the
original; ``ssd.upstart.control`` is the other end.
"""

from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import fill, write
from ssd.upstart.initctl.commands import COMMANDS
from ssd.upstart.initctl.options import COMMON, MAKE_LINKS, Asked, Call, Misuse, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STDOUT, STDERR = 1, 2


def main(argv: "list[str]") -> int:
    """Run the command in a process of its own, and return its exit status.

    The name that it was called by is the command, if there is one of that name.
    """
    fill()
    name = argv[0].rpartition("/")[2]
    call = Call(argv[0], name if name in COMMANDS else "", [])
    words = argv[1:]
    try:
        if not call.command:
            words = _find_command(call, words)
            if not words:
                from ssd.upstart.initctl.links import perform as make_links

                return make_links(call)
        return _perform(call, words, named=name == call.command)
    except Asked as asked:
        from ssd.upstart.initctl.help import answer

        write(STDOUT, answer(str(asked), call.program, call.command))
        return SUCCESS
    except Misuse as misuse:
        write(STDERR, f"{call.program}: {misuse}\n")
        write(STDERR, f"Try `{call.program} --help' for more information.\n")
        return FAILED


def _find_command(call: Call, words: "list[str]") -> "list[str]":
    """Find the command among the words; return those behind it. Raises Misuse and Asked.

    They begin with a word in place of its name; there are none if links are to be made.
    """
    found = Words(words, (*COMMON, MAKE_LINKS), stops=True)
    call.options = found.options
    if call.has("make-links"):
        return []
    if not found.arguments:
        raise Misuse("missing command")
    if found.arguments[0] not in COMMANDS:
        raise Misuse(f"invalid command: {found.arguments[0]}")
    call.command = found.arguments[0]
    return found.arguments


def _perform(call: Call, words: "list[str]", named: bool) -> int:
    """Do a command. named: its name is that of the program, and not the first word."""
    _, rows, module = COMMANDS[call.command]
    found = Words(words if named else words[1:], (*rows, *COMMON))
    call.options += found.options
    call.arguments = found.arguments
    return _load(module)(call)


def _load(module: str) -> "Callable[[Call], int]":
    """Return the function of a command's module; others are not loaded."""
    home = __import__(f"ssd.upstart.initctl.{module}", fromlist=["perform"])
    found: Callable[[Call], int] = home.perform
    return found
