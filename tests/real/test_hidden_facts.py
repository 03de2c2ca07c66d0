"""``status --json`` if /proc shows less than usual (proc(5)): unknown facts are null."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from kit.children import WAIT_TIMEOUT
from kit.users import skip_without_nobody

from .alone import alone
from .test_hidepid import USER, as_user, mount_proc

COMMAND = Path(sys.executable).parent / "ssd-service"


def facts(directory: Path, status: int = 0) -> dict[str, Any]:
    """Return what the command prints of the service's process."""
    argv = [COMMAND, f"--directory={directory}", "nap", "status", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert (status, "") == (done.returncode, done.stderr)
    (process,) = json.loads(done.stdout)["processes"]
    assert isinstance(process, dict)
    return process


def declare(directory: Path) -> int:
    """Declare a service and start it; return its pid when its child is there."""
    directory.mkdir(exist_ok=True)
    pidfile = directory / "pid"
    (directory / "nap.toml").write_text(
        f'executable = "/bin/sh"\narguments = ["-c", "sleep 1000; :"]\npidfile = "{pidfile}"\n'
    )
    subprocess.run([COMMAND, f"--directory={directory}", "nap", "start"], check=True)
    pid, end = int(pidfile.read_text()), time.monotonic() + WAIT_TIMEOUT
    children, name = Path(f"/proc/{pid}/task/{pid}/children"), ""
    while name != "sleep\n":
        assert time.monotonic() < end, f"no child after {WAIT_TIMEOUT} seconds: {name}"
        os.sched_yield()
        known = children.read_text().split()
        name = "".join(Path(f"/proc/{each}/comm").read_text() for each in known)
    return pid


def let_in(directory: Path) -> None:
    """Let others reach a directory; the test's copy of the process has /tmp to itself."""
    for each in (directory, *directory.parents):
        each.chmod(each.stat().st_mode | 0o055)


@pytest.mark.parametrize("options", ["hidepid=1", "hidepid=2"])
@alone
def test_facts_of_a_hidden_process_are_null(options: str, tmp_path: Path) -> None:
    """An ordinary user can only learn that root's daemon runs, and its pid."""
    skip_without_nobody()
    let_in(tmp_path)
    pid = declare(tmp_path)
    known = facts(tmp_path)
    assert (pid, "sh") == (known["pid"], known["name"])
    mount_proc(options)

    def body() -> None:
        told = facts(tmp_path)
        assert {*known} == {*told}
        assert pid == told["pid"]
        assert (None, None, None) == (told["cmdline"], told["memory_info"], told["children"])
        assert (None, None) == (told["connections"], told["limits"])

    as_user(body)


@alone
def test_facts_that_need_more_than_pids_are_null(tmp_path: Path) -> None:
    """With subset=pid there is neither the time of boot nor the machine's memory."""
    pid = declare(tmp_path)
    known = facts(tmp_path)
    subprocess.run(["mount", "-t", "proc", "-o", "subset=pid", "proc", "/proc"], check=True)
    if os.path.exists("/proc/stat"):
        pytest.skip("this kernel shows all of /proc")
    told = facts(tmp_path)
    assert {*known} == {*told}
    assert (pid, None, None) == (told["pid"], told["create_time"], told["memory_percent"])
    assert ("sh", known["cmdline"]) == (told["name"], told["cmdline"])
    assert ["sleep"] == [child["name"] for child in told["children"]]


@alone
def test_users_own_service_is_told_where_others_are_hidden(tmp_path: Path) -> None:
    """With its children; psutil gives up at the first process that it may not read."""
    skip_without_nobody()
    mount_proc("hidepid=1")
    let_in(tmp_path)
    os.chown(tmp_path, USER, USER)

    def body() -> None:
        pid = declare(tmp_path / "own")
        told = facts(tmp_path / "own")
        assert (pid, "sh") == (told["pid"], told["name"])
        assert ["sleep"] == [child["name"] for child in told["children"]]

    as_user(body)
