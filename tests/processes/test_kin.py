"""The kinship of Linux's processes; its rules for every table are in ssd.testing.kin_checks."""

import os
import sys
from pathlib import Path

import pytest
from kit.children import child, zombie

from ssd.errors import ProcessTableError
from ssd.matching import Process
from ssd.processes import kin, table_named
from ssd.processes.kin import KernelKinship, Kin
from ssd.processes.linux import parse

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

KINSHIP = KernelKinship(b"/proc", parse)


def test_kin_is_equal_by_all_its_facts() -> None:
    """It is a value, and shows what it has."""
    one, same, other = (Kin(Process(5, 7), 1, 5, session) for session in (5, 5, 4))
    assert (True, False, False) == (one == same, one == other, one == "Kin")
    assert hash(one) == hash(same)
    assert "Kin(Process(pid=5, start_time=7), ppid=1, group=5, session=5)" == repr(one)


def test_kin_of_this_process_is_that_of_the_system_calls() -> None:
    """The parent, group and session that getppid(2), getpgid(2) and getsid(2) tell."""
    pid = os.getpid()
    expected = Kin(
        table_named("kernel").process(pid),  # type: ignore[arg-type]
        os.getppid(), os.getpgid(0), os.getsid(0),
    )  # fmt: skip
    assert expected == KINSHIP.of(pid) == table_named("psutil").kin.of(pid)


def test_kin_is_read_behind_a_hostile_name(tmp_path: Path) -> None:
    """The name of a process may look like the fields after it."""
    fields = b"S 1 77 78 " + b"0 " * 13 + b"1 0 99 " + b"0 " * 15 + b"17 0 0"
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "stat").write_bytes(b"5 (a) S 9 9 9 (b) " + fields)
    found = KernelKinship(os.fsencode(tmp_path), parse).of(5)
    assert Kin(Process(5, 99), 1, 77, 78) == found


def test_children_are_those_of_all_threads(tmp_path: Path) -> None:
    """Each thread has a list of its own; one that ends meanwhile has none."""
    for thread, text in (("5", "6 7 "), ("8", "9 "), ("10", None)):
        (tmp_path / "5" / "task" / thread).mkdir(parents=True)
        if text is not None:
            (tmp_path / "5" / "task" / thread / "children").write_text(text)
    assert [6, 7, 9] == sorted(KernelKinship(os.fsencode(tmp_path), parse).children(5))


def test_children_are_found_without_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without CONFIG_PROC_CHILDREN has none: each process is asked for its parent."""
    read = KernelKinship._read
    monkeypatch.setattr(
        KernelKinship,
        "_read",
        lambda self, name, once=False: None if b"children" in name else read(self, name, once),
    )
    monkeypatch.setattr(kin.os.path, "exists", lambda path: False)
    with child() as one, child() as other:
        assert {one.pid, other.pid} <= set(KINSHIP.children(os.getpid()))
        assert [] == KINSHIP.children(one.pid)


def test_zombie_is_listed_and_has_no_kin() -> None:
    """It is still a child, and not a process."""
    with zombie() as pid:
        assert pid in KINSHIP.children(os.getpid())
        assert (None, [], []) == (KINSHIP.of(pid), KINSHIP.children(pid), KINSHIP.environment(pid))


def test_environment_is_read_whole() -> None:
    """Also one longer than a page, with any bytes."""
    long = b"x" * 200_000
    environment = {b"A": long[:100_000], b"B": b"\xff =\n", b"C": long[:50_000]}
    with child("sleep", "1000", env=environment) as process:
        expected = {key + b"=" + value for key, value in environment.items()}
        assert expected == set(KINSHIP.environment(process.pid))


def test_group_of_init_is_never_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """kill(2) takes -1 for every process, and 0 for the caller's own group."""
    monkeypatch.setattr(kin.os, "kill", lambda *given: pytest.fail(f"kill{given}"))
    assert [False] * 3 == [KINSHIP.signal_group(group, 0) for group in (-1, 0, 1)]


def test_denied_group_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has processes, though none that may be signalled."""

    def deny(group: int, signum: int) -> None:
        raise PermissionError

    monkeypatch.setattr(kin.os, "kill", deny)
    assert KINSHIP.signal_group(77, 15)


def test_cgroup_has_the_name_of_the_unified_hierarchy(tmp_path: Path) -> None:
    """Not that of another one; a kernel without it has no name."""
    texts = {"5": "9:name=systemd:/x\n0::/a b/c\n", "6": "1:cpu:/\n"}
    for pid, text in texts.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cgroup").write_text(text)
    kinship = KernelKinship(os.fsencode(tmp_path), parse)
    assert [b"/a b/c", None, None] == [kinship.cgroup(pid) for pid in (5, 6, 7)]


def test_shortage_of_descriptors_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, and not a process that has ended."""

    def exhausted(*given: object, **named: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(kin.os, "open", exhausted)
    with pytest.raises(ProcessTableError, match="unable to read /proc: Too many open files"):
        KINSHIP.of(os.getpid())
