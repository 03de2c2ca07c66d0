"""The options on variables, limits and rights: what they mean, and what they do."""

import os
import resource
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from ssd import Command, Match
from ssd.cli.grammar import Unusable, Usage
from ssd.cli.options import Options, read
from ssd.cli.start import command_of, leaves_files
from ssd.starting import Start
from ssd.testing import FakeProcesses, SsdCommand

START = ["--start", "--pidfile", "/dev/null", "--startas", "/x"]
NOFILE, CORE = resource.RLIMIT_NOFILE, resource.RLIMIT_CORE

# line -> fields of the Command
GOOD: dict[str, dict[str, Any]] = {
    "": {"login": False, "variables": {}, "capabilities": None, "environment": None},
    "--login": {"login": True},
    "--clear-env": {"environment": {}},
    "--env A=1 --env B= --env A=2=3": {"variables": {b"A": b"2=3", b"B": b""}},
    "--limit nofile=10:20 --limit core=unlimited --limit nofile=5": {
        "limits": {NOFILE: (5, 5), CORE: (resource.RLIM_INFINITY,) * 2}
    },
    "--oom-score-adj -1000": {"oom_score_adj": -1000},
    "--oom-score-adj=0": {"oom_score_adj": 0},
    "--capabilities ^kill,!bpf": {"capabilities": "^kill,!bpf"},
    "--capabilities=": {"capabilities": ""},
    "--no-new-privs --securebits 0x3": {"no_new_privs": True, "securebits": "0x3"},
}
BAD = {
    "--env A": "--env must be NAME=TEXT, not 'A'",
    "--env =1": "--env must be NAME=TEXT, not '=1'",
    "--limit nofile": "--limit must be NAME=SOFT[:HARD], as nofile=1024:4096, not 'nofile'",
    "--limit files=1": "--limit has no resource 'files': use one of ",
    "--limit nofile=2:1": "--limit nofile: SOFT must not exceed HARD in '2:1'",
    "--oom-score-adj 1001": "--oom-score-adj must be a number from -1000 (never kill it) to 1000",
    "--oom-score-adj x": "--oom-score-adj must be a number from -1000 (never kill it) to 1000",
    "--capabilities x": "--capabilities: no capability is named 'x'",
    "--securebits x": "--securebits: must be a number, or some of noroot, ",
}


def options(line: str) -> Options:
    """Read a line after the words of a start."""
    found = Options()
    read([*START, *line.split()], found)
    return found


@pytest.mark.parametrize("line", GOOD)
def test_options_are_fields_of_the_command(line: str) -> None:
    """Of some, all count; of others, the last."""
    command = command_of(options(line), "/x")
    assert GOOD[line] == {name: getattr(command, name) for name in GOOD[line]}
    assert isinstance(command, Command)


@pytest.mark.parametrize("line", BAD)
def test_invalid_value_names_its_option(line: str) -> None:
    """With the status of a usage error."""
    with pytest.raises(Usage) as caught:
        options(line)
    assert str(caught.value).startswith(BAD[line])


def test_files_of_variables_come_before_single_ones(tmp_path: Path) -> None:
    """In any order on the line; a later file wins over an earlier one."""
    (tmp_path / "one").write_text("A=one\nB=one\nC='o n e'")
    (tmp_path / "two").write_text("B=two")
    line = f"--env A=1 --env-file {tmp_path}/one --env-file={tmp_path}/two --env-file -/no/such"
    found = command_of(options(line), "/x").variables
    assert {b"A": b"1", b"B": b"two", b"C": b"o n e"} == found


def test_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """Status 2; a line that means nothing is named, and nothing is started."""
    with pytest.raises(Unusable, match=r"^unable to read --env-file /no/such \(No such file"):
        options("--env-file /no/such")
    (tmp_path / "file").write_text("A=1\nwhat?\n")
    with pytest.raises(Unusable, match=r"/file: line 2: must be NAME=value; put a value of "):
        options(f"--env-file {tmp_path}/file")


def test_fake_daemon_has_its_variables(
    ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """Those of the caller unless they are cleared, and its Command; a user may not do all."""
    fake_processes.caller.environment = {"A": "caller", "B": "caller"}
    fake_processes.register("/x")
    start = ["--start", "--background", "--exec", "/x", "--env", "A=1"]
    assert 0 == ssd_command(*start, "--no-new-privs")[0]
    (daemon,) = fake_processes.started
    assert {"A": "1", "B": "caller"} == daemon.environment
    assert daemon.command is not None
    assert daemon.command.no_new_privs
    daemon.die()
    assert 0 == ssd_command(*start, "--clear-env")[0]
    assert {"A": "1"} == fake_processes.started[-1].environment
    fake_processes.started[-1].die()
    fake_processes.caller_uid = 500
    done = ssd_command(*start, "--capabilities", "^kill")
    assert (2, True) == (done[0], "unable to set capabilities: ^kill" in done[2])
    assert 2 == len(fake_processes.started)


def test_real_program_gets_what_was_asked_for(ssd: Run, tmp_path: Path) -> None:
    """In the foreground: variables of a login below those of a file and a line, and a limit."""
    (tmp_path / "file").write_text("LOGNAME=file\nUSER=file\n")
    own = [f"--user={os.getuid()}"]
    soft = resource.getrlimit(CORE)[0] and 1
    done = ssd(
        *("--start", "--ppid", "1", *own, "--name", "no such one", "--login", "--clear-env"),
        *("--env-file", "file", "--env", "USER=line", f"--limit=core={soft}:{soft}"),
        *("--startas", "/bin/sh", "--", "-c", "/usr/bin/env; ulimit -c"),
    )
    lines = done.stdout.splitlines()
    found = dict(line.split("=", 1) for line in lines[:-1])
    assert ("line", "file") == (found.pop("USER"), found.pop("LOGNAME"))
    assert {"HOME", "SHELL"} == found.keys() - {"PWD", "_", "OLDPWD", "SHLVL"}
    assert f"{soft}" == lines[-1]
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("--limit=nofile=2", "--limit=fsize=0", "--login", "--oom-score-adj=900", "--env=A=1"),
        pytest.param(("--chroot=.",), marks=pytest.mark.requires_root),
    ],
)
def test_failure_in_the_foreground_is_told(
    words: tuple[str, ...], ssd: Run, tmp_path: Path
) -> None:
    """Where no file can be opened, or written, any more, and where ssd's own are out of reach."""
    with open(tmp_path / "said", "w+") as said:
        done = ssd(*START[:3], *words, "--startas", "/no/such", stdout=said, stderr=said)
        said.seek(0)
        text = "ssd: unable to start /no/such (No such file or directory)\n"
        assert (2, text) == (done.returncode, said.read())


LEAVING: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    ({"root": "/"}, True),
    ({"user": os.getuid()}, True),
    ({"limits": {CORE: (0, 0)}}, True),
]


@pytest.mark.parametrize(("fields", "expected"), LEAVING)
def test_start_may_lose_sight_of_the_files_of_ssd(fields: dict[str, Any], expected: bool) -> None:
    """By a change of root or user, or a limit: what tells of a failure is loaded before that."""
    work = Start(
        *(Match(name="x"), Command(["/x"], **fields)), background=False, make_pidfile=False,
        warn=lambda *omission: None, say=lambda *event: None, table=FakeProcesses(),
    )  # fmt: skip
    assert expected == leaves_files(work)


@pytest.mark.parametrize("line", ["--stop --env A=1", "--status --no-new-privs", "--stop --login"])
def test_only_a_start_has_surroundings(line: str) -> None:
    """With anything else they are a mistake."""
    with pytest.raises(Usage, match=r"^--[a-z-]+ is only relevant with --start$"):
        read(["--pidfile", "/dev/null", *line.split()], Options())


def test_limit_that_may_not_be_raised_is_named(ssd: Run) -> None:
    """It is above what the kernel has for anybody; status 2."""
    done = ssd(*START[:3], "--limit=nofile=4:99999999999", "--startas", "/bin/true")
    assert "ssd: unable to set resource limit nofile (not allowed" in done.stderr
    assert 2 == done.returncode
