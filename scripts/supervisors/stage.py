"""Where one supervisor is measured: it is started, listened to and stopped in a PID namespace."""

import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from supervisors import looking
from supervisors.tools import Tool
from supervisors.workloads import Workload

LONGEST = 60.0  # seconds that a start or 100 MB may take
PATIENCE = 20.0  # seconds for everything else: what takes longer has no figure


class Stage:
    """A directory with the FIFO into which services say that they run, and a supervisor."""

    def __init__(self, place: Path, tool: Tool) -> None:
        self.place, self.tool = place, tool
        self.pid = 0  # the supervisor's
        self.latest: dict[str, int] = {}  # name -> pid of each service that has said so
        self.mains: set[int] = set()  # all pids that services have said
        for name in ("said", "go"):
            os.mkfifo(place / name)
        # Open for writing too, so that it never ends.
        self.said = os.open(place / "said", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(self.said, select.POLLIN)

    def launch(self, services: list[Workload]) -> float:
        """Declare services and start the supervisor; return the time just before."""
        self.tool.declare(services)
        return self.again()

    def again(self, prefix: tuple[str, ...] = ()) -> float:
        """Start the supervisor with what is declared; return the time just before."""
        argv = [*prefix, *self.tool.command()]
        log = os.open(self.place / "supervisor.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ]
        begin = time.perf_counter()
        self.pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
        os.close(log)
        return begin

    def lines(self, seconds: float) -> Iterator[tuple[float, list[str]]]:
        """Yield what services say, with the time it was read, for so many seconds."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if not self._poll.poll(left * 1000):
                return
            *whole, self._rest = (self._rest + os.read(self.said, 65536)).split(b"\n")
            now = time.perf_counter()
            for line in whole:
                words = line.decode().split()
                if len(words) == 2 and words[1].isdecimal():
                    self.latest[words[0]] = int(words[1])
                    self.mains.add(int(words[1]))
                yield now, words

    def until(self, count: int, seconds: float = LONGEST) -> float:
        """Wait until so many services run; return when the last one said so."""
        if len(self.latest) >= count:
            return time.perf_counter()
        for now, _ in self.lines(seconds):
            if len(self.latest) >= count:
                return now
        said = (self.place / "supervisor.log").read_text(errors="replace")[-2000:]
        raise SystemExit(f"{self.tool.name}: {len(self.latest)} of {count} run\n{said}")

    def own(self) -> list[int]:
        """Return the processes of the supervisor: all that is neither a service nor ours."""
        return looking.outside(self.mains, {1, os.getpid()})

    def settle(self) -> None:
        """Wait until the supervisor has nothing to do, so that its memory is that of rest."""
        before = -1.0
        while (now := looking.processor_seconds(self.own())) != before:
            before = now
            if not list(self.lines(0.2)) and now - before < 0.001:
                return

    def run(self, argv: list[str]) -> float:
        """Run a command without its output; return its wall time in seconds."""
        begin = time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - begin


def gone(handles: dict[int, int], seconds: float) -> dict[int, float]:
    """Wait for processes by their pidfds (pid -> descriptor); return when each of them ended."""
    poll, owner = select.poll(), {fd: pid for pid, fd in handles.items()}
    for fd in owner:
        poll.register(fd, select.POLLIN)
    ended: dict[int, float] = {}
    end = time.perf_counter() + seconds
    while owner and (left := end - time.perf_counter()) > 0:
        for fd, _ in poll.poll(left * 1000):
            ended[owner.pop(fd)] = time.perf_counter()
            poll.unregister(fd)
    return ended
