"""Processes for a case to find and to signal, and their fates.

A target is a copy of the shell under a name of its own. It says `ready`, then waits; to
the last real-time signal it answers `mark`. Traps run in the order of signal numbers, so all that
the command sent before has been handled by then.
"""

import os
import signal

from . import kit, words
from .caller import become, fresh_signals, place
from .events import Events, next_child
from .reactions import CHECK, script
from .view import rest, state

WAIT_TIMEOUT = 60.0  # seconds for a target to answer
ATTEMPTS = 120

_SPEAK = 9
_HOLD = 8


class Targets:
    """The targets of one case."""

    def __init__(self, events: Events, wanted: dict[str, dict]) -> None:
        """Start all of `wanted` and return when each has said that it is ready."""
        self._events = events
        self._wanted = wanted
        self.pids: dict[str, int] = {}
        for path in {executable(name, target) for name, target in wanted.items()}:
            kit.executable(path)
        for name, target in wanted.items():
            if "parent" not in target:
                self._fork(name)
            self._expect(name)
        for name, target in wanted.items():
            self._alter(name, target)

    def _expect(self, name: str) -> None:
        events = self._events
        answers = "ready", "fault"
        events.until(lambda: any(events.said(word, name) for word in answers), WAIT_TIMEOUT)
        if not events.said("ready", name):
            raise RuntimeError(f"target {name} is not ready: {events.lines}")
        pid = self.pids[name] = int(events.said("ready", name)[2])
        events.watch(pid)
        rest(pid)

    def _alter(self, name: str, target: dict) -> None:
        """Do what the case wants done to a target that already runs."""
        path = b"/tmp/bin/" + executable(name, target)
        if target.get("deleted") or target.get("replaced"):
            os.unlink(path)
        if target.get("replaced"):
            kit.executable(executable(name, target))
        if target.get("stopped"):
            os.kill(self.pids[name], signal.SIGSTOP)
            self._events.until(lambda: self.pids[name] in self._events.stopped, WAIT_TIMEOUT)

    def _fork(self, name: str) -> None:
        """Fork; the child starts its own children first, so that they are its children."""
        if os.fork():
            return
        try:
            for other, target in self._wanted.items():
                if target.get("parent") == name:
                    self._fork(other)
            self._run(name, self._wanted[name])
        except (OSError, LookupError, ValueError) as fault:
            self._say(f"fault {name} {fault!r}")
        finally:
            os._exit(126)

    def _run(self, name: str, target: dict) -> None:
        if target.get("zombie"):
            self._keep_dead(name, target)
        elif any(other.get("parent") == name for other in self._wanted.values()):
            self._tend(name)
        else:
            self._become(name, target, script(name, target.get("on", {})))

    def _tend(self, name: str) -> None:
        """Be a parent that reaps its children and reports how each of them ended."""
        fresh_signals(blocked=("CHLD", "RTMAX"))
        with open("/proc/self/comm", "w", encoding="ascii") as file:
            file.write(name)
        self._say(f"ready {name} {os.getpid()}")
        while True:
            if signal.sigwait({signal.SIGCHLD, CHECK}) == CHECK:
                self._say(f"mark {name}")
            else:
                self._say(*map(_ending, iter(next_child, None)))

    def _say(self, *lines: str) -> None:
        for line in lines:
            os.write(self._events.speak, f"{line}\n".encode())

    def _keep_dead(self, name: str, target: dict) -> None:
        """Be the parent that never reaps its child."""
        child = os.fork()
        if not child:
            self._become(name, target, "exit 0")
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        self._say(f"ready {name} {child}")
        fresh_signals()
        hold()
        os.execv(f"{kit.KIT}/sh", ["keeper", "-c", "while :; do read x <&8; done"])

    def _become(self, name: str, target: dict, text: str) -> None:
        path = b"/tmp/bin/" + executable(name, target)
        fresh_signals()
        os.setpgid(0, 0)  # not an orphaned group, in which TSTP and its like have no effect
        place(self._events.speak, _SPEAK)
        hold()
        if "user" in target:
            become(target["user"])
        os.execve(path, [path, b"-c", text.encode(), *target.get("args", [])], {})

    def checkpoint(self) -> None:
        """Return when every target has dealt with the signals sent to it so far."""
        events = self._events
        events.lines = [line for line in events.lines if line[0] != "mark"]
        events.stopped = []
        waiting = [name for name in self.pids if state(self.pids[name]) not in "TZX"]
        for _ in range(ATTEMPTS):
            for name in filter(lambda name: not self._settled(name), waiting):
                self._ask(name)
            if events.until(lambda: all(map(self._settled, waiting)), WAIT_TIMEOUT / ATTEMPTS):
                break
        else:
            raise TimeoutError(f"targets did not settle: {waiting}")
        for name in waiting:  # dash may run one trap, with its mark, before another one is done
            rest(self.pids[name])
        events.until(lambda: True, 0)

    def _ask(self, name: str) -> None:
        """Ask for a mark. It may take two: a signal just before read(2) does not end that."""
        try:
            os.kill(self.pids[name], CHECK)
        except ProcessLookupError:  # its parent reaped it; the pidfd shows that it has ended
            return

    def _settled(self, name: str) -> bool:
        pid, events = self.pids[name], self._events
        return bool(
            pid in events.gone
            or pid in events.ended
            or pid in events.stopped
            or events.said("mark", name)
        )

    def fates(self) -> dict[str, str]:
        """Return the state of each target; parents have reported their dead children."""
        fates = {
            name: {"T": "stopped", "Z": "dead", "X": "dead"}.get(state(pid), "survived")
            for name, pid in self.pids.items()
        }
        for name, fate in fates.items():
            parent = self._wanted[name].get("parent")
            if fate == "dead" and parent and fates[parent] == "survived":
                self._events.until(
                    lambda pid=self.pids[name]: pid in self._events.ended, WAIT_TIMEOUT
                )
        return fates

    def logged(self) -> dict[str, list[str]]:
        """Return the signals that each target reported, sorted: the shell keeps no order."""
        return {
            name: sorted(line[2] for line in self._events.lines if line[:2] == ["got", name])
            for name, target in self._wanted.items()
            if "log" in target.get("on", {}).values()
        }


def _ending(change: tuple[int, int]) -> str:
    pid, status = change
    return f"ended {pid} {os.waitstatus_to_exitcode(status)}"


def executable(name: str, target: dict) -> bytes:
    """Return the name of a target's executable."""
    return os.fsencode(words.fill(target.get("exe", name), {}))


def hold() -> None:
    """Open the pipe that never says anything at the descriptor that targets read."""
    place(os.open(kit.HOLD, os.O_RDWR), _HOLD)
