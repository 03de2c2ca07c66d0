"""How the text of /proc is read: a line of stat, a link to an executable."""

import os
from pathlib import Path

import pytest

from ssd.processes.linux import DELETED, _parse
from ssd.processes.scan import file_now


def stat(comm: bytes, state: bytes = b"S", threads: int = 1, exit_signal: int = 17) -> bytes:
    """Return a line of /proc/PID/stat: parent 7, started at 900 ticks."""
    # Numbered as in proc(5): state is field 3.
    fields = {3: state, 4: b"7", 20: b"%d" % threads, 22: b"900", 38: b"%d" % exit_signal}
    return b"42 (%b) %b\n" % (comm, b" ".join(fields.get(n, b"0") for n in range(3, 53)))


@pytest.mark.parametrize("comm", [b"sh", b"x) S 1 (y", b")", b"", b"a\nb", b"\xff", b") Z 1 1 1"])
def test_name_cannot_forge_the_facts_behind_it(comm: bytes) -> None:
    """The line is counted from its last closing parenthesis."""
    assert (900, 7) == _parse(stat(comm))


@pytest.mark.parametrize(
    ("state", "threads", "exit_signal", "lives"),
    [
        (b"S", 1, 17, True),
        (b"R", 9, 17, True),
        (b"T", 1, 17, True),
        (b"D", 1, 0, True),  # a child of clone(2) that tells its parent nothing
        (b"Z", 1, 17, False),
        (b"Z", 2, 17, True),  # the main thread has ended, another one runs
        (b"X", 0, 17, False),
        (b"x", 0, 17, False),
        (b"S", 1, -1, False),  # a thread, not the main one
    ],
)
def test_who_lives(state: bytes, threads: int, exit_signal: int, lives: bool) -> None:
    """Zombies, dead ones and threads are no living processes; all others are."""
    start_time, _ = _parse(stat(b"sh", state, threads, exit_signal))
    assert lives == (start_time is not None)


@pytest.mark.parametrize("mark", ["%s", "%s (deleted)", " (deleted)%s"])
def test_replaced_executable_is_known_by_its_path(mark: str, tmp_path: Path) -> None:
    """The mark of a deleted file is taken off the link, wherever a kernel puts it."""
    file = tmp_path / "daemon"
    file.touch()
    facts = file.stat()
    assert (facts.st_dev, facts.st_ino) == file_now(os.fsencode(mark % file), DELETED)


def test_deleted_executable_is_nobodys(tmp_path: Path) -> None:
    """Where nothing has the path any more, nothing holds."""
    assert None is file_now(os.fsencode(f"{tmp_path}/gone (deleted)"), DELETED)


@pytest.mark.parametrize("planted", ["daemon", "folder/daemon"])
def test_link_that_others_could_have_planted_names_nothing(planted: str, tmp_path: Path) -> None:
    """A stranger's program is not another's because a link of his has its old name."""
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    name = tmp_path / "open" / planted
    link, target = (name, file) if planted == "daemon" else (name.parent, tmp_path)
    link.symlink_to(target)
    (tmp_path / "daemon").touch()
    assert name.exists()
    assert None is file_now(os.fsencode(f"{name} (deleted)"), DELETED)
    (tmp_path / "open").chmod(0o755)
    facts = name.stat()
    assert (facts.st_dev, facts.st_ino) == file_now(os.fsencode(f"{name} (deleted)"), DELETED)
