"""Deliberate differences: the rows of docs/reference/divergences.md after 12.

Each test runs its row twice, with the original and with ssd, and says what each does.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .alone import alone, checked, libc, mount, open_ways
from .processes import LONG, end, facts, pids
from .programs import Ear, Program, Tool, spawn, teller
from .tracing import Traced

PIDFILE = "/run/stage/d.pid"
MNT_DETACH = 2  # umount2(2)


@alone
def test_divergence_13_failed_start_leaves_no_pidfile(tool: Tool) -> None:
    """A program that could not be executed in the foreground is not recorded either."""
    os.mkdir("/run/stage")
    broken = Path("/run/stage/broken")
    broken.write_text("#!/run/no/such/interpreter\n")
    broken.chmod(0o755)
    done = tool("--start", "--make-pidfile", "--pidfile", PIDFILE, "--exec", broken)
    outcome = done.returncode, os.path.exists(PIDFILE)
    assert tool.expects(original=(2, True), ssd=(2, False)) == outcome


@alone
@pytest.mark.parametrize("where", [["--background"], []], ids=["background", "foreground"])
def test_divergence_14_old_pidfile_is_replaced(tool: Tool, where: list[str]) -> None:
    """The pidfile is a new file, of root and with the usual mode, whatever was there."""
    program, others = Program(), pids()
    Path(PIDFILE).write_text("4000000\n")
    os.chmod(PIDFILE, 0o600)
    os.chown(PIDFILE, 5001, 5001)
    before = os.stat(PIDFILE)
    words = ["--name", "daemon", "--startas", program.path, "--", *program.words]
    start = spawn(tool.path, "--start", *where, "--make-pidfile", "--pidfile", PIDFILE, *words)
    daemon = program.started()
    assert [daemon] == program.settle(others)
    after = os.stat(PIDFILE)
    outcome = before.st_ino == after.st_ino, oct(after.st_mode & 0o777), after.st_uid
    assert tool.expects(original=(True, "0o600", 5001), ssd=(False, "0o644", 0)) == outcome
    os.kill(daemon, signal.SIGKILL)
    start.communicate(timeout=LONG)


@alone
def test_divergence_15_renamed_process_is_followed_to_its_end(tool: Tool) -> None:
    """A name that changes at the first signal does not save a process from the second."""
    program = Program("target")
    rename = "printf other > /proc/$$/comm; say renamed"
    target = spawn(program.path, *program.script(f"trap '{rename}' TERM; say $$; stay"))
    program.started()
    stop = Traced(tool.path, "--stop", "--retry", "TERM/1/KILL/60", "--name", "target")
    assert stop.until_signals()
    stop.until_sent()  # held, however long it takes to rename itself
    assert "renamed" == program.ear.line()
    assert tool.expects(original=False, ssd=True) == stop.until_signals()
    assert 0 == stop.finish()
    assert tool.expects(original=None, ssd=-signal.SIGKILL) == target.poll()
    target.kill()


@alone
@pytest.mark.parametrize("where", [["--background"], []], ids=["background", "foreground"])
def test_divergence_16_broken_pipes_are_not_ignored(tool: Tool, where: list[str]) -> None:
    """SIGPIPE and SIGXFSZ have their default action in the program, whatever the caller did."""
    program, others = Program(), pids()
    words = ["--pidfile", PIDFILE, "--startas", program.path, "--", *program.words]
    # A child of Python that keeps Python's signals ignores these two.
    start = spawn(tool.path, "--start", *where, *words, restore_signals=False)
    daemon = program.started()
    ignored = int(facts(daemon)["SigIgn"], 16)
    names = {name for name in ("PIPE", "XFSZ") if ignored >> getattr(signal, f"SIG{name}") - 1 & 1}
    assert tool.expects(original={"PIPE", "XFSZ"}, ssd=set()) == names
    end(daemon)
    assert not program.settle(others)
    start.communicate()


@alone
@pytest.mark.parametrize("where", [["--background"], []], ids=["background", "foreground"])
@pytest.mark.parametrize("option", ["--chuid", "--group"])
def test_divergence_22_ids_are_only_the_one_asked_for(
    tool: Tool, option: str, where: list[str]
) -> None:
    """All ids change, also for a caller whose real id is the wanted one already."""
    open_ways()
    os.mkdir("/run/stage")
    ear = Ear("/run/stage/ear")
    change = os.setresuid if option == "--chuid" else os.setresgid
    words = [*where, option, "1", "--name", "nobody", "--startas", teller(ear)]
    start = spawn(tool.path, "--start", *words, preexec_fn=lambda: change(1, 0, 0))
    pid, uids, gids = json.loads(ear.line())
    outcome = uids if option == "--chuid" else gids
    assert tool.expects(original=[1, 0, 0], ssd=[1, 1, 1]) == outcome
    os.kill(pid, signal.SIGKILL)
    start.communicate(timeout=LONG)


@contextmanager
def without_proc() -> Iterator[None]:
    """Remove the processes from /proc, as in a root directory without it."""
    mount("none", "/proc", "tmpfs")
    yield
    checked(libc.umount2(b"/proc", MNT_DETACH))


# without /proc: the command line, and the status of the original and of ssd
BLIND = {
    "--status": (0, 4),
    "--status --exec {program}": (1, 4),
    "--stop --exec {program}": (1, 2),
    "--start --test --exec {program}": (0, 2),
}


@alone
def test_divergence_23_daemon_is_not_dead_without_proc(tool: Tool) -> None:
    """If processes cannot be looked at, none is started again, and none is reported as dead."""
    program = Program()
    target = spawn(program.path, *program.words)
    Path(PIDFILE).write_text(f"{program.started()}\n")
    asked = [line.format(program=program.path).split() for line in BLIND]
    with without_proc():
        found = [tool("--pidfile", PIDFILE, *words).returncode for words in asked]
    assert [tool.expects(*pair) for pair in BLIND.values()] == found
    assert target.poll() is None
    target.kill()
    target.communicate()


@alone
@pytest.mark.parametrize("where", [["--background"], []], ids=["background", "foreground"])
def test_first_start_works_without_proc(tool: Tool, where: list[str]) -> None:
    """Without a pidfile there is no process to look at."""
    program = Program()
    words = ["--make-pidfile", "--pidfile", PIDFILE, "--startas", program.path]
    with without_proc():
        start = spawn(tool.path, "--start", *where, *words, "--", *program.words)
        pid = program.started()
    assert f"{pid}\n" == Path(PIDFILE).read_text()
    os.kill(pid, signal.SIGKILL)
    said = ("", "")
    assert (said, 0 if where else -signal.SIGKILL) == (start.communicate(), start.returncode)


@alone
@pytest.mark.parametrize("where", [["--background"], []], ids=["background", "foreground"])
def test_pidfile_is_not_written_through_a_link(tool: Tool, where: list[str]) -> None:
    """Both refuse to write a pidfile through a symbolic link: status 2, the target is unchanged."""
    program, others = Program(), pids()
    Path("/run/stage/target").write_text("as it was")
    os.symlink("target", PIDFILE)
    words = ["--startas", program.path, "--", *program.words]
    done = tool("--start", *where, "--make-pidfile", "--pidfile", "d.pid", *words, cwd="/run/stage")
    program.settle(others)
    assert (2, "as it was") == (done.returncode, Path("/run/stage/target").read_text())
    assert os.path.islink(PIDFILE)


@alone
def test_relative_pidfile_belongs_to_the_callers_directory(tool: Tool) -> None:
    """Both write a relative pidfile in the caller's directory, not in the daemon's."""
    program, others = Program(), pids()
    words = ["--chdir", "/", "--startas", program.path, "--", *program.words]
    pidfile = ["--make-pidfile", "--pidfile", "d.pid"]
    assert 0 == tool("--start", "--background", *pidfile, *words, cwd="/run/stage").returncode
    assert program.settle(others) == [int(Path(PIDFILE).read_text())]


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_of_ssd(tool: Tool, option: str) -> None:
    """Both succeed and name ssd."""
    done = tool(option)
    assert (0, "") == (done.returncode, done.stderr)
    assert tool.expects(original="start-stop-daemon", ssd="ssd") in done.stdout
    assert tool.expects(original="1.", ssd="Python") in done.stdout or option == "--help"


@alone
def test_divergence_24_pidfile_in_a_setgid_directory_is_trusted(
    tool: Tool,
) -> None:
    """Debian's redis-server has such a directory for its pidfile."""
    program, others = Program(), pids()
    os.chown("/run/stage", 5001, 5001)
    os.chmod("/run/stage", 0o2755)
    words = ["--startas", program.path, "--", *program.words]
    started = tool("--start", "--background", "--make-pidfile", "--pidfile", PIDFILE, *words)
    (daemon,) = program.settle(others)
    stopped = tool("--stop", "--retry", "TERM/50", "--pidfile", PIDFILE)
    outcome = started.returncode, stopped.returncode, program.running()
    assert tool.expects(original=(0, 2, [daemon]), ssd=(0, 0, [])) == outcome
    end(*program.running())
