"""Kqueues on Linux: what ``select`` has on BSD and macOS, for real processes and descriptors.

After kqueue(2) and kevent(2) of FreeBSD, macOS and OpenBSD, and the select module of CPython. The
kernel's part is played by an epoll(7) instance for each kqueue and a pidfd for each watched
process, so that a wait blocks, the descriptor is a real one, and one kqueue can watch another.
"""

import contextlib
import errno
import os
import select
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest

READ, PROC = -1, -5  # filters
ADD, DELETE, ONESHOT, ERROR, EOF = 0x1, 0x2, 0x10, 0x4000, 0x8000  # flags
NOTE_EXIT = 0x80000000


class Kevent(NamedTuple):
    """A struct kevent."""

    ident: int
    filter: int = READ
    flags: int = ADD
    fflags: int = 0
    data: int = 0
    udata: int = 0


def kevent(
    ident: Any,
    filter: int = READ,
    flags: int = ADD,
    fflags: int = 0,
    data: int = 0,
    udata: int = 0,
) -> Kevent:
    """Make an event; ``ident`` may have a fileno(), and a negative number is refused."""
    number = ident if isinstance(ident, int) else ident.fileno()
    if number < 0:
        raise OverflowError("can't convert negative value to size_t")
    return Kevent(number, filter, flags, fflags, data, udata)


_pidfd_open = os.pidfd_open  # a test may take it away
_made: "weakref.WeakSet[Kqueue]" = weakref.WeakSet()


def _leave_all() -> None:
    """Give up all kqueues in a child: fork(2) does not hand them down."""
    for queue in list(_made):
        queue.drop()


os.register_at_fork(after_in_child=_leave_all)


class System:
    """The kqueues of one system.

    finds_zombies: whether a process that has ended can be watched: yes on FreeBSD, whose event is
    there at once; ESRCH on macOS and OpenBSD. owner_only: whether others than the owner and root
    are refused (EACCES), as on OpenBSD and NetBSD.

    refusals: the call that fails ("kqueue", "proc", "read"), and the number of its error.
    waits: how often events were waited for.
    """

    def __init__(self, finds_zombies: bool = True, owner_only: bool = False) -> None:
        self.finds_zombies = finds_zombies
        self.owner_only = owner_only
        self.refusals: dict[str, int] = {}
        self.open: set[Kqueue] = set()
        self.waits = 0

    def refuse(self, call: str) -> None:
        """Fail if the call is to fail."""
        if call in self.refusals:
            raise OSError(self.refusals[call], os.strerror(self.refusals[call]))

    def kqueue(self) -> "Kqueue":
        """Make a kqueue."""
        self.refuse("kqueue")
        return Kqueue(self)


class Kqueue:
    """A kqueue, as the object of the select module.

    As before Python 3.11.7, one in a child of its process still has its number, and ``close``
    closes whatever has that number.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._epoll = select.epoll()
        self._fd = self._epoll.fileno()
        self._watched: dict[int, Kevent] = {}  # descriptor -> event
        self._pidfds: dict[int, int] = {}
        system.open.add(self)
        _made.add(self)

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._fd < 0

    def fileno(self) -> int:
        """Return the descriptor."""
        if self.closed:
            raise ValueError("I/O operation on closed kqueue object")
        return self._fd

    def close(self) -> None:
        """Close the descriptor; twice is harmless."""
        fd, self._fd = self._fd, -1
        if fd >= 0 and self._epoll.closed:
            os.close(fd)  # in a child: it is another file, or EBADF
        self.drop()

    def drop(self) -> None:
        """Give up all descriptors."""
        self._epoll.close()
        while self._pidfds:
            os.close(self._pidfds.popitem()[1])
        self._system.open.discard(self)

    def control(
        self, changelist: Sequence[Kevent] | None, max_events: int, timeout: float | None = None
    ) -> list[Kevent]:
        """Make changes, then return events.

        A change that fails is an event if there is room for it, else an OSError; see kevent(2).
        """
        self.fileno()
        if max_events < 0:
            raise ValueError(f"Length of eventlist must be 0 or positive, got {max_events}")
        if timeout is not None and timeout < 0:
            raise ValueError("timeout must be positive or None")
        failed: list[Kevent] = []
        for event in changelist or ():
            try:
                self._change(event)
            except OSError as error:
                if len(failed) >= max_events:
                    raise
                flags = event.flags | ERROR
                failed.append(event._replace(flags=flags, data=error.errno or 0))
        if failed or not max_events:
            return failed
        self._system.waits += 1
        ready = self._epoll.poll(timeout, max_events)
        return [self._happened(fd) for fd, _ in ready]

    def _change(self, event: Kevent) -> None:
        """Add one event; the same one again replaces it."""
        assert ADD == event.flags, "only EV_ADD is emulated"
        if event.filter == READ:
            self._system.refuse("read")
            self._watch(event.ident, event)
            return
        assert (PROC, NOTE_EXIT) == (event.filter, event.fflags), "only NOTE_EXIT is emulated"
        self._system.refuse("proc")
        if event.ident in self._pidfds:
            return
        try:
            fd = _pidfd_open(event.ident)
        except OSError as error:  # EINVAL: a thread, which BSD does not number as Linux does
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH)) from error
        try:
            self._admit(event.ident, fd)
            self._watch(fd, event)
        except BaseException:
            os.close(fd)
            raise
        self._pidfds[event.ident] = fd

    def _admit(self, pid: int, fd: int) -> None:
        """Fail if this system lets nobody, or not the caller, watch the process."""
        if not self._system.finds_zombies and select.select([fd], [], [], 0)[0]:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        owner = os.stat(f"/proc/{pid}").st_uid
        if self._system.owner_only and os.geteuid() not in (0, owner):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _watch(self, fd: int, event: Kevent) -> None:
        """Have a descriptor watched."""
        if fd not in self._watched:
            self._epoll.register(fd, select.EPOLLIN)
        self._watched[fd] = event

    def _happened(self, fd: int) -> Kevent:
        """Return an event; that of an end is taken out (filt_proc of FreeBSD and XNU)."""
        event = self._watched[fd]
        if event.filter == PROC:
            self._epoll.unregister(fd)
            del self._watched[fd], self._pidfds[event.ident]
            os.close(fd)
            return event._replace(flags=event.flags | EOF | ONESHOT)
        return event


@contextlib.contextmanager
def installed(system: System) -> Iterator[System]:
    """Give the select module the kqueues of a system; all must be closed at the end."""
    parts = {
        "kqueue": system.kqueue,
        "kevent": kevent,
        "KQ_FILTER_PROC": PROC,
        "KQ_FILTER_READ": READ,
        "KQ_EV_ADD": ADD,
        "KQ_NOTE_EXIT": NOTE_EXIT,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, part in parts.items():
            patch.setattr(select, name, part, raising=False)
        yield system
    assert not system.open, "a kqueue was left open"
