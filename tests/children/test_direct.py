"""Children started without a helper: what they get, and what needs a helper."""

import errno
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from kit.children import SLEEP, WAIT_TIMEOUT, python, shell, told
from kit.leaks import nothing_left
from kit.users import NOBODY

import ssd
from ssd import Command, Match
from ssd.children import direct, spawning
from ssd.matching import Criteria
from ssd.pidfile import locking
from ssd.starting.fork_exec import VFORK

FACTS = "umask; pwd; env | sort; ls /proc/$$/fd; cut -d' ' -f5,6 /proc/$$/stat; "
FACTS += (
    "exec grep -E '^(Uid|Gid|Groups|SigPnd|SigBlk|SigIgn|SigCgt|Cap|NoNewPrivs)' /proc/self/status"
)


@pytest.fixture
def no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where an interpreter is spawned."""
    monkeypatch.setattr(os, "posix_spawn", lambda *_, **__: pytest.fail("a helper was spawned"))


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every start use a helper."""
    monkeypatch.setattr(direct, "suits", lambda *_: False)


WISHES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a directory": {"directory": "/usr"},
    "a umask": {"umask": 0o027},
    "an environment": {"environment": {"A": "1", "LC_CTYPE": "C.UTF-8"}},
    "a user": {"user": "nobody"},
    "a user by number, and a group": {"user": NOBODY, "group": "daemon"},
    "a group": {"group": "daemon"},
    "a user that is the caller": {"user": os.getuid()},
}


def facts(place: Path, **options: Any) -> bytes:
    """Start a child that prints its properties."""
    said = told(shell(FACTS, **options), place)
    # In a helper, posix_spawn(3) of the GNU C library ignores two signals of its own.
    return said.replace(b"SigIgn:\t0000000180000000", b"SigIgn:\t0000000000000000")


@pytest.mark.parametrize("wish", WISHES)
def test_child_is_given_what_a_helper_would_give(
    wish: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Ids, groups, capabilities, signals, descriptors, session, environment, umask, directory."""
    if os.geteuid() != 0 and ("group" in WISHES[wish] or WISHES[wish].get("user") == "nobody"):
        pytest.skip("requires root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "posix_spawn", lambda *_, **__: pytest.fail("a helper was spawned"))
        without = facts(tmp_path, **WISHES[wish])
    request.getfixturevalue("helper")
    assert facts(tmp_path, **WISHES[wish]) == without


@pytest.mark.usefixtures("no_helper")
def test_session_and_descriptors_need_no_helper(tmp_path: Path) -> None:
    """Standard ones change places, and a closed one stays closed."""
    with open(tmp_path / "out", "w+b") as out, open("/dev/null") as nothing, nothing_left():
        command = shell("echo to 1; echo to 2 >&2; exit $(($(cut -d' ' -f6 /proc/$$/stat) == $$))")
        stdio = (nothing.fileno(), out.fileno(), out.fileno())
        child = ssd.start(
            Match(name="none"), command, background=False, stdio=stdio, new_session=True
        )
        with child as started:
            assert 1 == started.wait()
    assert "to 1\nto 2\n" == (tmp_path / "out").read_text()


@pytest.mark.usefixtures("no_helper")
def test_threads_that_start_the_same_child_get_one() -> None:
    """The kernel's lock keeps threads apart as it does processes."""
    match = Match(ppid=os.getpid(), exec="/bin/sleep")
    started: list[ssd.Process] = []
    refused: list[list[ssd.Process]] = []

    def start() -> None:
        try:
            started.append(ssd.start(match, SLEEP, background=False))
        except ssd.AlreadyRunning as error:
            refused.append(error.processes)

    with nothing_left():
        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_TIMEOUT)
        assert [started] * 7 == refused
        end(started[0])


@pytest.mark.parametrize("nice", [0, 1], ids=["direct", "helped"])
def test_start_finds_the_caller(nice: int, tmp_path: Path) -> None:
    """The caller may match, whether it looks itself or a helper does."""
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    here = ssd.default_table().process(os.getpid())
    for match in (Match(pidfile=tmp_path / "pid"), Match(pid=os.getpid(), user=os.geteuid())):
        with nothing_left(), pytest.raises(ssd.AlreadyRunning) as caught:
            ssd.start(match, Command(["/bin/true"], nice=nice), background=False)
        assert [here] == caught.value.processes


def test_lock_is_released_though_a_fork_has_a_copy(tmp_path: Path) -> None:
    """Another thread may fork while it is held."""
    match = Match(pidfile=tmp_path / "pid")
    lock = locking.acquire(match, Criteria(), 0)
    assert lock is not None
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    lock.release()
    again = locking.acquire(match, Criteria(), 0)
    assert again is not None
    again.release()
    os.close(reading)
    os.close(writing)
    os.waitpid(pid, 0)


@pytest.mark.parametrize(
    "wish",
    [
        {"nice": 1},
        {"limits": {7: (64, 64)}},
        {"cpu_scheduling": ("other", 0)},
        {"io_scheduling": ("idle", 7)},
    ],
)  # fmt: skip
def test_helper_does_what_fork_exec_cannot(wish: dict[str, Any]) -> None:
    """They are not dropped silently."""
    assert not direct.suits(Command(["/bin/true"], **wish), None)
    assert direct.suits(Command(["/bin/true"]), None)


def test_pidfile_of_a_child_is_there_before_it_is_executed(tmp_path: Path) -> None:
    """As in every start; so a helper does it."""
    command = shell('read pid < "$1" && exit $((pid == $$))', tmp_path / "pid")
    child = ssd.start(Match(pidfile=tmp_path / "pid"), command, background=False, make_pidfile=True)
    with child as started:
        assert 1 == started.wait()


def test_unknown_fork_exec_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is private to Python: if its arguments are different, a helper makes the start."""
    tried: list[int] = []

    def fork_exec(*arguments: object) -> int:
        tried.append(len(arguments))
        raise TypeError(f"fork_exec() takes 42 arguments ({len(arguments)} given)")

    monkeypatch.setattr("_posixsubprocess.fork_exec", fork_exec)
    with nothing_left():
        assert b"said\n" == told(Command(["/bin/echo", "said"]), tmp_path)
    assert [23, 22][1 - len(VFORK) :] == tried  # since Python 3.14 there is no flag for vfork(2)


@pytest.mark.parametrize("kind", [TypeError, RuntimeError])
def test_handlers_exception_does_not_mean_unknown_fork_exec(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child that was made is ended, and no second one is made."""

    def hold(*_: object) -> None:
        raise kind("of a handler's")

    monkeypatch.setattr(spawning.Spawned, "_hold", hold)
    with nothing_left(), pytest.raises(kind, match="of a handler's"):
        ssd.start(Match(name="none"), SLEEP, background=False)


def test_isolated_subinterpreter_has_children(tmp_path: Path) -> None:
    """Python forbids it to fork, but not to spawn a helper."""
    interpreters = pytest.importorskip("_xxsubinterpreters", reason="of another Python")
    code = f"""
import ssd
command = ssd.Command(["/bin/sh", "-c", "exit 7"])
with ssd.start(ssd.Match(name="none"), command, background=False) as child:
    with open({str(tmp_path / "told")!r}, "w") as file:
        file.write(str(child.wait()))
"""
    other = interpreters.create()
    try:
        interpreters.run_string(other, code)
    finally:
        interpreters.destroy(other)
    assert "7" == (tmp_path / "told").read_text()


def test_thread_that_blocks_signals_has_children_that_do_not(tmp_path: Path) -> None:
    """For example in a program that waits for its signals by sigwait(3)."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    try:
        said = told(shell("grep SigBlk /proc/self/status"), tmp_path)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert 0 == int(said.split()[1], 16)


# What the caller may be -----------------------------------------------------------------

SET_USER_ID = """
import os, sys, ssd
os.setresuid(int(sys.argv[1]), 0, 0)  # as in a program of root's with a set-user-ID bit
command = ssd.Command(["/bin/sh", "-c", "grep -E '^(Uid|Gid|Groups)' /proc/$$/status"],
                      user=int(sys.argv[1]))
with ssd.start(ssd.Match(name="none"), command, background=False) as child:
    child.wait()
"""


@pytest.mark.requires_root
def test_ids_are_only_the_one_asked_for(tmp_path: Path) -> None:
    """Row 22 of the divergences, for a child: real, effective and saved."""
    done = python(SET_USER_ID, str(NOBODY))
    numbers = [line.split()[1:] for line in done.stdout.splitlines()]
    own = str(NOBODY).encode()
    assert [[own] * 4, [own] * 4, [own]] == numbers, done.stderr


IGNORING = """
import signal, ssd
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(20):
    with ssd.start(ssd.Match(name="none"), ssd.Command(["/bin/true"]), background=False) as child:
        try:
            print(child.wait())
        except ChildProcessError:
            pass
"""


def test_child_that_the_kernel_reaps_is_started_all_the_same() -> None:
    """It may be reaped before its pidfd is opened; another process may have its pid by then."""
    done = python(IGNORING)
    assert (b"", b"") == (done.stdout, done.stderr)


FULL = """
import os, resource, warnings, ssd
warnings.simplefilter("error", ssd.StartWarning)
warnings.simplefilter("ignore", ResourceWarning)
match, true = ssd.Match(name="none"), ssd.Command(["/bin/true"])
ssd.start(match, true, background=False).wait()
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
def count():
    return len(os.listdir("/proc/self/fd"))
for background in (False, True):
    found = []
    for room in range(12):
        before = count()
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        held = []
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        for _ in range(room):
            os.close(held.pop())
        try:
            process = ssd.start(match, true, background=background)
            found.append(0 if background else process.wait())
            process = None
        except ssd.Error as error:
            found.append(getattr(error, "errno", None) or error.__cause__.errno)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            for fd in held:
                os.close(fd)
        assert before == count(), (room, before, count())
    print(*sorted(set(found)), found[-1])
"""


def test_caller_without_free_descriptors_gets_an_error() -> None:
    """At each step of a start; no descriptor is lost, and no start continues without its lock."""
    done = python(FULL)
    assert f"0 {errno.EMFILE} 0\n".encode() * 2 == done.stdout, done.stderr


def end(child: ssd.Process) -> None:
    """End a child, reap it and close it."""
    assert isinstance(child, ssd.Child)
    with child:
        child.signal(signal.SIGKILL)
        child.wait()
