"""Cgroups of version 2, the real ones where the tests may make some."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.children import child

from ssd import cgroups
from ssd.cgroups import Cgroup
from ssd.processes import default_table


@pytest.fixture
def cgroup() -> Iterator[Cgroup]:
    """Make a cgroup for the test; skip where none can be had."""
    made = cgroups.make(f"ssd-test-{os.getpid()}")
    if made is None:
        pytest.skip("no cgroup of version 2 can be made here")
    yield made
    made.kill()
    assert made.remove()


def test_member_is_in_it_and_so_are_its_children(cgroup: Cgroup) -> None:
    """Nothing that a process does takes its children out."""
    assert ([], False) == (cgroup.members(), cgroup.populated())
    script = "read go; setsid sleep 1000 & echo $!; wait"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with child("sh", "-c", script, **pipes) as process:
        assert cgroup.add(process.pid)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
        below = int(process.stdout.readline())
        assert ({process.pid, below}, True) == (set(cgroup.members() or ()), cgroup.populated())
        for pid in (process.pid, below):
            assert cgroup == cgroups.find(default_table().kin.cgroup(pid))
        assert not cgroup.remove()
        assert cgroup.kill()
        assert -signal.SIGKILL == process.wait()
        assert b"" == process.stdout.read()  # the last of them has ended


def test_frozen_process_can_be_killed(cgroup: Cgroup) -> None:
    """It answers no other signal until it is thawed."""
    with child() as process:
        assert cgroup.add(process.pid) and cgroup.freeze()
        process.terminate()
        assert cgroup.freeze(False)
        assert -signal.SIGTERM == process.wait()
    with child() as process:
        assert cgroup.add(process.pid) and cgroup.freeze() and cgroup.kill()
        assert -signal.SIGKILL == process.wait()
    assert cgroup.freeze(False)


def test_members_below_are_members(cgroup: Cgroup) -> None:
    """A service may have cgroups of its own; they are removed with it."""
    below = cgroups.make("below", cgroup)
    assert below is not None
    with child() as process:
        assert below.add(process.pid)
        assert [process.pid] == cgroup.members()
        assert cgroup.kill()
        assert -signal.SIGKILL == process.wait()
    assert cgroup.remove() and not os.path.exists(below.path)
    assert cgroup.remove()  # once more is harmless
    os.mkdir(cgroup.path)


def test_empty_one_that_was_left_is_used_again(cgroup: Cgroup) -> None:
    """One with a process in it is not."""
    name = os.path.basename(cgroup.path).decode()
    assert cgroup == cgroups.make(name)
    with child() as process:
        assert cgroup.add(process.pid)
        assert None is cgroups.make(name)


def test_missing_cgroup_does_nothing(tmp_path: Path) -> None:
    """No exception, also for a directory that is no cgroup, and an ended process."""
    for path in (tmp_path / "missing", tmp_path):
        gone = Cgroup(os.fsencode(path))
        answers = (gone.add(1), gone.kill(), gone.freeze(), gone.members(), gone.populated())
        assert (False, False, False, None, None) == answers
    assert Cgroup(os.fsencode(tmp_path / "missing")).remove()


def test_ended_process_cannot_be_added(cgroup: Cgroup) -> None:
    """The kernel says that there is none."""
    assert not cgroup.add(2**22 + 1)


def mountinfo(directory: Path, monkeypatch: pytest.MonkeyPatch, *rows: str) -> None:
    """Have the module read these mounts."""
    file = directory / "mountinfo"
    file.write_text("".join(f"{row}\n" for row in rows))
    monkeypatch.setattr(cgroups, "MOUNTS", str(file))


def test_name_is_found_below_a_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is mounted, with an optional field or without, and also a part of the hierarchy."""
    place = tmp_path / "a b"
    (place / "web").mkdir(parents=True)
    escaped = str(place).replace(" ", "\\040")
    for root, name in (("/", b"/web"), ("/part", b"/part/web")):
        row = f"41 31 0:38 {root} {escaped} rw,relatime"
        for optional in ("", " shared:1 master:2"):
            other = "32 31 0:29 / /other rw - cgroup cgroup rw,cpu"
            mountinfo(tmp_path, monkeypatch, other, f"{row}{optional} - cgroup2 none rw")
            assert Cgroup(os.fsencode(place / "web")) == cgroups.find(name)
    for name in (None, b"", b"/", b"/..", b"/../x", b"/elsewhere", b"/part/none"):
        assert None is cgroups.find(name)


def test_system_without_version_two_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be found or made."""
    mountinfo(tmp_path, monkeypatch, "32 31 0:29 / /cpu rw - cgroup cgroup rw,cpu")
    assert (None, None, None) == (cgroups.own(), cgroups.find(b"/x"), cgroups.make("x"))
    monkeypatch.setattr(cgroups, "MOUNTS", str(tmp_path / "missing"))
    assert [] == list(cgroups.mounts())


def test_systemds_cgroup_is_used_only_if_it_is_delegated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere systemd is the only one that may make any."""
    parent = Cgroup(os.fsencode(tmp_path))
    assert cgroups.make("before", parent) is not None
    monkeypatch.setattr(cgroups, "SYSTEMD", str(tmp_path))
    assert None is cgroups.make("web", parent)
    asked: list[str] = []

    def mark(path: bytes, name: str) -> bytes:
        asked.append(name)
        if name == "user.delegate":
            raise OSError(61, "No data available")
        return b"1"

    monkeypatch.setattr(cgroups.os, "getxattr", mark)
    assert cgroups.make("web", parent) is not None
    assert ["user.delegate", "trusted.delegate"] == asked


def test_cgroup_of_everybody_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that only begins with the name of what a mount shows."""
    monkeypatch.setattr(cgroups, "mounts", lambda: iter([(b"/", os.fsencode(tmp_path))]))
    (tmp_path / "x").mkdir()
    assert cgroups.find(b"/x") == cgroups.Cgroup(os.fsencode(tmp_path / "x"))
    for name in (b"/", b"", b"/../x", None):
        assert None is cgroups.find(name)
    (tmp_path / "od").mkdir()
    monkeypatch.setattr(cgroups, "mounts", lambda: iter([(b"/fo", os.fsencode(tmp_path) + b"/")]))
    assert None is cgroups.find(b"/food")
