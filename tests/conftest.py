"""What every test can ask for: the installed ``ssd``, a daemon that says ready, a namespace."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import namespace as namespaces
import pytest

TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent

Run = Callable[..., subprocess.CompletedProcess[str]]
Spawn = Callable[..., subprocess.Popen[str]]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine or this user cannot run, and say why."""
    if item.get_closest_marker("requires_root") and os.geteuid() != 0:
        pytest.skip("requires root")
    if item.get_closest_marker("requires_namespaces") and namespaces.obstacle():
        pytest.skip(str(namespaces.obstacle()))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the folder that holds setup.cfg."""
    return CHECKOUT


@pytest.fixture(scope="session")
def ssd_path() -> Path:
    """Return the installed script ``ssd``, the one beside this interpreter."""
    script = Path(sys.executable).parent / "ssd"
    assert script.is_file(), f"{script} is missing: run scripts/test, or pip install ."
    return script


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command in the test's own folder and captures its text.

    It takes what subprocess.run takes; the time limit is 60 seconds unless told.
    """

    def run(*argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        settings = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
        if "stdout" in options or "stderr" in options:
            settings.pop("capture_output")
        return subprocess.run(argv, **{**settings, **options})

    return run


@pytest.fixture
def ssd(run: Run, ssd_path: Path) -> Run:
    """Return a function that runs the installed ``ssd`` with the given arguments."""
    return lambda *arguments, **options: run(ssd_path, *arguments, **options)


@pytest.fixture
def in_namespace(run: Run, tmp_path: Path) -> Run:
    """Return a function that runs a command among processes of its own; see namespace.py.

    The test's folder stays visible in it. The command runs as its second process.
    """

    def in_namespace(*argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return run(*namespaces.command(argv, keep=[tmp_path]), **options)

    return in_namespace


@pytest.fixture
def daemon() -> Iterator[Spawn]:
    """Return a function that starts child.py and waits until it says ready.

    What it returns is a Popen with the child's text on ``stdout``. All are ended and
    reaped when the test is over.
    """
    children: list[subprocess.Popen[str]] = []

    def daemon(*arguments: str, argv: Sequence[str] = ()) -> subprocess.Popen[str]:
        command = [*(argv or (sys.executable, str(TESTS / "child.py"))), *arguments]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == f"ready {child.pid}\n"
        return child

    yield daemon
    for child in children:
        child.kill()
        child.communicate()
