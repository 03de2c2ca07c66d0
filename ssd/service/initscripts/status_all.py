"""Run the status verb of many init scripts side by side, and see what each says.

What service(8) does one after the other, and waits for as long as it takes: a script that
hangs, or leaves a child with its output, hangs it for ever. Here the end of the script is the
end of the wait, its input is /dev/null, and one that takes too long is ended.
"""

import os
import time
from select import POLLIN, poll

from ssd.service.initscripts.program import Run
from ssd.service.initscripts.spawning import spawn
from ssd.signals import raw as signals
from ssd.statuses import CANNOT_EXECUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USAGE = b"usage:"
CHUNK = 1 << 20  # more than a pipe holds: what was said before the end is read in one piece

RUNNING, NOT_RUNNING, UNKNOWN = "+", "-", "?"


class Answer:
    """What a script has made of the question: its exit status and what its output tells."""

    __slots__ = ("status", "spoke", "usage", "problem", "_tail")

    def __init__(self) -> None:
        self.status: int | None = None
        self.spoke = False
        self.usage = False
        self.problem = ""
        self._tail = b""

    def hear(self, data: bytes) -> None:
        """Take in a piece of the output. Empty lines say nothing, and NUL is no text."""
        data = data.replace(b"\0", b"")
        self.spoke = self.spoke or bool(data.strip(b"\n"))
        text = self._tail + data.lower()
        self.usage = self.usage or USAGE in text
        self._tail = text[1 - len(USAGE) :]

    @classmethod
    def impossible(cls, error: OSError) -> "Answer":
        """Return the answer of a script that cannot be executed: env(1) says so, and fails."""
        answer = cls()
        answer.status = CANNOT_EXECUTE
        answer.hear(os.fsencode(error.strerror or str(error)))
        return answer

    @property
    def sign(self) -> str:
        """The sign that service(8) gives it: a usage is no answer, silence is a no."""
        if self.problem or self.usage:
            return UNKNOWN
        return RUNNING if self.status == 0 and self.spoke else NOT_RUNNING


class _Child:
    """A script that is being asked: its pid and process group, the end of its output."""

    __slots__ = ("name", "pid", "output", "watched", "deadline", "answer")

    def __init__(self, name: str, run: Run, deadline: float) -> None:
        self.name = name
        self.deadline = deadline
        self.answer = Answer()
        self.watched = True
        self.output, end = os.pipe()
        os.set_blocking(self.output, False)
        actions: list[tuple[int | str, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, end, 1),
            (os.POSIX_SPAWN_DUP2, end, 2),
        ]
        try:
            self.pid = spawn(run, actions, new_session=True)
        except BaseException:
            os.close(self.output)
            raise
        finally:
            os.close(end)

    def read(self) -> bool:
        """Take in what has been written; False once nobody can write any more."""
        try:
            data = os.read(self.output, CHUNK)
        except BlockingIOError:
            return True
        self.answer.hear(data)
        return bool(data)

    def ended(self) -> bool:
        """Reap it if it has ended, with what it said last."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.read()
            self.answer.status = os.waitstatus_to_exitcode(status)
        return bool(pid)

    def end(self, problem: str) -> None:
        """End and reap it, with its process group."""
        os.killpg(self.pid, signals.SIGKILL)
        os.waitpid(self.pid, 0)
        self.answer.problem = problem


class Inquiry:
    """Many scripts, a few at a time. Use it as a context: what it leaves undone it ends."""

    def __init__(self, runs: "Sequence[tuple[str, Run]]", jobs: int, patience: float) -> None:
        """``runs``: names and what to run. ``patience``: seconds that each may take."""
        self._ahead = list(runs)[::-1]
        self._jobs = jobs
        self._patience = patience
        self._running: dict[int, _Child] = {}  # by the descriptor of their output

    @property
    def waiting_for(self) -> "list[str]":
        """The names of those that are being asked right now."""
        return [child.name for child in self._running.values()]

    def __enter__(self) -> "Inquiry":
        # A death has to end poll(2); the handler itself has nothing to do.
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before = signals.signal(signals.SIGCHLD, lambda signum, frame: None)
        self._woke_before = signals.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._watch = poll()
        self._watch.register(self._woken, POLLIN)
        return self

    def __exit__(self, *error: object) -> None:
        for child in self._running.values():
            child.end("interrupted")
            os.close(child.output)
        signals.set_wakeup_fd(self._woke_before)
        signals.signal(signals.SIGCHLD, self._before)
        os.close(self._woken)
        os.close(self._wake)

    def __iter__(self) -> "Iterator[tuple[str, Answer] | None]":
        """Ask all. Yield each answer as it comes, and None before every wait."""
        while self._ahead or self._running:
            yield from self._begin()
            if self._running:
                yield None
                self._wait()
                yield from self._ended()

    def _begin(self) -> "Iterator[tuple[str, Answer]]":
        """Start as many as may run; yield those that cannot be executed."""
        while self._ahead and len(self._running) < self._jobs:
            name, run = self._ahead.pop()
            try:
                child = _Child(name, run, time.monotonic() + self._patience)
            except OSError as error:
                yield name, Answer.impossible(error)
            else:
                self._running[child.output] = child
                self._watch.register(child.output, POLLIN)

    def _wait(self) -> None:
        """Wait for output, a death or the first deadline."""
        first = min(child.deadline for child in self._running.values())
        for fd, _ in self._watch.poll(max(0.0, first - time.monotonic()) * 1000):
            if fd == self._woken:
                os.read(fd, CHUNK)
            elif not self._running[fd].read():
                self._leave(self._running[fd])  # or it would be ready for ever

    def _ended(self) -> "Iterator[tuple[str, Answer]]":
        """Yield those that have ended, and end those whose time is over."""
        for child in list(self._running.values()):
            if not child.ended():
                if time.monotonic() < child.deadline:
                    continue
                child.end(f"no answer in {self._patience:g} seconds")
            del self._running[child.output]
            self._leave(child)
            os.close(child.output)
            yield child.name, child.answer

    def _leave(self, child: _Child) -> None:
        """Watch a child's output no longer."""
        if child.watched:
            self._watch.unregister(child.output)
            child.watched = False
