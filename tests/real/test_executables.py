"""--exec compares the executable that a process runs, and not its path.

Each test that differs from the original is a row of docs/reference/divergences.md, run twice.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ssd.matching import Criteria
from ssd.processes import table_named

from .alone import alone
from .programs import Program, Tool, spawn
from .test_hidepid import TABLES, USER

NAME = "/run/stage/daemon"
OTHER = "/run/other/program"


def other(path: str = OTHER) -> str:
    """Lay out a program of another user in that user's directory, and return its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.chown(os.path.dirname(path), USER, USER)
    shutil.copy(NAME, path)
    return path


def pretend(program: Program, way: str, user: int) -> subprocess.Popen[str]:
    """Run another user's program under the daemon's name, in a mount namespace of that user."""
    run = f'mount --bind {other()} {NAME} && exec {NAME} "$@"'
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", run, "sh"]
    if subprocess.run([*words[:4], "true"], user=user, group=user, extra_groups=[]).returncode:
        pytest.skip("an ordinary user may have no namespaces here")
    process = spawn(*words, *program.words, user=user, group=user, extra_groups=[])
    program.started()
    if way == "and removed":
        os.unlink(OTHER)
    return process


@alone
@pytest.mark.parametrize("way", ["mounted", "and removed"])
def test_divergence_30_strangers_mount_is_not_the_executable(tool: Tool, way: str) -> None:
    """A user can give an executable any path, by mounts in a namespace of that user."""
    program = Program()
    with pretend(program, way, USER) as process:
        link = os.readlink(f"/proc/{process.pid}/exe")
        assert {"mounted": NAME, "and removed": f"{NAME} (deleted)"}[way] == link
        status = tool("--status", "--exec", NAME).returncode
        assert tool.expects(original=0, ssd=3) == status
        status = tool("--status", "--pid", process.pid, "--exec", NAME).returncode
        assert tool.expects(original=0, ssd=3) == status
        start = tool("--start", "--test", "--exec", NAME).returncode
        assert tool.expects(original=1, ssd=0) == start
        process.kill()


@alone
def test_divergence_30_strangers_link_is_not_the_executable(tool: Tool) -> None:
    """A planted link whose name ends like the kernel's mark of a removed file is not followed."""
    program = Program()
    os.symlink(NAME, f"{os.path.dirname(other())}/planted")
    liar = other("/run/other/planted (deleted)")
    with spawn(liar, *program.words, user=USER, group=USER, extra_groups=[]) as process:
        program.started()
        status = tool("--status", "--exec", NAME).returncode
        assert tool.expects(original=0, ssd=3) == status
        process.kill()


@alone
@pytest.mark.parametrize("kind", TABLES)
def test_tables_ask_what_a_process_runs(kind: str) -> None:
    """A scan and a look by pid compare the file, not its path in the process's namespace."""
    program, table = Program(), table_named(kind)
    with pretend(program, "mounted", 0) as process:
        facts = {path: os.stat(path) for path in (NAME, OTHER)}
        files = {path: (each.st_dev, each.st_ino) for path, each in facts.items()}
        for path, found in ((NAME, []), (OTHER, [table.process(process.pid)])):
            assert found == table.select(Criteria(file=files[path]))
            assert found == table.select(Criteria(process.pid, file=files[path]))
        process.kill()


@alone
@pytest.mark.parametrize("namespaces", [[], ["--mount"], ["--user", "--map-root-user", "--mount"]])
def test_upgraded_service_is_found_by_its_name(tool: Tool, namespaces: list[str]) -> None:
    """Also in a namespace that root has made for it, as systemd does (PrivateUsers=)."""
    program = Program()
    words = ["unshare", *namespaces, NAME] if namespaces else [NAME]
    with spawn(*words, *program.words) as process:
        program.started()
        shutil.copy(NAME, f"{NAME}.new")
        os.rename(f"{NAME}.new", NAME)
        assert f"{NAME} (deleted)" == os.readlink(f"/proc/{process.pid}/exe")
        assert 0 == tool("--status", "--exec", NAME).returncode
        assert 0 == tool("--status", "--pid", process.pid, "--exec", NAME).returncode
        process.kill()


@alone
def test_backup_by_a_hard_link_hides_no_upgrade(tool: Tool) -> None:
    """The old file has another name, and another process runs it by that."""
    program = Program()
    os.link(NAME, f"{NAME}.old")
    with spawn(NAME, *program.words) as process:
        program.started()
        shutil.copy(NAME, f"{NAME}.new")
        os.rename(f"{NAME}.new", NAME)
        assert 0 == tool("--status", "--exec", NAME).returncode
        assert 0 == tool("--status", "--pid", process.pid, "--exec", NAME).returncode
        process.kill()


@alone
@pytest.mark.parametrize("length", [300, 5000])
def test_divergence_31_executable_may_have_a_long_path(tool: Tool, length: int) -> None:
    """Longer than 256 bytes, and longer than a link can show."""
    program = Program()
    os.chdir("/run")
    for _ in range(length // 100):
        os.mkdir("a" * 99)
        os.chdir("a" * 99)
    shutil.copy(NAME, "daemon")
    with spawn("./daemon", *program.words, cwd=None) as process:
        program.started()
        asked = ["--chdir", ".", "--exec", "daemon"]
        status = tool("--status", *asked, cwd=None).returncode
        assert tool.expects(original=3, ssd=0) == status
        status = tool("--status", "--pid", process.pid, *asked, cwd=None).returncode
        assert tool.expects(original=3, ssd=0) == status
        process.kill()
    assert Path("daemon").exists()
