"""Concurrent starts give one daemon, and a killed start leaves nothing incomplete."""

import os
import random
import select
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from .alone import alone, open_ways
from .processes import LONG, bury, end, pidfd, pids
from .programs import Program, recorded, run, spawn
from .tracing import Family, Traced

PIDFILE = "/run/stage/d.pid"
STARTS = 20
CREW = 4000  # a group of both users below

pytestmark = [pytest.mark.races, pytest.mark.timeout(3600)]


def background(program: Program) -> list[str]:
    """Return the words of a background start with a pidfile."""
    return ["--start", "--background", "--make-pidfile", "--pidfile", PIDFILE,
            "--startas", program.path, "--", *program.words]  # fmt: skip


def verdicts(children: Sequence[subprocess.Popen[str]]) -> Counter[tuple[int, str, str]]:
    """Count the results of commands: status, output and errors."""
    ends: Counter[tuple[int, str, str]] = Counter()
    for child in children:
        out, wrong = child.communicate(timeout=LONG)
        ends[child.returncode, out, wrong] += 1
    return ends


def race(
    ssd: Path, program: Program, words: list[str], others: list[int], users: Sequence[int] = ()
) -> int:
    """Start twenty at once, as ``users`` in turn; return the one daemon that runs then."""
    children = []
    for number in range(STARTS):
        who = {}
        if users and users[number % len(users)]:
            uid = users[number % len(users)]
            who = {"user": uid, "group": uid, "extra_groups": [CREW]}
        children.append(spawn(ssd, *words, **who))
    what = program.path if "--exec" in words else "process"
    expected = {(0, "", ""): 1, (1, f"{what} already running.\n", ""): STARTS - 1}
    assert expected == verdicts(children)
    (daemon,) = program.settle(others)
    return daemon


@alone
def test_background_starts_with_a_pidfile_give_one_daemon(ssd_path: Path) -> None:
    """In each of 100 rounds one daemon runs and is recorded; 19 starts say that it does."""
    program, others = Program(), pids()
    for _ in range(100):
        daemon = race(ssd_path, program, background(program), others)
        assert daemon == recorded(PIDFILE)
        end(daemon)


@alone
def test_starts_of_an_executable_give_one_daemon(ssd_path: Path) -> None:
    """Without a pidfile too, in each of 40 rounds one daemon runs."""
    program, others = Program(), pids()
    words = ["--start", "--background", "--exec", program.path, "--", *program.words]
    for _ in range(40):
        end(race(ssd_path, program, words, others))


@alone
@pytest.mark.parametrize("user", [0, 5001])
@pytest.mark.parametrize("owner, mode", [(0, 0o2775), (0, 0o1777), (5001, 0o775), (5001, 0o1777)])
def test_starts_in_a_directory_of_others_give_one_daemon(
    ssd_path: Path, owner: int, mode: int, user: int
) -> None:
    """Whatever users with write access to the directory have put in the way of a lock."""
    open_ways()
    program, others = Program(), pids()
    directory = Path("/run/shared")
    directory.mkdir()
    (directory / ".d.pid.lock").mkdir()
    os.chown(directory, owner, CREW)
    directory.chmod(mode)
    pidfile = directory / "d.pid"
    # A pidfile of another user is trusted only with a second criterion.
    words = ["--start", "--background", "--make-pidfile", "--pidfile", str(pidfile),
             "--name", "daemon", "--startas", program.path, "--", *program.words]  # fmt: skip
    for _ in range(3):
        daemon = race(ssd_path, program, words, others, users=[user])
        assert daemon == recorded(str(pidfile))
        end(daemon)
        pidfile.unlink()
    assert [".d.pid.lock"] == os.listdir(directory)


@alone
def test_foreground_starts_with_a_pidfile_give_one_daemon(ssd_path: Path) -> None:
    """A start in the foreground becomes the daemon; the 19 others end and say that it runs."""
    program, others = Program(), pids()
    words = [word for word in background(program) if word != "--background"]
    for _ in range(20):
        children = {(child := spawn(ssd_path, *words)).pid: child for _ in range(STARTS)}
        daemon = program.started()
        losers = [child for pid, child in children.items() if pid != daemon]
        expected = {(1, "process already running.\n", ""): STARTS - 1}
        assert expected == verdicts(losers)
        assert [daemon] == program.settle(others)
        assert daemon == recorded(PIDFILE)
        children[daemon].kill()
        children[daemon].communicate()


def in_step(jobs: Sequence[list[str]]) -> list[int]:
    """Run command lines in processes that are loaded and wait for one word; return statuses."""
    import daemon.daemon  # noqa: F401  loaded here so that no child has to

    from ssd.cli import main, start  # noqa: F401

    waiting, go = os.pipe()
    children = []
    for words in jobs:
        child = os.fork()
        if child == 0:
            try:
                os.close(go)
                os.dup2(os.open("/dev/null", os.O_RDWR), 1)
                os.read(waiting, 1)
                os._exit(main(["ssd", *words]))
            finally:
                os._exit(99)
        children.append(child)
    os.close(waiting)
    os.close(go)
    return sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


@alone
@pytest.mark.parametrize("kind", ["pidfile", "exec"])
def test_starts_in_step_give_one_daemon(kind: str) -> None:
    """If all look at the same moment, one daemon runs in each of 20 rounds."""
    program, others = Program(), pids()
    words = background(program)
    if kind == "exec":
        words = ["--start", "--background", "--exec", program.path, "--", *program.words]
    for _ in range(20):
        assert [0] + (STARTS - 1) * [1] == in_step([words] * STARTS)
        (daemon,) = program.settle(others)
        assert kind == "exec" or daemon == recorded(PIDFILE)
        end(daemon)


def duration(start: Callable[[], object], finish: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds: the median of seven."""
    taken = []
    for _ in range(7):
        before = time.monotonic()
        start()
        taken.append(time.monotonic() - before)
        finish()
    return statistics.median(taken)


def killed(ssd: Path, words: list[str], after: float, whole_group: bool) -> None:
    """Begin a start and kill it some seconds later, unless it has ended."""
    child = spawn(ssd, *words, start_new_session=True)
    fd = pidfd(child.pid)
    assert fd is not None
    # select(2) counts microseconds, where poll(2) counts milliseconds.
    if not select.select([fd], [], [], after)[0]:
        (os.killpg if whole_group else os.kill)(child.pid, signal.SIGKILL)
    os.close(fd)
    child.communicate()


def killed_early(ssd: Path, program: Program, whole_group: bool) -> None:
    """Begin a start and kill it before it has the lock; it has no child yet."""
    start = Traced(ssd, *background(program))
    assert start.until_lock()
    start.kill()


def killed_late(ssd: Path, program: Program, whole_group: bool) -> None:
    """Begin a start and kill it, or the rest of its group, when its daemon runs."""
    # An earlier one may have been killed right after its exec, and its report come later.
    program.ear.drain()
    start = spawn(ssd, *background(program), start_new_session=True)
    program.started()
    (os.killpg if whole_group else os.kill)(start.pid, signal.SIGKILL)
    start.communicate()


@alone
@pytest.mark.parametrize("whole_group, moments", [(False, 50), (True, 20)])
def test_killed_start_leaves_a_recorded_daemon_or_none(
    ssd_path: Path, whole_group: bool, moments: int
) -> None:
    """Whenever ssd is killed, no daemon runs unrecorded, and the next start succeeds.

    The moments are times, and may all be before the daemon or after it if the machine's speed
    changes; the last two are surely one before it and one after.
    """
    program, others = Program(), pids()
    words = background(program)
    whole = duration(lambda: run(ssd_path, *words), lambda: end(*program.settle(others)))
    draw = random.Random(20)
    for number in range(moments):
        if number % 2:
            Path(PIDFILE).unlink(missing_ok=True)  # else: the stale one of the round before
        before = recorded(PIDFILE)
        # One moment in each of as many parts of the duration, and a little beyond it.
        killed(ssd_path, words, (number + draw.random()) / moments * 1.1 * whole, whole_group)
        aftermath(ssd_path, program, others, before)
    for kill, outcome in ((killed_early, 0), (killed_late, 1)):
        Path(PIDFILE).unlink(missing_ok=True)
        kill(ssd_path, program, whole_group)
        assert outcome == aftermath(ssd_path, program, others, None)


def aftermath(ssd: Path, program: Program, others: list[int], before: int | None) -> int:
    """Check what a killed start has left, and that the next succeeds; return the daemons.

    ``before`` is the pid that the pidfile held before the start.
    """
    daemons = program.settle(others)
    bury()
    left = recorded(PIDFILE)
    if daemons:
        assert daemons == [left]
    else:
        assert left in (None, before) or left not in pids()
    again = run(ssd, *background(program))
    expected = (1, "process already running.\n", "") if daemons else (0, "", "")
    assert expected == (again.returncode, again.stdout, again.stderr)
    (daemon,) = program.settle(others)
    assert daemon == recorded(PIDFILE)
    assert daemons in ([], [daemon])
    end(daemon)
    return len(daemons)


@alone
@pytest.mark.parametrize("kill_all", [False, True], ids=["one", "all"])
def test_start_killed_at_any_step_leaves_no_unrecorded_daemon(
    ssd_path: Path, kill_all: bool
) -> None:
    """One or all of its processes die at a system call, under the lock or after it."""
    program, others = Program(), pids()
    words = ssd_path, *background(program)
    steps = Family(*words).walk()
    end(*program.settle(others))
    outcomes: Counter[int] = Counter()
    # Close together at the end, near the exec: two walks do not take the same number of steps.
    for step in [*range(steps, steps - 10, -1), *range(steps - 10, 0, -max(1, steps // 25))]:
        Path(PIDFILE).unlink(missing_ok=True)
        Family(*words).walk(step, kill_all)
        outcomes[aftermath(ssd_path, program, others, None)] += 1
    assert {0, 1} == set(outcomes)
