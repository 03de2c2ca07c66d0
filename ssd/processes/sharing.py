"""Two processes search /proc side by side, where it has thousands of entries.

The caller lists the entries and hands them out in shares, through a pipe from which a forked
helper takes them. At the end of the list the caller takes shares back from the same pipe, so both
work until none is left, however fast each is. A share that the helper does not answer for, because
it was killed, stopped or delayed, is looked through again. So nothing waits for the helper, and its
failures change no result. It leaves no trace: it ends by itself when either pipe is closed at the
other end, which also the death of the caller does, and it is killed and reaped before the caller
goes on.

This is for a process that has one thread and does not wait for all of its children at once, such
as the command.
"""

import os

from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import NoReturn

    Keep = Callable[[Iterable[bytes]], Iterable[bytes]]

SHARE = 250  # names of at most 7 digits, so they fit a packet; half a millisecond of work or more
# To fork, and to end the helper, takes as long as to look at half of 3000 processes by user.
MIN_SHARES = 12
SPARE = 3  # descriptors which the caller needs for a closer look at what is kept
PACKET = 4096  # PIPE_BUF (pipe(7)): a longer one would be cut in two


def shared(root: bytes, keep: "Keep") -> "Iterator[bytes]":
    """Yield what ``keep`` keeps of the pids in a directory, in the order of the directory.

    ``keep`` looks at one name after the other, and also at a part of them. The helper's own pid is
    left out: the directory may list it, as it is read on after the fork. Raises OSError.
    """
    shares, first = _shares(root), list[list[bytes]]()
    while len(first) < MIN_SHARES and (share := next(shares, None)) is not None:
        first.append(share)
    helper = None if len(first) < MIN_SHARES else start(keep)
    if helper is None:
        for share in [*first, *shares]:  # all at once: the directory is closed before a look
            yield from keep(share)
        return
    found: dict[int, list[bytes]] = {}
    told = 0
    itself = b"%d" % helper.pid
    try:
        for _ in _together(helper, keep, (first, shares), found):
            while told in found:
                yield from (name for name in found[told] if name != itself)
                told += 1
    finally:
        helper.end()


def _shares(root: bytes) -> "Iterator[list[bytes]]":
    """List a directory in shares while it is read. Raises OSError."""
    share = []
    with os.scandir(root) as entries:
        for entry in entries:
            name = entry.name
            if name.isdigit():
                share.append(name)
                if len(share) == SHARE:
                    yield share
                    share = []
    if share:
        yield share


def _together(
    helper: "Helper",
    keep: "Keep",
    sources: "Iterable[Iterable[list[bytes]]]",
    found: dict[int, list[bytes]],
) -> "Iterator[None]":
    """Look through all shares, put what is kept under their numbers, and yield after each."""
    shares: list[list[bytes]] = []
    held: list[int] = []  # numbers of shares for which the pipe had no room
    for source in sources:
        for share in source:
            if held or not helper.offer(len(shares), share):
                held.append(len(shares))
            shares.append(share)
            found.update(helper.answers())
            yield
    while held:
        number = held.pop(0)
        found[number] = list(keep(shares[number]))
        while held and helper.offer(held[0], shares[held[0]]):
            held.pop(0)
        found.update(helper.answers())
        yield
    for number in helper.untouched():
        found[number] = list(keep(shares[number]))
        found.update(helper.answers())
        yield
    for number, share in enumerate(shares):
        if number not in found:
            found[number] = list(keep(share))
            found.update(helper.answers())
            yield


def start(keep: "Keep") -> "Helper | None":
    """Start a helper; None if there is one processor, or the system has nothing to spare."""
    try:
        return Helper(keep) if len(os.sched_getaffinity(0)) > 1 else None
    except OSError:  # a limit of processes or descriptors, no memory, or a filter: work alone
        return None


class Helper:
    """A forked process that looks at shares which it takes from a pipe. Raises OSError.

    Both pipes keep packets apart (O_DIRECT in pipe(2)), so that two processes can read from one.
    """

    def __init__(self, keep: "Keep") -> None:
        self._fds: list[int] = []
        self.pid = 0
        self._ignored = signals.getsignal(signals.SIGCHLD) == signals.SIG_IGN
        try:
            for _ in "work", "answers":
                self._fds += os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
            for _ in range(SPARE):  # so that a limit is met here
                self._fds.append(os.dup(self._fds[0]))
            for _ in range(SPARE):
                os.close(self._fds.pop())
            if self._ignored:  # the kernel would reap the helper, and give its pid to another
                signals.signal(signals.SIGCHLD, signals.SIG_DFL)
            self.pid = os.fork()
            if not self.pid:
                _help(keep, *self._fds)
            _place(self.pid, beside=True)
            os.close(self._fds.pop())
            self._work, self._offered, self._answered = self._fds
            os.set_blocking(self._offered, False)
            os.set_blocking(self._answered, False)
        except BaseException:
            self.end()
            raise

    def offer(self, number: int, share: list[bytes]) -> bool:
        """Put a share into the pipe; return whether there was room."""
        try:
            os.write(self._offered, b" ".join([b"%d" % number, *share]))
        except BlockingIOError:
            return False
        return True

    def answers(self) -> "Iterator[tuple[int, list[bytes]]]":
        """Yield what the helper has answered: numbers of shares, and what it kept of each."""
        try:
            while packet := os.read(self._answered, PACKET):
                number, *names = packet.split()
                yield int(number), names
        except BlockingIOError:
            return

    def untouched(self) -> "Iterator[int]":
        """Offer nothing more, and yield the numbers of shares taken back from the helper."""
        self._fds.remove(self._offered)
        os.close(self._offered)
        while packet := os.read(self._work, PACKET):
            yield int(packet.partition(b" ")[0])

    def end(self) -> None:
        """End the helper and leave no trace of it."""
        while self._fds:
            os.close(self._fds.pop())
        if self.pid:
            os.kill(self.pid, signals.SIGKILL)
            _place(self.pid, beside=False)
            os.waitpid(self.pid, 0)
        if self._ignored:
            signals.signal(signals.SIGCHLD, signals.SIG_IGN)


def _place(pid: int, beside: bool) -> None:
    """Move a child to the other processors, or to the one that this process leaves by waiting.

    A scheduler that sees two short processes may leave both where they began, and a busy processor
    lets a child wait for its end. Where this is impossible the kernel's choice stays.
    """
    try:
        with open("/proc/self/stat", "rb", buffering=0) as file:
            text = file.read()
        here = {int(text[text.rindex(b")") + 2 :].split(b" ", 37)[36])}  # field 39 in proc(5)
        os.sched_setaffinity(pid, os.sched_getaffinity(0) - here if beside else here)
    except OSError:
        return


def _help(keep: "Keep", work: int, offered: int, answered: int, answers: int) -> "NoReturn":
    """In the helper: answer for each share, until none is left or nobody listens."""
    try:
        os.close(offered)
        os.close(answered)
        while packet := os.read(work, PACKET):
            number, *names = packet.split()
            os.write(answers, b" ".join([number, *keep(names)]))
    finally:
        os._exit(0)  # without the caller's buffers and exit handlers
