"""A line on a terminal that says what a stop waits for, and for how long.

``waiting for nginx, pid 123: TERM sent, KILL in 18 s``: it is written anew each second, and taken
away before anything else is printed. It is for people who watch: loaded only if they do.

An init script may have begun the line of the terminal ("Stopping web server: nginx"). So the text
comes behind the cursor, wherever that is, and the cursor goes back to its place.
"""

import os
import select

from ssd.interrupts import Interruptible
from ssd.schedule import SEND
from ssd.signal_names import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssd.processes.contract import ProcessTable
    from ssd.schedule import Schedule
    from ssd.stopping import Stop

PERIOD = 1.0  # seconds between two looks at the clock
PATIENCE = 0.25  # seconds: a stop that is over by then shows no line
# Of the VT100 and all its heirs: save the cursor (DECSC), clear the rest of the line (EL), begin no
# new line at the right margin (DECAWM); begin one again, and go back to the saved place (DECRC).
# The cursor goes back at once: what else is written meanwhile does not move the place.
BEGIN, END, ERASE = "\x1b7\x1b[K\x1b[?7l", "\x1b[?7h\x1b8", "\x1b[K"
USUAL_WIDTH = 80  # of a terminal that does not know its own
SHOWN_PIDS = 3


def is_watched(fd: int) -> bool:
    """Tell whether a descriptor is a terminal that can take back what was written.

    Its TERM must be neither empty nor "dumb".
    """
    return os.isatty(fd) and os.environ.get("TERM", "") not in ("", "dumb")


def watch(stop: "Stop", write: "Callable[[str], object]", fd: int) -> "WaitingLine | None":
    """Return the line of a stop on a terminal; None if it cannot take back what is written."""
    return WaitingLine([stop], write, fd) if is_watched(fd) else None


def around(schedule: "Schedule", number: int) -> tuple[int | None, int | None, float | None]:
    """Return the signals before and after a wait, and the seconds of other waits in between.

    ``number`` counts the waits that take time from 1, as they come. No signal before or after is
    None; the seconds are None if the rest is one wait without an end.
    """
    sent, seen, more = None, 0, 0.0
    ahead = len(schedule.steps) + 1  # of waits: then the tail repeats, and sends nothing
    for kind, value in schedule:
        if kind == SEND and seen == number:
            return sent, int(value), more
        if kind == SEND:
            sent = int(value)
        elif value and seen == number:
            more += value
            ahead -= 1
            if not ahead:
                return sent, None, None
        elif value:
            seen += 1
    return sent, None, more


def line(
    name: str, pids: "Sequence[int]", sent: int | None, following: int | None, left: float | None
) -> str:
    """Return the text of the line. ``left``: seconds until the signal ``following``, or the end.

    They are rounded up: it is 1 s, not 0 s, until the time is over. None: there is no end.
    """
    shown = ", ".join(map(str, pids[:SHOWN_PIDS]))
    more = f" and {len(pids) - SHOWN_PIDS} more" if len(pids) > SHOWN_PIDS else ""
    plural = "s" if len(pids) > 1 else ""
    text = f"waiting for {f'{name}, ' if name else ''}pid{plural} {shown}{more}"
    done = [] if sent is None else [f"{_short(sent)} sent"]
    if left is not None:
        then = "giving up" if following is None else _short(following)
        done.append(f"{then} in {-int(-left // 1)} s")
    return f"{text}: {', '.join(done)}" if done else text


def _short(signum: int) -> str:
    return signal_name(signum).removeprefix("SIG")


def fitted(text: str, width: int) -> str:
    """Return a text as a terminal shows it on one line: without control characters, and cut.

    A character that is not ASCII may take two columns.
    """
    shown, used = "", 0
    for each in text:
        each = each if each.isprintable() else "?"
        used += 1 if each.isascii() else 2
        if used > width:
            break
        shown += each
    return shown


class WaitingLine:
    """Drives stops, and shows on a terminal what the first of them waits for.

    write(text): writes to the terminal ``fd``. names: of the services, one for each stop; of the
    processes unless given.
    """

    def __init__(
        self,
        stops: "Sequence[Stop]",
        write: "Callable[[str], object]",
        fd: int,
        names: "Sequence[str]" = (),
    ) -> None:
        self._stops = list(stops)
        self._names = list(names) or [""] * len(self._stops)
        self._write = write
        self._fd = fd
        self._waits: list[tuple[float | None, int]] = [(None, 0)] * len(self._stops)
        self._shown = False

    def run(self) -> None:
        """Drive the stops to their ends, as ``ssd.stopping.run`` does."""
        pending = [index for index, stop in enumerate(self._stops) if not stop.step()]
        while pending:
            self.wait(pending)
            pending = [index for index in pending if not self._stops[index].step()]

    def wait(self, pending: "Sequence[int]" = (0,)) -> None:
        """Wait until one of these stops may advance; the line is gone when it returns.

        A signal that ends this process takes effect after that.
        """
        stops = [self._stops[index] for index in pending]
        table = stops[0].table
        until = min((stop.until for stop in stops if stop.until is not None), default=None)
        handles = [handle for stop in stops for handle in stop.handles]
        self._count(pending)
        begin = now = table.now()
        due = now + PATIENCE
        with Interruptible():
            try:
                while True:
                    limit = due if until is None else min(due, until)
                    table.wait(handles, limit)
                    now = table.now()
                    if limit == until or now < limit:  # the time is up, or a process has ended
                        return
                    self._show(self._text(pending, now))
                    due = begin + PERIOD * (int((now - begin) / PERIOD) + 1)
            finally:
                self._erase()

    def _count(self, pending: "Sequence[int]") -> None:
        """Count the waits of each stop: each has a time of its own at which it is over."""
        for index in pending:
            until, number = self._waits[index]
            now = self._stops[index].until
            if now != until:
                self._waits[index] = now, number + 1

    def _text(self, pending: "Sequence[int]", now: float) -> str:
        """Return what the first of the stops waits for."""
        index, others = pending[0], len(pending) - 1
        stop = self._stops[index]
        until, number = self._waits[index]
        sent, following, left = around(stop.schedule, number)
        if until is not None and left is not None:
            left += max(0.0, until - now)
        pids = [handle.process.pid for handle in stop.handles]
        text = line(self._names[index] or _name(pids, stop.table), pids, sent, following, left)
        return f"{text} (and {others} more)" if others else text

    def _show(self, text: str) -> None:
        """Write the line instead of the one before it, where this process may write now."""
        if not _in_foreground(self._fd):
            return
        text = f"{BEGIN}{fitted(f' {text}', _width(self._fd))}{END}"
        if _takes_more(self._fd):
            self._shown = True  # first: a signal may come in between
            self._write(text)

    def _erase(self) -> None:
        if self._shown and _takes_more(self._fd):
            self._write(ERASE)
        self._shown = False


def _name(pids: "Sequence[int]", table: "ProcessTable") -> str:
    """Return the kernel's name of the first process."""
    kin = table.kin.of(pids[0]) if pids else None
    return "" if kin is None else kin.name.decode("utf-8", "replace")


def _width(fd: int) -> int:
    """Return the columns of a terminal."""
    try:
        return os.get_terminal_size(fd).columns or USUAL_WIDTH
    except OSError:  # it was hung up, and the caller ignores that
        return USUAL_WIDTH


def _takes_more(fd: int) -> bool:
    """Tell whether a write to a terminal does not block: Ctrl-S must not keep KILL waiting."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return any(event & select.POLLOUT for _, event in poll.poll(0))


def _in_foreground(fd: int) -> bool:
    """Tell whether a write to a terminal does not stop this process (SIGTTOU, termios(3)).

    A job in the background could be stopped by it. A terminal that is not ours stops nobody.
    """
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True
