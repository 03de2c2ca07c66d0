"""Starts on declared processes: by the library, and what they leave."""

import asyncio
import errno
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kit.leaks import nothing_left
from kit.users import NOBODY

import ssd
from ssd import Command, Match, aio
from ssd.testing import FakeProcess, FakeProcesses, dies, exits, together

HUP, KILL, TERM = signal.SIGHUP, signal.SIGKILL, signal.SIGTERM
WEBD = "/usr/sbin/webd"  # not on disk


def test_daemon_is_started_found_and_stopped(
    webd: Command, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """The whole life, with a clock that jumps and a pidfile on disk."""
    match = Match(pidfile=pidfile, exec=WEBD)
    with nothing_left():
        assert 3 == ssd.status(match, table=fake_processes)
        process = ssd.start(match, webd, make_pidfile=True, table=fake_processes)
        assert f"{process.pid}\n" == pidfile.read_text()
        assert (0, [process]) == (
            ssd.status(match, table=fake_processes), ssd.find(match, table=fake_processes),
        )  # fmt: skip
        assert [process] == ssd.stop(match, "TERM/30/KILL/5", table=fake_processes)
        assert (1, 3) == (ssd.status(match, table=fake_processes), fake_processes.now())
    assert [pidfile] == list(pidfile.parent.iterdir())


def test_daemon_is_what_its_command_and_its_program_say(
    webd: Command, fake_processes: FakeProcesses
) -> None:
    """Name, executable, arguments, user and parent: init for a daemon, the caller for a child."""
    webd.user = NOBODY
    for background, parent in ((True, 1), (False, fake_processes.caller.pid)):
        process = ssd.start(
            Match(user=NOBODY + 1), webd, background=background, table=fake_processes
        )
        declared = fake_processes[process.pid]
        assert (b"webd", [WEBD, "-f"], WEBD, NOBODY, parent) == (
            declared.name, declared.argv, declared.exe, declared.uid, declared.ppid,
        )  # fmt: skip


def test_script_has_the_executable_of_its_interpreter(fake_processes: FakeProcesses) -> None:
    """``exe`` and ``name`` are those that the kernel would have."""
    fake_processes.register("/usr/bin/webd", exe="/usr/bin/python3", name="webd: main process")
    process = ssd.start(Match(name="webd: main proc"), Command(["/usr/bin/webd"]),
                        table=fake_processes)  # fmt: skip
    assert [process] == ssd.find(Match(exec="/usr/bin/python3"), table=fake_processes)
    assert [process] == ssd.find(Match(name="webd: main proc"), table=fake_processes)


def test_command_is_the_callers_own(
    webd: Command, fake_processes: FakeProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start does not change it, not even a relative path."""
    monkeypatch.chdir(tmp_path)
    webd.output = b"log"
    ssd.start(Match(name="webd"), webd, table=fake_processes)
    assert b"log" == webd.output


@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
def test_running_program_is_not_started_again(
    background: bool, webd: Command, fake_processes: FakeProcesses
) -> None:
    """AlreadyRunning has the processes."""
    running = fake_processes.add("webd")
    with pytest.raises(ssd.AlreadyRunning) as caught:
        ssd.start(Match(name="webd"), webd, background=background, table=fake_processes)
    assert [running.identity] == caught.value.processes


def test_starts_at_the_same_time_start_one_process(
    webd: Command, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """In threads, as the library allows; the other starts find it running."""
    match, results = Match(pidfile=pidfile), []

    def start() -> None:
        try:
            results.append(ssd.start(match, webd, make_pidfile=True, table=fake_processes))
        except ssd.AlreadyRunning as error:
            results.append(*error.processes)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [fake_processes.started[0].identity] * 8 == results
    assert 1 == len(fake_processes.started)


# What goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
def test_start_that_fails_leaves_nothing(
    background: bool, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """Neither a process nor a pidfile; the error has the stage and the reason."""
    fake_processes.register(WEBD, fails=errno.EACCES)
    before = fake_processes.pids()
    with nothing_left(), pytest.raises(ssd.StartFailed) as caught:
        ssd.start(Match(pidfile=pidfile), Command([WEBD]), background=background,
                  make_pidfile=True, table=fake_processes)  # fmt: skip
    assert ("exec", WEBD, errno.EACCES) == (
        caught.value.stage, caught.value.detail, caught.value.errno,
    )  # fmt: skip
    assert (before, []) == (fake_processes.pids(), list(pidfile.parent.iterdir()))


def test_any_stage_can_fail(fake_processes: FakeProcesses) -> None:
    """A StartFailed of the test's own is raised as it is."""
    failure = ssd.StartFailed("chdir", "/srv", errno.ENOENT, os.strerror(errno.ENOENT))
    fake_processes.register(WEBD, fails=failure)
    with pytest.raises(ssd.StartFailed) as caught:
        ssd.start(Match(name="webd"), Command([WEBD]), table=fake_processes)
    assert failure is caught.value


# options that only root may use -> the stage that fails for other users
PRIVILEGES = {
    "another user": ({"user": "root"}, "group"),
    "another group": ({"user": "root", "group": NOBODY}, "group"),
    "another root": ({"root": "/srv"}, "chroot"),
    "to be nicer to itself": ({"nice": -1}, "nice"),
}


@pytest.mark.parametrize("case", PRIVILEGES)
def test_caller_may_start_what_its_user_may(case: str) -> None:
    """Root may use all of them."""
    options, stage = PRIVILEGES[case]
    for caller in (0, NOBODY):
        machine = FakeProcesses(caller_uid=caller)
        machine.allow_unregistered()
        command = Command([WEBD], **options)
        if caller == 0:
            ssd.start(Match(name="webd"), command, table=machine)
            continue
        with pytest.raises(ssd.StartFailed) as caught:
            ssd.start(Match(name="webd"), command, table=machine)
        assert (stage, errno.EPERM) == (caught.value.stage, caught.value.errno)


def test_start_belongs_to_its_caller() -> None:
    """Without a user of its own, the daemon has the caller's."""
    machine = FakeProcesses(caller_uid=NOBODY)
    machine.allow_unregistered()
    process = ssd.start(Match(name="webd"), Command([WEBD]), table=machine)
    assert [process] == ssd.find(Match(user=NOBODY), table=machine)


def test_machine_without_a_free_pid_starts_nothing() -> None:
    """fork(2) fails, which the stage says."""
    machine = FakeProcesses(caller_pid=50, pid_max=301)
    machine.allow_unregistered()
    machine.last_pid = 299
    ssd.start(Match(name="webd"), Command([WEBD]), table=machine)
    with pytest.raises(ssd.StartFailed) as caught:
        ssd.start(Match(name="other"), Command([WEBD]), table=machine)
    assert ("fork", errno.EAGAIN) == (caught.value.stage, caught.value.errno)


def test_pidfile_that_cannot_be_written_starts_nothing(
    webd: Command, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """A pidfile is a real file, with the real rules."""
    before = fake_processes.pids()
    pidfile.symlink_to("elsewhere")
    with pytest.raises(ssd.PidfileUnwritable):
        ssd.start(Match(pidfile=pidfile), webd, make_pidfile=True, table=fake_processes)
    assert before == fake_processes.pids()


# Readiness ------------------------------------------------------------------------------

# the program -> seconds until the start is over, and why it fails
READINESS = {
    "it says so in time": ({"ready_after": 4}, 4, None),
    "it says so at once": ({"ready_after": 0}, 0, None),
    "it says so too late": ({"ready_after": 6}, 5, "timeout"),
    "it never says so": ({}, 5, "timeout"),
    "it ends first": ({"ready_after": 4, "runs": exits(1, after=2)}, 2, "exited"),
}


@pytest.mark.parametrize("case", READINESS)
def test_start_waits_for_readiness(case: str, pidfile: Path, fake_processes: FakeProcesses) -> None:
    """Until READY=1, the end of the program, or the end of the time."""
    program, end, reason = READINESS[case]
    fake_processes.register(WEBD, **program)
    match = Match(pidfile=pidfile)
    if reason is None:
        ssd.start(match, Command([WEBD]), make_pidfile=True, notify_timeout=5,
                  table=fake_processes)  # fmt: skip
    else:
        with pytest.raises(ssd.NotReady) as caught:
            ssd.start(match, Command([WEBD]), make_pidfile=True, notify_timeout=5,
                      table=fake_processes)  # fmt: skip
        assert reason == caught.value.reason
    assert (end, reason != "exited") == (fake_processes.now(), pidfile.exists())


def says(log: Path, text: str) -> Callable[[FakeProcess], object]:
    """Return what a program does that prints a line; a declared one has real files."""
    return lambda process: log.write_text(f"{text}\n")


# what the program does; when the start returns, its status if it failed
LIVES: dict[str, tuple[dict[str, Any], float, int | None]] = {
    "it lives": ({}, 5, None),
    "it ends in time": ({"runs": exits(3, after=2)}, 2, 3),
    "it ends later": ({"runs": exits(3, after=6)}, 5, None),
    "a signal ends it": ({"runs": lambda process: process.after(1, dies(status=-9))}, 1, -9),
}


@pytest.mark.parametrize("case", LIVES)
def test_start_waits_whether_it_lives(
    case: str, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """In no time of the test: the clock jumps to the end of the program, or of the wait."""
    program, end, status = LIVES[case]
    fake_processes.register(WEBD, **program)
    match, table = Match(pidfile=pidfile), fake_processes
    if status is None:
        ssd.start(match, Command([WEBD]), make_pidfile=True, wait=5, table=table)
    else:
        with pytest.raises(ssd.EndedEarly) as caught:
            ssd.start(match, Command([WEBD]), make_pidfile=True, wait=5, table=table)
        error = caught.value
        assert (status, end, "webd", ["/dev/null"]) == (
            error.status, error.seconds, error.program, error.outputs,
        )  # fmt: skip
    assert (end, status is None) == (fake_processes.now(), pidfile.exists())


def test_start_waits_for_readiness_and_for_life(
    pidfile: Path, fake_processes: FakeProcesses, tmp_path: Path
) -> None:
    """In a task, too: first until it is ready, and then for the rest of the time."""
    log = tmp_path / "log"
    dying = together(says(log, "no database"), exits(4, after=3))
    for number, (ready, wait, end) in enumerate([(1, 5, 3), (None, 5, 3), (1, 2, 2)]):
        path = f"{WEBD}{number}"
        fake_processes.register(path, runs=dying, ready_after=ready)
        began = fake_processes.now()
        start = partial(
            aio.start, Match(pidfile=pidfile), Command([path], output=log), make_pidfile=True,
            notify_timeout=9, wait=wait, table=fake_processes,
        )  # fmt: skip
        if wait > end:
            with pytest.raises(ssd.EndedEarly) as caught:
                asyncio.run(start())
            assert (4, ["no database"]) == (caught.value.status, caught.value.lines)
        else:
            asyncio.run(start())
        assert end == fake_processes.now() - began
        log.unlink()
