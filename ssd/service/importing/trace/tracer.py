"""Run a script's verbs under ptrace(2), and record what they execute, signal and wait for."""

import os
import signal as signals
import time

from ssd.service.importing.trace import calls, kernel, sandbox
from ssd.service.importing.trace.answers import HARMLESS, RELOADS, Answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssd.service.importing.trace.calls import Call

POLL = 0.0002  # seconds, until a stand-in has reached its sleep or stopped for a signal
GRACE = 1.0  # seconds for what a verb has left in the background
STOPS = (signals.SIGSTOP, signals.SIGTSTP, signals.SIGTTIN, signals.SIGTTOU)
FATAL = 9


class _Late(Exception):
    """The time for a verb is over."""


class Tracer:
    """The processes of a script. ``events``: what happened, in order.

    ``stubborn``: whether a daemon goes on after all signals but KILL.
    """

    def __init__(
        self,
        script: str,
        programs: "dict[str, str]",
        pidfiles: "list[str]",
        leave: "list[str] | None",
        stubborn: bool,
    ) -> None:
        self.answers = Answers(script, programs, pidfiles, leave, self._end)
        self.stubborn = stubborn
        self.events: list[Call] = []
        self._live: set[int] = set()
        self._early: set[int] = set()
        self._killed: set[int] = set()
        self._verb = ""
        self._main = 0
        self._status: int | None = None

    def run(self, argv: "Sequence[str]", verb: str, environment: "Mapping[str, str]",
            seconds: float) -> "int | None":  # fmt: skip
        """Run a verb to its end; return its exit status, None if it took too long.

        Raises Unknown for a program that must be replaced, and OSError.
        """
        self._verb, self._status = verb, None
        self._main = _spawn(argv, environment)
        self._live.add(self._main)
        previous = signals.signal(signals.SIGALRM, _ring)
        signals.setitimer(signals.ITIMER_REAL, seconds)
        try:
            while self._live - set(self.answers.living):
                self._handle(*os.waitpid(-1, kernel.WALL))
            self._settle()
        except _Late:
            pass
        finally:
            signals.setitimer(signals.ITIMER_REAL, 0)
            signals.signal(signals.SIGALRM, previous)
        for pid in self._live - set(self.answers.living):
            self._end(pid)
        return self._status

    def _handle(self, pid: int, code: int) -> None:
        """Handle what wait(2) tells of a process."""
        if os.WIFSTOPPED(code):
            self._stopped(pid, os.WSTOPSIG(code), code >> 16)
            return
        self._ended(pid, code)
        if pid == self._main:
            self._status = os.waitstatus_to_exitcode(code)
            signals.setitimer(signals.ITIMER_REAL, GRACE)

    def _settle(self) -> None:
        """Handle what was sent to the stand-ins until now, so that it comes before what follows."""
        for pid in list(self.answers.living):
            while pid in self.answers.living and not _rests(pid):
                found, code = os.waitpid(pid, kernel.WALL | os.WNOHANG)
                if found:
                    self._handle(found, code)
                else:
                    time.sleep(POLL)

    def _stopped(self, pid: int, signum: int, event: int) -> None:
        """Handle a stop of a tracee, and let it go on."""
        if pid not in self._live:  # a new process, before its parent's event says whose it is
            self._early.add(pid)
        elif event in (kernel.EVENT_FORK, kernel.EVENT_VFORK, kernel.EVENT_CLONE):
            child = kernel.event_message(pid)
            self._live.add(child)
            self.answers.forked(pid, child)
            kernel.resume(pid)
            if child in self._early:
                self._early.discard(child)
                kernel.resume(child)
        elif event == kernel.EVENT_EXEC:
            self._executed(pid)
            kernel.resume(pid)
        elif event == kernel.EVENT_STOP:
            if signum in STOPS:
                kernel.listen(pid)
            else:
                kernel.resume(pid)
        elif pid in self.answers.living:
            self._signalled(pid, signum)
        else:
            kernel.resume(pid, signum)

    def _executed(self, pid: int) -> None:
        """Record a call, and write what its stand-in reads. Raises Unknown."""
        self._settle()
        try:
            call = calls.read(pid, self._verb)
        except OSError:  # it was killed just now, or is one that nobody may look at
            self._end(pid)
            return
        text = self.answers.answer(call, orphan=call["parent"] == 1 and pid != self._main)
        if text is not None:
            with open(
                f"{sandbox.ANSWERS}/{pid}", "w", encoding="utf-8", errors="surrogateescape"
            ) as f:
                f.write(text)
        if call["role"] not in ("", "stand-in"):
            self.events.append({"kind": "call", **call})

    def _signalled(self, pid: int, signum: int) -> None:
        """Record a signal to a stand-in, and decide whether it ends by it."""
        self._note(pid, signum)
        ends = signum not in HARMLESS and not self.stubborn
        if self._verb in RELOADS and signum not in (signals.SIGTERM, signals.SIGINT):
            ends = False
        if ends:
            self._end(pid)
        else:
            kernel.resume(pid)

    def _ended(self, pid: int, code: int) -> None:
        """Forget a process; a stand-in that ends by itself was sent SIGKILL."""
        self._live.discard(pid)
        if self.answers.ended(pid) and pid not in self._killed:
            self._note(pid, os.WTERMSIG(code) if os.WIFSIGNALED(code) else FATAL)

    def _end(self, pid: int) -> None:
        """Kill a process, and take its end from the kernel."""
        self._killed.add(pid)
        code = FATAL
        try:
            os.kill(pid, signals.SIGKILL)
            _, code = os.waitpid(pid, kernel.WALL)
            while os.WIFSTOPPED(code):
                kernel.resume(pid)
                _, code = os.waitpid(pid, kernel.WALL)
        except (ProcessLookupError, ChildProcessError):  # it had ended by itself
            pass
        self._ended(pid, code)

    def _note(self, pid: int, signum: int) -> None:
        program = self.answers.living[pid].program if pid in self.answers.living else ""
        self.events.append(
            {"kind": "signal", "verb": self._verb, "signal": signum, "program": program}
        )


def _rests(pid: int) -> bool:
    """Tell whether a stand-in sleeps, and no signal is on its way to it."""
    try:
        facts = calls.status(pid)
    except (FileNotFoundError, ProcessLookupError):
        return True
    pending = int(facts["SigPnd"], 16) | int(facts["ShdPnd"], 16)
    return facts["State"][:1] == "S" and not pending


def _ring(number: int, frame: object) -> None:
    raise _Late


def _spawn(argv: "Sequence[str]", environment: "Mapping[str, str]") -> int:
    """Start a script that waits until it is traced. Raises OSError."""
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            for number in range(1, signals.NSIG):
                if signals.getsignal(number) == signals.SIG_IGN:
                    signals.signal(number, signals.SIG_DFL)
            out = os.open(sandbox.OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(os.open("/dev/null", os.O_RDWR), 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.closerange(3, ready)  # what the caller has open is not the script's
            os.closerange(ready + 1, os.sysconf("SC_OPEN_MAX"))
            os.chdir("/")
            os.umask(0o022)
            kernel.drop_capabilities(sandbox.KEPT)
            os.read(ready, 1)
            os.execve(argv[0], list(argv), dict(environment))
        except OSError as error:
            os.write(2, os.fsencode(f"{argv[0]}: {error.strerror}\n"))
        finally:
            os._exit(126)
    os.close(ready)
    try:
        kernel.seize(pid)
    except OSError:
        os.kill(pid, FATAL)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(go)
    return pid
