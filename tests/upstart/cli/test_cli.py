"""The command ssd-supervise --upstart, where it ends by itself."""

import subprocess
from pathlib import Path

import pytest
from kit import namespace

pytestmark = pytest.mark.requires_namespaces


def call(
    ssd_path: Path, keep: Path, *words: "str | Path", name: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the command, called by another name if one is given."""
    script = ssd_path.with_name("ssd-supervise")
    if name:
        (keep / name).symlink_to(script)
        script = keep / name
    argv = namespace.command([str(script), *map(str, words)], keep=[keep])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def test_check_names_every_fault(ssd_path: Path, tmp_path: Path) -> None:
    """Each with file and line, as init does when it starts; the status says that there are some."""
    (tmp_path / "good.conf").write_text("exec sleep 1\n")
    (tmp_path / "bad.conf").write_text("exec sleep 1\nexce sleep 2\n")
    (tmp_path / "half.conf").write_text("exec sleep 1\n")
    (tmp_path / "half.override").write_text("manaul\n")
    done = call(ssd_path, tmp_path, "--upstart", tmp_path, "--check")
    said = done.stderr.splitlines()
    assert (6, "", 2) == (done.returncode, done.stdout, len(said))
    assert said[0].startswith(f"init:{tmp_path}/bad.conf:2: Unknown stanza")
    assert said[1].startswith(f"init:{tmp_path}/half.override:1: Unknown stanza")
    (tmp_path / "bad.conf").unlink()
    (tmp_path / "half.override").unlink()
    done = call(ssd_path, tmp_path, f"--upstart={tmp_path}", "--check")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_missing_directory_is_named(ssd_path: Path, tmp_path: Path) -> None:
    """Nothing is started."""
    done = call(ssd_path, tmp_path, "--upstart", tmp_path / "none")
    assert 1 == done.returncode
    assert f"{tmp_path}/none" in done.stderr


def test_job_on_the_command_line_is_refused(ssd_path: Path, tmp_path: Path) -> None:
    """With what starts one."""
    done = call(ssd_path, tmp_path, "--upstart", "nova-compute")
    assert 2 == done.returncode
    assert "a single job is started by `start nova-compute'" in done.stderr
    assert "Usage: ssd-supervise " in done.stderr


def test_name_of_the_command_may_be_that_of_init(ssd_path: Path, tmp_path: Path) -> None:
    """Then its word is the directory, and what it says begins with that name."""
    (tmp_path / "bad.conf").write_text("nonsense\n")
    done = call(ssd_path, tmp_path, "--check", tmp_path, name="upstart-init")
    assert 6 == done.returncode and "bad.conf:1: Unknown stanza" in done.stderr
    done = call(ssd_path, tmp_path, "--nosuch", name="init")
    assert 2 == done.returncode and done.stderr.startswith("init: --nosuch is not an option\n")
