"""A job in words."""

from ssd.supervision.events import Failed
from upstart.machine import World, ends


def lines(world: World, label: str = "foo") -> list[str]:
    """Return the lines of a status, with a number for each pid in the order of the starts."""
    unit = world.jobs.units[label]
    pids = [child.pid for child in unit.processes.values()]  # type: ignore[attr-defined]
    text = unit.status()  # type: ignore[attr-defined]
    for number, pid in enumerate(pids):
        text = text.replace(f"process {pid}", f"process #{number}")
    return text.split("\n")


def test_second_process_has_a_line_of_its_own() -> None:
    """It begins with a tab, and names the stage."""
    world = World(foo="exec main\npost-start exec greet")
    world.wish("start", "foo")
    assert ["foo start/post-start, process #0", "\tpost-start process #1"] == lines(world)


def test_stage_is_named_where_the_main_process_is_missing() -> None:
    """It has ended while post-start runs."""
    world = World(foo="exec main\npost-start exec greet")
    world.wish("start", "foo")
    world.kill("foo")
    assert ["foo stop/post-start, (post-start) process #0"] == lines(world)


def test_exported_variable_hides_none_that_upstart_gives() -> None:
    """JOB is that of the event, and stands there once."""
    world = World(
        foo="export JOB ME\nenv JOB=other\nenv ME=1\nexec main",
        bar="start on started JOB=foo INSTANCE= ME=1\nexec main",
    )
    world.wish("start", "foo")
    assert "start/running" == world.status("bar")
    assert "foo" == world.variables("bar")["JOB"]


def test_job_whose_post_stop_fails_has_stopped() -> None:
    """It is not given up: it did its work."""
    world = World(foo="exec main\npost-stop exec clean")
    world.stages.does["foo", "post-stop"] = ends(2)
    world.wish("start", "foo")
    world.wish("stop", "foo")
    assert [
        "foo reports: its post-stop process exited with status 2",
        "foo has stopped",
    ] == world.events[-2:]


class Log:
    """A log of a job; one on a ``broken`` disk cannot be read."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def last_lines(self, count: int) -> list[str]:
        """Return what is in it."""
        if self.broken:
            raise OSError(5, "Input/output error")
        return ["one", "two"][-count:]


def test_failure_has_the_last_lines_of_output() -> None:
    """Without a log that can be read it has none, and is told all the same."""
    for log, lines in ((Log(), ["one", "two"]), (Log(broken=True), []), (None, [])):
        world = World(foo="exec main")
        failures: list[Failed] = []
        world.jobs.listeners.append(
            lambda event: failures.append(event) if isinstance(event, Failed) else None  # noqa: B023
        )
        world.jobs.units["foo"].log = log  # type: ignore[assignment]
        world.wish("start", "foo")
        world.kill("foo")
        assert [lines] == [failure.lines for failure in failures]
