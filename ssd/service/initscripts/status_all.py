"""``--status-all``: what service(8) says of every service, all of them asked side by side.

service(8) asks one after the other, and waits for as long as it takes: a script that hangs, or
leaves a child with its output, hangs it for ever. Here the end of the script is the end of the
wait, its input is /dev/null, and one that takes too long is ended.
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

PATIENCE = 10.0  # seconds for one script
LINE = " [ {sign} ]  {name}\n"
PROGRESS = "asked {done} of {all}, waiting for {names}"
ERASE = "\r\x1b[K"  # to the line's begin, and clear it (ECMA-48)

# Files of the directory that service(8) takes for no services, or dangerous ones.
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
CHUNK = 1 << 20  # more than a pipe holds: what was said before the end is read in one piece


def scripts(directory: str = INIT_D) -> list[str]:
    """Return the names of the init scripts that may be asked, in byte order."""
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
    """Do ``--status-all [--jobs N] [--timeout SECONDS]``; ``words`` are those after it.

    ``declared``: the declared services by name, with what tells their LSB status and what
    is to be complained of. Those that nobody can tell of go to standard error, as with
    service(8).
    """
    voice = Voice(program)
    try:
        jobs, patience = _read(words)
    except ValueError as error:
        voice.complain(f"--status-all: {error}")
        return statuses.USAGE
    declared = declared or {}
    directory = INIT_D
    try:
        names = [name for name in scripts() if name not in declared]
        os.chdir(directory)  # where service(8) runs them
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

    with Interruptible(), board, Inquiry(runs, jobs, patience) as inquiry:
        for answered in inquiry:
            if answered is None:
                board.progress(inquiry.waiting_for)
            else:
                name, answer = answered
                board.answer(name, answer.sign, answer.problem)
    return statuses.SUCCESS


def _read(words: "Sequence[str]") -> tuple[int, float]:
    """Read the options. Raises ValueError with the reason."""
    # Most of the time goes into waiting for programs that start: more than there are processors.
    values = {"--jobs": 4 * (os.cpu_count() or 1), "--timeout": PATIENCE}
    ahead = list(words)
    while ahead:
        option, given, value = ahead.pop(0).partition("=")
        if option not in values:
            raise ValueError(f"it takes --jobs N and --timeout SECONDS, and not {option!r}")
        if not given and not ahead:
            raise ValueError(f"{option} needs a number")
        text = value if given else ahead.pop(0)
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000):
            raise ValueError(f"{option} takes a number from 1 on, and not {text!r}")
        values[option] = int(text)
    return int(values["--jobs"]), float(values["--timeout"])


class Board:
    """Where answers are shown in the order of their names, and who is still awaited."""

    def __init__(self, names: "Sequence[str]", voice: Voice) -> None:
        self._names = list(names)
        self._voice = voice
        self._answers: dict[str, tuple[str, str]] = {}
        self._shown = 0
        self._terminal = os.isatty(2)
        self._progress = False

    def answer(self, name: str, sign: str, problem: str = "") -> None:
        """Take an answer, and show it with those that it has held up."""
        self._answers[name] = sign, problem
        while self._shown < len(self._names) and self._names[self._shown] in self._answers:
            self._show(self._names[self._shown])
            self._shown += 1

    def progress(self, waiting_for: "Sequence[str]") -> None:
        """Say on a terminal, in one line that goes away, who has not answered yet."""
        if not self._terminal:
            return
        names = " ".join(waiting_for)
        text = PROGRESS.format(done=len(self._answers), all=len(self._names), names=names)
        width = os.get_terminal_size(2).columns or 80  # 0: nobody has told the terminal
        write(2, ERASE + text[: width - 1])
        self._progress = True

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *error: object) -> None:
        self._clear()

    def _clear(self) -> None:
        """Take the line away."""
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
        answer.status = statuses.CANNOT_EXECUTE
        answer.hear(os.fsencode(error.strerror or str(error)))
        return answer

    @property
    def sign(self) -> str:
        """The sign that service(8) gives it: a usage is no answer, silence is a no."""
        if self.problem or self.usage:
            return UNCLEAR
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
