"""What is declared of a job, as plain values for ``initctl show-config`` and ``check-config``."""

from ssd.service.sources.upstart.conditions import And, Event, Or

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.sources.upstart import JobFile
    from ssd.service.sources.upstart.conditions import Condition

AND, OR = "/AND", "/OR"


def gather(file: "JobFile") -> "dict[str, object]":
    """Return the conditions of a job and the events that it says it emits."""
    return {
        "name": file.name,
        "emits": list(file.emits),
        "start_on": None if file.start_on is None else str(file.start_on),
        "stop_on": None if file.stop_on is None else str(file.stop_on),
        "start_words": words(file.start_on),
        "stop_words": words(file.stop_on),
    }


def words(condition: "Condition | None") -> "list[list[str]]":
    """Return events, each with its arguments, and operators in postfix order.

    Without recursion: a file may nest as it likes.
    """
    found: list[list[str]] = []
    ahead = [] if condition is None else [condition]
    while ahead:
        part = ahead.pop()
        if isinstance(part, (And, Or)):
            ahead += (part.left, part.right)
            found.append([AND if isinstance(part, And) else OR])
        elif isinstance(part, Event):
            found.append(part.words())
    return found[::-1]
