"""``ssd.start`` and its companions inside a program's own process."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kit.children import ENVIRONMENT, PATIENCE, SLEEP, child, ended, python
from kit.leaks import listing, nothing_left
from kit.libc import Watch
from kit.locks import take

import ssd
from ssd import Command, Match
from ssd import aio as loops

# A daemon's life ------------------------------------------------------------------------


def test_daemon_is_started_found_and_stopped(tmp_path: Path) -> None:
    """The whole life, from one process, and nothing of it stays behind in the caller."""
    match = Match(pidfile=tmp_path / "pid", exec="/bin/sleep")
    with nothing_left():
        assert 3 == ssd.status(match)
        process = ssd.start(match, SLEEP, make_pidfile=True)
        with ended(process.pid):
            assert f"{process.pid}\n" == (tmp_path / "pid").read_text()
            assert (0, [process]) == (ssd.status(match), ssd.find(match))
            assert [process] == ssd.stop(match)
        assert (1, []) == (ssd.status(match), ssd.stop(match))
    assert ["pid"] == listing(tmp_path)


def test_what_runs_is_not_started_again(tmp_path: Path) -> None:
    """AlreadyRunning carries the processes, in the background and as a child."""
    with child() as running, nothing_left():
        for background in (True, False):
            with pytest.raises(ssd.AlreadyRunning) as caught:
                ssd.start(Match(pid=running.pid), SLEEP, background=background)
            assert ssd.find(Match(pid=running.pid)) == caught.value.processes


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
def test_start_can_look_by_any_table(kind: str, tmp_path: Path) -> None:
    """Found and started by the same one: its start times compare."""
    table = ssd.table_named(kind)
    match = Match(pidfile=tmp_path / "pid")
    process = ssd.start(match, SLEEP, make_pidfile=True, table=table)
    with ended(process.pid):
        assert [process] == ssd.find(match, table=table)


# The caller -----------------------------------------------------------------------------


def test_many_threads_start_and_stop_at_once(tmp_path: Path) -> None:
    """Each its own daemon, while others do the same."""
    failures: list[BaseException] = []

    def live(number: int) -> None:
        match = Match(pidfile=tmp_path / str(number))
        try:
            process = ssd.start(match, SLEEP, make_pidfile=True)
            assert (0, [process]) == (ssd.status(match), ssd.stop(match))
        except BaseException as error:  # noqa: BLE001 - it is the test's to report
            failures.append(error)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(8)]
    with nothing_left():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert [] == failures


def test_threads_that_start_the_same_get_one_daemon(tmp_path: Path) -> None:
    """One starts it, the others are told that it runs."""
    match, results = Match(pidfile=tmp_path / "pid"), []

    def start() -> None:
        try:
            results.append(ssd.start(match, SLEEP, make_pidfile=True))
        except ssd.AlreadyRunning as error:
            results.append(*error.processes)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert ssd.stop(match) * 6 == results


def test_asyncio_program_starts_in_a_thread(tmp_path: Path) -> None:
    """The loop goes on meanwhile: it lets go of the lock that the start waits for."""
    match = Match(pidfile=tmp_path / "pid")

    async def main() -> ssd.Process:
        lock = take(tmp_path / "pid")
        starting = asyncio.create_task(loops.start(match, SLEEP, make_pidfile=True))
        with Watch(Path(lock.path).parent, Watch.OPEN) as watch:
            await asyncio.to_thread(watch.until, Path(lock.path).name)
        assert not starting.done()
        lock.release()
        return await starting

    process = asyncio.run(main())
    assert [process] == ssd.stop(match)


def test_asyncio_start_is_asked_for_as_any(tmp_path: Path) -> None:
    """A child with its descriptors, and what cannot be done is raised."""

    async def main() -> None:
        match = Match(pidfile=tmp_path / "none")
        with open(tmp_path / "out", "wb") as out:
            say = Command(["/bin/echo", "hello"])
            child = await loops.start(
                match, say, background=False, stdio=(0, out.fileno(), 2), new_session=True
            )
        assert isinstance(child, ssd.Child)
        assert (0, b"hello\n") == (child.wait(), (tmp_path / "out").read_bytes())
        with pytest.raises(ssd.StartFailed):
            await loops.start(match, Command(["/no/such"]))

    asyncio.run(main())


def state() -> dict[str, object]:
    """Return what a library must leave alone."""
    umask = os.umask(0o022)
    os.umask(umask)
    numbers = sorted(signal.valid_signals())
    return {
        "umask": umask,
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "handlers": [signal.getsignal(number) for number in numbers],
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "streams": [sys.stdin, sys.stdout, sys.stderr],
        "identity": (os.getresuid(), os.getresgid(), os.getgroups(), os.getsid(0), os.nice(0)),
    }


def test_caller_is_left_as_it_was(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing global changes and nothing is printed, whatever is done and fails."""
    before = state()
    match = Match(pidfile=tmp_path / "pid")
    command = Command(["/bin/sleep", "1000"], umask=0o077, nice=1, directory="/tmp")
    ssd.start(match, command, make_pidfile=True)
    ssd.stop(match)
    for failing in (Command(["/none"]), Command(["/bin/true"], user="no such user")):
        for background in (True, False):
            with pytest.raises(ssd.Error):
                ssd.start(Match(name="no such"), failing, background=background)
    assert before == state()
    assert ("", "") == tuple(capfd.readouterr())


CLOSED = """
import os, sys, ssd
for fd in map(int, sys.argv[2:]):
    os.close(fd)
match = ssd.Match(pidfile=sys.argv[1] + "/pid")
command = ssd.Command(["/bin/sleep", "1000"])
ssd.start(match, command, make_pidfile=True)
ssd.stop(match)
script = "for fd in 0 1 2; do test -e /proc/$$/fd/$fd || n=$n$fd; done; exit ${n:-9}"
with ssd.start(match, ssd.Command(["/bin/sh", "-c", script]), background=False) as process:
    os._exit(process.wait())
"""


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_caller_with_closed_descriptors_can_start(closed: str, tmp_path: Path) -> None:
    """A daemon itself, say; its child finds closed what is closed."""
    with open(os.devnull) as nothing:
        done = python(CLOSED, tmp_path, *closed, stdin=nothing)
    assert int(closed) == done.returncode, done.stderr


IGNORING = """
import signal, sys, ssd
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
match = ssd.Match(pidfile=sys.argv[1] + "/pid")
process = ssd.start(match, ssd.Command(["/bin/sleep", "1000"]), make_pidfile=True)
assert [process] == ssd.stop(match)
"""


def test_caller_that_ignores_its_childrens_end_can_start(tmp_path: Path) -> None:
    """With SIGCHLD ignored the kernel reaps, and waitpid(2) finds nobody."""
    done = python(IGNORING, tmp_path)
    assert (0, b"") == (done.returncode, done.stderr)


def test_checkout_that_is_not_installed_can_start(tmp_path: Path) -> None:
    """The helper imports from where the caller imported, the working directory too."""
    base = getattr(sys, "_base_executable", sys.executable)
    where = Path(str(ssd.__file__)).parent.parent
    done = subprocess.run(
        [base, "-c", ENVIRONMENT, tmp_path],
        cwd=where,
        env={},
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (0, b"") == (done.returncode, done.stderr)


# The names ------------------------------------------------------------------------------


def test_every_public_name_loads() -> None:
    """__all__, dir() and the table of homes agree."""
    assert sorted(ssd.__all__) == sorted(ssd._HOME)
    assert set(ssd.__all__) <= set(dir(ssd))
    assert [] == [name for name in ssd.__all__ if getattr(ssd, name, None) is None]
    with pytest.raises(AttributeError, match="bogus"):
        _ = ssd.bogus


@pytest.mark.parametrize("name", [name for name in ssd.__all__ if name != "__version__"])
def test_every_public_name_says_what_it_is(name: str) -> None:
    """It has a docstring of its own, and so have its public methods."""
    value = getattr(ssd, name)
    methods = [] if not isinstance(value, type) else [
        method for label, method in vars(value).items()
        if not label.startswith("_") and callable(method)
    ]  # fmt: skip
    assert value.__doc__
    assert [] == [method.__name__ for method in methods if not method.__doc__]


def test_every_failure_is_of_one_family() -> None:
    """``except ssd.Error`` catches what ssd foresees."""
    kinds = [getattr(ssd, name) for name in ssd.__all__ if isinstance(getattr(ssd, name), type)]
    own = [kind for kind in kinds if issubclass(kind, Exception)]
    outside = {ssd.MatchWarning, ssd.StartWarning, ssd.ScheduleError}  # warnings, and a ValueError
    assert outside == {kind for kind in own if not issubclass(kind, ssd.Error)}
