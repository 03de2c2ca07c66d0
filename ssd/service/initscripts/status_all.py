"""``--status-all``: the answer of service(8) for every service, with all scripts in parallel.

service(8) runs the scripts one after the other without a limit: a script that hangs, or leaves a
child with its output, blocks it for ever. Here the wait is over when the script itself ends, the
input is /dev/null, and a script that exceeds the time limit is killed.
"""

import os
import time
from select import POLLIN, poll

from ssd import statuses
from ssd.service import INIT_D
from ssd.service.errors import DeclarationError
from ssd.service.initscripts import script
from ssd.service.initscripts.program import Run, spawn
from ssd.service.trust import check
from ssd.signals import raw as signals
from ssd.stdio import Voice, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SCRIPT_TIMEOUT = 10.0  # seconds for one script
LINE = " [ {sign} ]  {name}\n"
PROGRESS = "asked {done} of {all}, waiting for {names}"
ERASE = "\r\x1b[K"  # go to the start of the line, and clear it (ECMA-48)

# Files in the directory that service(8) skips: not services, or dangerous.
NO_SERVICES = {
    "functions", "halt", "killall", "single", "linuxconf", "kudzu",
    "skeleton", "README", "rc", "rcS", "reboot", "bootclean.sh",
}  # fmt: skip
NO_SUFFIXES = (".dpkg-dist", ".dpkg-old")

RUNNING, NOT_RUNNING, UNCLEAR = "+", "-", "?"
# LSB's status of a declared service, as a sign.
SIGNS = {
    statuses.RUNNING: RUNNING,
    statuses.DEAD_WITH_PIDFILE: NOT_RUNNING,
    statuses.DEAD_WITH_LOCK: NOT_RUNNING,
    statuses.STOPPED: NOT_RUNNING,
}

USAGE = b"usage:"
READ_SIZE = 1 << 20  # more than a pipe holds, so one read gets everything that is left


def scripts(directory: str = INIT_D) -> list[str]:
    """Return the names of the init scripts to run, in byte order."""
    names = (os.fsdecode(name) for name in sorted(os.listdir(os.fsencode(directory))))
    return [
        name
        for name in names
        if not (name.startswith(".") or name in NO_SERVICES or name.endswith(NO_SUFFIXES))
        and script.find(name, directory)
    ]


def main(
    words: "Sequence[str]",
    program: str = "ssd-service",
    declared: "Mapping[str, Callable[[], tuple[int, str]]] | None" = None,
) -> int:
    """Run ``--status-all [--jobs N] [--timeout SECONDS]``; ``words`` are the options.

    ``declared``: a function for each declared service that returns its LSB status and a
    problem to report, or "". Services in an unknown state go to standard error, as with
    service(8).
    """
    voice = Voice(program)
    try:
        jobs, timeout = _read(words)
    except ValueError as error:
        voice.complain(f"--status-all: {error}")
        return statuses.USAGE
    declared = declared or {}
    directory = INIT_D
    try:
        names = [name for name in scripts() if name not in declared]
        os.chdir(directory)  # service(8) runs them there
    except FileNotFoundError:
        names = []
    board = Board(sorted([*declared, *names], key=os.fsencode), voice)
    runs = []
    for name in names:
        try:
            check(f"{directory}/{name}")
        except DeclarationError as error:
            board.answer(name, UNCLEAR, error.reason)
        else:
            runs.append((name, script.prepare(f"{directory}/{name}", ["status"])))
    for name, ask in declared.items():
        status, problem = ask()
        board.answer(name, SIGNS.get(status, UNCLEAR), problem)
    from ssd.interrupts import Interruptible

    with Interruptible(), board, Inquiry(runs, jobs, timeout) as inquiry:
        for answered in inquiry:
            if answered is None:
                board.progress(inquiry.waiting_for)
            else:
                name, answer = answered
                board.answer(name, answer.sign, answer.problem)
    return statuses.SUCCESS


def _read(words: "Sequence[str]") -> tuple[int, float]:
    """Read the options. Raises ValueError with the reason."""
    # More jobs than processors: most of the time is spent waiting for programs to start.
    values = {"--jobs": 4 * (os.cpu_count() or 1), "--timeout": SCRIPT_TIMEOUT}
    ahead = list(words)
    while ahead:
        option, given, value = ahead.pop(0).partition("=")
        if option not in values:
            raise ValueError(f"unknown option {option!r}; known: --jobs N, --timeout SECONDS")
        if not given and not ahead:
            raise ValueError(f"{option} needs a number")
        text = value if given else ahead.pop(0)
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000):
            raise ValueError(f"{option} needs a number of at least 1, not {text!r}")
        values[option] = int(text)
    return int(values["--jobs"]), float(values["--timeout"])


class Board:
    """Prints the answers in the order of their names, and which scripts still run."""

    def __init__(self, names: "Sequence[str]", voice: Voice) -> None:
        self._names = list(names)
        self._voice = voice
        self._answers: dict[str, tuple[str, str]] = {}
        self._shown = 0
        self._terminal = os.isatty(2)
        self._progress = False

    def answer(self, name: str, sign: str, problem: str = "") -> None:
        """Take an answer, and print it with those that had to wait for it."""
        self._answers[name] = sign, problem
        while self._shown < len(self._names) and self._names[self._shown] in self._answers:
            self._show(self._names[self._shown])
            self._shown += 1

    def progress(self, waiting_for: "Sequence[str]") -> None:
        """Show on a terminal, in a temporary line, which services have not answered yet."""
        if not self._terminal:
            return
        names = " ".join(waiting_for)
        text = PROGRESS.format(done=len(self._answers), all=len(self._names), names=names)
        width = os.get_terminal_size(2).columns or 80  # 0: the terminal does not know its size
        write(2, ERASE + text[: width - 1])
        self._progress = True

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *error: object) -> None:
        self._clear()

    def _clear(self) -> None:
        """Clear the progress line."""
        if self._progress:
            write(2, ERASE)
            self._progress = False

    def _show(self, name: str) -> None:
        sign, problem = self._answers[name]
        self._clear()
        line = LINE.format(sign=sign, name=name)
        if problem:
            self._voice.complain(f"{name}: {problem}")
        if sign == UNCLEAR:
            write(2, line)
        else:
            self._voice.say(line)
            self._voice.flush()


class Answer:
    """The answer of a script: its exit status, and facts about its output."""

    __slots__ = ("status", "spoke", "usage", "problem", "_tail")

    def __init__(self) -> None:
        self.status: int | None = None
        self.spoke = False
        self.usage = False
        self.problem = ""
        self._tail = b""

    def hear(self, data: bytes) -> None:
        """Take a piece of the output. Empty lines and NUL bytes count as silence."""
        data = data.replace(b"\0", b"")
        self.spoke = self.spoke or bool(data.strip(b"\n"))
        text = self._tail + data.lower()
        self.usage = self.usage or USAGE in text
        self._tail = text[1 - len(USAGE) :]

    @classmethod
    def impossible(cls, error: OSError) -> "Answer":
        """Return the answer of a script that cannot be executed, as env(1) would fail."""
        answer = cls()
        answer.status = statuses.CANNOT_EXECUTE
        answer.hear(os.fsencode(error.strerror or str(error)))
        return answer

    @property
    def sign(self) -> str:
        """The sign of service(8): a usage text is unclear, silence means not running."""
        if self.problem or self.usage:
            return UNCLEAR
        return RUNNING if self.status == 0 and self.spoke else NOT_RUNNING


class _Child:
    """A script that runs: its pid, which is its process group too, and a pipe from it."""

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
        """Read what has been written; return False once all writers have closed the pipe."""
        try:
            data = os.read(self.output, READ_SIZE)
        except BlockingIOError:
            return True
        self.answer.hear(data)
        return bool(data)

    def ended(self) -> bool:
        """Reap the script if it has ended, after its last output; return whether it has."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.read()
            self.answer.status = os.waitstatus_to_exitcode(status)
        return bool(pid)

    def end(self, problem: str) -> None:
        """Kill its process group and reap it."""
        os.killpg(self.pid, signals.SIGKILL)
        os.waitpid(self.pid, 0)
        self.answer.problem = problem


class Inquiry:
    """Runs many scripts, a few at a time. Use it as a context: at its end it kills the rest."""

    def __init__(self, runs: "Sequence[tuple[str, Run]]", jobs: int, timeout: float) -> None:
        """``runs``: names and what to run. ``timeout``: seconds for each script."""
        self._ahead = list(runs)[::-1]
        self._jobs = jobs
        self._timeout = timeout
        self._running: dict[int, _Child] = {}  # by the descriptor of their output

    @property
    def waiting_for(self) -> "list[str]":
        """The names of the scripts that run now."""
        return [child.name for child in self._running.values()]

    def __enter__(self) -> "Inquiry":
        # A child that ends must interrupt poll(2); the handler itself does nothing.
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
        """Run all scripts. Yield each answer when it arrives, and None before every wait."""
        while self._ahead or self._running:
            yield from self._begin()
            if self._running:
                yield None
                self._wait()
                yield from self._ended()

    def _begin(self) -> "Iterator[tuple[str, Answer]]":
        """Start as many scripts as allowed; yield those that cannot be executed."""
        while self._ahead and len(self._running) < self._jobs:
            name, run = self._ahead.pop()
            try:
                child = _Child(name, run, time.monotonic() + self._timeout)
            except OSError as error:
                yield name, Answer.impossible(error)
            else:
                self._running[child.output] = child
                self._watch.register(child.output, POLLIN)

    def _wait(self) -> None:
        """Wait for output, the end of a script, or the first deadline."""
        first = min(child.deadline for child in self._running.values())
        for fd, _ in self._watch.poll(max(0.0, first - time.monotonic()) * 1000):
            if fd == self._woken:
                os.read(fd, READ_SIZE)
            elif not self._running[fd].read():
                self._unwatch(self._running[fd])  # otherwise poll(2) would report it for ever

    def _ended(self) -> "Iterator[tuple[str, Answer]]":
        """Yield the scripts that have ended, and kill those past their deadline."""
        for child in list(self._running.values()):
            if not child.ended():
                if time.monotonic() < child.deadline:
                    continue
                child.end(f"no answer in {self._timeout:g} seconds")
            del self._running[child.output]
            self._unwatch(child)
            os.close(child.output)
            yield child.name, child.answer

    def _unwatch(self, child: _Child) -> None:
        """Stop watching the output of a script."""
        if child.watched:
            self._watch.unregister(child.output)
            child.watched = False
