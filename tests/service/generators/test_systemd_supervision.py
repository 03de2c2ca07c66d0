"""How a unit says in what order, how often, and by which checks a service runs."""

from typing import Any

import pytest

from ssd.service.generators import openrc, systemd

from . import readers, samples

# The declaration, and what systemd reads.
READ: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"requires": ["db"], "after": ["me"]}, {"Requires": "db.service", "After": "me.service"}),
    ({"requires": ["db"]}, {"After": "db.service"}),
    ({"requires": ["db"], "on_required_failure": "ignore"}, {"Wants": "db.service"}),
    ({"required_start": ["db"], "on_required_failure": "stop"}, {"BindsTo": "db.service"}),
    ({"kill_mode": "main"}, {"KillMode": "process"}),
    ({"kill_mode": "group"}, {"KillMode": "control-group"}),
    ({"kill_mode": "tree"}, {"KillMode": "control-group"}),
    ({"watchdog": 9}, {"Restart": "on-watchdog"}),
    ({"watchdog": 9, "respawn": {"when": "always"}}, {"Restart": "always"}),
    ({"log": {"path": "/var/log/x", "stderr_path": "/var/log/y"}},
     {"StandardOutput": "append", "StandardError": "append"}),
    ({"log": {"stderr_path": "/var/log/y"}},
     {"StandardOutput": "inherit", "StandardError": "append"}),
    ({"log": {"kind": "none"}}, {"StandardOutput": "null", "StandardError": "null"}),
    ({"stdout": "/var/log/x"}, {"StandardOutput": "append", "StandardError": "journal"}),
    ({"stdout": "/var/log/x", "log": {"kind": "none"}},
     {"StandardOutput": "append", "StandardError": "null"}),
    ({"stderr": "/var/log/x", "console": "none"},
     {"StandardOutput": "null", "StandardError": "append"}),
]  # fmt: skip


# It shows what is inherited.
SINCE_257 = {"inherit": "journal"}


@pytest.mark.parametrize("case", range(len(READ)), ids=lambda index: f"{index}-{[*READ[index][0]]}")
def test_systemd_reads_how_a_service_is_looked_after(case: int) -> None:
    """Each field is the setting with the same meaning."""
    declared, expected = READ[case]
    found = readers.unit(systemd.generate(samples.least(**declared)).text())
    for key, value in expected.items():
        values = [each.partition(" (origin")[0] for each in found.get(key, [])]
        assert {value, SINCE_257.get(value)} & {*values}, f"{key}: {values}"


def test_streams_have_their_own_files() -> None:
    """Each goes before ``output`` and the log, as everywhere."""
    files = {"stdout": "/o", "output": "/both", "log": {"path": "/l"}}
    text = systemd.generate(samples.least(**files)).text()
    assert "StandardOutput=append:/o\nStandardError=append:/both\n" in text
    text = openrc.generate(samples.least(**files)).text()
    assert "output_log=/o\nerror_log=/both\n" in text
    files = {"stderr": "/e", "log": {"path": "/l"}}
    assert "StandardError=append:/e\nStandardOutput=append:/l\n" in (
        systemd.generate(samples.least(**files)).text()
    )
    assert "output_log=/l\nerror_log=/e\n" in openrc.generate(samples.least(**files)).text()


def test_watchdog_has_its_time() -> None:
    """In seconds, as declared."""
    assert "WatchdogSec=0.5\n" in systemd.generate(samples.least(watchdog=0.5)).text()


def delays(**respawn: object) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the settings of the delay, and what is lost."""
    sheet = systemd.generate(samples.least(respawn={"when": "always", **respawn}))
    names = ("RestartSec=", "RestartSteps=", "RestartMaxDelaySec=")
    return [line for line in sheet.text().splitlines() if line.startswith(names)], sheet.losses


def test_back_off_is_written_if_declared() -> None:
    """The delay doubles in as many steps; systemd before 254 would warn of it in every unit."""
    assert (["RestartSec=3"], []) == delays(delay=3)
    steps = ["RestartSec=0.5", "RestartSteps=6", "RestartMaxDelaySec=32"]
    assert (steps, []) == delays(backoff=0.5, delay_max=32)
    assert (["RestartSec=60"], []) == delays(delay=60, backoff=1)
    assert ["respawn"] == [field for field, _ in delays(reset=60)[1]]


def test_rotation_is_lost() -> None:
    """Nothing is lost where no file is asked for."""
    sheet = systemd.generate(samples.least(log={"max_size": 5000}))
    assert ["log"] == [field for field, _ in sheet.losses]
    assert [] == systemd.generate(samples.least(log={"kind": "none"})).losses
