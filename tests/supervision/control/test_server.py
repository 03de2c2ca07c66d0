"""What each verb of the control socket does, on a machine of declared processes."""

import signal

from ssd.testing import exits, reloads
from supervision.conftest import Supervise


def begun(verb: str, name: str = "web", description: str = "") -> dict[str, object]:
    """Return the first line of the answer to a wish."""
    return {"id": 1, "begun": verb, "name": name, "description": description}


def well(outcome: str, name: str = "web", **more: object) -> dict[str, object]:
    """Return the last line of the answer to a wish that went well."""
    return {"id": 1, "ok": True, "name": name, "outcome": outcome, **more}


def badly(outcome: str, message: str, name: str = "web") -> dict[str, object]:
    """Return the last line of the answer to a wish that did not."""
    told = {"id": 1, "ok": False, "error": "failed", "message": message}
    return {**told, "name": name, "outcome": outcome}


READY = {"kind": "pidfile", "timeout": 5}


def test_start_answers_when_the_service_is_ready(supervise: Supervise) -> None:
    """First that it has begun; not before it is ready."""
    machine = supervise({"name": "web", "description": "The web", "before_start": ["/bin/prepare"]})
    machine.table.register("/bin/sh", runs=exits(after=3.0))
    caller = machine.connect()
    caller.ask("start", name="web")
    machine.settle()
    assert [begun("start", description="The web")] == caller.lines()
    machine.until(2.0)
    machine.settle()
    assert [] == caller.lines()
    machine.until(3.5)
    machine.settle()
    assert [well("done")] == caller.lines()
    assert [begun("start", description="The web"), well("running")] == machine.ask("start", "web")


def test_stop_answers_when_nothing_runs(supervise: Supervise) -> None:
    """Of a service that does not run, it says so."""
    machine = supervise({"name": "web"})
    machine.ask("start", "web")
    caller = machine.connect()
    caller.ask("stop", name="web")
    machine.until(1.0)
    machine.settle()
    assert [begun("stop"), well("done")] == caller.lines()
    assert [begun("stop"), well("nothing")] == machine.ask("stop", "web")
    assert {"web": "stop/waiting"} == machine.states()


def test_restart_answers_for_the_new_process(supervise: Supervise) -> None:
    """Not for the old one, which was ready; a stopped service is started."""
    machine = supervise({"name": "web"})
    assert [begun("restart"), well("done")] == machine.ask("restart", "web")
    first = machine.supervisor.units["web"].process
    caller = machine.connect()
    caller.ask("restart", name="web")
    machine.until(1.0)
    machine.settle()
    assert [begun("restart"), well("done")] == caller.lines()
    assert first != machine.supervisor.units["web"].process


def test_try_restart_starts_nothing(supervise: Supervise) -> None:
    """LSB: only what runs."""
    machine = supervise({"name": "web"})
    assert [begun("try-restart"), well("nothing")] == machine.ask("try-restart", "web")
    assert {"web": "stop/waiting"} == machine.states()


def test_start_that_fails_says_why(supervise: Supervise) -> None:
    """When it is given up, and also when it will be tried again."""
    machine = supervise(
        {"name": "web", "before_start": ["/bin/prepare"]},
        {"name": "app", "before_start": ["/bin/prepare"],
         "respawn": {"when": "always", "delay": 5}},
    )  # fmt: skip
    machine.table.register("/bin/sh", runs=exits(3))
    caller = machine.connect()
    caller.ask("start", name="web")
    caller.ask("start", name="app")
    machine.until(1.0)
    machine.settle()
    lines = [each for each in caller.lines() if "ok" in each]
    assert badly("failed", "before_start exited with status 3") in lines
    again = "it is started again in 5.0 seconds (attempt 1)"
    assert badly("failed", again, "app") in lines
    assert machine.supervisor.units["app"].next_attempt is not None


def test_stop_during_a_start_answers_both(supervise: Supervise) -> None:
    """The start has failed, the stop not."""
    machine = supervise({"name": "web", "before_start": ["/bin/prepare"]})
    machine.table.register("/bin/sh")
    starter, stopper = machine.connect(), machine.connect()
    starter.ask("start", name="web")
    machine.settle()
    stopper.ask("stop", name="web")
    machine.until(60.0)
    machine.settle()
    assert badly("failed", "it has stopped before it was ready") == starter.lines()[-1]
    assert well("done") == stopper.lines()[-1]


def test_wishes_of_one_moment_come_in_their_order(supervise: Supervise) -> None:
    """A stop right after a start is no stop of what does not run."""
    machine = supervise({"name": "web"})
    starter, stopper = machine.connect(), machine.connect()
    machine.settle()
    starter.ask("start", name="web")
    stopper.ask("stop", name="web")
    machine.until(10.0)
    machine.settle()
    assert {"web": "stop/waiting"} == machine.states()
    assert stopper.lines()[-1]["ok"] and starter.lines()


def test_every_client_that_waits_is_answered(supervise: Supervise) -> None:
    """Also two wishes of one client; one that has gone prevents nothing."""
    machine = supervise({"name": "web", "before_start": ["/bin/prepare"]})
    machine.table.register("/bin/sh", runs=exits(after=3.0))
    one, two, gone = machine.connect(), machine.connect(), machine.connect()
    for caller in (one, one, two, gone):
        caller.ask("start", name="web")
    machine.settle()
    gone.socket.close()
    machine.until(4.0)
    machine.settle()
    answers = [[each for each in caller.lines() if "ok" in each] for caller in (one, two)]
    assert [[well("done")] * 2, [well("done")]] == answers
    assert {} == machine.control._waits


def test_client_that_goes_away_cancels_nothing(supervise: Supervise) -> None:
    """Its start goes on."""
    machine = supervise({"name": "web", "before_start": ["/bin/prepare"]})
    machine.table.register("/bin/sh", runs=exits(after=3.0))
    caller = machine.connect()
    caller.ask("start", name="web")
    machine.settle()
    caller.socket.close()
    machine.settle()
    assert ({}, {}) == (machine.control._waits, machine.control.connections.clients)
    machine.until(4.0)
    assert {"web": "start/running"} == machine.states()


def test_nowait_answers_at_once(supervise: Supervise) -> None:
    """The wish is taken."""
    machine = supervise({"name": "web", "before_start": ["/bin/prepare"]})
    machine.table.register("/bin/sh")
    lines = machine.ask("start", "web", nowait=True)
    assert [begun("start"), well("accepted")] == lines
    assert {"web": "start/pre-start"} == machine.states()
    assert {} == machine.control._waits


def test_task_is_started_when_it_has_ended(supervise: Supervise) -> None:
    """The declaration says that a start waits for its end."""
    machine = supervise({"name": "web", "task": True})
    machine.program("web", runs=exits(after=3.0))
    caller = machine.connect()
    caller.ask("start", name="web")
    machine.until(2.0)
    machine.settle()
    assert [begun("start")] == caller.lines()
    machine.until(9.0)
    machine.settle()
    assert [well("done")] == caller.lines()


def test_all_is_every_service(supervise: Supervise) -> None:
    """Each is told of when it is through, and the last line says whether all went well."""
    machine = supervise({"name": "web"}, {"name": "db"}, {"name": "bad", "before_start": ["/no"]})
    machine.table.register("/bin/sh", runs=exits(1))
    caller = machine.connect()
    caller.ask("start", all=True)
    machine.until(1.0)
    machine.settle()
    first, *each, last = caller.lines()
    assert {"id": 1, "begun": "start"} == first
    found = {line["name"]: line["outcome"] for line in each}
    assert {"web": "done", "db": "done", "bad": "failed"} == found
    assert (False, "1 of 3 services failed") == (last["ok"], last["message"])
    caller.ask("stop", all=True)
    machine.until(2.0)
    machine.settle()
    _, *each, last = caller.lines()
    assert {"web", "db", "bad"} == {line["name"] for line in each}
    assert {"id": 1, "ok": True} == last


def test_all_of_nothing_is_well(supervise: Supervise) -> None:
    """A supervisor may have no service."""
    assert {"id": 1, "ok": True} == supervise().ask("stop", all=True)[-1]


def test_reload_needs_a_signal_and_a_process(supervise: Supervise) -> None:
    """force-reload without that signal is a restart."""
    machine = supervise({"name": "web", "reload_signal": "HUP"}, {"name": "db"})
    machine.table.register("/bin/web", reactions={signal.SIGHUP: reloads()})
    nothing = badly("nothing", "it is not running")
    assert [begun("reload"), nothing] == machine.ask("reload", "web")
    machine.ask("start", "web")
    assert [begun("reload"), well("done")] == machine.ask("reload", "web")
    assert [begun("reload"), well("done")] == machine.ask("force-reload", "web")
    assert [signal.SIGHUP] * 2 == [sent.signum for sent in machine.table.signals]
    (refused,) = machine.ask("reload", "db")
    assert ("unsupported", False) == (refused["error"], refused["ok"])
    assert [begun("restart", "db"), well("done", "db")] == machine.ask("force-reload", "db")


def test_signal_reaches_the_main_process(supervise: Supervise) -> None:
    """By number or name; of a service that does not run, the client is told."""
    machine = supervise({"name": "web"})
    reactions = {signal.SIGUSR1: reloads(), signal.SIGUSR2: reloads()}
    machine.table.register("/bin/web", reactions=reactions)
    assert badly("nothing", "it is not running") == machine.ask("signal", "web", signal="USR1")[-1]
    machine.ask("start", "web")
    for given in ("USR1", int(signal.SIGUSR2)):
        assert well("done") == machine.ask("signal", "web", signal=given)[-1]
    assert [signal.SIGUSR1, signal.SIGUSR2] == [sent.signum for sent in machine.table.signals]
    for given in ("FOO", -1, 1000):
        assert "unsupported" == machine.ask("signal", "web", signal=given)[0]["error"]
