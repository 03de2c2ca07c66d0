"""Ask the supervisor of Upstart jobs, and say what it answers."""

from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import write
from ssd.supervision.client import NoAnswer, Unreachable
from ssd.upstart.initctl.reach import NoSession, NoSupervisor, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.client import Connection
    from ssd.upstart.initctl.options import Call

    Answer = dict[str, object]

STDOUT, STDERR = 1, 2


class Refused(Exception):
    """The supervisor does not do what it was asked for; the text says why."""


class Jobs:
    """The supervisor of Upstart jobs, as the caller of a command meets it."""

    __slots__ = ("call", "_connection")

    def __init__(self, call: "Call", connection: "Connection") -> None:
        self.call = call
        self._connection = connection

    def ask(self, command: str, **fields: object) -> "Answer":
        """Ask for one thing; return its answer, with the lists of all its lines in one.

        Fields that are None, False or an empty list are left out. Raises Refused and NoAnswer.
        """
        given = {name: value for name, value in fields.items() if value or value == ""}
        lists: dict[str, list[object]] = {}
        line: Answer = {}
        for line in self._connection.ask("job", command=command, **given):
            for name, value in line.items():
                if isinstance(value, list):
                    lists.setdefault(name, []).extend(value)
        if line.get("ok") is not True:
            raise Refused(str(line.get("message")))
        return {**line, **lists}

    def say(self, text: object) -> None:
        """Print a line, unless only errors are wanted."""
        say(self.call, f"{text}\n")


def perform(call: "Call", work: "Callable[[Jobs], object]") -> int:
    """Do work with the supervisor; say what goes wrong, and return the exit status."""
    try:
        connection = connect(call)
        try:
            work(Jobs(call, connection))
        finally:
            connection.close()
        return SUCCESS
    except (NoSupervisor, Unreachable) as error:
        return fail(call, f"Unable to connect to Upstart: {error}")
    except NoSession:
        unset = "UPSTART_SESSION isn't set in the environment."
        return fail(call, f"{unset} Unable to locate the Upstart instance.")
    except (Refused, NoAnswer) as error:
        return fail(call, str(error))


def say(call: "Call", text: str) -> None:
    """Write lines to standard output, unless only errors are wanted.

    As printf(3) of a C program it cares for no full disk; a closed pipe kills it.
    """
    if text and not call.is_quiet:
        write(STDOUT, text)


def fail(call: "Call", message: str) -> int:
    """Say what is wrong, and return the exit status.

    After the program's name there is a blank, but not before a message that is named itself.
    """
    first = message.partition(" ")[0]
    write(STDERR, f"{call.program}:{'' if ':' in first else ' '}{message}\n")
    return FAILED
