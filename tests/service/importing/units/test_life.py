"""How a unit is started, judged ready, stopped and restarted."""

from typing import Any

import pytest

from ..conftest import TellUnit

PLAIN = {"delay": 0.1, "backoff": 0.1, "delay_max": 0.1, "limit": 5, "interval": 10}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {"stop_schedule": "TERM/90/KILL/5", "kill_mode": "tree"}),
        ("KillMode=mixed\nKillSignal=SIGINT\nTimeoutStopSec=2.5",
         {"stop_schedule": "INT/3/KILL/5"}),
        ("KillMode=process\nTimeoutStopSec=1ms",
         {"stop_schedule": "TERM/0/KILL/5", "kill_mode": "main"}),
        ("KillMode=mixed\nSendSIGKILL=no\nTimeoutSec=5",
         {"stop_schedule": "TERM/5", "readiness": {"timeout": 5}}),
        ("KillMode=mixed\nFinalKillSignal=QUIT", {"stop_schedule": "TERM/90/QUIT/5"}),
        ("KillMode=mixed\nTimeoutStopSec=infinity", {"stop_schedule": "TERM/forever/999999999"}),
        ("KillMode=mixed\nTimeoutStopSec=0", {"stop_schedule": "TERM/forever/999999999"}),
        ("Type=notify-reload\nTimeoutStartSec=1min",
         {"readiness": {"kind": "notify"}, "reload_signal": "HUP"}),
        ("Type=notify\nTimeoutStartSec=0", {"readiness": {"kind": "notify", "timeout": 999999999}}),
        ("Type=forking\nPIDFile=x/y.pid", {"background": False, "pidfile": "/run/x/y.pid"}),
        ("Type=oneshot", {"task": True}),
        ("WatchdogSec=3min", {"watchdog": 180}),
        ("Restart=always", {"respawn": {"when": "always", **PLAIN}}),
        ("Restart=on-failure\nRestartSec=0\n[Unit]\nStartLimitIntervalSec=0",
         {"respawn": {"when": "failure", "backoff": 0, "delay_max": 0, "limit": 0}}),
        ("Restart=on-failure\nSuccessExitStatus=3 SIGINT\nRestartPreventExitStatus=TEMPFAIL",
         {"respawn": {"when": "failure", "normal_exit": [75, 3, "INT"], **PLAIN}}),
        ("Restart=always\nSuccessExitStatus=3", {"respawn": {"when": "always", **PLAIN}}),
        ("Restart=always\nRestartSec=1\nRestartSteps=4\nRestartMaxDelaySec=16\nStartLimitBurst=2",
         {"respawn": {**PLAIN, "when": "always", "delay": 1, "backoff": 1, "delay_max": 16,
                      "limit": 2}}),
        ("Restart=on-watchdog\nWatchdogSec=1", {"watchdog": 1}),
    ],
)  # fmt: skip
def test_life_is_in_the_fields(text: str, fields: dict[str, Any], unit: TellUnit) -> None:
    """Of those that are not named here, none differs from its default."""
    service, notes = unit(text)
    made = service.to_dict()
    for name in ("name", "executable", *({"stop_schedule", "kill_mode"} - {*fields})):
        made.pop(name, None)
    reduced = dict(fields)
    if "respawn" in reduced and reduced["respawn"].get("backoff") == 0.1:
        reduced["respawn"] = {k: v for k, v in reduced["respawn"].items() if k != "backoff"}
    if "respawn" in reduced and reduced["respawn"].get("interval") == 5:
        reduced["respawn"].pop("interval")
    assert reduced == made
    assert [] == notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Type=dbus\nBusName=a.b", "Type: a start does not wait for its name on the bus"),
        ("Type=forking", "Type: it goes to the background itself: name its pidfile"),
        ("Type=oneshot\nRemainAfterExit=yes", "RemainAfterExit: a task that has ended"),
        ("RemainAfterExit=yes", "RemainAfterExit: a service whose process has ended"),
        ("Type=notify\nNotifyAccess=all", "NotifyAccess: only the main process"),
        ("KillMode=none", "KillMode: a stop always sends its signals"),
        ("SendSIGHUP=yes", "SendSIGHUP: there is no HUP right after TERM"),
        ("Restart=on-abort", "Restart: a status other than 0 and"),
        ("Restart=on-abnormal", "Restart: a status other than 0 is"),
        ("Restart=on-success", "Restart: it is not restarted"),
        ("RestartForceExitStatus=3", "RestartForceExitStatus: it is not restarted"),
        ("WatchdogSec=1\nWatchdogSignal=TERM", "WatchdogSignal: a stop by stop_schedule"),
        ("Restart=always\nRestartSec=1\nRestartSteps=2\nRestartMaxDelaySec=16",
         "RestartSteps: the delay doubles up to 16 seconds"),
        ("ExecStart=-/bin/x", "ExecStart: without -: a status other than 0 is a failure"),
        ("ExecStart=@/bin/x name", "ExecStart: argv[0] is the path of the program"),
    ],
)  # fmt: skip
def test_difference_of_a_life_is_named(text: str, said: str, unit: TellUnit) -> None:
    """One note for each."""
    _, notes = unit(text)
    assert [said] == [note.split(": ", 1)[1][: len(said)] for note in notes]
