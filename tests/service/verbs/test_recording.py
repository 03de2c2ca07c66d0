"""Verbs that are recorded, with real processes, in a program of several threads."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from ssd import table_named
from ssd.service import Outcome, Service, perform
from ssd.service.verbs import until_ready

# Goes to the background by itself, and writes its pidfile before its first process ends.
FORKING = """
import os, sys, time
reading, writing = os.pipe()
if os.fork():
    os.read(reading, 1)
    os._exit(0)
os.setsid()
print("never seen", flush=True)
with open(sys.argv[1], "w") as file:
    file.write(f"{os.getpid()}\\n")
os.write(writing, b"x")
time.sleep(1000)
"""


def nap(directory: Path, name: str = "nap", **fields: object) -> Service:
    """Return a service that sleeps."""
    given = {"executable": "/bin/sleep", "arguments": ["1000"], **fields}
    return Service(name=name, pidfile=f"{directory}/{name}.pid", **given)


def test_perform_in_threads_changes_nothing_of_the_process(tmp_path: Path) -> None:
    """Real daemons, started by helpers, and stopped, side by side; no child is left."""
    told: dict[str, list[Outcome]] = {}

    def work(name: str) -> None:
        readiness = {"kind": "stays", "timeout": 0.1}
        service = nap(tmp_path, name, before_start="pwd", readiness=readiness)
        told[name] = [perform(service, verb) for verb in ("start", "restart", "stop")]

    state = os.getcwd(), dict(os.environ), [*map(signal.getsignal, signal.valid_signals())]
    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state == (
        os.getcwd(), dict(os.environ), [*map(signal.getsignal, signal.valid_signals())],
    )  # fmt: skip
    for name in "abc":
        assert [("done", 0)] * 3 == [(each.outcome, each.status) for each in told[name]]
        started, restarted, _ = told[name]
        assert os.getcwd() in started.messages
        assert started.after.processes[0]["pid"] == restarted.before.processes[0]["pid"]


@pytest.mark.parametrize("name", ["kernel", "psutil"])
def test_perform_works_on_either_table(tmp_path: Path, name: str) -> None:
    """The helper makes the same one; the process is the one that it started."""
    service, table = nap(tmp_path), table_named(name)
    started = perform(service, "start", table=table)
    stopped = perform(service, "stop", table=table)
    (there,), (then,) = started.after.processes, stopped.before.processes
    assert ("done", "done") == (started.outcome, stopped.outcome)
    assert there["start_time"] == then["start_time"]
    assert ["sleep"] == [each["name"] for each in started.processes]
    assert ["TERM"] == [step["signal"] for step in stopped.steps if step["event"] == "signal"]


def test_program_that_detaches_itself_prints_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may keep our output for ever; its process is that of its pidfile."""
    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    service = nap(
        tmp_path, executable=sys.executable, arguments=[str(script), f"{tmp_path}/nap.pid"],
        background=False,
    )  # fmt: skip
    started = perform(service, "start")
    assert ("", "") == capfd.readouterr()
    (process,) = started.after.processes
    assert int((tmp_path / "nap.pid").read_text()) == process["pid"]
    assert [process["pid"]] == [s["pid"] for s in started.steps if s["event"] == "started"]
    assert "done" == perform(service, "stop").outcome


def test_program_that_fails_to_detach_is_an_outcome(tmp_path: Path) -> None:
    """With the sentence that the command prints."""
    service = nap(tmp_path, executable="/bin/false", arguments=[], background=False)
    done = perform(service, "start")
    assert ("failed", 1, False) == (done.outcome, done.status, done.changed)
    assert str(until_ready.DetachFailed(1, silent=True)) == done.error


def test_facts_of_a_process_are_taken_once(tmp_path: Path) -> None:
    """Its start is the same moment before and after, though the clocks differ by a tick."""
    service = nap(tmp_path)
    perform(service, "start")
    again = perform(service, "start")
    perform(service, "stop")
    assert again.before.processes == again.after.processes == again.processes
    assert 1 == len(again.processes)


def test_unforeseen_error_after_the_look_is_an_outcome(tmp_path: Path, monkeypatch) -> None:
    """What was done by then is in it; the status is that of the command."""
    from ssd.service.verbs import stopping

    service = nap(tmp_path)
    perform(service, "start")

    def fail(steps: object) -> str:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(stopping, "stop", fail)
        done = perform(service, "restart")
    assert ("failed", 1, "Too many open files", ["stop"]) == (
        done.outcome, done.status, done.error, done.actions,
    )  # fmt: skip
    assert ("running", False) == (done.after.state, done.changed)
    assert "done" == perform(service, "stop").outcome
