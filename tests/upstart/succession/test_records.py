"""Lines of the journal about jobs: what is left out, and what is read of wrong ones."""

from ssd.matching import Process
from ssd.upstart.succession import records
from upstart.machine import World


def test_usual_values_are_left_out() -> None:
    """A line is short, and has what a stop needs."""
    world = World(foo="exec sleep 300")
    record = records.of_job(world.jobs.classes["foo"].resting)  # type: ignore[arg-type]
    expected = {"name": "foo", "job": "foo", "goal": "stop", "state": "waiting"}
    assert {**expected, "kill": [15, 5.0]} == record


def test_everything_that_counts_is_there() -> None:
    """A job that comes back after a failure, which others wait for."""
    text = "start on go\nstop on a and b\nrespawn\nexec sleep 300\npost-stop exec clean\ntask"
    world = World(foo=text)
    world.wish("emit", "go", "A=1")
    world.wish("emit", "a", "B=2")
    world.kill("foo")
    job = world.jobs.units["foo"]
    record = records.of_job(job)  # type: ignore[arg-type]
    assert [["go", ["A=1"]]] == record["blocks"]
    assert [["a", ["B=2"]]] == record["seen"]
    assert (1, True) == (record["restarts"], record["task"])
    assert "go" == record["variables"]["UPSTART_EVENTS"]  # type: ignore[index]
    assert 1 == record["respawns"][1]  # type: ignore[index]


def test_wrong_values_are_none() -> None:
    """Whoever has written the journal."""
    wrong: dict[str, object] = {
        "a": 7, "b": "x", "c": [["go", "A=1"], ["go"], 7, ["well", ["A=1", 2]]],
        "processes": {"main": [7, 8], "pre-start": [7], "dance": [1, 2], "post-stop": "x"},
    }  # fmt: skip
    assert ("", "x", "") == tuple(records.text(wrong, key) for key in ("a", "b", "no"))
    assert (7, None, None) == tuple(records.number(wrong, key) for key in ("a", "b", "no"))
    assert records.table(wrong, "b") is None
    assert {"x": "1"} == records.table({"d": {"x": 1}}, "d")
    assert [("well", ("A=1", "2"))] == records.events(wrong, "c")
    assert [] == records.events(wrong, "b")
    assert {"main": Process(7, 8)} == records.processes(wrong)
    assert {} == records.processes({"processes": [1]})
