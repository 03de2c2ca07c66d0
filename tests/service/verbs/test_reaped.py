"""Verbs in a program that does not leave its children to ``perform``."""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ssd.service import Service, perform, plan
from ssd.testing import FakeProcesses

PROGRAM = "/opt/no-such-nap"
HOOK = {"before_start": "true"}


@pytest.fixture
def handle() -> Iterator[Callable[[object], object]]:
    """Return a function that sets the action of SIGCHLD, and undo that."""
    before = signal.getsignal(signal.SIGCHLD)
    yield lambda action: signal.signal(signal.SIGCHLD, action)  # type: ignore[arg-type]
    signal.signal(signal.SIGCHLD, before)


def scene(directory: Path, **fields: object) -> tuple[Service, FakeProcesses]:
    """Return a service that does not run, and the processes among which it is."""
    table = FakeProcesses()
    table.register(PROGRAM)
    given: dict[str, object] = {"pidfile": f"{directory}/nap.pid", **fields}
    return Service(name="nap", executable=PROGRAM, **given), table


@pytest.mark.parametrize(
    ("verb", "fields", "named"),
    [
        ("start", HOOK, "before_start"),
        ("restart", {"after_stop": "true"}, "after_stop"),
        ("stop", {"before_stop": "true"}, "before_stop"),
        ("force-reload", HOOK, "before_start"),
        ("start", {"readiness": {"kind": "command", "command": ["true"]}}, "readiness.command"),
        ("start", {"environment_files": ["/dev/null"]}, "environment_files"),
    ],
)
def test_exit_status_that_would_be_lost_is_refused(
    tmp_path, handle, verb: str, fields: dict[str, object], named: str
) -> None:
    """A hook that has succeeded must not count as one that has failed: nothing is done."""
    handle(signal.SIG_IGN)
    service, table = scene(tmp_path, **fields)
    with pytest.raises(ChildProcessError, match=f"SIGCHLD.* of {named} .*SIG_DFL") as caught:
        perform(service, verb, table=table)
    assert (errno.ECHILD, []) == (caught.value.errno, table.started)
    assert plan(service, verb, table=table).status == 0


def test_program_that_detaches_itself_needs_its_exit_status(tmp_path, handle) -> None:
    """It is the child of perform, unless its processes are fakes."""
    handle(signal.SIG_IGN)
    service, table = scene(tmp_path, background=False)
    with pytest.raises(ChildProcessError, match="the program, which goes"):
        perform(Service(name="nap", executable="/bin/true", background=False), "start")
    assert "start" in perform(service, "start", table=table).actions


def test_verb_without_children_does_not_mind(tmp_path, handle) -> None:
    """A start has a helper, which reports what became of it."""
    handle(signal.SIG_IGN)
    service, table = scene(tmp_path)
    assert "done" == perform(service, "start", table=table).outcome
    assert "done" == perform(service, "stop", table=table).outcome
    service, table = scene(tmp_path, **HOOK, reload_signal="HUP")
    told = [perform(service, verb, table=table).outcome for verb in ("status", "force-reload")]
    assert ["nothing", "nothing"] == told


def test_hook_that_another_has_reaped_says_so(tmp_path, monkeypatch) -> None:
    """In the place of an error number of waitpid(2)."""

    def reap(pid: int, options: int) -> object:
        waited(pid, options)
        raise ChildProcessError(errno.ECHILD, os.strerror(errno.ECHILD))

    waited = os.waitpid
    service, table = scene(tmp_path, **HOOK, after_stop="true")
    table.add("nap", pid=200)
    (tmp_path / "nap.pid").write_text("200\n")
    monkeypatch.setattr(os, "waitpid", reap)
    stopped, started = (perform(service, verb, table=table) for verb in ("stop", "start"))
    lost = "its exit status is lost: something in this process reaps every child"
    assert ("done", [lost]) == (stopped.outcome, stopped.complaints)
    assert ("failed", lost) == (started.outcome, started.error)


def test_service_must_be_one() -> None:
    """The name alone does not say where its declaration is."""
    with pytest.raises(TypeError, match=r"service must be an ssd\.service\.Service, .*not 'nap'"):
        perform("nap", "start")  # type: ignore[arg-type]
