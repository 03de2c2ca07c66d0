"""Fixtures of all tests: the installed ``ssd``, and a namespace to run commands in.

Fake processes, real daemons and pidfiles come from the project's own plugin, ssd.testing.plugin.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from kit import namespace as namespaces
from kit.nova_machine import machine, tell  # noqa: F401 - one machine for nova/ and fleet/

TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent

Run = Callable[..., subprocess.CompletedProcess[str]]


IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def pytest_configure(config: pytest.Config) -> None:
    """Make the tests independent of the place and the process that they are started from."""
    _in_directories_apart(config)
    _drawn_alike()
    _as_from_a_terminal()


def _in_directories_apart(config: pytest.Config) -> None:
    """Use temporary directories that no other run of pytest shares.

    Each run closes the common one, /tmp/pytest-of-USER, to other users when it begins, which
    would disturb tests that let another user in (``users.shared``).
    """
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = root = tempfile.mkdtemp(prefix="ssd-")
        config.add_cleanup(lambda: shutil.rmtree(root, ignore_errors=True))


def _drawn_alike() -> None:
    """Make property tests use the same examples each time, without a time limit.

    ``pytest --hypothesis-profile=default`` draws new ones.
    """
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        "ssd", derandomize=True, database=None, deadline=None, suppress_health_check=slow
    )
    settings.load_profile("ssd")


def _as_from_a_terminal() -> None:
    """Undo the signal state that nohup(1), a & or a caller has set, as in a terminal's shell."""
    for signum in signal.valid_signals().difference(IGNORED_BY_PYTHON):
        if signal.getsignal(signum) is signal.SIG_IGN:
            interrupt = signum == signal.SIGINT
            signal.signal(signum, signal.default_int_handler if interrupt else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


BY_MARK = ("fleet", "nova", "packages")  # tests that scripts/test runs by options of their own


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that take long, unless they are selected by one of their marks."""
    split: tuple[list[pytest.Item], list[pytest.Item]] = [], []
    for item in items:
        marks = [mark for mark in BY_MARK if item.get_closest_marker(mark)]
        selected = any(mark in config.option.markexpr for mark in marks)
        split[bool(marks) and not selected].append(item)
    items[:] = split[False]
    config.hook.pytest_deselected(items=split[True])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that this machine or this user cannot run, with the reason."""
    if item.get_closest_marker("requires_root") and os.geteuid() != 0:
        pytest.skip("requires root")
    if item.get_closest_marker("requires_namespaces") and namespaces.obstacle():
        pytest.skip(str(namespaces.obstacle()))


# Variables that change the output or actions of programs, mainly of the interpreters in tests.
LEADS_ASTRAY = ("PYTEST_ADDOPTS", "FORCE_COLOR", "PY_COLORS", "NOTIFY_SOCKET", "LANGUAGE")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Set the environment of a plain shell, also if a CI job or a service has started pytest."""
    os.umask(0o022)
    for name in list(os.environ):
        if name in LEADS_ASTRAY or name.startswith("PYTHON"):
            del os.environ[name]
    if os.getpid() == 1:
        _leave_init_to_a_parent()


def _leave_init_to_a_parent() -> None:
    """Continue as a child: the first process of a container must reap all orphans."""
    child = os.fork()
    ended = 0
    while child and ended != child:
        ended, status = os.wait()
    if child:
        os._exit(os.waitstatus_to_exitcode(status) % 256)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the directory that holds setup.cfg."""
    return CHECKOUT


@pytest.fixture(scope="session")
def ssd_path() -> Path:
    """Return the installed script ``ssd``, the one beside this interpreter."""
    script = Path(sys.executable).parent / "ssd"
    assert script.is_file(), f"{script} is missing: run scripts/test, or pip install ."
    return script


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command in the test's own directory and captures its text.

    It takes the options of subprocess.run; the default time limit is 300 seconds.
    """

    def run(*argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        settings = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 300}
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
    """Return a function that runs a command in namespaces of its own; see namespace.py.

    The test's directory stays visible in it. The command runs as its second process.
    """

    def in_namespace(*argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return run(*namespaces.command(argv, keep=[tmp_path]), **options)

    return in_namespace
