"""What ssd does differently on purpose: the rows of docs/reference/divergences.md.

Each test runs its row twice, with the original and with ssd, and says what each does.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from .alone import alone, open_ways
from .notifier import Notifier, Stranger
from .processes import LONG, end, pids, state, wait_end
from .programs import Listener, Program, Tool, recorded, reincarnate, run, spawn
from .tracing import Traced

PIDFILE = "/run/stage/d.pid"
OWNER = 5001  # some user


def stage(content: str = "") -> None:
    """Make the directory of these tests, and a pidfile."""
    os.makedirs("/run/stage", exist_ok=True)
    if content:
        Path(PIDFILE).write_text(content)


@alone
@pytest.mark.parametrize("content", ["-1", "0", "{pid}abc"])
def test_divergence_01_pidfile_gives_a_number_or_nothing(tool: Tool, content: str) -> None:
    """-1 is not all processes, 0 is not the caller's group, and 12abc is not process 12."""
    listener = Listener(process_group=0)
    stage(content.format(pid=listener.pid))
    # CONT, since with -1 it reaches every process of the namespace.
    done = tool("--stop", "--signal", "CONT", "--pidfile", PIDFILE, process_group=listener.pid)
    outcome = done.returncode, listener.heard()
    assert tool.expects(original=(0, ["CONT", "TERM"]), ssd=(1, ["TERM"])) == outcome


@alone
@pytest.mark.parametrize("plant", [os.symlink, os.link])
def test_divergence_02_link_planted_by_the_daemon_is_refused(tool: Tool, plant) -> None:
    """A link that the daemon's user puts in place of the pidfile is not followed."""
    listener = Listener()
    stage()
    Path("/run/victim.pid").write_text(str(listener.pid))
    os.chown("/run/stage", OWNER, OWNER)
    plant("/run/victim.pid", PIDFILE)
    done = tool("--stop", "--signal", "CONT", "--pidfile", PIDFILE)
    outcome = done.returncode, listener.heard()
    assert tool.expects(original=(0, ["CONT", "TERM"]), ssd=(2, ["TERM"])) == outcome


@alone
def test_divergence_03_fifo_does_not_block(tool: Tool) -> None:
    """The original waits for a writer of a FIFO; ssd sees that it is not a pidfile."""
    stage()
    os.mkfifo(PIDFILE)
    asked = spawn(tool.path, "--status", "--pidfile", PIDFILE)
    if tool.is_original:
        with open(PIDFILE, "w") as waits_for_us:  # open(2) returns once it has a reader
            waits_for_us.write(f"{os.getpid()}\n")
    assert tool.expects(original=0, ssd=4) == asked.wait(LONG)


@alone
def test_divergence_04_failed_exec_is_reported(tool: Tool) -> None:
    """A background start whose program cannot be executed fails and leaves no pidfile."""
    stage()
    broken = Path("/run/stage/broken")
    broken.write_text("#!/run/no/such/interpreter\n")
    broken.chmod(0o755)
    done = tool("--start", "--background", "--make-pidfile", "--pidfile", PIDFILE, "--exec", broken)
    outcome = done.returncode, os.path.exists(PIDFILE), str(broken) in done.stderr
    assert tool.expects(original=(0, True, False), ssd=(2, False, True)) == outcome


@alone
@pytest.mark.parametrize("pidfile", ["/run/nowhere/d.pid", "/run/full/d.pid"])
def test_divergence_05_daemon_never_runs_unrecorded(tool: Tool, pidfile: str) -> None:
    """If the pidfile cannot be written, no daemon is started."""
    program, others = Program(), pids()
    os.mkdir("/run/full")
    run("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", "/run/full", check=True)
    Path("/run/full/all-of-it").write_bytes(bytes(4096))
    words = ["--startas", program.path, "--", *program.words]
    done = tool("--start", "--background", "--make-pidfile", "--pidfile", pidfile, *words)
    daemons = program.settle(others)
    assert tool.expects(original=(2, 1), ssd=(2, 0)) == (done.returncode, len(daemons))
    assert not os.path.exists(pidfile) or not Path(pidfile).read_text()


@alone
def test_divergence_06_concurrent_starts_give_one_daemon(tool: Tool) -> None:
    """A start between the look and the fork of another one waits, and then finds that daemon.

    Whole crowds of starts race each other in test_races.py.
    """
    program, others = Program(), pids()
    words = ["--start", "--background", "--make-pidfile", "--pidfile", PIDFILE]
    words += ["--startas", program.path, "--", *program.words]
    first = Traced(tool.path, *words)
    assert first.until_fork()
    second = Traced(tool.path, *words)
    assert tool.expects(original=False, ssd=True) == second.until_lock()
    ends = first.finish(), second.finish()
    daemons = program.settle(others)
    assert tool.expects(original=((0, 0), 2), ssd=((0, 1), 1)) == (ends, len(daemons))


@alone
def test_divergence_07_zombie_is_dead(tool: Tool) -> None:
    """A process that has ended but is not reaped does not run, and a stop does not wait for it."""
    zombie = spawn("true")
    wait_end(zombie.pid)
    asked = tool("--status", "--pid", zombie.pid).returncode
    stopped = tool("--stop", "--retry", "TERM/0/KILL/0", "--pid", zombie.pid).returncode
    assert "Z" == state(zombie.pid)
    assert tool.expects(original=(0, 2), ssd=(3, 1)) == (asked, stopped)


@alone
def test_divergence_08_signal_reaches_only_the_process_found(tool: Tool) -> None:
    """A process that gets the pid between the look and the signal is not signalled."""
    program = Program()
    daemon = spawn(program.path, *program.words)
    program.started()
    stage(f"{daemon.pid}\n")
    words = ["--stop", "--pidfile", PIDFILE, "--exec", program.path]
    traced = Traced(tool.path, *words)
    assert traced.until_signals()
    daemon.kill()
    daemon.communicate()
    stranger = reincarnate(daemon.pid)
    assert tool.expects(original=0, ssd=1) == traced.finish()
    if tool.is_original:
        assert -signal.SIGTERM == stranger.wait(LONG)
    else:
        assert stranger.poll() is None


@alone
def test_divergence_09_time_is_counted_in_microseconds(tool: Tool) -> None:
    """EXTEND_TIMEOUT_USEC=1000 gives the program a millisecond more, not a second."""
    program = Notifier("EXTEND_TIMEOUT_USEC=1000")
    words = ["--notify-timeout", "60", "--verbose", "--startas", program.path]
    done = tool("--start", "--background", "--notify-await", "--pidfile", PIDFILE, *words)
    _, _, after = done.stdout.partition("some notification")
    assert tool.expects(original="(timeout 1sec", ssd="(timeout 0sec") in after
    assert tool.expects(original="timed out", ssd="is not ready after") in done.stderr


@alone
def test_divergence_09_stranger_cannot_say_ready(tool: Tool) -> None:
    """Only the program and its descendants may notify, not every process of its user."""
    open_ways()
    program = Notifier()
    words = ["--chuid", "nobody", "--startas", program.path]
    start = spawn(
        tool.path, "--start", "--background", "--notify-await", "--pidfile", PIDFILE, *words
    )
    _, address = program.began()
    with Stranger(address, "READY=1", user="nobody"):
        program.order("ERRNO=5")
        assert tool.expects(original=0, ssd=2) == start.wait(LONG)


@alone
def test_divergence_09_death_ends_the_wait(tool: Tool) -> None:
    """A program that ends before it is ready is not waited for any longer."""
    program = Notifier("exit")
    seconds = tool.expects(original=1, ssd=1000)
    words = ["--notify-timeout", seconds, "--startas", program.path]
    before = time.monotonic()
    done = tool("--start", "--background", "--notify-await", "--pidfile", PIDFILE, *words)
    waited = time.monotonic() - before >= seconds
    assert tool.expects(original=(2, True), ssd=(2, False)) == (done.returncode, waited)


@alone
def test_divergence_10_only_a_regular_file_is_removed(tool: Tool) -> None:
    """--remove-pidfile does not remove the null device."""
    done = tool("--stop", "--name", "nosuch", "--pidfile", "/dev/null", "--remove-pidfile")
    outcome = done.returncode, os.path.exists("/dev/null")
    assert tool.expects(original=(1, False), ssd=(1, True)) == outcome


@alone
def test_divergence_10_pidfile_of_a_living_stranger_is_kept(tool: Tool) -> None:
    """--remove-pidfile keeps the pidfile of a process that was not stopped."""
    listener = Listener()
    stage(f"{listener.pid}\n")
    done = tool("--stop", "--name", "nosuch", "--pidfile", PIDFILE, "--remove-pidfile")
    outcome = done.returncode, recorded(PIDFILE)
    assert tool.expects(original=(1, None), ssd=(1, listener.pid)) == outcome
    assert ["TERM"] == listener.heard()


@alone
def test_divergence_11_stop_never_matches_itself(tool: Tool) -> None:
    """A stop of all processes of a user, by that user, stops all others and lives."""
    open_ways()
    program = Program()
    neighbours = [spawn(program.path, *program.words, user=OWNER) for _ in range(3)]
    for _ in neighbours:
        program.started()
    done = tool("--stop", "--user", OWNER, user=OWNER)
    left = [each for each in neighbours if each.pid in program.running()]
    if tool.is_original:
        assert (-signal.SIGTERM, True) == (done.returncode, bool(left))
        end(*(each.pid for each in left))
        return
    assert 0 == done.returncode, done
    assert 3 * [-signal.SIGTERM] == [each.wait(LONG) for each in neighbours]


@alone
def test_divergence_11_start_never_finds_itself(tool: Tool) -> None:
    """A start that matches its own user does not take itself for the daemon."""
    open_ways()
    done = tool("--start", "--user", OWNER, "--startas", "/bin/true", user=OWNER)
    assert tool.expects(original=1, ssd=0) == done.returncode


@alone
def test_divergence_12_new_owner_of_the_pid_is_a_stranger(tool: Tool) -> None:
    """A process that gets the pid during --retry does not get the next signal."""
    program = Program("target")
    target = spawn(program.path, *program.script("trap 'say term' TERM; say $$; stay"))
    assert target.pid == program.started()
    stage(f"{target.pid}\n")
    stop = Traced(tool.path, "--stop", "--retry", "TERM/1/KILL/60", "--pidfile", PIDFILE)
    assert stop.until_signals()
    stop.until_sent()  # stopped, so that the change of owner comes between two looks
    assert "term" == program.ear.line()
    target.kill()
    target.communicate()
    stranger = reincarnate(target.pid)
    assert tool.expects(original=True, ssd=False) == stop.until_signals()
    if tool.is_original:
        stop.until_sent()
        assert -signal.SIGKILL == stranger.wait(LONG)
    assert 0 == stop.finish()
    assert tool.is_original or stranger.poll() is None
    stranger.kill()
