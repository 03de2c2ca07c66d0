"""``--status-all``: what service(8) says of every service, all of them asked side by side."""

import os

from ssd import statuses
from ssd.sentences import Voice
from ssd.service.errors import DeclarationError
from ssd.service.initscripts import script
from ssd.service.initscripts.status_all import NOT_RUNNING, RUNNING, UNKNOWN, Inquiry
from ssd.service.trust import check
from ssd.writing import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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

# LSB's status of a declared service, as a sign.
SIGNS = {
    statuses.RUNNING: RUNNING,
    statuses.DEAD_WITH_PIDFILE: NOT_RUNNING,
    statuses.DEAD_WITH_LOCK: NOT_RUNNING,
    statuses.STOPPED: NOT_RUNNING,
}


def scripts(directory: str = script.DIRECTORY) -> list[str]:
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
    directory = script.DIRECTORY
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
            board.answer(name, UNKNOWN, error.reason)
        else:
            runs.append((name, script.prepare(f"{directory}/{name}", ["status"])))
    for name, ask in declared.items():
        status, problem = ask()
        board.answer(name, SIGNS.get(status, UNKNOWN), problem)
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
        if sign == UNKNOWN:
            write(2, line)
        else:
            self._voice.say(line)
            self._voice.flush()
