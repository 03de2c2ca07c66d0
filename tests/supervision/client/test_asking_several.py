"""Instances that a supervisor has: verbs for one, and for all of them at once."""

import json
from pathlib import Path

import pytest
from kit.supervise import supervise

from supervision.asked import Asked

pytestmark = pytest.mark.requires_namespaces

# A shell that ends at TERM once all that were ready have got it.
TEMPLATE = """
instances = ["a", "b"]
executable = "/bin/sh"
arguments = ["-c", "trap 'touch {work}/told/%i; \
until [ $(ls {work}/told | wc -l) = 3 ]; do sleep 0.01; done; exit' TERM; \
touch {work}/ready/%i; while :; do sleep 0.01; done"]
stop_schedule = "TERM/20"
kill_mode = "main"
readiness = {{kind = "command", command = ["test", "-e", "{work}/ready/%i"]}}
"""


def test_instances_are_looked_after_together(command: Path, tmp_path: Path) -> None:
    """One is added by a link; a stop of all takes the time of one; the status is that of all.

    The supervisor has those of the template alone.
    """
    directory, work = tmp_path / "d", tmp_path / "d" / "work"
    for each in ("ready", "told"):
        (work / each).mkdir(parents=True)
    script = command.with_name("ssd-supervise")
    services = {"web@": TEMPLATE.format(work=work), "other": 'executable = "/bin/sh"\n'}
    with supervise(script, directory, services, "web@") as running:
        asked = Asked(running, command, directory)
        running.until("web@a is ready", "web@b is ready")
        (directory / "web@c.toml").symlink_to("web@.toml")
        assert "web@c is not running\n" in asked.expect(3, "web@", "status")
        assert "started: web@c\nunchanged: 2\n" == asked.expect(0, "update")
        running.until("web@c is ready")
        first = running.pid_of("web@a")
        assert f"web@a is running (process {first})" in asked.expect(0, "web@", "status")
        told = json.loads(asked.expect(0, "web@", "status", "--json"))
        assert ["web@a", "web@b", "web@c"] == [each["name"] for each in told]
        assert all(each["supervision"] for each in told)
        assert 3 == asked.expect(3, "all", "status").count("is running (process ")
        lines = "Stopping web@a: web@a.\nStopping web@b: web@b.\nStopping web@c: web@c.\n"
        assert lines == asked.expect(0, "web@", "stop")
        assert "Starting web@b: web@b.\n" == asked.expect(0, "web@b", "start")
        assert 2 == asked.expect(3, "web@", "status").count("is not running\n")


def test_instances_of_any_number_are_stopped(command: Path, tmp_path: Path) -> None:
    """More than there are places for clients; each takes a while, and the answer is whole."""
    directory, names = tmp_path / "d", [str(number) for number in range(100, 170)]
    shell = "trap 'kill $!; sleep 0.5; exit' TERM; touch /tmp/%i; sleep 1000 & wait"
    services = {
        "web@": f"instances = {json.dumps(names)}\n"
        f'executable = "/bin/sh"\narguments = ["-c", "{shell}"]\nkill_mode = "main"\n'
        'readiness = {kind = "command", command = ["test", "-e", "/tmp/%i"]}\n'
    }
    with supervise(command.with_name("ssd-supervise"), directory, services) as running:
        asked = Asked(running, command, directory)
        running.until(*(f"web@{name} is ready" for name in names))
        done = json.loads(asked.expect(0, "web@", "stop", "--json"))
        assert {("done", "stopped")} == {(each["outcome"], each["state"]) for each in done}
        assert [f"web@{name}" for name in names] == [each["name"] for each in done]
        asked.expect(0, "web@", "start")
        assert 70 == asked.expect(0, "web@", "stop").count("Stopping web@")
