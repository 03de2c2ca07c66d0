"""``ssd --json`` and ``--timeline``: what the command did, and how things are afterwards."""

import signal
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest
from kit.children import ended
from kit.schema import answer

from ssd.cli import main
from ssd.errors import ProcessTableError
from ssd.testing import Daemons, FakeProcesses, SsdCommand, dies, ignores
from ssd.testing.command import Result

TERM = signal.SIGTERM


def told(result: Result, status: int) -> dict[str, Any]:
    """Return the answer of a command that had this status."""
    found = answer(result.stdout)
    assert (status, status) == (result.exit_status, found["status"])
    return found


def test_answer_of_a_stop_has_each_signal_and_each_end(
    ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """In seconds since the beginning; what the original prints is a message."""
    fake_processes.add("d", argv=["/bin/d", "-x\udcff"], reactions={TERM: dies(after=2)})
    fake_processes.add("d", reactions={TERM: ignores()})
    found = told(ssd_command("--stop", "--name=d", "--retry=TERM/5/KILL/5", "-v", "--json"), 0)
    steps = [
        (each["at"], each["event"], each["pid"], each.get("signal")) for each in found["steps"]
    ]
    assert [
        (0, "signal", 101, "TERM"),
        (0, "signal", 102, "TERM"),
        (2, "ended", 101, None),
        (5, "signal", 102, "KILL"),
        (5, "ended", 102, None),
    ] == steps
    assert ("stop", "stopped", None) == (found["command"], found["state"], found["error"])
    assert ["Stopped d (pid 101 102).", "Stopped d (pid 102), retry #1."] == found["messages"]
    first = {"pid": 101, "name": "d", "cmdline": ["/bin/d", "-x\ufffd"], "matched_by": "name"}
    assert {**first, "ended": True, "started_at": None}.items() <= found["processes"][0].items()


def test_answer_of_a_failed_stop_says_what_is_left(
    ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """The status is 2 as without --json, and a denied signal is a step with its reason."""
    fake_processes.add("d", reactions={TERM: ignores()})
    found = told(ssd_command("--stop", "--name", "d", "--retry", "TERM/1", "--json"), 2)
    assert ("running", False) == (found["state"], found["processes"][0]["ended"])
    assert ["Program d, 1 process(es), refused to die."] == found["messages"]
    fake_processes.caller_uid = 1000
    found = told(ssd_command("--stop", "--name", "d", "--json"), 1)
    assert ("denied", "TERM") == (found["steps"][0]["event"], found["steps"][0]["signal"])
    assert "Operation not permitted" == found["steps"][0]["reason"]
    warned = "warning: failed to kill 101: Operation not permitted"
    assert [warned, "1 pids were not killed", "No d found running; none killed."] == (
        found["messages"]
    )


# command line -> exit status, state, pids
LOOKS = {
    "--status --name d": (0, "running", [101, 102]),
    "--pidof --name d": (0, "running", [101, 102]),
    "--status --name x": (3, "stopped", []),
    "--status --pidfile {dead}": (1, "dead", []),
    "--status --pidfile {empty}": (4, "unknown", []),
    "--status --pid 0": (4, "unknown", []),
    "--stop --test --name d": (0, "running", [101, 102]),
    "--stop --name x": (1, "stopped", []),
    "--stop --name d --retry x": (3, "unknown", []),
}


@pytest.mark.parametrize("line", LOOKS)
def test_answer_of_a_look_has_all_processes_and_the_state(
    line: str, ssd_command: SsdCommand, fake_processes: FakeProcesses, tmp_path: Path
) -> None:
    """The state is what --status would say, in a word."""
    places = {"dead": tmp_path / "dead", "empty": tmp_path / "empty"}
    places["dead"].write_text("4711\n")
    places["empty"].write_text("")
    fake_processes.add("d")
    fake_processes.add("d")
    status, state, pids = LOOKS[line]
    words = line.format(**places).split()
    found = told(ssd_command(*words, "--json"), status)
    assert (state, pids) == (found["state"], [each["pid"] for each in found["processes"]])
    plain = ssd_command(*words)
    error = plain.stderr.splitlines()[0].removeprefix("ssd: ") if found["error"] else None
    assert (status, error) == (plain.exit_status, found["error"])
    assert plain.stdout.splitlines() == found["messages"]


def test_answer_says_on_what_a_script_was_found(
    ssd_command: SsdCommand, fake_processes: FakeProcesses, tmp_path: Path
) -> None:
    """With --interpreted, also after its end."""
    script = tmp_path / "svc"
    script.write_text("#!/usr/bin/python3\n")
    words = ["/usr/bin/python3", str(script)]
    fake_processes.add("svc", argv=words, exe="/usr/bin/python3")
    stop = ssd_command("--stop", "--exec", script, "--interpreted", "--retry=TERM/1", "--json")
    (process,) = told(stop, 0)["processes"]
    assert ("script", words, True) == tuple(
        process[key] for key in ("matched_by", "cmdline", "ended")
    )


def test_answer_of_a_start_has_its_steps_and_its_process(
    ssd_command: SsdCommand, fake_processes: FakeProcesses, tmp_path: Path
) -> None:
    """A second start finds the first; one that is not ready has its process, too."""
    fake_processes.register("/bin/d", ready_after=3)
    words = ["--start", "--background", "-mp", tmp_path / "pid", "--exec", "/bin/d", "--json"]
    found = told(ssd_command(*words, "--notify-await", "--verbose"), 0)
    assert "Starting /bin/d..." == found["messages"][0]
    assert ("started", 101) == (found["steps"][-1]["event"], found["steps"][-1]["pid"])
    assert [(101, "executable")] == [(p["pid"], p["matched_by"]) for p in found["processes"]]
    found = told(ssd_command(*words), 1)
    assert (["/bin/d already running."], 101) == (found["messages"], found["processes"][0]["pid"])
    fake_processes.register("/bin/e", runs=lambda process: process.die(after=1, status=7))
    for wait, error in ((["--notify-await"], "ended before"), (["--wait", "5"], "ended after 1.0")):
        late = ["--start", "-b", *wait, "--pid", "4711", "--startas", "/bin/e", "--json"]
        found = told(ssd_command(*late), 2)
        (process,) = found["processes"]
        assert error in found["error"] and process["ended"]
        assert [("started", process["pid"]), ("ended", process["pid"])] == [
            (each["event"], each["pid"]) for each in found["steps"] if "pid" in each
        ]
        known = 7 if wait == ["--wait", "5"] else None
        assert known == found["steps"][-1].get("exit_status")
    picture = tmp_path / "svg"
    assert 4 == ssd_command("--status", "--pid", 101, "--timeline", picture).exit_status
    assert 3 == ssd_command("--stop", "--timeline", picture).exit_status
    nameless = ssd_command("--stop", "--pid", 101, "--timeline", "")
    assert (3, True) == (nameless.exit_status, "--timeline needs a filename\n" in nameless.stderr)
    assert 0 == ssd_command(*words, "--oknodo", "--test", "--timeline", picture).exit_status
    assert not picture.exists()
    refused = told(ssd_command("--start", "--pid", "1", "--exec", "/bin/d", "--json"), 3)
    assert refused["error"].startswith("--json is only relevant with --stop or")


def test_fault_is_an_answer_wherever_the_option_stands(
    ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """But not among the program's arguments; --help is for people."""
    for option in ("--json", "--js"):
        assert "unrecognized option '--bogus'" == told(ssd_command("--bogus", option), 3)["error"]
    for words in (["--json", "--bogus"], ["--js", "--bogus"]):
        found = told(ssd_command(*words), 3)
        assert ("unrecognized option '--bogus'", None) == (found["error"], found["command"])
    assert "" == ssd_command("--bogus", "--", "--json").stdout
    assert ssd_command("--json", "--help").stdout.startswith("Usage: ")
    fake_processes.register("/bin/d")
    words = ["--start", "-bv", "--pid", "4711", "--startas", "/bin/d", "--", "--json"]
    assert (0, "", "") == ssd_command(*words)
    assert ["/bin/d", "--json"] == fake_processes.started[0].argv


def test_unforeseen_error_has_the_status_of_the_command(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    """Which is 4 for a look, as if nothing had been said."""

    def fail(*_: object) -> NoReturn:
        raise KeyError("x")

    monkeypatch.setattr("ssd.cli.status.resolve", fail)
    assert 4 == main(["ssd", "--status", "--pid", "101", "--json"], fake_processes)
    found = answer(capfd.readouterr().out)
    assert (4, "unknown", True) == (found["status"], found["state"], "KeyError" in found["error"])


def test_lack_of_descriptors_for_the_answer_keeps_the_status(
    ssd_command: SsdCommand, fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop is done; what cannot be told any more is unknown, with a warning."""

    def fail(*_: object) -> NoReturn:
        raise ProcessTableError("Too many open files")

    fake_processes.add("d", pid=101)
    monkeypatch.setattr("ssd.testing.kin.FakeKinship.of", fail)
    stop = ["--stop", "--pid", "101", "--signal", "CONT", "--json"]
    found = told(ssd_command(*stop), 0)
    assert [("running", None)] == [(found["state"], each["name"]) for each in found["processes"]]
    monkeypatch.setattr("ssd.answers.facts_of", fail)
    found = told(ssd_command(*stop), 0)
    assert ("unknown", ["signal"]) == (found["state"], [each["event"] for each in found["steps"]])
    assert "warning: unable to read the process table: Too many open files" in found["messages"]


def test_real_start_and_stop_answer_and_draw(
    tmp_path: Path, ssd_path: Path, daemon: Daemons
) -> None:
    """The process has the name, the command line and the time of the kernel's."""
    pidfile, picture = tmp_path / "pid", tmp_path / "a stop.svg"
    words = [
        "--start",
        "--background",
        "-mp",
        pidfile,
        "--exec",
        "/bin/sleep",
        "--env",
        "SECRET=hush",
    ]
    argv = [ssd_path, *words, "--json", "--timeline", tmp_path / "start.svg", "--", "1000"]
    found = answer(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    (process,) = found["processes"]
    with ended(process["pid"]):
        assert ("sleep", ["/bin/sleep", "1000"]) == (process["name"], process["cmdline"])
        assert abs(process["started_at"] - pidfile.stat().st_mtime) < 1
        drawn = (tmp_path / "start.svg").read_text()
        assert ">detached<" in drawn and "hush" not in drawn
        assert f"<title>ssd --start --exec /bin/sleep --pidfile {pidfile}</title>" in drawn
        picture.symlink_to(tmp_path / "elsewhere")
        argv = [ssd_path, "--stop", "--pidfile", pidfile, "--retry", "60", "--timeline", picture]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert f"warning: --timeline {picture} is not written: " in done.stderr
        assert not (tmp_path / "elsewhere").exists()
        picture.unlink()
    process = daemon("--ignore", "TERM")
    argv = [ssd_path, "--stop", "--pid", str(process.pid), "--json", "--timeline", picture]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, umask=0o027)
    found = answer(done.stdout)
    assert 0o640 == picture.stat().st_mode & 0o777
    assert [("signal", "TERM")] == [(each["event"], each["signal"]) for each in found["steps"]]
    assert f"TERM sent to {found['processes'][0]['name']} {process.pid}" in picture.read_text()
