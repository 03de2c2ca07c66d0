"""Run an init script under ssd as a child, and say which calls reached the original instead."""

import os
from select import POLLIN, poll

from ssd.service.initscripts.program import Run
from ssd.service.initscripts.spawning import spawn
from ssd.service.initscripts.substitution import originals
from ssd.service.initscripts.watching import Watch
from ssd.signals import raw as signals
from ssd.writing import write

# Of a terminal these reach the script too, which says what becomes of it; sh(1) does the same.
LEFT_TO_IT = (signals.SIGINT, signals.SIGQUIT)
PASSED_ON = (signals.SIGTERM, signals.SIGHUP, signals.SIGUSR1, signals.SIGUSR2)

TOLD = "ssd-service: warning: start-stop-daemon itself was called, and not ssd: {call}\n"
UNTOLD = "too briefly to tell by whom"
UNSEEN = "by this script or by others, which only root can see"
BLIND = (
    "ssd-service: warning: whether a call reaches start-stop-daemon itself cannot be seen ({why})\n"
)


def run(script: Run) -> int:
    """Run a script to its end; return its status as os.waitpid has it. Raises OSError."""
    paths = originals()
    with Watch(paths, os.getpid()) as watch, _Signals() as passing:
        if watch.problem is not None and paths:
            write(2, BLIND.format(why=watch.problem.strerror))
        passing.to(spawn(script, default=passing.ignored))
        return _wait(passing.pid, watch)


class _Signals:
    """What becomes of signals to this process while the script runs. Use it as a context."""

    def __init__(self) -> None:
        self.pid = 0
        self.ignored: list[int] = []  # by this process alone
        self._early: list[int] = []  # that came before there was a script
        self._before: dict[int, object] = {}

    def __enter__(self) -> "_Signals":
        for number in (*LEFT_TO_IT, *PASSED_ON):
            if signals.getsignal(number) == signals.SIG_IGN:
                continue  # the caller's nohup(1) is the script's too
            if number in LEFT_TO_IT:
                self.ignored.append(number)
                self._before[number] = signals.signal(number, signals.SIG_IGN)
            else:
                self._before[number] = signals.signal(number, self._pass)
        return self

    def __exit__(self, *error: object) -> None:
        for number, action in self._before.items():
            signals.signal(number, action)

    def to(self, pid: int) -> None:
        """Pass signals on to this process from now on, with those that came before."""
        self.pid = pid
        while self._early:
            os.kill(pid, self._early.pop(0))

    def _pass(self, number: int, frame: object) -> None:
        if self.pid:
            os.kill(self.pid, number)  # it is no other's pid before it is waited for
        else:
            self._early.append(number)


def _wait(pid: int, watch: Watch) -> int:
    """Wait for the end of a child, and tell what the watch sees until then."""
    end = os.pidfd_open(pid)
    try:
        both = poll()
        both.register(end, POLLIN)
        if watch.fileno() >= 0:
            both.register(watch.fileno(), POLLIN)
        ended = False
        while not ended:
            ready = [descriptor for descriptor, _ in both.poll()]
            ended = end in ready
            if watch.fileno() >= 0:
                for call in watch.calls():
                    write(2, TOLD.format(call=call or (UNTOLD if watch.whose else UNSEEN)))
    finally:
        os.close(end)
    return os.waitpid(pid, 0)[1]  # the last: a signal after it may be for nobody


def end_as(status: int) -> int:
    """Return the exit status of a child, or end by the signal that has ended it."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signals.SIGKILL:
            signals.signal(-code, signals.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code if code >= 0 else 128 - code
