"""What a running service says of itself, on declared processes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.errors import ProcessTableError
from ssd.supervision.readiness.notices import ACTIONS, number, printable
from supervision.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with a service that is ready."""
    made = Machine(tmp_path, [{"name": "web", "readiness": {"kind": "notify"}}])
    made.program("web", runs=lambda process: process.notify("READY=1"))
    made.supervisor.start("web")
    made.until(1)
    assert {"web": "start/running"} == made.states()
    made.events.clear()
    return made


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("STATUS=at work", ["web reports: at work"]),
        ("STATUS=\x1b[2Jnothing\ttrue", ["web reports: ?[2Jnothing?true"]),
        ("ERRNO=2", ["web reports: it reported error 2, No such file or directory"]),
        ("ERRNO=99999999999", ["web reports: it reported error 99999999999, unknown"]),
        ("RELOADING=1", ["web reports: reloads its configuration"]),
        ("RELOADING=yes", []),
        ("STOPPING=1", ["web reports: stops by itself"]),
        ("EXIT_STATUS=7", ["web reports: its exit status is 7"]),
        ("EXTEND_TIMEOUT_USEC=?", [
            "web reports: it sent an invalid notification: EXTEND_TIMEOUT_USEC=?"
        ]),
        ("READY=1", []),
        ("MAINPID=many", []),
        ("MAINPID=0", []),
        ("MAINPID=\u00b2", []),  # a digit, and no number
        ("MAINPID=101", []),  # it is that one already
        ("MAINPID=99999999999999999999", []),
        ("WATCHDOG=1\nWATCHDOG_USEC=1\nWATCHDOG=trigger", []),  # it has none
        ("FDSTORE=1\nX_OWN=1\n\n=\n", []),
        ("STATUS=a\nSTATUS=b", ["web reports: a", "web reports: b"]),
    ],
)  # fmt: skip
def test_messages_are_told_or_ignored(machine: Machine, message: str, told: list[str]) -> None:
    """Each line counts for itself; none ends the service."""
    machine.table.started[0].notify(message)
    machine.settle()
    assert told == machine.said
    assert {"web": "start/running"} == machine.states()


def test_same_status_is_told_once(machine: Machine) -> None:
    """A service may report it every second."""
    for text in ("idle", "idle", "busy", "idle"):
        machine.table.started[0].notify(f"STATUS={text}")
    machine.settle()
    assert ["idle", "busy", "idle"] == [each.split(": ")[1] for each in machine.said]
    assert "idle" == machine.supervisor.units["web"].status_text


def test_readiness_after_a_reload_is_told(machine: Machine) -> None:
    """It is no second start."""
    machine.table.started[0].notify("RELOADING=1")
    machine.table.started[0].notify("READY=1")
    machine.settle()
    assert "web reports: has reloaded its configuration" == machine.said[-1]
    assert "web is ready" not in machine.said


def test_start_forgets_what_was_reported(machine: Machine) -> None:
    """The status text is that of a process which is gone."""
    machine.table.started[0].notify("STATUS=old")
    machine.settle()
    machine.supervisor.restart("web")
    machine.until(2)
    assert "" == machine.supervisor.units["web"].status_text


KNOWN = ["READY", "EXTEND_TIMEOUT_USEC", "ERRNO", *ACTIONS]
LINES = st.one_of(
    st.binary(max_size=30),
    st.builds(
        lambda name, value: f"{name}={value}".encode("utf-8", "surrogateescape"),
        st.sampled_from(KNOWN),
        st.one_of(st.integers().map(str), st.sampled_from(["1", "0", "trigger"]), st.text()),
    ),
)


@given(messages=st.lists(st.lists(LINES, max_size=4).map(b"\n".join), max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_message_harms_the_supervisor(
    tmp_path_factory: pytest.TempPathFactory, messages: list[bytes]
) -> None:
    """Whatever a service sends, at any time of its life."""
    services = [{"name": "web", "watchdog": 10, "readiness": {"kind": "notify"}}]
    made = Machine(tmp_path_factory.mktemp("d"), services)
    made.supervisor.start("web")
    for part in range(2):
        made.settle()
        for process in made.table.started:
            process.unheard += messages[part::2]
    made.until(5)
    assert made.states()["web"].split("/")[1] in ("running", "spawned", "failed", "waiting")


def test_lack_of_descriptors_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that needs one has no effect; the supervisor goes on."""

    def look(pid: int) -> None:
        raise ProcessTableError("unable to open a pidfd: Too many open files")

    monkeypatch.setattr(machine.table, "process", look)
    machine.table.started[0].notify("MAINPID=1")
    machine.settle()
    assert ["Too many open files" in each for each in machine.said] == [True]


def test_numbers_are_ascii_digits() -> None:
    """What else Python takes for a digit is none."""
    texts = ["0", "4194304", "", "-1", " 1", "\u00b2", "\u0663", "1" * 16]
    assert [0, 4194304, -1, -1, -1, -1, -1, -1] == [number(each) for each in texts]


def test_control_characters_are_shown() -> None:
    """A text of a service must not command the terminal of an administrator."""
    assert "ä?[31m?ok" == printable("ä\x1b[31m\x07ok")
