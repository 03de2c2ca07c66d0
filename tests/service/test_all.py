"""``ssd-service all VERB``, with real processes."""

import json


def test_all_are_asked_and_stopped_together(place) -> None:
    """In the order of their names, with the highest status; a broken one is told of."""
    for name in ("b", "a"):
        place.declare(name=name)
    assert "a is not running\nb is not running\n" == place.expect(3, "all", "status")
    assert "Starting a: a.\nStarting b: b.\n" == place.expect(0, "all", "start")
    assert 2 == place.expect(0, "all", "status").count("is running (process ")
    assert 2 == len(json.loads(place.expect(0, "all", "status", "--json")))
    (place.folder / "c.toml").write_text("x = 1\n")
    done = place("all", "status")
    assert (4, 2) == (done.returncode, done.stdout.count("is running"))
    assert "c.toml:1: x" in done.stderr
    assert 2 == len(json.loads(place.expect(4, "all", "status", "--json")))
    (place.folder / "c.toml").unlink()
    assert "Stopping a: a.\nStopping b: b.\n" == place.expect(0, "all", "stop")
    place.expect(3, "all", "frobnicate")


def test_many_are_stopped_in_the_time_of_one(place) -> None:
    """Each takes half a second to end."""
    slow = "trap 'sleep 0.5; exit' TERM; while :; do sleep 0.01; done"
    for name in "abcdef":
        place.declare(f'executable = "/bin/sh"\narguments = ["-c", "{slow}", "x"]\n', name=name)
    place.expect(0, "all", "start")
    shown = place.expect(0, "all", "stop")
    assert 6 == shown.count(".\n")
    place.expect(3, "all", "status")


def test_one_that_lacks_a_program_does_not_hold_up_the_others(place) -> None:
    """It is told of, with the status that it has by its name, and the rest is started."""
    (place.folder / "a.toml").write_text("")
    place.declare(name="b")
    done = place("all", "start")
    assert (6, "Starting b: b.\n") == (done.returncode, done.stdout)
    assert "a.toml: executable" in done.stderr


def test_a_broken_declaration_does_not_hold_up_the_others(place) -> None:
    """Its status, as by its name, is that the service is not configured."""
    (place.folder / "a.toml").write_text("x = 1\n")
    place.declare(name="b")
    place.expect(6, "a", "start")
    assert "Starting b: b.\n" == place.expect(6, "all", "start")
    assert "Stopping b: b.\n" == place.expect(6, "all", "stop")


def test_a_service_without_the_verb_is_named_and_holds_up_nobody(place) -> None:
    """By the usage, which is its own."""
    place.declare(name="a")
    place.declare('reload_signal = "CONT"\n', name="b")
    place.expect(0, "b", "start")
    done = place("all", "reload")
    assert (3, "Reloading b: b.\n") == (done.returncode, done.stdout)
    assert done.stderr.startswith("Usage: ssd-service a {start|")
