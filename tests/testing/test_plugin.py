"""The pytest plugin, as another project's tests use it."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run
from kit.children import until_ended

from ssd.testing import FakeClock, FakeProcesses

FIXTURES = {"fake_clock", "fake_processes", "ssd_command", "daemon", "pidfile"}

Suite = Callable[..., tuple[int, str]]


# What changes pytest's output: CI makes the summary quote whole failures.
READ_BY_PYTEST = ("CI", "BUILD_NUMBER", "COLUMNS")


@pytest.fixture
def suite(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Return a function that runs pytest on a text in a directory of its own."""
    for name in READ_BY_PYTEST:
        monkeypatch.delenv(name, raising=False)

    def suite(text: str, *options: str, conftest: str = "") -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(text)
        (tmp_path / "conftest.py").write_text(conftest)
        pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio"]
        done = run(
            *pytest, "-c", os.devnull, "--rootdir", tmp_path, *options, tmp_path / "test_it.py"
        )
        return done.returncode, done.stdout + done.stderr

    return suite


def test_nothing_is_there_unless_asked_for(request: pytest.FixtureRequest) -> None:
    """No test uses a fixture that it does not name."""
    assert set() == FIXTURES & set(request.fixturenames)


def test_fixtures_share_a_clock(
    fake_clock: FakeClock, fake_processes: FakeProcesses, ssd_command: Callable
) -> None:
    """The table lives in the time of ``fake_clock``, the command on the table."""
    assert fake_clock is fake_processes.clock
    assert fake_processes is ssd_command.table  # type: ignore[attr-defined]


def test_pidfile_is_not_there_yet(pidfile: Path, tmp_path: Path) -> None:
    """It is a path in the test's own directory."""
    assert (tmp_path, False) == (pidfile.parent, pidfile.exists())


LOADED = """
import sys
def pytest_unconfigure():
    print("loaded", *sorted(name for name in sys.modules if name.partition(".")[0] == "ssd"))
"""
MANY = """
import pytest
@pytest.mark.parametrize("n", range(20))
def test_nothing(n):
    pass
def test_of_ours(fake_processes, daemon, ssd_command):
    pass
"""


def test_plugin_costs_a_collection_nothing(suite: Suite) -> None:
    """Two empty packages and itself are loaded, until a test asks for a fixture."""
    status, said = suite(MANY, "-q", "-k", "nothing", conftest=LOADED)
    assert (0, True) == (status, "20 passed, 1 deselected" in said), said
    loaded = re.findall(r"^loaded (.*)$", said, re.MULTILINE)
    assert ["ssd ssd.testing ssd.testing.plugin"] == loaded


FAILING = """
import ssd
from ssd.testing import FakeProcesses, ignores
def test_with_the_fixture(fake_processes):
    fake_processes.add("webd", reactions={15: ignores()})
    ssd.stop(ssd.Match(name="webd"), "TERM/30/KILL/5", table=fake_processes)
    assert fake_processes.now() == 0
def test_with_a_table_of_its_own():
    machine = FakeProcesses()
    process = machine.add("ownd")
    ssd.stop(ssd.Match(name="ownd"), table=machine)
    assert machine.signals == [(5, process.pid, 9, process)]
def test_with_a_table_in_a_variable():
    own_machine = FakeProcesses()
    own_machine.add("vard")
    ssd.stop(ssd.Match(name="vard"), table=own_machine)
    assert own_machine.now() == 5
def test_without():
    assert False
"""

HIDDEN = """
import unittest
import pytest, ssd
from ssd.testing import FakeProcesses
class Supervisor:
    def __init__(self, machine):
        self.machine = machine
        machine.add("dynd")
@pytest.fixture
def supervisor(request):
    return Supervisor(request.getfixturevalue("fake_processes"))
def test_by_name(supervisor):
    assert supervisor.machine.now() == 5
class TestUnittest(unittest.TestCase):
    def setUp(self):
        self.machine = FakeProcesses()
        self.machine.add("unitd")
    def test_own(self):
        self.assertEqual(self.machine.now(), 5)
class TestFixture(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def take(self, fake_processes):
        self.machine = fake_processes
        self.machine.add("takend")
    def test_taken(self):
        self.assertEqual(self.machine.now(), 5)
"""


def test_test_that_fails_shows_what_happened(suite: Suite) -> None:
    """The timeline of the fixture, of a table whose signals are compared, and of a variable."""
    status, said = suite(FAILING)
    assert 1 == status, said
    first, second, third, last = re.split(r"^_+ test_\w+ _+$", said, flags=re.MULTILINE)[1:]
    assert re.search(r"^-+ fake processes -+$", first, re.MULTILINE)
    assert "     30.00     101 webd  SIGKILL ends it" in first
    assert "the signals differ:" in second
    assert "      0.00     101 ownd  SIGTERM ends it" in second
    assert re.search(r"^-+ own machine -+$", third, re.MULTILINE)
    assert "      0.00     101 vard  SIGTERM ends it" in third
    assert "now:" not in last


def test_table_is_shown_wherever_the_test_has_it(suite: Suite) -> None:
    """Tables in an attribute of the class or from getfixturevalue() are shown once."""
    status, said = suite(HIDDEN)
    names = ("dynd", "unitd", "takend")
    assert (1, [1, 1, 1]) == (status, [said.count(f"{name}  appears") for name in names]), said


PASSING = """
import ssd, pytest
from ssd.testing import dies
@pytest.mark.parametrize("seconds", range(30))
def test_stop(seconds, fake_processes, ssd_command, pidfile):
    fake_processes.register("/usr/sbin/webd", reactions={15: dies(after=seconds)})
    start = ["--start", "--background", "--name", "webd"]
    assert ssd_command(*start, "--startas", "/usr/sbin/webd").exit_status == 0
    ssd.stop(ssd.Match(name="webd"), "TERM/60", table=fake_processes)
    assert fake_processes.now() == seconds
def test_ready(daemon):
    assert daemon().poll() is None
"""


def test_tests_on_fakes_run_side_by_side(suite: Suite) -> None:
    """Under pytest-xdist each has a machine of its own, also with the same programs."""
    status, said = suite(PASSING, "-q", "-n", "2")
    assert (0, True) == (status, "31 passed" in said), said


LEAVING = """
import os, ssd
def test_one(daemon):
    for child in (daemon(), daemon("--ignore", "TERM")):
        print("started", child.pid)
    assert False
def test_two(daemon):
    code = "import os, time; os.fork() or time.sleep(1000); print('ready', flush=True); "
    child = daemon("-c", code + "time.sleep(1000)", argv=[{python!r}])
    print("started", child.pid, *(p.pid for p in ssd.find(ssd.Match(ppid=child.pid))))
    raise KeyboardInterrupt
"""


def test_daemons_are_ended_and_reaped_when_a_test_fails(suite: Suite) -> None:
    """Or is interrupted; the children of the daemons are ended too."""
    status, said = suite(LEAVING.format(python=sys.executable), "-s")
    pids = [int(pid) for line in re.findall(r"started (.*)", said) for pid in line.split()]
    assert (2, 4) == (status, len(pids)), said
    for pid in pids:
        until_ended(pid)  # the children were killed, and end in their own time


def test_plugin_can_be_left_out(suite: Suite) -> None:
    """By its name, as any plugin."""
    status, said = suite("def test_x(pidfile): pass", "-p", "no:ssd")
    assert (1, True) == (status, "fixture 'pidfile' not found" in said), said


FILLED = """
import pytest
@pytest.fixture
def machine(fake_processes):
    fake_processes.add("webd")
    return fake_processes
def test_x(machine):
    assert machine.now() == 3
"""


def test_table_is_shown_once(suite: Suite) -> None:
    """A fixture of one's own that declares processes returns the plugin's table again."""
    status, said = suite(FILLED)
    assert (1, 1) == (status, said.count("webd  appears")), said
