"""``ssd.Child``: a started program that stays the caller's child."""

import fcntl
import os
import signal
import threading
from pathlib import Path

import pytest
from starts import SLEEP
from support import PATIENCE, nothing_left, until_readable

import ssd
from ssd import Command, Match


def test_a_child_stays_the_callers(tmp_path: Path) -> None:
    """Its pidfd is readable at its end, and waiting for it tells how it ended."""
    with nothing_left():
        process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        assert isinstance(process, ssd.Child)
        assert [process] == ssd.find(Match(pid=process.pid, ppid=os.getpid()))
        process.signal(signal.SIGTERM)
        until_readable(process.fileno())
        assert (-signal.SIGTERM, -signal.SIGTERM) == (process.wait(), process.wait())
        with pytest.raises(ProcessLookupError):
            process.signal(0)
        process.close()
        process.close()
        assert -1 == process.fileno()


def test_threads_that_wait_for_one_child_all_get_its_status(tmp_path: Path) -> None:
    """One of them reaps it, whichever, and none is told that there is no such child."""
    found: list[int] = []

    def wait(child: ssd.Child) -> None:
        found.append(child.wait())

    for _ in range(20):
        process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        with process as started:  # type: ignore[attr-defined]
            threads = [threading.Thread(target=wait, args=(started,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            started.signal(signal.SIGTERM)
            for thread in threads:
                thread.join(PATIENCE)
    assert [-signal.SIGTERM] * 160 == found


def test_a_child_is_signalled_by_its_pidfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pid may be somebody else's, where another part of the program has reaped it."""
    process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
    with process as started:  # type: ignore[attr-defined]
        monkeypatch.setattr(os, "kill", lambda pid, signum: pytest.fail("signalled by its pid"))
        started.signal(signal.SIGTERM)
        assert (process.pid, signal.SIGTERM) == os.waitpid(process.pid, 0)
        with pytest.raises(ProcessLookupError):
            started.signal(signal.SIGTERM)


def test_a_child_can_have_a_session_of_its_own(tmp_path: Path) -> None:
    """With ``new_session`` it leads one; otherwise it stays in the caller's."""
    for new in (True, False):
        match = Match(pidfile=tmp_path / "none")
        process = ssd.start(match, SLEEP, background=False, new_session=new)
        with process as started:  # type: ignore[attr-defined]
            try:
                # 0 where the leader of our session is outside of our pid namespace: setsid(1)
                # before unshare(1), or a container that a terminal was not given to.
                expected = process.pid if new else os.getsid(0)
                assert expected == os.getsid(process.pid)
            finally:
                started.signal(signal.SIGKILL)
                started.wait()


def test_a_child_gets_the_descriptors_that_it_is_given(tmp_path: Path) -> None:
    """Whatever their numbers, also those that the start itself would like to use."""
    (tmp_path / "in").write_text("hello")
    for number in (3, 4, 9, 10, 11, 12, 40):
        source = os.open(tmp_path / "in", os.O_RDONLY)
        with open(tmp_path / "out", "wb") as file:
            spare = fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, number)
            os.close(source)
            stdio = (spare, file.fileno(), 2)
            cat = Command(["/bin/cat"])
            match = Match(pidfile=tmp_path / "none")
            process = ssd.start(match, cat, background=False, stdio=stdio)
            os.close(spare)
        with process as started:  # type: ignore[attr-defined]
            assert (0, b"hello") == (started.wait(), (tmp_path / "out").read_bytes())
