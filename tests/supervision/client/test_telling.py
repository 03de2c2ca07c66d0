"""``--json`` and ``--plan`` where a supervisor runs: one schema, whoever does the work."""

import json
from pathlib import Path
from typing import Any

import pytest
from kit.schema import answer
from kit.supervise import NAP, declare, supervise

from supervision.asked import Asked

pytestmark = pytest.mark.requires_namespaces

HARD = """
executable = "/bin/sh"
arguments = ["-c", "trap : TERM; touch /tmp/trapped; while :; do sleep 0.1; done"]
stop_schedule = "TERM/1/KILL/5"
kill_mode = "main"
readiness = {kind = "command", command = ["test", "-e", "/tmp/trapped"]}
"""


def told(asked: Asked, *words: str, status: int = 0) -> dict[str, Any]:
    """Return the object that ssd-service prints."""
    return answer(asked.expect(status, *words, "--json"))


def pids(look: dict[str, Any]) -> list[int]:
    """Return the pids of a look."""
    return [each["pid"] for each in look["processes"]]


def test_verbs_of_one_service_say_what_has_changed(asked: Asked) -> None:
    """Before and after by pid, and the steps; a plan foretells it and does nothing."""
    first = asked.running.pid_of("nap")
    plan = told(asked, "nap", "restart", "--plan")
    assert (True, True, ["stop", "start"]) == tuple(
        plan[key] for key in ("planned", "changed", "actions")
    )
    assert ([first], [], "running") == (
        pids(plan["before"]), pids(plan["after"]), plan["after"]["state"],
    )  # fmt: skip
    assert first == asked.running.pid_of("nap")
    done = told(asked, "nap", "restart")
    second = asked.running.pid_of("nap")
    assert ("done", True, ["stop", "start"]) == tuple(
        done[key] for key in ("outcome", "changed", "actions")
    )
    assert ([first], [second]) == (pids(done["before"]), pids(done["after"]))
    assert ["signal", "ended", "starting", "spawned", "started"] == [
        step["event"] for step in done["steps"]
    ]
    assert ["Restarting A nap: nap."] == done["messages"]
    assert ("running", "supervisor") == (done["state"], done["after"]["processes"][0]["matched_by"])
    again = told(asked, "nap", "start")
    assert ("nothing", False, []) == tuple(again[key] for key in ("outcome", "changed", "actions"))
    assert again["before"] == again["after"]
    reload = told(asked, "nap", "reload")
    assert (["reload"], True, [second]) == (
        reload["actions"], reload["changed"], pids(reload["after"]),
    )  # fmt: skip
    stop = told(asked, "nap", "stop")
    assert ("stopped", [], True) == (stop["state"], pids(stop["after"]), stop["changed"])
    assert "nothing" == told(asked, "nap", "stop")["outcome"]
    assert 7 == told(asked, "nap", "reload", status=7)["status"]


def test_stop_says_whether_kill_was_needed(command: Path, tmp_path: Path) -> None:
    """By its steps."""
    script = command.with_name("ssd-supervise")
    with supervise(script, tmp_path / "d", {"hard": HARD}) as running:
        running.until("hard is ready")
        asked = Asked(running, command, tmp_path / "d")
        done = told(asked, "hard", "restart")
        signals = [step["signal"] for step in done["steps"] if step["event"] == "signal"]
        assert (["TERM", "KILL"], "done") == (signals, done["outcome"])
        assert [-9] == [step["exit_status"] for step in done["steps"] if step["event"] == "ended"]


def test_failure_is_an_object_with_its_reason(asked: Asked) -> None:
    """And its usual exit status; the reason is on standard error, too."""
    done = asked("bad", "start", "--json")
    bad = answer(done.stdout)
    assert (1, "failed", False) == (done.returncode, bad["outcome"], bad["changed"])
    assert "bad: before_start exited with status 3" == bad["error"]
    assert f"ssd-service: {bad['error']}\n" == done.stderr
    assert ["    one", "    two"] == bad["messages"][-2:]
    gone = told(asked, "gone", "start")
    assert ("absent", 0, "/bin/nosuch is not installed") == tuple(
        gone[key] for key in ("outcome", "status", "error")
    )
    assert "absent" == told(asked, "gone", "start", "--plan")["outcome"]
    lacks = told(asked, "bad", "reload", status=3)
    assert ("unsupported", "bad declares no reload_signal") == (lacks["outcome"], lacks["error"])
    assert "unknown-service" == told(asked, "nosuch", "start", status=1)["error_kind"]


def test_plan_in_words_is_a_sentence_for_each(asked: Asked) -> None:
    """Whoever has the service."""
    declare(asked.directory, {"late": NAP})
    first = asked.running.pid_of("nap")
    said = f"nap would be stopped (process {first}) and started again\n"
    assert said == asked.expect(0, "nap", "restart", "--plan")
    lines = asked.expect(0, "all", "stop", "--plan").splitlines()
    assert ["bad", "gone", "late", "loop", "named", "nap"] == [line.split()[0] for line in lines]
    assert "late is not running: nothing would be done" == lines[2]
    assert first == asked.running.pid_of("nap")


def test_all_is_one_list_with_the_rest(asked: Asked) -> None:
    """Sorted by name; what no supervisor has gets the environment of a service."""
    declare(asked.directory, {"late": NAP})
    caller = asked.running.run("env", "FOO=caller", *asked.argv, "all", "start", "--json")
    every = {each["name"]: each for each in json.loads(caller.stdout)}
    assert ["bad", "gone", "late", "loop", "named", "nap"] == [*every]
    assert (caller.returncode, "failed") == (1, every["bad"]["outcome"])
    assert ("done", True, None) == tuple(
        every["late"][key] for key in ("outcome", "changed", "supervision")
    )
    assert ("nothing", False) == (every["nap"]["outcome"], every["nap"]["changed"])
    late = asked.running.pid_of("late")
    assert b"FOO" not in asked.running.path(f"/proc/{late}/environ").read_bytes()
    stopped = json.loads(asked.expect(0, "all", "stop", "--json"))
    assert all(not pids(each["after"]) for each in stopped)
    assert {"late", "loop", "named", "nap"} == {each["name"] for each in stopped if each["changed"]}
    assert [] == asked.pids()


def test_instances_are_one_list(command: Path, tmp_path: Path) -> None:
    """Also those that the supervisor does not have yet."""
    script, directory = command.with_name("ssd-supervise"), tmp_path / "d"
    services = {"web@": f'instances = ["a", "b"]\n{NAP}'}
    with supervise(script, directory, services) as running:
        running.until("web@a runs", "web@b runs")
        asked = Asked(running, command, directory)
        (directory / "web@c.toml").symlink_to("web@.toml")
        for words, changed in (
            (("start",), ["web@c"]),
            (("stop", "--plan"), ["web@a", "web@b", "web@c"]),
        ):
            list_of = json.loads(asked.expect(0, "web@", *words, "--json"))
            assert ["web@a", "web@b", "web@c"] == [each["name"] for each in list_of]
            assert changed == [each["name"] for each in list_of if each["changed"]]
        assert [True, True, False] == [each["supervision"] is not None for each in list_of]
        done = json.loads(asked.expect(0, "web@", "stop", "--json"))
        assert ["stopped"] * 3 == [each["state"] for each in done]


def test_client_that_may_not_ask_gets_an_object(asked: Asked) -> None:
    """Nothing is done; a status looks for itself."""
    if not asked.is_root:
        pytest.skip("only root may become another user")
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    first = asked.running.pid_of("nap")
    done = asked.running.run(*other, *asked.argv, "nap", "stop", "--json")
    if done.returncode in (126, 127):
        pytest.skip("user 65534 may not execute ssd-service")
    denied = answer(done.stdout)
    assert (4, 4, "denied", "supervisor") == (
        done.returncode, denied["status"], denied["outcome"], denied["error_kind"],
    )  # fmt: skip
    assert "Permission denied" in done.stderr
    assert first == asked.running.pid_of("nap")
