"""A start that must live for some seconds: --wait, with real processes."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, ended, shell

import ssd
from ssd import Command, EndedEarly, Match, NotReady, aio, system_calls
from ssd.sentences import describe
from ssd.starting import holding
from ssd.starting.living import Living

HERE = ssd.Process(12, 345)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")


class Starter:
    """Starts a shell in the background, with a pidfile and a file for its output."""

    def __init__(self, directory: Path, command: Path) -> None:
        self.pidfile, self.log = directory / "d.pid", directory / "d.log"
        self._command = command

    def words(self, script: str, *options: str, wait: str = str(WAIT_TIMEOUT)) -> list[str]:
        """Return the command line."""
        words = [self._command, "--start", "--background", "--make-pidfile", "--wait", wait]
        words += ["--pidfile", self.pidfile, "--output", self.log, *options]
        return [*map(str, words), "--startas", "/bin/sh", "--", "-c", script, "sh"]

    def __call__(
        self, script: str, *options: str, wait: str = str(WAIT_TIMEOUT), **more: object
    ) -> subprocess.CompletedProcess[str]:
        """Start, and return what came of it."""
        words = self.words(script, *options, wait=wait)
        return subprocess.run(words, capture_output=True, text=True, timeout=WAIT_TIMEOUT, **more)  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def start(tmp_path: Path, ssd_path: Path) -> Starter:
    """Return what starts a shell."""
    return Starter(tmp_path, ssd_path)


# script -> how it ended
ENDS = {
    "echo bad configuration >&2; exit 3": "with status 3",
    "kill -KILL $$": "by SIGKILL",
    # The first process of a program that goes to the background by itself.
    "exit 0": "with status 0",
}


@pytest.mark.parametrize("script", ENDS)
def test_program_that_ends_in_time_is_a_failed_start(script: str, start: Starter) -> None:
    """With status 2; its exit status and last lines are told, and its pidfile is removed."""
    start.log.write_text("of an earlier start\n")
    done = start(script)
    assert (2, "") == (done.returncode, done.stdout)
    text, _, lines = done.stderr.partition("\n")
    assert text.startswith("ssd: sh (pid ") and f" seconds {ENDS[script]} (of 300" in text
    assert ("  bad configuration\n" if "bad" in script else "") == lines
    assert ("without --background" in text) is (script == "exit 0")
    assert not start.pidfile.exists()


def test_program_that_lives_for_the_time_is_started(start: Starter) -> None:
    """It is nobody's child any more, and its output was not read."""
    done = start("exec sleep 1000", wait="0.2")
    pid = int(start.pidfile.read_text())
    with ended(pid):
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
        (parent,) = (
            line for line in Path(f"/proc/{pid}/status").read_text().split("\n") if "PPid" in line
        )
        assert parent.split()[1] != str(os.getpid())
        assert Path(f"/proc/{pid}/comm").read_text() == "sleep\n"


def test_status_is_known_if_sigchld_is_ignored(start: Starter) -> None:
    """The kernel would reap the daemon; that one inherits what the caller has."""
    words = start.words("")
    words[words.index("/bin/sh") :] = "/bin/grep -- -hs SigIgn /proc/self/status /none".split()
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)}
    done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_TIMEOUT, **ignore)  # type: ignore[call-overload]
    assert (2, True) == (done.returncode, " with status 2 " in done.stderr)
    ignored = int(done.stderr.split()[-1], 16)
    assert ignored & 1 << signal.SIGCHLD - 1


def test_orphans_are_reaped_meanwhile(start: Starter) -> None:
    """They are children of ssd, and a zombie would look to the program as if it ran."""
    script = """
        (sh -c 'echo $$; exec true' &)
        until read orphan < "$1"; do :; done
        while kill -0 $orphan; do :; done
        exit 7
    """
    words = [*start.words(script), str(start.log)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert (2, True) == (done.returncode, " with status 7 " in done.stderr), done.stderr


def test_wait_holds_no_other_start_and_may_be_interrupted(start: Starter, tmp_path: Path) -> None:
    """Another start finds the program; a TERM ends the wait, and the daemon lives on."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = 'echo ready > "$1"; exec sleep 1000'
    waiting = subprocess.Popen([*start.words(script), str(fifo)])
    try:
        assert "ready\n" == fifo.read_text()
        pid = int(start.pidfile.read_text())
    except BaseException:
        waiting.kill()
        raise
    with ended(pid) as daemon:
        done = start("exit 1")
        assert (1, "process already running.\n") == (done.returncode, done.stdout)
        waiting.terminate()
        assert -signal.SIGTERM == waiting.wait(WAIT_TIMEOUT)
        signal.pidfd_send_signal(daemon, 0)
        assert pid == int(start.pidfile.read_text())


READY = """
import os, socket
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
"""


@pytest.mark.parametrize("ready", ["", READY], ids=["silent", "ready"])
def test_readiness_and_life_are_both_waited_for(ready: str, start: Starter, tmp_path: Path) -> None:
    """A program that is ready and ends has failed, too; one that ends before has a status."""
    program = tmp_path / "program"
    program.write_text(f"{ready}raise SystemExit(5)\n")
    done = start(f"exec {sys.executable} -S {program}", "--notify-await")
    assert (2, True) == (done.returncode, " with status 5 " in done.stderr), done.stderr
    assert not start.pidfile.exists()


def test_library_raises_what_the_helper_has_seen(tmp_path: Path) -> None:
    """With all facts; the same in a task."""
    match, log = Match(pidfile=tmp_path / "d.pid"), tmp_path / "log"
    command = shell("echo sorry; kill -SEGV $$", output=log)
    with pytest.raises(NotReady) as caught:
        ssd.start(match, command, make_pidfile=True, wait=WAIT_TIMEOUT)
    error = caught.value
    assert isinstance(error, EndedEarly)
    assert (-signal.SIGSEGV, ["sorry"], "sh", WAIT_TIMEOUT, [str(log)], "exited") == (
        error.status, error.lines, error.program, error.wait, error.outputs, error.reason,
    )  # fmt: skip
    assert 0 <= error.seconds < WAIT_TIMEOUT
    assert not (tmp_path / "d.pid").exists()
    with pytest.raises(ValueError, match="wait needs a start in the background"):
        ssd.start(match, command, background=False, wait=1)


async def _started(match: Match, command: Command) -> ssd.Process:
    return await aio.start(match, command, make_pidfile=True, wait=0.1)


def test_task_gets_a_daemon_that_lives(tmp_path: Path) -> None:
    """``ssd.aio.start`` waits without blocking the loop."""
    import asyncio

    process = asyncio.run(_started(Match(pidfile=tmp_path / "d.pid"), shell("exec sleep 1000")))
    with ended(process.pid):
        assert f"{process.pid}\n" == (tmp_path / "d.pid").read_text()


def test_status_of_a_stranger_is_not_known() -> None:
    """Where orphans do not come to us (another system), the end is seen all the same."""
    said = subprocess.run(
        ["/bin/sh", "-c", "sleep 1000 > /dev/null & echo $!"], stdout=subprocess.PIPE, text=True
    )
    process = ssd.find(Match(pid=int(said.stdout)))[0]
    watch = Living(WAIT_TIMEOUT, Command(["/bin/sleep"]), None, ssd.default_table())
    with ended(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(EndedEarly) as caught:
            watch.watch(process)
    assert caught.value.status is None


class Late:
    """A handle of a child that has ended, which the first look does not show yet."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)
        self._looks = iter((False, True, True))

    def __enter__(self) -> "Late":
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd

    def ended(self) -> bool:
        """Tell what a look shows."""
        return next(self._looks)


def test_status_is_no_strangers_at_any_moment(monkeypatch) -> None:
    """The program may end after the look at it, and before that for orphans.

    What the wait has done with SIGCHLD is taken back.
    """
    handler = signal.getsignal(signal.SIGCHLD)
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    monkeypatch.setattr(holding, "hold", lambda process, table: Late(process.pid))
    with pytest.raises(EndedEarly) as caught:
        Living(WAIT_TIMEOUT, Command(["/bin/sh"]), None, ssd.default_table()).watch(
            ssd.Process(pid, 1)
        )
    assert 5 == caught.value.status
    assert (handler, -1) == (signal.getsignal(signal.SIGCHLD), signal.set_wakeup_fd(-1))


PARENT = """
import os, sys
child = os.fork()
if not child:
    os._exit(3)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print(child, flush=True)
sys.stdin.read()
"""


def test_status_is_known_if_a_parent_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon has ended, and the process that has sent it to the background has not yet."""
    wait = Living._wait
    words = [sys.executable, "-IS", "-c", PARENT]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None and parent.stdout is not None
        process, stdin = ssd.Process(int(parent.stdout.readline()), 1), parent.stdin

        def release(living: Living, handles: list[object], until: float) -> None:
            stdin.close()
            wait(living, handles, until)

        monkeypatch.setattr(Living, "_wait", release)
        watch = Living(WAIT_TIMEOUT, Command(["/bin/sh"]), None, ssd.default_table())
        with watch, pytest.raises(EndedEarly) as caught:
            watch.watch(process)
    assert 3 == caught.value.status


def test_end_after_the_time_is_no_failure() -> None:
    """As when READY=1 comes later than the time is over, and the end soon after."""
    table = ssd.default_table()
    watch = Living(1, Command(["/bin/true"]), None, table)
    gone = ssd.Process(2**30, 1)
    with pytest.raises(EndedEarly):
        watch.watch(gone)
    watch.since = table.now() - 2
    watch.watch(gone)


def test_watch_that_fails_is_no_failed_start(monkeypatch) -> None:
    """The program runs: the error says so."""

    def hold(process: ssd.Process, table: object) -> None:
        raise MemoryError

    monkeypatch.setattr(holding, "hold", hold)
    watch = Living(1, Command(["/bin/sleep"]), None, ssd.default_table())
    with pytest.raises(NotReady) as caught:
        watch.watch(HERE)
    assert ("unheard", "no memory") == (caught.value.reason, caught.value.detail)


# status, lines, outputs -> the sentence after the name of the program
SENTENCES: list[tuple[int | None, list[str], list[str], str]] = [
    (1, ["a", "b"], ["/x"], "0.3 seconds with status 1 ...; its last lines in /x:\n  a\n  b"),
    (-50, [], [], "0.3 seconds by signal 50 ..."),
    (-7, [], ["/x", "/y"], "0.3 seconds by SIGBUS ...; it printed nothing to /x and /y"),
    (None, [], [], "0.3 seconds with a status that is not known ..."),
    (2, [], ["/dev/null"], "0.3 seconds with status 2 ...; its output went to /dev/null, see "
     "--output"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(SENTENCES)))
def test_sentence_tells_status_and_lines(case: int) -> None:
    """Both commands say the same."""
    status, lines, outputs, expected = SENTENCES[case]
    error = EndedEarly(HERE, 0.31, status, lines, "nova-compute", 5.0, outputs)
    asked = "(of 5 that --wait or readiness asks for)"
    assert f"nova-compute (pid 12) ended after {expected.replace('...', asked)}" == describe(error)


def test_subreaper_is_taken_back() -> None:
    """Also where the caller was one before: then it stays one. So is what it did with SIGCHLD."""
    with contextlib.ExitStack() as undo:
        undo.callback(system_calls.set_subreaper, False)
        undo.callback(signal.signal, signal.SIGCHLD, signal.getsignal(signal.SIGCHLD))
        for before, ignored in ((False, signal.SIG_IGN), (True, signal.SIG_DFL)):
            system_calls.set_subreaper(before)
            signal.signal(signal.SIGCHLD, ignored)
            with Living(1, Command(["/bin/sleep"]), None, ssd.default_table()):
                assert system_calls.is_subreaper()
                assert signal.SIG_DFL == signal.getsignal(signal.SIGCHLD)
            assert (before, ignored) == (
                system_calls.is_subreaper(), signal.getsignal(signal.SIGCHLD),
            )  # fmt: skip
