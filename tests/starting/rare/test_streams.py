"""Where the output of a start goes: the options, and the order in which they count."""

import os
from pathlib import Path

import pytest

import ssd
from ssd import Command, Match
from ssd.accounts import Account
from ssd.cli.options import Options, read
from ssd.cli.start import command_of
from ssd.errors import StartFailed
from ssd.starting.rare.streams import open_streams
from ssd.testing import FakeProcesses, SsdCommand

BACKGROUND = ("--start", "--background", "--name", "d", "--startas", "/usr/sbin/webd")

# options -> what is said of them
REFUSED = {
    "--stdout log": "--stdout file needs to be an absolute filename",
    "--stderr log": "--stderr file needs to be an absolute filename",
    "--logger log": "--logger needs an absolute filename, or syslog",
    "--logger syslog:local0": "--logger needs an absolute filename, or syslog",
    "--logger /log --output /out": "need either --output or --logger, not both",
}


@pytest.mark.parametrize("line", REFUSED)
def test_output_options_that_cannot_work_are_usage_errors(
    line: str, ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """With the option's name; nothing is started."""
    fake_processes.register("/usr/sbin/webd")
    done = ssd_command(*BACKGROUND, *line.split())
    assert (3, "", f"ssd: {REFUSED[line]}") == (*done[:2], done[2].splitlines()[0])
    assert [] == ssd.find(Match(name="webd"), table=fake_processes)


# options -> fields of the Command
MEANT: dict[str, dict[str, object]] = {
    "--stdout /o --stderr /e": {"stdout": b"/o", "stderr": b"/e"},
    "--stdout /a --stdout /o": {"stdout": b"/o"},
    "--logger /log": {"logger": {"path": "/log"}},
    "--logger syslog": {"logger": {"kind": "none", "syslog": True}},
}


@pytest.mark.parametrize("line", MEANT)
def test_output_options_are_fields_of_the_command(
    line: str, ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """Also on a machine of fakes, where nothing is opened."""
    options = Options()
    read([*BACKGROUND, *line.split()], options)
    assert MEANT[line] == vars(command_of(options, "/usr/sbin/webd"))
    fake_processes.register("/usr/sbin/webd")
    assert (0, "", "") == ssd_command(*BACKGROUND, *line.split())
    assert 1 == len(ssd.find(Match(name="webd"), table=fake_processes))


def test_output_of_a_start_on_fakes_writes_nothing(
    tmp_path: Path, fake_processes: FakeProcesses
) -> None:
    """The keywords are accepted, and no logger is started."""
    fake_processes.register("/usr/sbin/webd")
    log, out = tmp_path / "log", tmp_path / "out"
    ssd.start(
        Match(name="webd"),
        Command(["/usr/sbin/webd"], logger=log, stdout=out),
        table=fake_processes,
    )
    assert 1 == len(ssd.find(Match(name="webd"), table=fake_processes))
    assert [] == os.listdir(tmp_path)


def test_output_keywords_must_be_paths() -> None:
    """A number is none, and no file has an empty name."""
    with pytest.raises(TypeError, match=r"^stdout must be a text or a path, not 1"):
        Command(["/bin/true"], stdout=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^stderr must be a path without NUL bytes, not ''"):
        Command(["/bin/true"], stderr="")


def test_streams_without_files_are_as_ever() -> None:
    """/dev/null, or those of the caller where descriptors stay open."""
    nobody = Account(None, None)
    out, err = open_streams(Command(["/bin/true"]), nobody)
    assert (os.devnull, out) == (os.readlink(f"/proc/self/fd/{out}"), err)
    os.close(out)
    assert (1, 2) == open_streams(Command(["/bin/true"], close=False), nobody)


def test_stream_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """By its option, as the stage of the failure."""
    gone = tmp_path / "no such" / "file"
    for stage in ("output", "stdout", "stderr"):
        with pytest.raises(StartFailed) as caught:
            open_streams(Command(["/bin/true"], **{stage: gone}), Account(None, None))  # type: ignore[arg-type]
        assert (stage, str(gone)) == (caught.value.stage, caught.value.detail)


def test_output_and_log_in_one_file_fail_the_start(tmp_path: Path) -> None:
    """By whatever name: the log is not appended to, so each would write over the other's lines."""
    log, link = tmp_path / "log", tmp_path / "link"
    link.symlink_to(log)
    for fields in ({"stdout": log}, {"stderr": link}):
        command = Command(["/bin/true"], logger=log, **fields)
        with pytest.raises(StartFailed, match="it is the file of --stdout or --stderr") as caught:
            ssd.start(Match(pidfile=tmp_path / "pid"), command, make_pidfile=True)
        assert ("logger", str(log)) == (caught.value.stage, caught.value.detail)
    assert not (tmp_path / "pid").exists()
