"""``--json`` and ``--plan`` of ssd-service, with real processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kit.children import ended
from kit.schema import answer, faults

from ssd.processes import default_table
from ssd.service import perform, plan
from ssd.service.cli import main
from ssd.service.sources import find
from ssd.testing import FakeProcesses

INIT = "#!/bin/sh\n### BEGIN INIT INFO\n### END INIT INFO\ncase $1 in start) touch {}/ran;; esac\n"


def told(services, status: int, *words: str) -> dict:
    """Run the command with --json, check its status and its answer."""
    return answer(services.expect(status, *words, "--json"))


def test_life_of_a_service_in_json(services) -> None:
    """Start, again, status, restart, kill -9, start, stop, again: what changed, and who ran."""
    services.declare()
    first = told(services, 0, "nap", "start")
    assert ("start", "done", True, ["start"]) == tuple(
        first[key] for key in ("command", "outcome", "changed", "actions")
    )
    assert ("stopped", "running", "running") == (
        first["before"]["state"], first["after"]["state"], first["state"],
    )  # fmt: skip
    (process,) = first["after"]["processes"]
    assert services.pid == process["pid"]
    again = told(services, 0, "nap", "start")
    assert ("nothing", False, []) == (again["outcome"], again["changed"], again["actions"])
    assert process == again["after"]["processes"][0] | {"started_at": process["started_at"]}
    second = told(services, 0, "nap", "restart")
    assert process["pid"] == second["before"]["processes"][0]["pid"] != services.pid
    assert services.pid == second["after"]["processes"][0]["pid"]
    with default_table().open(default_table().process(services.pid)) as handle:
        handle.signal(signal.SIGKILL)
        default_table().wait([handle], None)
    third = told(services, 0, "nap", "start")
    assert ("dead", True) == (third["before"]["state"], third["changed"])
    last = told(services, 0, "nap", "stop")
    assert ("stopped", [], True) == (
        last["state"], last["after"]["processes"], last["processes"][0]["ended"],
    )  # fmt: skip
    assert [("signal", "TERM"), ("ended", None)] == [
        (step["event"], step.get("signal")) for step in last["steps"]
    ]
    assert "nothing" == told(services, 0, "nap", "stop")["outcome"]
    assert ("stopped", 3) == (told(services, 3, "nap", "status")["state"], last["status"] + 3)


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "try-restart", "status", "reload"])
def test_answer_of_the_command_is_the_outcome_of_the_library(services, verb: str) -> None:
    """Its plan is that of ``ssd.service.plan``, what it does is what ``perform`` does then."""
    services.declare('reload_signal = "CONT"\n')
    services.expect(0, "nap", "start")
    service = find("nap", str(services.directory))
    planned = plan(service, verb)
    shown = told(services, planned.status, "nap", verb, "--plan")
    assert plain(planned.to_dict()) == plain(shown)
    shown = told(services, planned.status, "nap", verb)
    services.expect(0, "nap", "start")
    done = perform(service, verb)
    assert (planned.outcome, planned.changed) == (shown["outcome"], shown["changed"])
    assert plain(done.to_dict()) == plain(shown)


def plain(told: dict) -> dict:
    """Return an answer without pids, times and psutil's facts, which differ from run to run."""
    keys = ("name", "cmdline", "matched_by", "ended")

    def facts(processes: list[dict]) -> list[dict]:
        return [{key: each[key] for key in keys} for each in processes]

    looks = {
        look: {"state": told[look]["state"], "processes": facts(told[look]["processes"])}
        for look in ("before", "after")
    }
    steps = [(step["event"], step.get("signal")) for step in told["steps"]]
    steps = [step for step in steps if step[0] in ("signal", "ended", "started")]
    left = {"messages": len(told["messages"]), "steps": steps}
    return {**told, "processes": facts(told["processes"]), **looks, **left}


@pytest.mark.parametrize("options", [("--json", "--plan"), ("--plan", "--json"), ("--plan",)])
def test_plan_takes_no_action(services, options: tuple[str, ...]) -> None:
    """Nothing starts, no hook runs, no directory and no lock is made."""
    touch = f"touch {services.directory}/touched"
    services.declare(
        f'before_start = "{touch}"\nbefore_stop = "{touch}"\nafter_stop = "{touch}"\n'
        f'directories = [{{path = "{services.directory}/made"}}]\n'
    )
    before = sorted(os.listdir(services.directory))
    for verb in ("start", "restart", "try-restart", "stop", "reload", "force-reload"):
        services("nap", verb, *options)
    assert before == sorted(os.listdir(services.directory))
    assert "nap would be started\n" == services.expect(0, "nap", "start", "--plan")
    assert "nap is not running: nothing would be done\n" == services.expect(
        0, "nap", "stop", "--plan"
    )


@pytest.mark.parametrize(
    ("words", "status", "kind", "error"),
    [
        (("nosuch", "start"), 1, "unknown-service", "nosuch: unrecognized service"),
        (("nosuch", "status"), 1, "unknown-service", "nosuch: unrecognized service"),
        (("broken", "start"), 6, "declaration", "broken.toml:1: x: unknown field"),
        (("broken", "status"), 4, "declaration", "broken.toml:1: x: unknown field"),
        (("nap", "frobnicate"), 3, "usage", "Usage: ssd-service nap {start|"),
        (("nap",), 3, "usage", "Usage: ssd-service nap {start|"),
        (("nap", "start", "now"), 2, "usage", "Usage: ssd-service nap {start|"),
        (("nap", "show-args"), 2, "usage", "Usage: ssd-service nap {start|"),
        (("nap", "--full-restart"), 2, "usage", "Usage: ssd-service nap {start|"),
        (("nap", "reload"), 3, None, "nap has no reload"),
        (("empty", "stop"), 6, "declaration", "executable"),
    ],
)
def test_error_is_an_object_too(services, words, status, kind, error) -> None:
    """Its sentence is also on standard error, and the exit status is the usual one."""
    services.declare()
    (services.directory / "broken.toml").write_text("x = 1\n")
    (services.directory / "empty.toml").write_text('pidfile = "none"\nscript = "sleep 9"\n')
    for option in ((), ("--plan",)):
        done = services(*words, "--json", *option)
        shown = answer(done.stdout)
        assert (status, status) == (done.returncode, shown["status"]), done.stderr
        assert (kind, True) == (shown["error_kind"], error in shown["error"])
        assert (words[0], bool(option)) == (shown["name"], shown["planned"])
        assert shown["error"] in done.stderr
        assert shown["before"] == shown["after"]
        done = services(*words, "--plan")
        assert (status, "", True) == (done.returncode, done.stdout, error in done.stderr)


def test_error_has_the_words_of_the_verb_alone(services) -> None:
    """On standard error, byte for byte."""
    services.declare('executable = "/nonexistent/nap"\n')
    (services.directory / "broken.toml").write_text("x = 1\n")
    for words in (("nosuch", "start"), ("nosuch", "status"), ("broken", "start"), ("nap", "start"),
                  ("nap", "restart"), ("nap", "frobnicate"), ("nap", "reload")):  # fmt: skip
        alone, shown = services(*words), services(*words, "--json")
        if words[1] != "reload":  # the usage does not say why
            assert (alone.returncode, alone.stderr) == (shown.returncode, shown.stderr)


def test_missing_directory_is_an_object(services) -> None:
    """As an error of the command line that names it."""
    services.directory = services.directory / "none"
    done = services("nap", "start", "--json")
    assert (1, "declaration") == (done.returncode, answer(done.stdout)["error_kind"])
    services.directory = services.directory.parent


@pytest.mark.parametrize(("verb", "status"), [("start", 3), ("status", 4)])
def test_init_script_is_not_run_with_json(services, verb: str, status: int) -> None:
    """It would take the option for a word of its own."""
    script = services.directory / "script"
    script.write_text(INIT.format(services.directory))
    script.chmod(0o755)
    for option in ("--json", "--plan"):
        done = services(str(script), verb, option)
        assert (status, True) == (done.returncode, f"has no {option}" in done.stderr)
        if option == "--json":
            assert "not-declared" == answer(done.stdout)["error_kind"]
    assert not (services.directory / "ran").exists()


def test_path_of_a_declaration_has_json_too(services) -> None:
    """As by its name."""
    services.declare()
    path = f"{services.directory}/nap.toml"
    assert "stopped" == told(services, 3, path, "status")["state"]
    assert "nap would be started\n" == services.expect(0, path, "start", "--plan")
    assert (services(path, "now").stderr,) * 2 == (
        services(path, "now", "--json").stderr, services(path, "now", "--plan").stderr,
    )  # fmt: skip


def test_path_without_a_working_directory_says_so(services, tmp_path) -> None:
    """As without the options."""
    place = tmp_path / "gone"
    for option in ((), ("--json",), ("--plan",)):
        place.mkdir()
        words = [services.command, "./nap.toml", "start", *option]
        script = 'rmdir "$PWD" && exec "$@"'
        argv = ["/bin/sh", "-c", script, "sh", *words]
        done = subprocess.run(argv, cwd=place, capture_output=True, text=True, timeout=60)
        gone = "ssd-service: ./nap.toml: the working directory is gone (No such file or directory)"
        assert (1, gone) == (done.returncode, done.stderr.splitlines()[-1])


def test_all_is_a_list_sorted_by_name(services) -> None:
    """Each service is an object, also one whose declaration is invalid; the highest status."""
    services.declare(name="b")
    services.declare(name="a")
    (services.directory / "c.toml").write_text("x = 1\n")
    for verb, outcome in (("start", "done"), ("start", "nothing"), ("restart", "done"),
                          ("stop", "done"), ("stop", "nothing")):  # fmt: skip
        planned = json.loads(services.expect(6, "all", verb, "--plan", "--json"))
        rows = json.loads(services.expect(6, "all", verb, "--json"))
        assert [] == [fault for row in (*planned, *rows) for fault in faults(row)]
        wanted = [("a", outcome), ("b", outcome), ("c", "failed")]
        assert wanted == [(row["name"], row["outcome"]) for row in rows]
        assert wanted == [(row["name"], row["outcome"]) for row in planned]
    assert "a would be started\nb would be started\n" == services.expect(
        6, "all", "start", "--plan"
    )
    (usage,) = json.loads(services.expect(3, "all", "frobnicate", "--json"))
    assert "usage" == usage["error_kind"]


def test_instances_are_a_list_too(services) -> None:
    """Those of a template; none without any."""
    (services.directory / "nap@.toml").write_text(
        'executable = "/bin/sleep"\narguments = ["1000"]\n'
        f'pidfile = "{services.directory}/%i.pid"\ninstances = ["x", "y"]\n'
    )
    rows = json.loads(services.expect(0, "nap@", "start", "--json"))
    assert [("nap@x", "done"), ("nap@y", "done")] == [(r["name"], r["outcome"]) for r in rows]
    rows = json.loads(services.expect(0, "nap@", "stop", "--json"))
    assert [True, True] == [row["changed"] for row in rows]
    said = services.expect(0, "nap@", "start", "--plan")
    assert "nap@x would be started\nnap@y would be started\n" == said
    (services.directory / "web@.toml").write_text('executable = "/bin/sleep"\n')
    assert [] == json.loads(services.expect(0, "web@", "start", "--json"))
    assert [] == json.loads(services.expect(3, "web@", "status", "--json"))


KEEPS_OUTPUT = """
import os, sys, time
if os.fork():
    os._exit(0)
os.setsid()
with open(sys.argv[1], "w") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(1000)
"""


@pytest.mark.parametrize("where", ["program", "hook"])
def test_daemon_that_keeps_its_output_does_not_hold_the_caller(services, where: str) -> None:
    """Whoever reads the answer gets its end: neither a program nor a hook has the pipe."""
    script, left = services.directory / "keeps.py", services.directory / "left.pid"
    script.write_text(KEEPS_OUTPUT)
    if where == "program":
        services.declare(
            f'executable = "{sys.executable}"\narguments = ["{script}", "{services.pidfile}"]\n'
            'background = false\nreadiness = {kind = "pidfile"}\n'
        )
    else:
        services.declare(f'before_start = "{sys.executable} {script} {left}"\n')
    try:
        shown = told(services, 0, "nap", "start")  # it reads both pipes to their ends
        assert ("done", "running") == (shown["outcome"], shown["state"])
    finally:
        if where == "hook":
            with ended(int(left.read_text())):
                pass


def test_excess_words_are_never_those_of_a_supervisor(services, monkeypatch, capfd) -> None:
    """It would do the verb without them."""
    from ssd.service import telling
    from ssd.service.cli import Call

    services.declare()
    monkeypatch.chdir("/")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    call = Call("ssd-service", None)
    call.directory = str(services.directory)

    def ask(*words: object) -> int:
        raise AssertionError(words)

    assert 2 == telling.tell(call, "nap", ["stop", "--json", "now"], ask, None)
    assert "usage" == answer(capfd.readouterr().out)["error_kind"]


def test_words_of_supervisors_keep_their_json(services) -> None:
    """``events --json`` is no verb of a service called events."""
    done = services("events", "--json")
    assert "error_kind" not in done.stdout


def test_fake_processes_answer_in_json(tmp_path: Path, monkeypatch, capfd) -> None:
    """With a table nothing else is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "nap.toml").write_text(f'executable = "/opt/nap"\npidfile = "{tmp_path}/pid"\n')
    table = FakeProcesses()
    table.register("/opt/nap")
    argv = ["ssd-service", f"--directory={tmp_path}", "nap", "start", "--json"]
    assert 0 == main(argv, table)
    assert [table.started[0].pid] == [
        each["pid"] for each in answer(capfd.readouterr().out)["after"]["processes"]
    ]


def test_verb_in_json_needs_no_psutil(services) -> None:
    """The one-file program has none."""
    services.declare()
    services.expect(0, "nap", "start")
    code = (
        "import sys; sys.modules['psutil'] = None\n"
        "from ssd.service.cli import main; sys.exit(main(sys.argv))"
    )
    argv = [sys.executable, "-c", code, f"--directory={services.directory}", "nap"]
    done = subprocess.run([*argv, "status", "--json"], capture_output=True, text=True, check=False)
    (process,) = answer(done.stdout)["processes"]
    assert (services.pid, "sleep", "pid") == tuple(
        process[key] for key in ("pid", "name", "matched_by")
    )
    assert "memory_info" not in process
