"""All services: ``all VERB`` with real processes, their order, and work shared among processes."""

import json
import os

import pytest

from ssd.service.verbs import fleet


def test_all_verbs_go_by_name_with_the_highest_status(services) -> None:
    """In the order of the names; an invalid declaration is reported."""
    for name in ("b", "a"):
        services.declare(name=name)
    assert "a is not running\nb is not running\n" == services.expect(3, "all", "status")
    assert "Starting a: a.\nStarting b: b.\n" == services.expect(0, "all", "start")
    assert 2 == services.expect(0, "all", "status").count("is running (process ")
    assert 2 == len(json.loads(services.expect(0, "all", "status", "--json")))
    (services.directory / "c.toml").write_text("x = 1\n")
    done = services("all", "status")
    assert (4, 2) == (done.returncode, done.stdout.count("is running"))
    assert "c.toml:1: x" in done.stderr
    told = json.loads(services.expect(4, "all", "status", "--json"))
    assert ["a", "b", "c"] == [each["name"] for each in told]
    assert "declaration" == told[-1]["error_kind"]
    (services.directory / "c.toml").unlink()
    assert "Stopping a: a.\nStopping b: b.\n" == services.expect(0, "all", "stop")
    services.expect(3, "all", "frobnicate")


# Ends once all of them have got TERM; is ready when it can handle TERM.
TOGETHER = """
trap 'touch told/$1; until [ "$(ls told)" = "$2" ]; do sleep 0.01; done; exit' TERM
touch ready/$1; while :; do sleep 0.01; done
"""


def test_stop_of_many_takes_the_time_of_one(services) -> None:
    """None of them ends before all have the signal."""
    work = services.directory / "work"  # a directory is no declaration
    for directory in ("ready", "told"):
        (work / directory).mkdir(parents=True)
    (work / "together").write_text(TOGETHER)
    for name in "abcdef":
        services.declare(
            f'executable = "/bin/sh"\nworking_directory = "{work}"\n'
            f'arguments = ["together", "{name}", "a\\nb\\nc\\nd\\ne\\nf"]\n'
            'stop_schedule = "TERM/60/KILL/60"\n[readiness]\nkind = "command"\ntimeout = 60\n'
            f'command = ["test", "-e", "{work}/ready/{name}"]\n',
            name=name,
        )
    services.expect(0, "all", "start")
    shown = services.expect(0, "all", "stop")
    assert 6 == shown.count(".\n")
    assert 6 == len(os.listdir(work / "told"))
    services.expect(3, "all", "status")


def test_service_without_a_program_does_not_stop_the_others(services) -> None:
    """It is reported, with the status that it has by its name, and the others start."""
    (services.directory / "a.toml").write_text("")
    services.declare(name="b")
    done = services("all", "start")
    assert (6, "Starting b: b.\n") == (done.returncode, done.stdout)
    assert "a.toml: executable" in done.stderr


def test_invalid_declaration_does_not_stop_the_others(services) -> None:
    """Its status, as by its name, is 6: not configured."""
    (services.directory / "a.toml").write_text("x = 1\n")
    services.declare(name="b")
    services.expect(6, "a", "start")
    assert "Starting b: b.\n" == services.expect(6, "all", "start")
    assert "Stopping b: b.\n" == services.expect(6, "all", "stop")


def test_service_without_the_verb_does_not_stop_the_others(services) -> None:
    """Its own usage is printed."""
    services.declare(name="a")
    services.declare('reload_signal = "CONT"\n', name="b")
    services.expect(0, "b", "start")
    done = services("all", "reload")
    assert (3, "Reloading b: b.\n") == (done.returncode, done.stdout)
    assert done.stderr.startswith("Usage: ssd-service a {start|")


@pytest.mark.parametrize("count", [0, 1, 99, 250, 1001])
@pytest.mark.parametrize("processes", [1, 2, 7])
def test_map_in_processes_keeps_the_order(count: int, processes: int) -> None:
    """Each item once, in any of the processes."""
    assert [n * n for n in range(count)] == fleet.map_in_processes(
        range(count), lambda n: n * n, processes
    )


def test_map_in_processes_uses_as_many_as_asked_for() -> None:
    """If there are enough items."""
    assert 3 == len(set(fleet.map_in_processes(range(300), lambda n: os.getpid(), 3)))
    assert 1 == len(set(fleet.map_in_processes(range(99), lambda n: os.getpid(), 3)))


def test_map_in_processes_raises_if_a_process_fails() -> None:
    """The results would be incomplete."""
    with pytest.raises(ChildProcessError):
        fleet.map_in_processes(range(200), lambda n: 1 // (199 - n), 2)
