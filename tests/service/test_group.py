"""Verbs for all instances of a template, with real processes and on fakes."""

import json
import os
from pathlib import Path

import pytest

from ssd.service import SeveralInstances, environment, group
from ssd.service.cli import Call, main
from ssd.service.verbs.fleet import Fleet
from ssd.testing import FakeProcesses

TEMPLATE = 'instances = ["1", "2"]\nexecutable = "/bin/sleep"\narguments = ["100%i"]\n'


@pytest.fixture
def template(services) -> Path:
    """Return a template with two instances, beside a third that is a link; one is both."""
    file: Path = services.directory / "nap@.toml"
    file.write_text(f'{TEMPLATE}pidfile = "{services.directory}/%n.pid"\n')
    for each in "23":
        (services.directory / f"nap@{each}.toml").symlink_to(file)
    return file


def test_verbs_of_a_group_reach_all_declared_instances(services, template: Path) -> None:
    """With the highest status, as ``all`` has it; one by its name alone is started, too."""
    assert 3 == services.expect(3, "nap@", "status").count("is not running\n")
    assert "Starting nap@2: nap@2.\n" == services.expect(0, "nap@2", "start")
    said = services.expect(0, "nap@", "start")
    assert "nap@1: nap@1.\nStarting nap@2: nap@2 is already running.\nStarting nap@3" in said
    argv = Path(f"/proc/{(services.directory / 'nap@3.pid').read_text().strip()}/cmdline")
    assert b"/bin/sleep\0001003\0" == argv.read_bytes()
    assert 3 == services.expect(0, str(template), "status").count("is running (process ")
    told = json.loads(services.expect(0, "nap@", "status", "--json"))
    assert ["nap@1", "nap@2", "nap@3"] == [each["name"] for each in told]
    told = json.loads(services.expect(0, "all", "status", "--json"))
    assert ["nap@1", "nap@2", "nap@3"] == sorted(each["name"] for each in told)
    assert 3 == services.expect(0, "nap@", "--full-restart").count("Starting")
    services.expect(0, "nap@x", "show-args")
    services.expect(0, "nap@9", "start")
    services.expect(0, "nap@1", "stop")
    said = services.expect(3, "all", "status")
    assert (2, 1) == (said.count(" is running (process "), said.count(" is not running\n"))
    assert 3 == services.expect(0, "nap@", "stop").count("Stopping nap@")
    assert "nap@9 is running" in services.expect(0, "nap@9", "status")
    services.expect(0, "nap@9", "stop")
    done = services("nap@", "show-args")
    assert (3, True) == (done.returncode, "Usage: ssd-service nap@ {start|" in done.stderr)


def test_group_in_one_file_is_known_by_both_names(services, monkeypatch, capfd) -> None:
    """On fake processes; an instance that is not listed is named as unknown."""
    monkeypatch.chdir("/")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    text = f'{TEMPLATE}pidfile = "{services.directory}/%n.pid"\n'
    (services.directory / "doze.toml").write_text(text)
    (services.directory / "empty@.toml").write_text('executable = "/bin/sleep"\n')
    table = FakeProcesses()

    def tell(*words: str) -> tuple[int, str, str]:
        status = main(["ssd-service", f"--directory={services.directory}", *words], table)
        return (status, *capfd.readouterr())

    table.register("/bin/sleep")
    assert (0, "Starting doze@1: doze@1.\nStarting doze@2: doze@2.\n", "") == tell("doze", "start")
    assert 2 == tell("doze@", "status")[1].count("is running (process ")
    status, said, complaint = tell("doze@3", "start")
    assert (1, "", True) == (status, said, complaint.startswith("doze@3: unrecognized service\n"))
    assert "name one: doze@1, doze@2\n" in complaint
    for verb, wanted in (("start", 0), ("status", 3)):
        status, said, complaint = tell("empty@", verb)
        assert (wanted, "", True) == (status, said, "such as empty@NAME" in complaint)
    status, said, _ = tell("--status-all", "--jobs=1")
    assert 0 == status and " doze@1\n" in said and " doze@2\n" in said and "empty" not in said


def test_supervisor_of_the_caller_is_asked(services, monkeypatch) -> None:
    """In its own home directory; what no supervisor has is done without these variables."""
    monkeypatch.setattr(os, "environ", {"PATH": "/bin"})
    monkeypatch.setattr(environment, "LEFT_OUT", {"HOME": "/home/me", "SECRET": "x"})
    monkeypatch.setattr(group, "LEFT_OUT", environment.LEFT_OUT)
    seen: list[tuple[str, str | None]] = []

    def ask(call: Call, name: str, words: list[str]) -> int | None:
        seen.append((name, os.environ.get("HOME")))
        return 4 if name == "nap@1" else None

    def fleet(call: Call, directory: str, names: list[str]) -> Fleet:
        seen.append((" ".join(names), os.environ.get("HOME")))
        return Fleet(call.program, directory, names=[])

    several = SeveralInstances("nap@", ["nap@2", "nap@1"], f"{services.directory}/nap@.toml")
    call = Call("ssd-service", FakeProcesses())
    assert 4 == group.perform(call, several, ["restart"], ask, fleet)
    assert [("nap@1", "/home/me"), ("nap@2", "/home/me"), ("nap@2", None)] == seen
    assert {"PATH": "/bin"} == os.environ
