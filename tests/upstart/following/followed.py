"""Jobs that fork, in a supervisor of their own: run in a namespace, see ``follow``.

Each job runs ``behaving.py SCRIPT NAME``. Each of its processes appends its pid to the file of
NAME before it goes on, so the list there is the truth: first, first fork, ...
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from upstart.following import behaving

TESTS = Path(__file__).resolve().parent.parent.parent
TRUTH = Path(behaving.TRUTH)
LIMIT = 30.0  # seconds for anything that is waited for


class Scene:
    """A supervisor of jobs: ``jobs`` has it, ``told`` what init has said, ``done`` the starts."""

    def __init__(self) -> None:
        from ssd.signals import raw as signals
        from ssd.supervision.cli import inbox, pid1
        from ssd.supervision.effects import held
        from ssd.upstart import Jobs

        assert pid1.become_reaper()
        TRUTH.mkdir()
        self.jobs = Jobs()
        self.jobs.effects.reaps = True
        self.told: list[str] = []
        self.done: dict[str, str] = {}
        self.jobs.messages.listeners.append(lambda level, text: self.told.append(text))
        held.HEARERS.add(os.getpid())
        self._changes = held.CHANGES
        inbox.Inbox([signals.SIGCHLD], self._hear).join(self.jobs.watch)
        self._reap = pid1.reap_strangers

    def _hear(self, number: int) -> None:
        for call in [*self._changes]:
            call()

    def define(self, name: str, expect: str, kind: str, *more: str) -> None:
        """Define a job that behaves as a kind."""
        from ssd.service.sources.upstart import parse

        line = (
            f"exec {sys.executable} -I -S {behaving.__file__} {behaving.KINDS[kind] or '-'} {name}"
        )
        text = "\n".join([line, f"expect {expect}" if expect else "", "kill signal KILL", *more])
        self.jobs.define(parse(text, name))

    def start(self, name: str) -> None:
        """Start a job."""
        self.done.pop(name, None)
        truth = TRUTH / name
        truth.unlink(missing_ok=True)
        self.jobs.start_job(name, (), lambda error: self.done.update({name: str(error or "")}))

    def until(self, condition: Any) -> None:
        """Take turns, as a supervisor does, until a condition holds."""
        end = time.monotonic() + LIMIT
        while True:
            self.jobs.advance()
            self._reap()
            if condition():
                return
            assert time.monotonic() < end, (self.done, self.told, self.jobs.units)
            until = self.jobs.until
            now = self.jobs.table.now()
            self.jobs.watch.wait(max(min(0.1, 0.1 if until is None else until - now), 0))

    def main(self, name: str) -> int:
        """Return the main process of a job, 0 without one."""
        main = self.jobs.units[name].main
        return 0 if main is None else main.pid

    def state(self, name: str) -> str:
        """Return goal and state of a job."""
        unit = self.jobs.units[name]
        return f"{unit.goal}/{unit.state}"

    def truth(self, name: str) -> list[int]:
        """Return the pids of a job's processes, as they say: each is a fork of the one before."""
        path = TRUTH / name
        return [*map(int, path.read_text().split())] if path.exists() else []

    def place(self, name: str) -> int | str:
        """Return which of its processes is the main one, 0 for the first; else its state."""
        main = self.main(name)
        truth = self.truth(name)
        return truth.index(main) if main in truth else self.state(name)

    def stop(self, name: str) -> None:
        """Stop a job, and kill what it has left, so that it disturbs nobody."""
        if self.state(name) == "start/running":
            self.jobs.stop_job(name)
            self.until(lambda: self.state(name) == "stop/waiting")
        for pid in self.truth(name):
            kill_if_ours(pid)


def kill_if_ours(pid: int) -> None:
    """Kill a process of the scene, if it lives."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        if behaving.__file__.encode() in words or words.startswith(b"sleep\0300"):
            os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return


def show(value: object) -> None:
    """Print what comes back to the test."""
    print(json.dumps(value), flush=True)


def follow(run: Any, program: str) -> Any:
    """Run a program with a scene ``s`` in a namespace; return what it has shown."""
    prelude = (
        "from upstart.following.followed import *\nfrom collections import Counter\ns = Scene()\n"
    )
    options = {"env": {**os.environ, "PYTHONPATH": str(TESTS)}}
    done = run(sys.executable, "-c", prelude + program, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
