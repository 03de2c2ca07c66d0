"""The pytest plugin: fixtures for tests of programs that start, stop and watch processes.

pytest loads it wherever ssd is installed (``-p no:ssd`` leaves it out), so it imports
nothing but pytest. A fixture loads what it needs when a test uses it.
"""

import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.clock import FakeClock
    from ssd.testing.command import SsdCommand
    from ssd.testing.daemons import Daemons
    from ssd.testing.fake import FakeProcesses


@pytest.fixture
def fake_clock() -> "FakeClock":
    """Return the clock of ``fake_processes``: seconds from 0, which jump."""
    from ssd.testing.clock import FakeClock

    return FakeClock()


OWN = pytest.StashKey["FakeProcesses"]()  # of a test: the table of its fixture


@pytest.fixture
def fake_processes(request: pytest.FixtureRequest, fake_clock: "FakeClock") -> "FakeProcesses":
    """Return an empty process table, as root sees it, for every function that takes ``table=``.

    A failed test shows what happened on it.
    """
    from ssd.testing.fake import FakeProcesses

    table = request.node.stash[OWN] = FakeProcesses(fake_clock)
    return table


@pytest.fixture
def ssd_command(fake_processes: "FakeProcesses") -> "SsdCommand":
    """Return a function that runs ``ssd`` in this process on ``fake_processes``.

    It takes the words of the command and returns exit_status, stdout and stderr.
    """
    from ssd.testing.command import SsdCommand

    return SsdCommand(fake_processes)


@pytest.fixture
def daemon() -> "Iterator[Daemons]":
    """Return a function that starts a real child daemon and returns when it is ready.

    All daemons are ended and reaped after the test, also if it fails.
    """
    from ssd.testing.daemons import Daemons

    with Daemons() as daemons:
        yield daemons


@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """Return the path of a pidfile, not yet written, in the test's own directory."""
    return tmp_path / "daemon.pid"


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """If two lists of signals differ, show what happened on their table."""
    if op != "==" or "ssd.testing.record" not in sys.modules:
        return None
    from ssd.testing.record import explain

    return explain(left, right)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, None, None]:
    """Show below a failed test what happened on its fake tables."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and "ssd.testing.fake" in sys.modules:
        from ssd.testing.record import MAX_SHOWN

        for name, table in _tables(item, call):
            report.sections.append((name.replace("_", " "), table.timeline(MAX_SHOWN)))


def _tables(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> "Iterator[tuple[str, FakeProcesses]]":
    """Yield the fake tables of a test, each once: its fixtures', its variables', its instance's."""
    from ssd.testing.fake import FakeProcesses

    # A fixture that getfixturevalue() returns is not an argument of the test.
    places: list[Mapping[str, object]] = [{"fake_processes": item.stash.get(OWN, None)}]
    places.append(getattr(item, "funcargs", {}))
    places.append(getattr(getattr(item, "instance", None), "__dict__", {}))
    if call.excinfo is not None:
        places += [entry.frame.f_locals for entry in call.excinfo.traceback]
    seen: list[FakeProcesses] = []  # a fixture that fills a table returns the same again
    for name, value in (pair for place in places for pair in place.items()):
        if isinstance(value, FakeProcesses) and not any(value is each for each in seen):
            seen.append(value)
            yield name, value
