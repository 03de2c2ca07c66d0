"""Opening the output file: trusted files, and files that another user has chosen."""

import errno
import os
from pathlib import Path

import pytest
from kit.leaks import nothing_left

import ssd
from ssd.planted import distrust
from ssd.starting.output import open_output

SOMEBODY = 4242  # a user who has no part in the start
DAEMON = 4243  # the program's user and group
OURS = os.geteuid()


def facts(mode: int, uid: int, links: int = 1) -> os.stat_result:
    """Return the facts of a file as stat(2) would."""
    return os.stat_result((mode, 1, 1, links, uid, DAEMON, 0, 0, 0, 0))


OWN, THEIRS = facts(0o40755, OURS), facts(0o40755, DAEMON)
ALL, GROUP = facts(0o41777, 0), facts(0o42775, 0)
PLAIN, HARD = facts(0o100644, SOMEBODY), facts(0o100644, 0, links=2)
FIFO = 0o10644

# file, directory -> whether it is trusted
TRUST = {
    "anybody's in our directory": (PLAIN, OWN, True),
    "a hard link in our directory": (HARD, OWN, True),
    "root's in the daemon's directory": (facts(0o100644, 0), THEIRS, True),
    "anybody's in the daemon's directory": (PLAIN, THEIRS, True),
    "anybody's in a group's directory": (PLAIN, GROUP, True),
    "a hard link in the daemon's directory": (HARD, THEIRS, False),
    "a hard link in a group's directory": (HARD, GROUP, False),
    "a hard link in everybody's directory": (HARD, ALL, False),
    "another user's in a directory that all can write": (PLAIN, ALL, False),
    "another user's pipe in a directory that all can write": (facts(FIFO, SOMEBODY), ALL, False),
    "root's in everybody's directory": (facts(0o100644, 0), ALL, True),
    "ours in everybody's directory": (facts(0o100644, OURS), ALL, True),
    "the program's in everybody's directory": (facts(0o100644, DAEMON), ALL, True),
    "the owner's in everybody's directory": (PLAIN, facts(0o40777, SOMEBODY), True),
}


@pytest.mark.parametrize("case", TRUST)
def test_distrust_depends_on_owner_links_and_directory(case: str) -> None:
    """Other users may have put a file into a directory that they can write."""
    file, directory, trusted = TRUST[case]
    assert trusted == (distrust(file, directory, DAEMON) is None)


def test_output_is_appended_to_and_blocks(tmp_path: Path) -> None:
    """A new file has mode 0664 less the umask, and the descriptor has no extra flags."""
    before = os.umask(0o027)
    try:
        with nothing_left():
            for text in (b"one\n", b"two\n"):
                fd = open_output(os.fsencode(tmp_path / "log"), None)
                assert (True, False) == (os.get_blocking(fd), os.get_inheritable(fd))
                os.write(fd, text)
                os.close(fd)
    finally:
        os.umask(before)
    assert (b"one\ntwo\n", 0o640) == (
        (tmp_path / "log").read_bytes(),
        (tmp_path / "log").stat().st_mode & 0o777,
    )


@pytest.mark.timeout(60)  # it would block
def test_fifo_without_a_reader_is_refused(tmp_path: Path) -> None:
    """At once, and with advice; the same for a start by the library."""
    os.mkfifo(tmp_path / "log")
    with nothing_left(), pytest.raises(OSError, match="start the reader first") as caught:
        open_output(os.fsencode(tmp_path / "log"), None)
    assert errno.ENXIO == caught.value.errno
    command = ssd.Command(["/bin/true"], output=tmp_path / "log")
    with pytest.raises(ssd.StartFailed, match="this FIFO has no reader") as failed:
        ssd.start(ssd.Match(pidfile=tmp_path / "pid"), command)
    assert ("output", errno.ENXIO) == (failed.value.stage, failed.value.errno)


def test_planted_link_is_refused_by_the_library(tmp_path: Path) -> None:
    """StartFailed has the stage; nothing is created where the link leads."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    (tmp_path / "shared" / "log").symlink_to(tmp_path / "secret")
    command = ssd.Command(["/bin/true"], output=tmp_path / "shared" / "log")
    with pytest.raises(ssd.StartFailed, match="symbolic link 'log'") as caught:
        ssd.start(ssd.Match(pidfile=tmp_path / "pid"), command)
    assert ("output", False) == (caught.value.stage, (tmp_path / "secret").exists())


def test_output_is_opened_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the descriptor keeps the flag O_NOFOLLOW."""
    real = os.open

    def without(path: str, *words: int, **options: int) -> int:
        if str(path).startswith("/proc/"):
            raise FileNotFoundError(errno.ENOENT, "no /proc", path)
        return real(path, *words, **options)

    monkeypatch.setattr(os, "open", without)
    with nothing_left():
        fd = open_output(os.fsencode(tmp_path / "log"), None)
        os.write(fd, b"here\n")
        os.close(fd)
    assert "here\n" == (tmp_path / "log").read_text()
