"""One step of the work: shown, timed, skipped if done, and with the reason of a failure."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, TextIO

from lab.layout import Lab

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WIDTH = 44  # columns of a step's title
TERM_TIMEOUT = 20  # seconds for an interrupted command to end after TERM


class StepFailed(Exception):
    """A step has failed. ``log``: the file with its complete output, or None."""

    def __init__(self, title: str, reason: str, log: Path | None = None) -> None:
        super().__init__(title, reason, log)
        self.title = title
        self.reason = reason
        self.log = log

    def __str__(self) -> str:
        where = f"\n(all of it in {self.log})" if self.log else ""
        return f"failed at step '{self.title}': {self.reason}{where}"


class Interrupted(Exception):
    """A signal asks for the end of the work. ``number`` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        name = signal.Signals(self.number).name
        return f"interrupted by {name}; run the same command again to continue"


def heed_signals() -> None:
    """Make INT, TERM and HUP raise Interrupted, except those that the caller ignores."""
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: object) -> None:
    if _Held.now:
        _Held.come.append(number)
    else:
        raise Interrupted(number)


class _Held:
    """Whether interruptions are delayed, and those that have come."""

    now = False
    come: ClassVar[list[int]] = []


@contextmanager
def held() -> Iterator[None]:
    """Have an interruption wait until the end of the block, and raise it there."""
    _Held.now = True
    try:
        yield
    finally:
        _Held.now = False
        if _Held.come:
            number, *_ = _Held.come
            _Held.come.clear()
            raise Interrupted(number)


def say(text: str, file: TextIO | None = None) -> None:
    """Print a line with the lab's name at once, by default to standard output."""
    print(f"nova-lab: {text}", file=file or sys.stdout, flush=True)


@contextmanager
def shown(title: str) -> Iterator[None]:
    """Show a step, and how long it took when it is over."""
    print(f"nova-lab: {title} ".ljust(WIDTH, "."), end=" ", flush=True)
    began = time.monotonic()
    try:
        yield
    except Interrupted:
        print("interrupted", flush=True)
        raise
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def is_done(lab: Lab, name: str, inputs: object) -> bool:
    """Tell whether a step was done, here and with the same ``inputs``."""
    stamp = lab.done / name
    return stamp.exists() and stamp.read_text() == _digest(lab, inputs)


def once(lab: Lab, name: str, title: str, inputs: object, work: Callable[[], None]) -> None:
    """Do a step unless it was done with the same ``inputs``. Raises StepFailed."""
    stamp = lab.done / name
    if is_done(lab, name, inputs):
        print(f"nova-lab: {title} ".ljust(WIDTH, "."), "done before", flush=True)
        return
    stamp.unlink(missing_ok=True)
    with shown(title):
        work()
    lab.done.mkdir(exist_ok=True)
    stamp.write_text(_digest(lab, inputs))


def _digest(lab: Lab, inputs: object) -> str:
    return hashlib.sha256(repr((str(lab.root), inputs)).encode()).hexdigest()


def call(lab: Lab, title: str, *argv: object, **options: Any) -> None:
    """Run a command of the step ``title``; its output goes to the step's log.

    ``options`` are those of subprocess.Popen. Raises StepFailed with the log's last lines.
    """
    lab.log.mkdir(exist_ok=True)
    log = lab.log / f"step-{re.sub(r'[^a-z0-9]+', '-', title.lower())}.log"
    words = [str(word) for word in argv]
    with log.open("a") as file:
        print("$", *words, file=file, flush=True)
        start = file.tell()
        try:
            status = _run(words, stdout=file, stderr=subprocess.STDOUT, **options)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StepFailed(title, str(error), log) from error
    if status:
        with log.open(errors="replace") as file:
            file.seek(start)
            tail = "".join(file.readlines()[-12:])
        raise StepFailed(title, f"{words[0]}: exit status {status}\n{tail}".strip(), log)


def _run(words: list[str], **options: Any) -> int:
    """Run a command and return its exit status; it does not outlive an interruption.

    It has its own process group, so that the processes that it started can be ended with it.
    """
    settings = {"stdin": subprocess.DEVNULL, "env": environment(), "process_group": 0, **options}
    process = None
    try:
        with held():  # if a handler raises, Popen loses a child that it has begun
            process = subprocess.Popen(words, **settings)
        return process.wait(3600)
    except BaseException:
        if process is not None:
            _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what is left of its process group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(TERM_TIMEOUT)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the caller's environment without variables that redirect Python, pip or apt."""
    astray = ("PYTHON", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(astray)}
    kept.update(LC_ALL="C.UTF-8", DEBIAN_FRONTEND="noninteractive", **(more or {}))
    return kept


def as_user(lab: Lab) -> dict[str, Any]:
    """Return what makes subprocess run a command as the lab's user."""
    account = lab.account()
    return {
        "user": account.pw_uid,
        "group": account.pw_gid,
        "extra_groups": [],
        "cwd": lab.state,
        "env": service_environment(lab),
    }


def service_environment(lab: Lab, more: Sequence[str] = ()) -> dict[str, str]:
    """Return the small environment that the services get, as service(8) would give it."""
    path = [f"{lab.venv}/bin", *more, "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    return {"PATH": ":".join(path), "LANG": "C.UTF-8", "HOME": str(lab.state)}
