"""Run one case and return its outcome."""

import os
import signal
import time

from . import caller, files, view, words, world
from .events import Events, end_everything
from .targets import WAIT_TIMEOUT, Targets
from .view import state

BEFORE_FIRST = 20000  # pids begin above it, so that no other number in a message equals a pid


class Trial:
    """One case on one side."""

    def __init__(self, events: Events, side: str, command: str, case) -> None:
        """Clear the stage and set it. ``side`` is "oracle" or "ssd"."""
        self._events, self._command, self._case = events, command, case
        self._limit = case.patience(side)
        files.clear()
        world.repair()
        events.forget()
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
            file.write(str(BEFORE_FIRST))
        self._targets = Targets(events, case.targets)
        self._pids = dict(self._targets.pids)
        self._known = everybody()
        self._programs: dict[str, int] = {}
        self._views: list[dict] = []
        self._strays: list[str] = []
        self._commands: dict[int, str] = {}
        self._terminal: tuple[int, ...] = ()
        self._make_files()

    def _make_files(self) -> None:
        for path, wanted in self._case.files.items():
            about = {"text": wanted} if isinstance(wanted, str) else wanted
            content = os.fsencode(words.fill(about.get("text", ""), self._pids))
            files.make(os.path.join(files.DIRECTORY, path), about, content)

    def play(self) -> dict[str, object]:
        """Run the commands and return the outcome."""
        commands = [self._command_run(line) for line in self._case.run]
        fates = self._targets.fates()
        alive = {name: state(pid) not in "ZX" for name, pid in self._programs.items()}
        outcome = {
            "commands": commands,
            "logged": self._targets.logged(),
            "files": files.seen(self._names()),
            "started": self._views,
            "strays": self._strays,
        }
        end_everything(self._events)
        for descriptor in self._terminal:
            os.close(descriptor)
        outcome["targets"] = {
            name: self._end(name) if fate == "dead" else fate for name, fate in fates.items()
        }
        outcome["programs"] = {
            name: "alive" if lives else self._end(name) for name, lives in alive.items()
        }
        return outcome

    def _command_run(self, line: str) -> dict[str, object]:
        """Run one command line until all that it has started is at rest."""
        self._wake()
        began = time.monotonic()
        pid = caller.run(self._command, words.split(line, self._pids), self._state())
        self._commands[pid] = "command"
        status = self._wait(pid)
        waited = time.monotonic() - began >= self._case.least
        self._settle(pid, status)
        out, err = caller.streams()
        if self._terminal:
            out += caller.shown(*self._terminal)
        return {
            "status": status,
            "stdout": files.named(out, self._names()),
            "complains": bool(err),
            "stderr": err.decode("latin-1"),
            "waited": waited,
        }

    def _state(self) -> dict:
        """Return the caller's state, with a terminal made for it where it wants one."""
        wanted = self._case.caller
        if not wanted.get("tty"):
            return wanted
        self._terminal = self._terminal or os.openpty()
        return {**wanted, "tty": self._terminal[1]}

    def _wait(self, pid: int) -> int | str:
        """Return the exit status, minus the signal's number, "started" or "hung"."""
        events = self._events
        if events.until(lambda: pid in events.ended or pid in events.stopped, self._limit):
            return events.ended.get(pid, "started")
        os.kill(pid, signal.SIGKILL)
        events.until(lambda: pid in events.ended, WAIT_TIMEOUT)
        return "hung"

    def _settle(self, pid: int, status: int | str) -> None:
        """Wait until all processes that the command has left are at rest, and look at them."""
        if not self._events.until(lambda: not self._busy(), self._case.calm):
            self._strays += [view.text(other, "comm").strip() for other in self._busy()]
        self._targets.checkpoint()
        self._halt()
        for other in sorted(everybody() - self._known):
            if state(other) == "T":
                self._meet(other)
        self._known |= set(self._programs.values())

    def _busy(self) -> list[int]:
        """Return the processes, not ours, that have neither stopped nor ended."""
        return [
            pid
            for pid in everybody() - self._known
            if state(pid) not in "TZX" and parent(pid) not in self._known
        ]

    def _meet(self, pid: int) -> None:
        """Look at a program that was started."""
        name = f"started{len(self._programs) + 1}"
        self._programs[name] = self._pids[name] = pid
        alive = {number: known for known, number in self._pids.items()}
        self._views.append(view.view(pid, {**alive, 1: "init", 0: "outside"}))

    def _halt(self) -> None:
        """Stop the programs met before; a fatal signal sent to one of them comes first."""
        running = [pid for pid in self._programs.values() if state(pid) not in "TZX"]
        stopped, ended = self._events.stopped, self._events.ended
        stopped[:] = [pid for pid in stopped if pid not in running]
        for pid in running:
            os.kill(pid, signal.SIGSTOP)
        self._events.until(
            lambda: all(pid in stopped or pid in ended for pid in running), WAIT_TIMEOUT
        )

    def _wake(self) -> None:
        """Continue the programs that were stopped for the look."""
        for pid in self._programs.values():
            if state(pid) == "T":
                os.kill(pid, signal.SIGCONT)

    def _names(self) -> dict[int, str]:
        others = dict.fromkeys(self._events.ended, "other")
        return {**others, **self._commands, **{pid: name for name, pid in self._pids.items()}}

    def _end(self, name: str) -> str:
        code = self._events.ended.get(self._pids[name])
        return "unknown" if code is None else f"exit {code}" if code >= 0 else f"signal {-code}"


def everybody() -> set[int]:
    """Return all pids but our own."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1}


def parent(pid: int) -> int:
    """Return the parent's pid, 0 if the process has ended."""
    try:
        return int(view.stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
