"""What a supervisor waits for: ends of processes, sockets and pipes, in one descriptor.

On Linux this is one epoll(7) instance. Its descriptor is readable as soon as anything is due, so
any loop can wait for a whole supervisor with it, and an event costs the same with one service as
with a thousand. Elsewhere, and for declared processes (``ssd.testing``), the handles are asked
one after the other.
"""

import os
import select

from ssd.processes.waiting import POLL_INTERVAL, ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ssd.processes.contract import Handle, ProcessTable

    class Watched(Protocol):
        """What is waited for, a process mostly."""

        def fileno(self) -> int:
            """Return a descriptor that is readable once it has come; -1 without one."""

        def ended(self) -> bool:
            """Tell whether it has come."""

    Call = Callable[[], object]

MOST = 256  # events that are taken in one turn
_POKE = (1).to_bytes(8, "little")  # for an eventfd any number will do
LONGEST = 86400.0  # seconds of one wait; epoll_wait(2) takes less than 25 days


class HandleWatch:
    """Handles that are asked one after the other; descriptors by poll(2)."""

    def __init__(self, declared: bool = False) -> None:
        """``declared``: whether its processes are those of ``ssd.testing``."""
        self._held: list[tuple[Watched, Call]] = []
        self._poked = Poke() if declared else PipePoke()

    def poke(self) -> None:
        """End the wait of a loop at once, or its next one: there is work without an event."""
        self._poked.give()

    @property
    def handles(self) -> "list[Handle]":
        """What a loop must wait for."""
        return [*(handle for handle, _ in self._held), self._poked]  # type: ignore[list-item]

    @property
    def interval(self) -> float | None:
        """Seconds after which ``poll`` must be called even if no handle says so; None: never."""
        return None

    def hold(self, handle: "Watched", call: "Call") -> None:
        """Call ``call()`` in each ``poll`` once a handle has ended, until it is let go."""
        self._held.append((handle, call))

    def release(self, handle: "Watched") -> None:
        """Let a handle go, before it is closed."""
        self._held = [each for each in self._held if each[0] is not handle]

    def add(self, fd: int, call: "Call", writing: bool = False) -> None:
        """Call ``call()`` in each ``poll`` while a descriptor is readable, or writable."""
        self._held.append((Descriptor(fd, writing), call))

    def remove(self, fd: int) -> None:
        """Let a descriptor go, before it is closed."""
        self._held = [
            each
            for each in self._held
            if not (isinstance(each[0], Descriptor) and each[0].fileno() == fd)
        ]

    def poll(self) -> bool:
        """Make the calls that are due, and tell whether there were any; never waits."""
        self._poked.take()
        due = [each for each in self._held if each[0].ended()]
        for handle, call in due:
            if any(handle is held for held, _ in self._held):  # an earlier call may let it go
                call()
        return bool(due)

    def close(self) -> None:
        """Let everything go."""
        self._poked.close()
        self._held.clear()


class Poke:
    """A handle that has "ended" once it is poked."""

    __slots__ = ("given",)

    def __init__(self) -> None:
        self.given = False

    def give(self) -> None:
        """Poke."""
        self.given = True

    def take(self) -> None:
        """Undo it."""
        self.given = False

    def fileno(self) -> int:
        """Return -1: there is no descriptor."""
        return -1

    def ended(self) -> bool:
        """Tell whether it was poked."""
        return self.given

    def close(self) -> None:
        """Do nothing."""


class PipePoke(Poke):
    """A poke that any loop can wait for."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        super().__init__()
        self._ends = os.pipe()

    def give(self) -> None:
        """Poke."""
        if not self.given:
            self.given = True
            os.write(self._ends[1], b"x")

    def take(self) -> None:
        """Undo it."""
        if self.given:
            self.given = False
            os.read(self._ends[0], 1)

    def fileno(self) -> int:
        """Return the end to wait for."""
        return self._ends[0]

    def close(self) -> None:
        """Close the pipe."""
        for end in self._ends:
            os.close(end)


class Descriptor:
    """A descriptor as something to wait for."""

    __slots__ = ("_fd", "_writing")

    def __init__(self, fd: int, writing: bool = False) -> None:
        self._fd = fd
        self._writing = writing

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd

    def ended(self) -> bool:
        """Tell whether it is readable, or writable if that was asked for."""
        if not self._writing:
            return ready([self._fd], 0)
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(0))


class EpollWatch:
    """One epoll(7) instance; itself a handle that has "ended" while anything is due."""

    __slots__ = ("_blind", "_calls", "_epoll", "_poked", "_poking")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Call] = {}
        self._blind: list[tuple[Watched, Call]] = []  # without a descriptor: asked in turn
        if hasattr(os, "eventfd"):
            self._poked = self._poking = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        else:  # before Python 3.10
            self._poked, self._poking = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.add(self._poked, self._take_poke)

    def poke(self) -> None:
        """End the wait of a loop at once, or its next one: there is work without an event."""
        try:
            os.write(self._poking, _POKE)
        except BlockingIOError:
            pass  # there are as many pokes as fit

    def _take_poke(self) -> None:
        os.read(self._poked, 4096)

    def fileno(self) -> int:
        """Return the descriptor of the epoll instance."""
        return self._epoll.fileno()

    def ended(self) -> bool:
        """Tell whether anything is due."""
        return ready([self._epoll.fileno()], 0) or any(each.ended() for each, _ in self._blind)

    @property
    def handles(self) -> "list[Handle]":
        """What a loop must wait for: this."""
        return [self]  # type: ignore[list-item]

    @property
    def interval(self) -> float | None:
        """Seconds after which ``poll`` must be called even without an event; None: never."""
        return POLL_INTERVAL if self._blind else None

    def hold(self, handle: "Watched", call: "Call") -> None:
        """Call ``call()`` in each ``poll`` once a handle has ended, until it is let go."""
        fd = handle.fileno()
        if fd < 0:  # a kernel without pidfds (before Linux 5.3), or no descriptor is left
            self._blind.append((handle, call))
        else:
            self.add(fd, call)

    def release(self, handle: "Watched") -> None:
        """Let a handle go, before it is closed."""
        fd = handle.fileno()
        if fd < 0:
            self._blind = [each for each in self._blind if each[0] is not handle]
        else:
            self.remove(fd)

    def add(self, fd: int, call: "Call", writing: bool = False) -> None:
        """Call ``call()`` in each ``poll`` while a descriptor is readable, or writable."""
        event = select.EPOLLOUT if writing else select.EPOLLIN
        if fd in self._calls:
            self._epoll.modify(fd, event)
        else:
            self._epoll.register(fd, event)
        self._calls[fd] = call

    def remove(self, fd: int) -> None:
        """Let a descriptor go, before it is closed; nothing happens if it is not held."""
        if self._calls.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def poll(self) -> bool:
        """Make the calls that are due, and tell whether there were any; never waits."""
        events = self._epoll.poll(0, MOST)
        for fd, _ in events:
            call = self._calls.get(fd)
            if call is not None:  # an earlier call may have let it go
                call()
        due = [each for each in self._blind if each[0].ended()]
        for handle, call in due:
            if any(handle is held for held, _ in self._blind):
                call()
        return bool(events or due)

    def wait(self, seconds: float | None) -> None:
        """Return when anything is due, or after ``seconds``, LONGEST at most; None is no limit."""
        limit = min(
            (min(each, LONGEST) for each in (seconds, self.interval) if each is not None),
            default=None,
        )
        self._epoll.poll(limit, 1)

    def close(self) -> None:
        """Close the epoll instance."""
        self._epoll.close()
        if self._calls:
            for fd in {self._poked, self._poking}:
                os.close(fd)
        self._calls.clear()
        self._blind.clear()


if TYPE_CHECKING:
    Watch = HandleWatch | EpollWatch


def watch_for(table: "ProcessTable") -> "Watch":
    """Return what suits a table: epoll for the kernel's processes, where there is one."""
    from ssd.processes.linux import LinuxTable

    if isinstance(table, LinuxTable) and hasattr(select, "epoll") and os.name == "posix":
        return EpollWatch()
    return HandleWatch(table.launcher is not None)
