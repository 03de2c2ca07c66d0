"""What every test can ask for: the installed ``ssd``, and a namespace to run things in.

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
    """Have temporary directories that no other run of pytest shares.

    Each closes the one of all its runs, /tmp/pytest-of-USER, to others when it begins; tests
    that let another user in (``users.shared``) may just need it open.
    """
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = root = tempfile.mkdtemp(prefix="ssd-")
        config.add_cleanup(lambda: shutil.rmtree(root, ignore_errors=True))


def _drawn_alike() -> None:
    """Have property tests draw the same examples each time, and take as long as they need.

    ``pytest --hypothesis-profile=default`` draws new ones.
    """
    slow = [HealthCheck.too_slow]
    settings.register_profile(
        "ssd", derandomize=True, database=None, deadline=None, suppress_health_check=slow
    )
    settings.load_profile("ssd")


def _as_from_a_terminal() -> None:
    """Be and hand on what a terminal's shell starts: nohup(1), a & and a mask are inherited."""
    for signum in signal.valid_signals().difference(IGNORED_BY_PYTHON):
        if signal.getsignal(signum) is signal.SIG_IGN:
            interrupt = signum == signal.SIGINT
            signal.signal(signum, signal.default_int_handler if interrupt else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine or this user cannot run, and say why."""
    if item.get_closest_marker("requires_root") and os.geteuid() != 0:
        pytest.skip("requires root")
    if item.get_closest_marker("requires_namespaces") and namespaces.obstacle():
        pytest.skip(str(namespaces.obstacle()))


# What changes what programs say or do, above all the interpreters that the tests start.
LEADS_ASTRAY = ("PYTEST_ADDOPTS", "FORCE_COLOR", "PY_COLORS", "NOTIFY_SOCKET", "LANGUAGE")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Have the surroundings of a plain shell, whatever started pytest: a job of CI, a service."""
    os.umask(0o022)
    for name in list(os.environ):
        if name in LEADS_ASTRAY or name.startswith("PYTHON"):
            del os.environ[name]
    if os.getpid() == 1:
        _leave_init_to_a_parent()


def _leave_init_to_a_parent() -> None:
    """Go on as a child: all orphans of a container are its first process's, and its to reap."""
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

    It takes what subprocess.run takes; the time limit is 300 seconds unless told.
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
    """Return a function that runs a command among processes of its own; see namespace.py.

    The test's directory stays visible in it. The command runs as its second process.
    """

    def in_namespace(*argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return run(*namespaces.command(argv, keep=[tmp_path]), **options)

    return in_namespace
