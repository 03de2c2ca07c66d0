"""The demonstration scripts/demo: its output, and that it leaves nothing behind."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit.users import shared

WAIT_TIMEOUT = 500  # seconds for all of it

Demo = Callable[..., subprocess.Popen[str]]

# The programs of a Debian without Python.
BASE = ("sh", "dirname", "mktemp", "id", "rm", "cat", "env", "cksum", "find", "sort", "tail")


@pytest.fixture
def demo(checkout: Path, tmp_path: Path) -> Iterator[Demo]:
    """Return a function that starts the demonstration in this virtual environment."""
    if importlib.util.find_spec("cotyledon") is None:
        pytest.skip("the extra compute is not installed")
    begun: list[subprocess.Popen[str]] = []
    chosen = ("PYTHON", "START_STOP_DAEMON", "CONFIG_FILE")  # the demonstration reads them
    ours = {name: value for name, value in os.environ.items() if name not in chosen}

    def demo(**environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [checkout / "scripts" / "demo"],
            env={**ours, "TMPDIR": str(tmp_path), "DEMO_VENV": sys.prefix, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield demo
    for process in begun:
        process.terminate()  # not kill: it must clean up
        process.communicate()


def finish(process: subprocess.Popen[str]) -> list[str]:
    """Wait for the end of the demonstration, and return its remaining lines."""
    return process.communicate(timeout=WAIT_TIMEOUT)[0].splitlines()


def left(directory: Path) -> list[str]:
    """Return the scratch directories below a directory and the processes that name one."""
    found = [str(path) for path in directory.glob("ssd-demo*")]
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended, or is another user's
            continue
        found += [words] if f"{directory}/ssd-demo" in words else []
    return found


def install(directory: Path, text: str) -> str:
    """Put a nova-compute of our own first on PATH; return that PATH."""
    program = directory / "bin/nova-compute"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.mark.slow
def test_life_is_shown_step_by_step(demo, tmp_path) -> None:
    """Each command with its output and exit status, and one line of result at the end."""
    with shared(tmp_path, 0o755):
        process = demo()
        lines = finish(process)
    assert 0 == process.returncode, "\n".join(lines)
    assert lines[-1].startswith("demo: ok: 9 steps, ")
    shown = [line for line in lines if line.startswith("$ ")]
    verbs = [line.split()[-1] if "nova-compute " in line else line.split()[1] for line in shown]
    assert (
        ["cat", "start", "stat", "sed", "status", "start", "restart", "kill", "status", "start"]
        + ["stop", "status"]
    ) == verbs
    statuses = [line for line in lines if line.startswith("[exit status")]
    assert [0] * 8 + [1, 0, 0, 3] == [int(line.strip("[]").split()[-1]) for line in statuses]
    assert any("RPC server answers" in line for line in lines)
    assert [] == left(tmp_path)


def test_nova_compute_on_path_is_used(demo, tmp_path) -> None:
    """In place of the embedded service, and without waiting for a READY=1 that never comes."""
    path = install(tmp_path, "#!/bin/sh\nexec sleep 1000\n")
    process = demo(PATH=path)
    lines = finish(process)
    assert 0 == process.returncode, "\n".join(lines)
    assert f"{tmp_path}/bin/nova-compute" in lines[-1]
    assert [] == left(tmp_path)


def test_step_that_fails_is_named(demo, tmp_path) -> None:
    """The last line names the step and the expected result; exit status 1."""
    path = install(tmp_path, "#!/nonexistent/interpreter\n")
    process = demo(PATH=path)
    lines = finish(process)
    assert 1 == process.returncode
    assert "demo: failed at step 'start': exit status 1, expected 0" == lines[-1]
    assert [] == left(tmp_path)


@pytest.mark.parametrize(
    ("name", "status"), [("INT", 130), ("TERM", 143), ("HUP", 129)], ids=["INT", "TERM", "HUP"]
)
def test_interrupted_demonstration_leaves_nothing(demo, tmp_path, name, status) -> None:
    """Neither its scratch directory nor the service. All get the signal, again and again."""
    process = demo(PATH=install(tmp_path, "#!/bin/sh\nexec sleep 1000\n"))
    assert any("the same process" in line for line in iter(process.stdout.readline, ""))
    while process.poll() is None:
        os.killpg(process.pid, signal.Signals[f"SIG{name}"])
    finish(process)
    assert status == process.returncode
    assert [] == left(tmp_path)


@pytest.mark.parametrize("has_python", [False, True], ids=["no python", "no venv"])
def test_missing_prerequisite_is_named(demo, tmp_path, has_python) -> None:
    """With the command that brings it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in BASE:
        found = shutil.which(name)
        assert found is not None, name
        (programs / name).symlink_to(found)
    python = programs / "python3"
    # Recent enough, but every import of a needed module fails.
    python.write_text("#!/bin/sh\ncase $2 in *version_info*) exit 0 ;; esac\nexit 1\n")
    python.chmod(0o755 if has_python else 0o644)
    process = demo(PATH=str(programs), PYTHON="python3", DEMO_VENV=str(tmp_path / "venv"))
    lines = finish(process)
    assert 1 == process.returncode
    brought = "python3-venv" if has_python else "python3 python3-venv"
    assert f"apt-get install -y {brought}" == lines[-1].split("as root: ")[1]
    assert [] == left(tmp_path)
