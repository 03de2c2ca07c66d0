"""What ``perform`` and ``plan`` return, on fake processes: every verb in every state."""

import errno
import json
import signal
import threading
from pathlib import Path

import pytest
from kit.schema import answer

from ssd import answers
from ssd.service import DeclarationError, Outcome, Service, perform, plan
from ssd.service.verbs.outcomes import VERBS
from ssd.testing import FakeProcesses, dies, ignores, reloads

PROGRAM = "/opt/no-such-nap"
# state of the service -> what plan and perform say of each verb: outcome, status, changed, actions.
RESTARTED = ("done", 0, True, ["stop", "start"])
STARTED = ("done", 0, True, ["start"])
STOPPED = ("done", 0, True, ["stop"])
RELOADED = ("done", 0, True, ["reload"])
ABSENT = ("absent", 0, False, [])
WANTED = {
    "running": {
        "start": ("nothing", 0, False, []), "stop": STOPPED, "status": ("nothing", 0, False, []),
        "restart": RESTARTED, "try-restart": RESTARTED, "reload": RELOADED,
        "force-reload": RELOADED,
    },
    "stopped": {
        "start": STARTED, "stop": ("nothing", 0, False, []), "status": ("nothing", 3, False, []),
        "restart": STARTED, "try-restart": ("nothing", 0, False, []),
        "reload": ("nothing", 7, False, []), "force-reload": ("nothing", 7, False, []),
    },
    "dead": {
        "start": STARTED, "stop": ("nothing", 0, False, ["stop"]),
        "status": ("nothing", 1, False, []), "restart": RESTARTED,
        "try-restart": ("nothing", 0, False, []), "reload": ("nothing", 7, False, []),
        "force-reload": ("nothing", 7, False, []),
    },
    "garbage": {  # no pid in the pidfile
        "start": STARTED, "stop": ("nothing", 0, False, ["stop"]),
        "status": ("nothing", 4, False, []), "restart": RESTARTED,
        "try-restart": ("unclear", 1, False, []), "reload": ("unclear", 1, False, []),
        "force-reload": ("unclear", 1, False, []),
    },
    "unsafe": {  # another user could have written the pidfile
        "start": ("failed", 1, False, ["start"]), "stop": ("failed", 1, False, ["stop"]),
        "status": ("nothing", 4, False, []), "restart": ("failed", 1, False, ["stop"]),
        "try-restart": ("unclear", 1, False, []), "reload": ("unclear", 1, False, []),
        "force-reload": ("unclear", 1, False, []),
    },
    "absent": {
        "start": ABSENT, "stop": STOPPED, "status": ("nothing", 0, False, []), "restart": ABSENT,
        "try-restart": ABSENT, "reload": RELOADED, "force-reload": RELOADED,
    },
    "lacking": {
        "start": ("lacking", 5, False, []), "stop": STOPPED, "status": ("nothing", 0, False, []),
        "restart": ("lacking", 5, False, []), "try-restart": ("lacking", 5, False, []),
        "reload": RELOADED, "force-reload": RELOADED,
    },
    "denied": {
        "start": ("nothing", 0, False, []), "stop": ("denied", 4, False, ["stop"]),
        "status": ("nothing", 0, False, []), "restart": ("denied", 4, False, ["stop"]),
        "try-restart": ("denied", 4, False, ["stop"]), "reload": ("denied", 4, False, ["reload"]),
        "force-reload": ("denied", 4, False, ["reload"]),
    },
}  # fmt: skip
CASES = [(state, verb) for state, verbs in WANTED.items() for verb in verbs]


class Scene:
    """A service on fake processes, in a state of ``WANTED``."""

    def __init__(self, directory: Path, state: str, **fields: object) -> None:
        self.pidfile = directory / "nap.pid"
        given = {"stop_schedule": "TERM/5/KILL/5", "reload_signal": "HUP", **fields}
        self.service = Service(
            name="nap", description="A nap", executable=PROGRAM, pidfile=str(self.pidfile), **given
        )
        self.table = FakeProcesses(caller_uid=1000 if state == "denied" else 0)
        if state != "absent":
            self.table.register(PROGRAM, reactions={signal.SIGHUP: reloads()})
        if state not in ("stopped", "dead", "garbage"):
            self.table.add("nap", pid=200, reactions={signal.SIGHUP: reloads()})
        texts = {"stopped": None, "garbage": "nobody\n"}
        if (text := texts.get(state, "200\n")) is not None:
            self.pidfile.write_text(text)
        if state == "unsafe":
            self.pidfile.chmod(0o666)

    def seen(self) -> object:
        """Return all that a verb could change."""
        text = self.pidfile.read_bytes() if self.pidfile.exists() else None
        return text, list(self.table.signals), list(self.table.started)

    def plan(self, verb: str) -> Outcome:
        """Plan a verb; nothing has changed after it."""
        before = self.seen()
        planned = plan(self.service, verb, table=self.table)
        assert before == self.seen()
        return planned

    def perform(self, verb: str) -> Outcome:
        """Do a verb."""
        return perform(self.service, verb, table=self.table)


def summary(outcome: Outcome) -> tuple[str, int, bool, list[str]]:
    """Return what a caller decides by."""
    return outcome.outcome, outcome.status, outcome.changed, outcome.actions


@pytest.fixture
def scene(tmp_path: Path, monkeypatch):
    """Return a function that sets a scene."""

    def scene(state: str, **fields: object) -> Scene:
        if state == "lacking":
            lacks = lambda steps: steps.complain("install ssd[compute]") or True  # noqa: E731
            monkeypatch.setattr("ssd.service.verbs.steps.Steps._lacks", lacks)
        return Scene(tmp_path, state, **fields)

    return scene


@pytest.mark.parametrize(("state", "verb"), CASES)
def test_plan_predicts_what_perform_then_does(scene, state: str, verb: str) -> None:
    """Its outcome, its status, whether something changes, its actions; and how it is then."""
    there = scene(state)
    planned = there.plan(verb)
    done = there.perform(verb)
    assert WANTED[state][verb] == summary(done) == summary(planned)
    assert (True, False) == (planned.planned, done.planned)
    assert planned.before.state == done.before.state
    assert planned.after.state == done.after.state
    assert planned.failed == done.failed == (planned.error is not None and done.status != 7)
    assert [] == planned.steps


@pytest.mark.parametrize(("state", "verb"), CASES)
def test_outcome_of_each_verb_is_an_answer(scene, state: str, verb: str) -> None:
    """Its JSON keeps to the schema, and all its processes were seen before or after."""
    there = scene(state)
    for outcome in (there.plan(verb), there.perform(verb)):
        told = answer(answers.text(outcome.to_dict()))
        assert verb == told["command"]
        listed = {each["pid"] for look in ("before", "after") for each in told[look]["processes"]}
        assert listed == {each["pid"] for each in told["processes"]}


def test_outcome_of_a_restart_has_both_processes(scene) -> None:
    """The old one has ended, the new one is not in a plan; each signal is a step."""
    there = scene("running")
    planned, done = there.plan("restart"), there.perform("restart")
    assert ("running", []) == (planned.after.state, planned.after.processes)
    (old,), (new,) = done.before.processes, done.after.processes
    assert (200, True, "pid", "nap") == tuple(
        old[k] for k in ("pid", "ended", "matched_by", "name")
    )
    assert (True, False) == (new["pid"] != 200, new["ended"])
    events = [(step["event"], step.get("pid"), step.get("signal")) for step in done.steps]
    assert [("signal", 200, "TERM"), ("ended", 200, None)] == events[:2]
    assert ("started", new["pid"], None) == events[-1]
    assert ["Restarting A nap: nap."] == done.messages


def test_survivor_of_the_schedule_is_what_no_plan_foresees(scene) -> None:
    """A plan says that it would be stopped."""
    there = scene("stopped", stop_schedule="TERM/1")
    there.table.add("nap", pid=200, reactions={signal.SIGTERM: ignores()})
    there.pidfile.write_text("200\n")
    assert STOPPED == summary(there.plan("stop"))
    done = there.perform("restart")
    assert ("survived", 1, False, ["stop"]) == summary(done)
    assert ("nap refuses to die", "running") == (done.error, done.after.state)
    assert ["Restarting A nap: nap refuses to die failed!"] == done.messages


def test_kill_is_among_the_steps_if_it_was_needed(scene) -> None:
    """So a report can say so."""
    there = scene("stopped")
    there.table.add("nap", pid=200, reactions={signal.SIGTERM: ignores()})
    there.pidfile.write_text("200\n")
    done = there.perform("stop")
    signals = [step["signal"] for step in done.steps if step["event"] == "signal"]
    assert ["TERM", "KILL"] == signals
    assert STOPPED == summary(done)


def test_start_that_fails_says_why(scene) -> None:
    """Of the program's own failure a plan knows nothing."""
    there = scene("stopped")
    there.table.register("/opt/broken", fails=errno.ENOEXEC)
    there.service.executable = "/opt/broken"
    assert STARTED == summary(there.plan("start"))
    done = there.perform("start")
    assert ("failed", 1, False, ["start"]) == summary(done)
    assert done.error in done.complaints
    assert "unable to start /opt/broken" in str(done.error)


def test_start_whose_program_is_not_ready_has_changed_something(scene) -> None:
    """It was started: its process and its end are among the steps."""
    there = scene("stopped", readiness={"kind": "stays", "timeout": 5})
    there.table.register("/opt/short", runs=dies(1, 3))
    there.service.executable = "/opt/short"
    done = there.perform("start")
    assert ("failed", 1, True, ["start"]) == summary(done)
    ends = [step for step in done.steps if step["event"] == "ended"]
    assert [3] == [step["exit_status"] for step in ends]


def test_restart_that_another_caller_overtakes_is_raced(scene, monkeypatch) -> None:
    """The process is not the one that it would have started."""
    from ssd.service.verbs import starting

    there = scene("running")
    own = starting.start_program

    def late(steps) -> object:
        process = there.table.add("nap", pid=300)
        there.pidfile.write_text(f"{process.pid}\n")
        return own(steps)

    monkeypatch.setattr(starting, "start_program", late)
    done = there.perform("restart")
    assert ("raced", 1, True, ["stop", "start"]) == summary(done)
    assert "nap was started meanwhile by another caller" == done.error


def test_reload_that_is_not_declared_is_unsupported(scene) -> None:
    """LSB's status 3; a forced reload restarts."""
    there = scene("running", reload_signal="none")
    for outcome in (there.plan("reload"), there.perform("reload")):
        assert ("unsupported", 3, False, []) == summary(outcome)
        assert "no reload_signal" in str(outcome.error)
        assert "running" == outcome.after.state
    assert (
        RESTARTED == summary(there.plan("force-reload")) == summary(there.perform("force-reload"))
    )


@pytest.mark.parametrize("function", [perform, plan])
def test_verb_that_is_none_of_lsb_is_a_value_error(scene, function) -> None:
    """Also those of an init's own, which would replace the caller."""
    for verb in ("frobnicate", "systemd-start", "show-args", ""):
        with pytest.raises(ValueError, match="has no verb"):
            function(scene("running").service, verb)


@pytest.mark.parametrize("function", [perform, plan])
def test_declaration_that_identifies_nothing_is_raised(function) -> None:
    """Nothing can be said of such a service."""
    with pytest.raises(DeclarationError, match="executable"):
        function(Service(name="nap", pidfile="none", script="sleep 9"), "stop")
    with pytest.raises(TypeError, match="table"):
        function(Service(name="nap"), "status", table="no table")


def test_perform_prints_nothing(scene, capfd) -> None:
    """All that a command would print is in the messages."""
    there = scene("stopped", before_start="echo to be; echo or not >&2", after_stop="exit 3")
    started, stopped = there.perform("start"), there.perform("stop")
    assert ("", "") == capfd.readouterr()
    assert ["to be", "or not", "Starting A nap: nap."] == started.messages
    assert ["Stopping A nap: nap.", "after_stop ended with status 3"] == stopped.messages
    assert (0, None) == (stopped.status, stopped.error)


def test_plan_does_nothing_on_the_machine(scene, tmp_path, capfd) -> None:
    """No hook, no directory, no file of variables, no lock."""
    (tmp_path / "variables").write_text(f"touch {tmp_path}/touched\n")
    touch = f"touch {tmp_path}/touched"
    there = scene(
        "running", before_start=touch, after_start=touch, before_stop=touch, after_stop=touch,
        directories=[{"path": f"{tmp_path}/made"}], environment_files=[f"{tmp_path}/variables"],
    )  # fmt: skip
    for verb in VERBS:
        there.plan(verb)
    assert {"nap.pid", "variables"} == {each.name for each in tmp_path.iterdir()}
    assert ("", "") == capfd.readouterr()


def test_messages_of_a_plan_are_one_sentence(scene) -> None:
    """What ``--plan`` prints."""
    running, dead = scene("running"), None
    said = {verb: running.plan(verb).messages for verb in VERBS}
    assert ["nap would be stopped (process 200) and started again"] == said["restart"]
    assert ["nap would be stopped (process 200)"] == said["stop"]
    assert ["nap would be told to reload (process 200)"] == said["reload"]
    assert ["nap is already running (process 200): nothing would be done"] == said["start"]
    assert ["nap is running (process 200)"] == said["status"]
    dead = scene("dead")
    assert ["nap would be started"] == dead.plan("start").messages == dead.plan("restart").messages
    assert ["nap is not running; its pidfile would be removed"] == dead.plan("stop").messages
    assert [f"nap: {PROGRAM} is not installed"] == scene("absent").plan("start").messages
    (line,) = scene("unsafe").plan("start").messages
    assert line.startswith("nap: start would fail: matching on pidfile ")


def test_threads_perform_verbs_side_by_side(tmp_path: Path) -> None:
    """Each has its own service; none sees another's."""
    scenes = []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        scenes.append(Scene(tmp_path / str(number), "stopped"))
    told: dict[int, list[Outcome]] = {}

    def work(number: int) -> None:
        told[number] = [scenes[number].perform(verb) for verb in ("start", "restart", "stop")]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = [STARTED, RESTARTED, STOPPED]
    assert [wanted] * 4 == [[*map(summary, told[number])] for number in range(4)]


def test_outcome_of_perform_is_json() -> None:
    """Also for a service that was never declared in a file."""
    told = perform(Service(name="nap", pidfile="/run/no-such-nap.pid"), "status").to_dict()
    assert told == json.loads(json.dumps(told))
    assert ("stopped", None) == (told["state"], told["declared_in"])
