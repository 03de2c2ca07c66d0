"""psutil's table: which answers of psutil are used, and which are not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from kit.children import child

from ssd.errors import ProcessTableError
from ssd.matching import Criteria
from ssd.processes.portable import Facts, PortableKinship, PortableTable
from ssd.testing import RealWorld


@pytest.fixture
def table() -> PortableTable:
    """Return psutil's table."""
    return PortableTable()


@pytest.mark.parametrize(
    "error", [psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, FileNotFoundError]
)
@pytest.mark.parametrize("fact", ["status", "name", "exe", "oneshot"])
def test_fact_that_psutil_cannot_read_does_not_hold(
    fact: str,
    error: Callable[[int], Exception],
    table: PortableTable,
    world: RealWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For each of psutil's errors the criterion does not hold."""
    pid = world.start(b"worker")
    criteria = Criteria(pid, os.getpid(), world.file(pid), b"worker")
    assert [table.process(pid)] == table.select(criteria)

    def fail(self: Facts) -> None:
        raise error(pid)

    monkeypatch.setattr(Facts, fact, fail)
    assert [] == table.select(criteria)


def test_command_line_proves_nothing(table: PortableTable, tmp_path: Path) -> None:
    """A process can write any command line; only its name and file count."""
    claimed = tmp_path / "a-name-of-more-than-fifteen"
    shutil.copy(shutil.which("cat") or "cat", claimed)
    cat = os.path.realpath(shutil.which("cat") or "cat")
    command = subprocess.Popen(
        [str(claimed)], executable=cat, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with command as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"runs\n")
        process.stdin.flush()
        assert b"runs\n" == process.stdout.readline()
        facts = claimed.stat()
        own = Criteria(pid=process.pid)
        assert [table.process(process.pid)] == table.select(own)
        assert [] == table.select(Criteria(process.pid, file=(facts.st_dev, facts.st_ino)))
        assert [] == table.select(Criteria(process.pid, name=os.fsencode(claimed.name)))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the start is a wall-clock time")
def test_start_time_is_the_same_when_the_clock_is_set(
    table: PortableTable, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psutil adds the time of boot, which changes with the clock; the identity stays."""
    pid = world.start()
    before = table.process(pid)
    boots = iter([psutil.boot_time(), *[psutil.boot_time() + 3600] * 9])
    monkeypatch.setattr(psutil, "boot_time", lambda: next(boots))
    created = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 3600)
    assert before == table.process(pid)


@pytest.mark.parametrize(("name", "reason"), [("gone", "cannot list"), ("", "lists no")])
def test_table_that_cannot_be_listed_is_an_error(
    name: str, reason: str, table: PortableTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a table there is no answer, and that is an error."""
    if sys.platform != "linux":
        pytest.skip("only Linux has a file system for it that may be missing, or not mounted")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / name))
    with pytest.raises(ProcessTableError, match=f"psutil {reason} processes"):
        table.select(Criteria(name=b"x"))


def test_portable_table_knows_no_pid_0(
    table: PortableTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On BSD and macOS process 0 is the kernel, which no signal reaches."""
    monkeypatch.setattr(psutil, "pids", lambda: [2, 0, 1])
    assert [1, 2] == table.pids()


@pytest.mark.skipif(sys.platform != "linux", reason="compares with Linux's /proc")
def test_kinship_without_proc_is_the_same(table: PortableTable) -> None:
    """psutil and POSIX tell what Linux's /proc does; an ended process has none."""
    kinship, kernel = PortableKinship(table), table.kin
    environment = {"A": "b", "C": "d=e"}
    with child("sleep", "1000", env=environment, start_new_session=True) as process:
        pid = process.pid
        assert kernel.of(pid) == kinship.of(pid)
        assert {b"A=b", b"C=d=e"} == {*kinship.environment(pid)}
        assert pid in kinship.children(os.getpid())
        assert kinship.signal_group(pid, 0) and kinship.cgroup(pid) is None
    assert (None, []) == (kinship.of(pid), kinship.environment(pid))
