"""What the program before has left to this one in the same process: ``succession.upgrade``."""

import os

from ssd.supervision.control.json_text import decode, row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

VARIABLE = "SSD_UPGRADE"  # the descriptor of the state, or "check" and a format of journals
STATE = "ssd-supervise-state"  # its name
NAMES = ("lock", "listener", "notify")


class Handed:
    """What was handed over.

    ``state``: as of a journal. Descriptors are -1 if there is none. ``limits``: the soft and hard
    limit for descriptors before they were raised, None if they were not.
    """

    __slots__ = ("state", "lock", "listener", "notify", "limits", "_pipes")

    def __init__(self, state: bytes, first: "dict[str, object]") -> None:
        self.state = state
        self.lock, self.listener, self.notify = (_number(first.get(name)) for name in NAMES)
        self.limits: tuple[int, int] | None = None
        if found := row(first.get("limits"), int, int):
            self.limits = found[0], found[1]
        pipes = first.get("pipes")
        self._pipes = [_number(fd) for fd in pipes] if isinstance(pipes, list) else []
        for fd in (self.lock, self.listener, self.notify, *self._pipes):
            if fd >= 0:
                os.set_inheritable(fd, False)

    def release(self, taken: "Container[int]" = ()) -> None:
        """Close the pipes: by now the logs have opened them again. ``taken``: those go on."""
        for fd in self._pipes:
            if fd not in taken:
                os.close(fd)
        self._pipes = []


def take() -> "Handed | None":
    """Return what was handed over to this process; None if it was started anew."""
    given = os.environ.pop(VARIABLE, "")
    if not given.isdigit():
        return None
    fd = int(given)
    try:
        if not os.readlink(f"/proc/self/fd/{fd}").startswith(f"/memfd:{STATE}"):
            return None  # the variable came another way
        size = os.fstat(fd).st_size
        data = os.pread(fd, size, 0)
        os.close(fd)
    except OSError:
        return None
    line, _, state = data.partition(b"\n")
    first = decode(line.decode("ascii"))
    if not isinstance(first, dict) or first.get("handed") != os.getpid():
        return None
    return Handed(state, first)


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1
