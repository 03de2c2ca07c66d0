"""What a plan foresees of the real machine: then the verb comes to the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit import namespace
from kit.children import child
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd.service import Service, perform, plan
from ssd.service.verbs.predicting import Forecast
from ssd.service.verbs.recording import Recorded

# fields of a service that cannot start -> the outcome, and words of the error
FAULTS = [
    ({"user": "no-such-user"}, "failed", "user 'no-such-user' not found"),
    ({"group": "no-such-group"}, "failed", "group 'no-such-group' not found"),
    ({"working_directory": "/nonexistent"}, "failed", "unable to chdir() to /nonexistent"),
    ({"environment_files": ["/nonexistent"]}, "failed", "/nonexistent"),
    ({"pidfile": "/nonexistent/nap.pid"}, "failed", "/nonexistent/nap.pid"),
    ({"executable": "/nonexistent/nap"}, "absent", "/nonexistent/nap is not installed"),
    ({"executable": "/etc/passwd"}, "absent", "/etc/passwd is not installed"),
]  # fmt: skip


def nap(directory: Path, **fields: object) -> Service:
    """Return a service that would run."""
    given = {"executable": "/bin/sleep", "arguments": ["1000"], "pidfile": f"{directory}/nap.pid"}
    return Service(name="nap", **{**given, **fields})


@pytest.mark.parametrize(("fields", "outcome", "words"), FAULTS, ids=str)
def test_plan_foresees_what_a_start_lacks(tmp_path, fields, outcome, words) -> None:
    """With the same outcome, status and error as the start itself."""
    service = nap(tmp_path, **fields)
    planned = plan(service, "start")
    done = perform(service, "start")
    assert (outcome, True) == (planned.outcome, words in str(planned.error)), planned.error
    assert (done.outcome, done.status, done.changed) == (outcome, planned.status, False)
    assert words in str(done.error)


def test_plan_counts_on_directories_that_the_start_makes(tmp_path: Path) -> None:
    """For the pidfile, and to work in."""
    made = f"{tmp_path}/a/b"
    service = nap(
        tmp_path, pidfile=f"{made}/nap.pid", working_directory=made, directories=[{"path": made}]
    )
    assert ("done", 0) == (plan(service, "start").outcome, plan(service, "start").status)
    assert not (tmp_path / "a").exists()
    assert "done" == perform(service, "start").outcome
    assert "done" == perform(service, "stop").outcome


def test_plan_of_a_restart_foresees_that_its_start_fails(tmp_path: Path) -> None:
    """The stop would be done; then nothing would run."""
    service = nap(tmp_path)
    perform(service, "start")
    service.working_directory = "/nonexistent"
    planned, done = plan(service, "restart"), perform(service, "restart")
    for each in (planned, done):
        assert ("failed", 1, True, ["stop", "start"]) == (
            each.outcome, each.status, each.changed, each.actions,
        )  # fmt: skip
        assert "stopped" == each.after.state


def test_stop_keeps_the_pidfile_of_another_process(tmp_path: Path) -> None:
    """A plan says so: the state is dead before and after."""
    with child() as process:
        service = nap(tmp_path, match_executable=True, executable="/bin/cat")
        (tmp_path / "nap.pid").write_text(f"{process.pid}\n")
        planned, done = plan(service, "stop"), perform(service, "stop")
    assert ("nothing", "dead") == (planned.outcome, planned.after.state)
    assert ("nothing", "dead") == (done.outcome, done.after.state)


AS_NOBODY = """
import json, sys
from ssd.service import Service, perform, plan
service = Service(**json.loads(sys.argv[1]))
told = [function(service, verb) for verb in sys.argv[2:] for function in (plan, perform)]
print(json.dumps([[each.outcome, each.status, each.changed] for each in told]))
"""


def as_another(service: Service, *verbs: str) -> list[list[object]]:
    """Plan and do verbs as a user without rights; return what came of each."""
    argv = [sys.executable, "-c", AS_NOBODY, json.dumps(service.to_dict()), *verbs]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **as_nobody())
    assert "" == done.stderr
    return json.loads(done.stdout)


def test_plan_of_another_user_foresees_denials(tmp_path: Path) -> None:
    """To signal root's process, to become root, to write the pidfile, to read the variables."""
    skip_without_nobody()
    denied = ["denied", 4, False]
    with shared(tmp_path, 0o755), child() as process:
        (tmp_path / "nap.pid").write_text(f"{process.pid}\n")
        told = as_another(nap(tmp_path, match_executable=False), "stop", "restart")
        assert [denied] * 4 == told
        os.unlink(tmp_path / "nap.pid")
        assert [denied] * 2 == as_another(nap(tmp_path), "start")
    own = tmp_path / "own"
    own.mkdir()
    with shared(tmp_path, 0o755), shared(own, 0o755, NOBODY):
        assert [denied] * 2 == as_another(nap(own, user="root"), "start")
        done = ["done", 0, True]
        assert [done] * 4 == as_another(nap(own), "start", "stop")
        secret = tmp_path / "secret"
        secret.write_text("WORD=1\n")
        secret.chmod(0o600)
        failed = ["failed", 1, False]
        hidden = nap(own, environment_files=[str(secret)])
        assert [failed] * 2 == as_another(hidden, "start")


READ_ONLY = """
import subprocess
from ssd.service import Service, perform, plan
subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/tmp"], check=True)
nap = Service(name="nap", executable="/bin/sleep", arguments=["9"], pidfile="/tmp/nap.pid")
for told in plan(nap, "start"), perform(nap, "start"):
    print(told.outcome, told.status, told.error)
"""


@pytest.mark.requires_namespaces
def test_plan_foresees_a_file_system_that_is_read_only() -> None:
    """It is no denial: root cannot write there either."""
    argv = namespace.command([sys.executable, "-c", READ_ONLY])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    reason = "unable to write or remove pidfile '/tmp/nap.pid' (Read-only file system)"
    assert [f"failed 1 {reason}"] * 2 == done.stdout.splitlines(), done.stderr


WATCHED = """
import json, os, sys
from ssd.service import Service, plan
from ssd.service.verbs.outcomes import VERBS
acts = []
def hook(event, arguments):
    if event in ("os.fork", "os.posix_spawn", "subprocess.Popen", "os.mkdir", "os.kill", "os.exec",
                 "os.remove", "os.rename", "os.chmod", "os.chown", "os.truncate", "fcntl.flock"):
        acts.append((event, repr(arguments)))
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        acts.append((event, repr(arguments)))
service = Service(**json.loads(sys.argv[1]))
sys.addaudithook(hook)
told = [plan(service, verb).outcome for verb in VERBS]
print(json.dumps([told, acts]))
"""


@pytest.mark.parametrize("runs", [True, False])
def test_plan_makes_no_call_that_changes_something(tmp_path: Path, runs: bool) -> None:
    """Python's audit hook (PEP 578) sees no process, no signal, no lock, and no file written."""
    touch = f"touch {tmp_path}/touched"
    (tmp_path / "variables").write_text(touch)
    service = nap(
        tmp_path, before_start=touch, after_start=touch, before_stop=touch, after_stop=touch,
        directories=[{"path": f"{tmp_path}/made"}], environment_files=[f"{tmp_path}/variables"],
        reload_signal="HUP",
    )  # fmt: skip
    with child() as process:
        if runs:
            (tmp_path / "nap.pid").write_text(f"{process.pid}\n")
        argv = [sys.executable, "-c", WATCHED, json.dumps(service.to_dict())]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        told, acts = json.loads(done.stdout)
        assert [] == acts
        assert process.poll() is None
    reloads, restarts = ["done"] * 2, ["nothing", "done", "nothing", "done", "done"]
    stopped = ["done", "nothing", "nothing", "done", "nothing", "nothing", "nothing"]
    assert told == ([*restarts, *reloads] if runs else stopped)


def test_forecast_of_steps_that_follow_each_other(tmp_path: Path) -> None:
    """A start after a stop does not meet the process that would be stopped."""
    service = nap(tmp_path)
    perform(service, "start")
    try:
        steps = Recorded(service)
        assert "running" == Forecast(steps)("start")
        both = Forecast(steps)
        assert ["done", "done"] == [both("stop"), both("start")]
        assert ("running", []) == (both.state, both.left)
    finally:
        perform(service, "stop")
