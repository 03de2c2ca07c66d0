"""systemd reads generated units as they were declared."""

import os
from typing import Any

import pytest

from ssd.service import Service
from ssd.service.generators import systemd
from ssd.service.generators.sheet import Inexpressible

from . import readers, samples

UNTIL = 'until "$@"; do sleep 1; done'
STAYS = 'for i in $(seq "$1"); do sleep 1; kill -0 "$MAINPID" || exit 1; done'

# The declaration, and what systemd reads. A command is a list of words.
READ: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"Type": "exec", "UMask": "0022", "Restart": "no", "KillSignal": "SIGTERM"}),
    ({}, {"TimeoutStopSec": "30s", "SendSIGKILL": "yes", "KillMode": "mixed"}),
    ({"background": False}, {"Type": "forking", "PIDFile": "/run/x.pid"}),
    ({"expect": "daemon"}, {"Type": "forking"}),
    ({"task": True}, {"Type": "oneshot"}),
    ({"readiness": {"kind": "notify", "timeout": 9}}, {"Type": "notify", "TimeoutStartSec": "9s"}),
    ({"readiness": {"kind": "pidfile"}, "background": False},
     {"ExecStartPost": ["/bin/sh", "-c", UNTIL, "sh", "test", "-s", "/run/x.pid"]}),
    ({"readiness": {"kind": "command", "command": ["a", "%"]}},
     {"ExecStartPost": ["/bin/sh", "-c", UNTIL, "sh", "a", "%"]}),
    ({"readiness": {"kind": "stays", "timeout": 2.5}},
     {"ExecStartPost": ["/bin/sh", "-c", STAYS, "sh", "3"], "TimeoutStartSec": "1min 3s"}),
    ({"user": "daemon", "group": "adm"}, {"User": "daemon", "Group": "adm"}),
    ({"script": "exec sleep 5", "arguments": ["one"]},
     {"ExecStart": ["/bin/sh", "-e", "-c", "exec sleep 5", "x", "one"]}),
    ({"before_start": "echo $HOME 100%"},
     {"ExecStartPre": ["/bin/sh", "-e", "-c", "echo $HOME 100%", "x"]}),
    ({"after_stop": ["rm", "-f", "/tmp/x y"]},
     {"ExecStopPost": ["/bin/sh", "-e", "-c", "rm -f '/tmp/x y'", "x"]}),
    ({"stop_schedule": "INT/7/QUIT/1"}, {"KillSignal": "SIGINT", "FinalKillSignal": "SIGQUIT"}),
    ({"stop_schedule": "TERM/0/CONT/30/KILL/5"},
     {"KillSignal": "SIGTERM", "TimeoutStopSec": "30s"}),
    ({"stop_schedule": "INT/5/TERM/6/KILL/9"},
     {"KillSignal": "SIGINT", "TimeoutStopSec": "11s", "FinalKillSignal": "SIGKILL"}),
    ({"stop_schedule": "INT/5/TERM/6/QUIT/9"},
     {"KillSignal": "SIGINT", "TimeoutStopSec": "11s", "FinalKillSignal": "SIGQUIT"}),
    ({"stop_schedule": "INT/KILL/9"},
     {"KillSignal": "SIGINT", "TimeoutStopSec": "1ms", "FinalKillSignal": "SIGKILL"}),
    ({"stop_schedule": "9"}, {"TimeoutStopSec": "9s", "FinalKillSignal": "SIGKILL"}),
    ({"stop_schedule": "forever/TERM/1"},
     {"KillSignal": "SIGTERM", "TimeoutStopSec": "infinity", "SendSIGKILL": "no"}),
    ({"stop_schedule": "TERM/0/KILL/5", "readiness": {"timeout": 0}},
     {"TimeoutStopSec": "1ms", "TimeoutStartSec": "1ms"}),
    ({"task": True, "respawn": {"when": "always"}}, {"Type": "oneshot", "Restart": "on-failure"}),
    ({"background": False, "pidfile": "/var/run/x/x.pid", "directories": ["/var/run/x"]},
     {"PIDFile": "/run/x/x.pid", "RuntimeDirectory": "x"}),
    ({"working_directory": "/srv/x/y", "directories": ["/srv/x"]},
     {"WorkingDirectory": "/srv/x/y"}),
    ({"stop_schedule": "TERM/5"}, {"SendSIGKILL": "no"}),
    ({"reload_signal": "USR1"}, {"ExecReload": ["/bin/kill", "-USR1"]}),  # no MAINPID yet
    ({"respawn": {"when": "failure", "delay": 2, "normal_exit": [3, "INT"]}},
     {"Restart": "on-failure", "RestartSec": "2s"}),
    ({"working_directory": "/srv/a b\\", "root": "/"}, {"WorkingDirectory": "/srv/a b\\"}),
    ({"limits": {"nofile": "10:unlimited", "core": 0}},
     {"LimitNOFILE": str(2**64 - 1), "LimitNOFILESoft": "10", "LimitCORE": "0"}),
    ({"nice": -5, "oom_score": "never"}, {"Nice": "-5", "OOMScoreAdjust": "-1000"}),
    ({"capabilities": "^cap_kill,!bpf", "no_new_privs": True, "securebits": "0x3"},
     {"AmbientCapabilities": "cap_kill"}),
    ({"login": True}, {"User": "root"}),
    ({"login": True, "user": "daemon"}, {"User": "daemon"}),
    ({"cpu_scheduling": "rr:7"}, {"CPUSchedulingPolicy": "rr", "CPUSchedulingPriority": "7"}),
    ({"io_scheduling": "real-time:2"},
     {"IOSchedulingClass": "realtime", "IOPriority": "2"}),
    ({"output": "/var/log/a b%"}, {"StandardOutput": "append", "StandardError": "append"}),
    ({"console": "none"}, {"StandardOutput": "null"}),
    ({"directories": [{"path": "/run/x", "mode": "0750"}, "/var/lib/x"]},
     {"RuntimeDirectoryMode": "0750", "RuntimeDirectory": "x", "StateDirectory": "x",
      "RuntimeDirectoryPreserve": "yes"}),
    ({"log_file": "/var/log/x/x.log", "user": "daemon"}, {"LogsDirectory": "x"}),
    ({"directories": [{"path": "/srv/x", "user": "daemon"}]},
     {"ExecStartPre": ["/bin/sh", "-e", "-c", systemd.MAKE, "sh", "/srv/x", "0755",
                       "daemon:"]}),
    ({"environment": {"A": "b $c %d\n\"'\\"}}, {"Environment": "A=b $c %d\n\"'\\"}),
    ({"pass_environment": ["TZ"]}, {"PassEnvironment": "TZ"}),
    ({"environment_files": ["/etc/default/a b"]}, {"EnvironmentFile": "/etc/default/a b"}),
    ({"should_start": ["my sql"], "required_start": ["$network", "$local_fs"]},
     {"After": "my\\x20sql.service", "Wants": "network-online.target"}),
    ({"short_description": "short %n"}, {"Description": "short %n"}),
    ({"executable": "/opt/a$b", "arguments": ["$c", "%d"]},
     {"ExecStart": ["/opt/a$b", "$c", "%d"]}),
    ({"executable": "/opt/a'b", "arguments": ["$c"]},
     {"ExecStart": ["/bin/sh", "-c", 'exec "$0" "$@"', "/opt/a'b", "$c"]}),
]  # fmt: skip


def text_of(service: Service) -> str:
    """Return the unit of a service."""
    return systemd.generate(service).text()


@pytest.mark.parametrize(
    "case", range(len(READ)), ids=lambda index: "-".join([*READ[index][0], str(index)])
)
def test_systemd_reads_what_was_declared(case: int) -> None:
    """Each field is the setting with the same meaning and value."""
    declared, expected = READ[case]
    text = text_of(samples.least(**declared))
    found = readers.unit(text)
    for key, value in expected.items():
        if isinstance(value, list):
            (line,) = found[key]
            assert value == readers.command(line, variables=f"{key}=:" not in text)
        else:
            values = [each.partition(" (origin")[0] for each in found.get(key, [])]
            assert value in values, f"{key}: {values}"


def test_systemd_verifies_a_full_unit() -> None:
    """systemd-analyze verify accepts a service that declares everything."""
    if not os.path.exists("/bin/kill"):
        pytest.skip("what reloads it is not installed: apt-get install procps")
    service = samples.everything(executable="/bin/sleep", required_start=["$remote_fs", "$network"])
    assert (0, "") == readers.verified(text_of(service))


def test_blocked_capabilities_leave_the_bounding_set() -> None:
    """systemd has no word for what is inheritable alone, nor for every securebit."""
    service = samples.least(capabilities="!bpf,kill", securebits="0x40", no_new_privs=True)
    sheet = systemd.generate(service)
    assert "\nCapabilityBoundingSet=~CAP_BPF\nNoNewPrivileges=yes\n" in sheet.text()
    assert ["capabilities", "securebits"] == [field for field, _ in sheet.losses]
    assert "SecureBits" not in sheet.text()


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_values_become_no_setting(text: str) -> None:
    """All settings of the file are the generator's own."""
    service = samples.least(**samples.hostile(text))
    known = {"After", "Alias", "AppArmorProfile", "Description", "Documentation", "Environment",
             "EnvironmentFile", "ExecStart", "ExecStartPost", "ExecStartPre", "ExecStopPost",
             "Group", "KillMode", "KillSignal", "LogsDirectory", "Requires", "RootDirectory",
             "RootDirectoryStartOnly", "StandardError", "StandardOutput", "TimeoutStartSec",
             "TimeoutStopSec", "Type", "UMask", "User", "WantedBy", "Wants",
             "WorkingDirectory"}  # fmt: skip
    lines = [line for line in text_of(service).splitlines() if line and line[0] != "#"]
    assert ["[Unit]", "[Service]", "[Install]"] == [line for line in lines if line[0] == "["]
    assert set() == {line.partition("=")[0] for line in lines if line[0] != "["} - known
    assert [] == [line for line in lines if line.endswith("\\")]
    # systemd does not load a unit with an invalid user name.
    fields = {**samples.hostile(text), "user": None, "group": None}
    found = readers.unit(text_of(samples.least(**fields)))
    assert [text] == readers.command(found["ExecStart"][0])[1:2]


def test_working_directory_may_be_created_first() -> None:
    """systemd also enters it for the command that creates it."""
    service = samples.least(working_directory="/srv/x/y", directories=["/srv/x"])
    assert "\nWorkingDirectory=-/srv/x/y\n" in text_of(service)
    assert "\nWorkingDirectory=/srv/y\n" in text_of(samples.least(working_directory="/srv/y"))


# A schedule -> whether systemd can follow it.
FOLLOWED = {
    "TERM/30/KILL/5": True,
    "TERM/0/CONT/30/KILL/5": True,  # systemd itself sends this CONT
    "TERM/30": True,
    "TERM/30/forever/KILL/1": True,  # the first KILL ends it
    "TERM/5/INT/5/KILL/5": False,
    "TERM/5/CONT/5/KILL/5": False,
    "forever/TERM/5": False,
    "7/KILL": False,
}


@pytest.mark.parametrize("schedule", FOLLOWED)
def test_schedule_that_systemd_cannot_follow_is_lost(schedule: str) -> None:
    """systemd sends at most two signals."""
    sheet = systemd.generate(samples.least(stop_schedule=schedule))
    assert ([] if FOLLOWED[schedule] else ["stop_schedule"]) == [each for each, _ in sheet.losses]


def test_unit_needs_a_program() -> None:
    """A declaration can be without one, a unit cannot."""
    with pytest.raises(Inexpressible, match="executable"):
        systemd.generate(Service(name="x"))
