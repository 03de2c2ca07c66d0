"""Account, directories, environment, limits and output of a unit's processes."""

import pwd
from pathlib import Path

import pytest

from ssd.service import DeclarationError

from ..conftest import TellUnit


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("User=web", {"user": "web", "login": True}),
        ("User=root\nGroup=root", {"login": True}),
        ("Group=adm", {"group": "adm"}),
        ("User=0\nGroup=adm", {"group": "adm", "login": True}),
        ("UMask=0027", {"umask": "027"}),
        ("UMask=0022", {}),
        ("RootDirectory=/srv/r\nWorkingDirectory=-/w",
         {"root": "/srv/r", "working_directory": "/w"}),
        ("LimitNOFILE=5:9\nLimitCORE=infinity\nLimitCPU=1m",
         {"limits": {"nofile": "5:9", "core": "unlimited", "cpu": 60}}),
        ("Nice=-5\nOOMScoreAdjust=-900", {"nice": -5, "oom_score": -900}),
        ("CPUSchedulingPolicy=rr\nCPUSchedulingPriority=7", {"cpu_scheduling": "rr:7"}),
        ("CPUSchedulingPolicy=fifo", {"cpu_scheduling": "fifo:1"}),
        ("IOSchedulingClass=idle", {"io_scheduling": "idle"}),
        ("IOSchedulingClass=1\nIOSchedulingPriority=2", {"io_scheduling": "real-time:2"}),
        ("IOSchedulingPriority=7", {"io_scheduling": "best-effort:7"}),
        ("AppArmorProfile=-p", {"apparmor_profile": "p"}),
        ("StandardOutput=append:/l", {"output": "/l"}),
        ("StandardOutput=append:/l\nStandardError=append:/l", {"output": "/l"}),
        ("StandardOutput=append:/l\nStandardError=append:/e", {"stdout": "/l", "stderr": "/e"}),
        ("StandardError=append:/e", {"stderr": "/e"}),
        ("StandardOutput=append:/l\nStandardError=journal", {"stdout": "/l"}),
        ("StandardOutput=null", {"log": {"kind": "none"}}),
        ("StandardError=syslog", {"log": {"syslog": True}}),
        ("StandardOutput=tty", {"console": "output"}),
        ("StandardInput=tty-force\nStandardOutput=tty", {"console": "owner"}),
        ("StandardOutput=journal", {}),
        ("PassEnvironment=A B", {"pass_environment": ["A", "B"]}),
        ("StateDirectory=a b/c\nStateDirectoryMode=700", {"directories": [
            {"path": "/var/lib/a", "mode": "0700"}, {"path": "/var/lib/b/c", "mode": "0700"}]}),
        ("ConfigurationDirectory=a\nUser=u",
         {"user": "u", "login": True, "directories": [{"path": "/etc/a"}]}),
    ],
)  # fmt: skip
def test_setting_is_a_field(text: str, fields: dict[str, object], unit: TellUnit) -> None:
    """And nothing needs a word."""
    service, notes = unit(text)
    made = service.to_dict()
    assert fields == {
        name: value
        for name, value in made.items()
        if name not in ("name", "executable", "stop_schedule", "kill_mode")
    }
    assert [] == notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DynamicUser=yes", "DynamicUser: there are no dynamic users: make a system account x"),
        ("SupplementaryGroups=adm", "SupplementaryGroups: a process gets"),
        ("CacheDirectory=a:b", "CacheDirectory: the link b to /var/cache/a is not made"),
        ("Environment=a-b=1", "Environment: systemd ignores 'a-b=1'"),
        ("EnvironmentFile=-/nonexistent", "EnvironmentFile: /nonexistent is not there, and left"),
        ("EnvironmentFile=/etc/x*", "EnvironmentFile: name the files that /etc/x* means"),
        ("EnvironmentFile=/etc/x", "EnvironmentFile: read as shell"),
        ("CPUSchedulingPolicy=batch", "CPUSchedulingPolicy: must be one of other, fifo, rr"),
        ("StandardInput=socket", "StandardInput: standard input is /dev/null"),
        ("StandardOutput=fd:x", "StandardOutput: there is no fd:x"),
        ("StandardOutput=truncate:/l", "StandardOutput: /l is appended to"),
        ("WorkingDirectory=~\nUser=nobody-known", "WorkingDirectory: ~ is unknown"),
    ],
)
def test_difference_is_named(text: str, said: str, unit: TellUnit) -> None:
    """One note for each."""
    _, notes = unit(text)
    assert [said] == [note.split(": ", 1)[1][: len(said)] for note in notes]


def test_variables_that_a_file_may_replace_are_named(tmp_path: Path, unit: TellUnit) -> None:
    """Under systemd a file wins, here the declaration."""
    (tmp_path / "env").touch()
    service, notes = unit(f"Environment=A=1 'B=x y'\nEnvironmentFile=-{tmp_path}/env")
    assert ({"A": "1", "B": "x y"}, [f"{tmp_path}/env"]) == (
        service.environment, service.environment_files,
    )  # fmt: skip
    assert any("wins over a file" in note for note in notes)


def test_home_is_looked_up(unit: TellUnit) -> None:
    """Now, because a declaration names a path."""
    service, notes = unit("WorkingDirectory=~\nUser=nobody")
    assert pwd.getpwnam("nobody").pw_dir == service.working_directory
    assert 1 == len(notes)


def test_wrong_limit_is_an_error(unit: TellUnit) -> None:
    """With its line."""
    with pytest.raises(DeclarationError, match=r"x\.service:3: LimitNOFILE: must be a whole"):
        unit("LimitNOFILE=many")
