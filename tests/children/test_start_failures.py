"""Starts by the library that fail: the stage, the reason, and nothing left."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from kit.children import SLEEP, WAIT_TIMEOUT, ended, shell
from kit.leaks import listing, nothing_left
from kit.libc import Watch
from kit.locks import take

import ssd
from ssd import Command, Match
from ssd.pidfile import locking

RLIMIT_NOFILE = 7
# case -> the stage, the values of the Command, and the errno
FAILURES: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "a missing program": ("exec", {"argv": ["/none/x"]}, errno.ENOENT),
    "a program that may not be executed": ("exec", {"argv": ["/etc/passwd"]}, errno.EACCES),
    "a directory for a program": ("exec", {"argv": ["/etc"]}, errno.EACCES),
    "a missing directory": ("chdir", {"directory": "/none"}, errno.ENOENT),
    "a file for a directory": ("chdir", {"directory": "/etc/passwd"}, errno.ENOTDIR),
    "a missing root": ("chdir", {"root": "/none"}, errno.ENOENT),
    "an impossible limit": ("limit", {"limits": {RLIMIT_NOFILE: (10, 5)}}, errno.EINVAL),
    "an unknown limit": ("limit", {"limits": {4321: (1, 1)}}, errno.EINVAL),
    "an output in a missing directory": ("output", {"output": "/none/log"}, errno.ENOENT),
}


@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
@pytest.mark.parametrize("case", FAILURES)
def test_failed_start_says_at_which_stage_and_why(
    case: str, background: bool, tmp_path: Path
) -> None:
    """Nothing runs, no pidfile is left, and nothing stays open."""
    stage, given, code = FAILURES[case]
    if stage == "output" and not background:
        return  # for a daemon only
    command = Command(**{"argv": ["/bin/true"], **given})
    with nothing_left(), pytest.raises(ssd.StartFailed) as caught:
        match = Match(pidfile=tmp_path / "pid")
        ssd.start(match, command, background=background, make_pidfile=True)
    assert (stage, code) == (caught.value.stage, caught.value.errno)
    assert caught.value.reason
    assert [] == listing(tmp_path)


UNKNOWN: dict[str, tuple[type[Exception], dict[str, Any], dict[str, Any]]] = {
    "a user": (ssd.UnknownUser, {}, {"user": "no such user"}),
    "a group": (ssd.UnknownGroup, {}, {"group": "no such group"}),
    "a user to match": (ssd.UnknownUser, {"user": "no such user"}, {}),
    "an executable to match": (ssd.ExecutableMissing, {"exec": "/none/x"}, {}),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_user_or_program_is_raised_in_the_caller(case: str) -> None:
    """The helper's exceptions reach the caller with their data."""
    kind, match, command = UNKNOWN[case]
    with nothing_left(), pytest.raises(kind):
        ssd.start(Match(**(match or {"name": "no such"})), Command(["/bin/true"], **command))


def test_untrusted_pidfile_starts_nothing(tmp_path: Path) -> None:
    """A start raises PidfileUnsafe as a status does."""
    (tmp_path / "pid").write_text("1\n")
    (tmp_path / "pid").chmod(0o666)
    with nothing_left(), pytest.raises(ssd.PidfileUnsafe) as caught:
        ssd.start(Match(pidfile=tmp_path / "pid"), SLEEP)
    assert str(tmp_path / "pid") == caught.value.path


def test_unwritable_pidfile_starts_nothing(tmp_path: Path) -> None:
    """Row 5 of the divergences, in the library."""
    (tmp_path / "pid").symlink_to("elsewhere")
    with nothing_left(), pytest.raises(ssd.PidfileUnwritable) as caught:
        ssd.start(Match(pidfile=tmp_path / "pid"), SLEEP, make_pidfile=True)
    assert errno.ELOOP == caught.value.errno


def test_start_without_a_lock_goes_on_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning names the lock and the reason."""

    def refuse(*_: object) -> None:
        raise locking.NoLock("/run/x.lock", "Read-only file system")

    monkeypatch.setattr(locking, "acquire", refuse)
    with nothing_left(), pytest.warns(ssd.StartWarning, match="lock /run/x.lock: Read-only file"):
        with ssd.start(Match(name="no such name"), SLEEP, background=False) as process:
            process.signal(signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
def test_start_whose_helper_is_killed_has_failed(background: bool, tmp_path: Path) -> None:
    """Here it is killed while it waits for the lock: nothing is started."""
    lock = take(tmp_path / "pid")
    file = Path(lock.path)
    helped = Command(["/bin/sleep", "1000"], nice=1)  # so that a child has a helper, too
    raised: list[Exception] = []

    def start() -> None:
        try:
            ssd.start(Match(pidfile=tmp_path / "pid"), helped, background=background)
        except ssd.Error as error:
            raised.append(error)

    with Watch(file.parent, Watch.OPEN) as watch, nothing_left():
        thread = threading.Thread(target=start)
        thread.start()
        watch.until(file.name)
        (helper,) = ssd.find(Match(ppid=os.getpid()))
        os.kill(helper.pid, signal.SIGKILL)
        thread.join(WAIT_TIMEOUT)
    lock.release()
    assert [ssd.StartFailed] == [type(error) for error in raised]


# Readiness ------------------------------------------------------------------------------

# reason -> what the program does instead of sending READY=1, and the timeout
NOT_READY = {
    "timeout": ("exec sleep 1000", 0.05),
    "exited": ("exit 1", WAIT_TIMEOUT),
    "errno": ("exec {notify} ERRNO=13", WAIT_TIMEOUT),
    "invalid": ("exec {notify} ERRNO=x", WAIT_TIMEOUT),
}
# Sent by the program itself: the kernel cannot tell whose child an ended sender was.
NOTIFY = """
import os, signal, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.sendto(sys.argv[1].encode(), os.environ["NOTIFY_SOCKET"])
signal.pause()
"""


@pytest.mark.parametrize("reason", NOT_READY)
def test_program_that_is_not_ready_is_reported(reason: str, tmp_path: Path) -> None:
    """NotReady has one of four reasons, and the process, which may still run."""
    script, timeout = NOT_READY[reason]
    (tmp_path / "notify.py").write_text(NOTIFY)
    script = script.format(notify=f"{sys.executable} -I -S {tmp_path}/notify.py")
    match = Match(pidfile=tmp_path / "pid")
    with nothing_left(), pytest.raises(ssd.NotReady) as caught:
        ssd.start(match, shell(script), make_pidfile=True, notify_timeout=timeout)
    process = caught.value.process
    assert reason == caught.value.reason
    assert (errno.EACCES if reason == "errno" else None) == caught.value.errno
    if reason == "exited":
        assert ["notify.py"] == listing(tmp_path)
    else:
        assert [process] == ssd.stop(match)


def test_program_that_says_ready_is_returned(tmp_path: Path) -> None:
    """As soon as it has said so."""
    (tmp_path / "notify.py").write_text(NOTIFY)
    script = f"exec {sys.executable} -I -S {tmp_path}/notify.py READY=1"
    match = Match(pidfile=tmp_path / "pid")
    with nothing_left():
        process = ssd.start(match, shell(script), make_pidfile=True, notify_timeout=WAIT_TIMEOUT)
    assert [process] == ssd.stop(match)


def test_pidfile_that_the_program_wrote_itself_is_kept(tmp_path: Path) -> None:
    """A program that forks and ends was not ready, but its pidfile names a living process."""
    script = f"sleep 1000 & echo $! > {tmp_path}/pid"
    match = Match(pidfile=tmp_path / "pid")
    with pytest.raises(ssd.NotReady):
        ssd.start(match, shell(script), make_pidfile=True, notify_timeout=WAIT_TIMEOUT)
    with ended(int((tmp_path / "pid").read_text())):
        assert 0 == ssd.status(match)


def test_child_takes_no_notify_timeout(tmp_path: Path) -> None:
    """The caller of a child can listen on a socket of its own."""
    with pytest.raises(ValueError, match="background"):
        ssd.start(Match(name="x"), SLEEP, background=False, notify_timeout=1)


def test_value_that_cannot_be_sent_leaves_no_helper(tmp_path: Path) -> None:
    """It is found before a helper is spawned that would wait for it."""
    with nothing_left(), pytest.raises(ValueError, match="notify_timeout must be"):
        ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, notify_timeout=Fraction(1, 2))


@pytest.mark.parametrize("call", [ssd.find, ssd.status, ssd.stop, lambda m: ssd.start(m, SLEEP)])
def test_name_instead_of_a_match_is_a_type_error(call: Callable[[Any], object]) -> None:
    """The error names the expected type, before any look or start."""
    with pytest.raises(TypeError, match=r"an ssd\.Match says which .* not 'webd'"):
        call("webd")
