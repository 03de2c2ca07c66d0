"""Wait for lines, ends and stops of processes. Nothing sleeps."""

import os
import select
import signal
import time


class Events:
    """The children of the first process, which inherits every orphan, and the lines targets say."""

    def __init__(self) -> None:
        """Listen for SIGCHLD through a descriptor, and open the pipe for lines."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._wake = wake_read
        self._lines, self.speak = os.pipe()
        os.set_blocking(self._lines, False)
        self._partial = b""
        self._watched: dict[int, int] = {}
        self.forget()

    def forget(self) -> None:
        """Begin a new case: no process has ended, stopped or said anything."""
        for descriptor in self._watched:
            os.close(descriptor)
        self._watched = {}
        self.ended: dict[int, int] = {}
        self.stopped: list[int] = []
        self.gone: set[int] = set()
        self.lines: list[list[str]] = []

    def watch(self, pid: int) -> None:
        """Note the end of a process, which need not be our child, in `gone`."""
        self._watched[os.pidfd_open(pid)] = pid

    def until(self, fact, seconds: float) -> bool:
        """Wait until `fact()` is true, at most `seconds`; return whether it is."""
        deadline = time.monotonic() + seconds
        while True:
            self._collect()
            if fact():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._wait(left)

    def _wait(self, seconds: float) -> None:
        poll = select.poll()
        for descriptor in (self._wake, self._lines, *self._watched):
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(seconds * 1000 + 1):
            if descriptor in self._watched:
                self.gone.add(self._watched.pop(descriptor))
                os.close(descriptor)

    def _collect(self) -> None:
        """Take in what has happened so far: bytes that woke us, lines, children."""
        _drain(self._wake)
        *whole, self._partial = (self._partial + _drain(self._lines)).split(b"\n")
        for words in (line.decode().split() for line in whole):
            if words[0] == "ended":
                self.ended[int(words[1])] = int(words[2])
            else:
                self.lines.append(words)
        while (change := next_child(os.WUNTRACED)) is not None:
            pid, status = change
            if os.WIFSTOPPED(status):
                self.stopped.append(pid)
            else:
                self.ended[pid] = os.waitstatus_to_exitcode(status)

    def said(self, word: str, name: str) -> list[str] | None:
        """Return the line that began with `word` and `name`, or None."""
        return next((line for line in self.lines if line[:2] == [word, name]), None)


def next_child(flags: int = 0) -> tuple[int, int] | None:
    """Return the pid and status of a child that has changed, None if no other has."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG | flags)
    except ChildProcessError:  # no children at all: nothing to report
        return None
    return (pid, status) if pid else None


def _drain(descriptor: int) -> bytes:
    data = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except BlockingIOError:  # read all there was
            return data
        data += part


def end_everything(events: Events) -> None:
    """Kill and reap every other process of the namespace.

    Raises RuntimeError outside a PID namespace of our own, where that would be a disaster.
    """
    if os.getpid() != 1:
        raise RuntimeError("not the first process of a namespace")
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:  # no process was left
        pass
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:  # all are reaped
            return
        events.ended[pid] = os.waitstatus_to_exitcode(status)
