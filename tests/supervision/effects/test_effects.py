"""A supervisor of real children, which a loop of the test drives."""

import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.children import until_executed

from ssd.service import Service
from ssd.supervision import Event, Supervisor, events, run
from ssd.supervision.effects import MARKER

SLEEP = {"executable": "/bin/sleep", "arguments": ["1000"]}


@pytest.fixture
def declared(tmp_path: Path) -> Any:
    """Return a function that declares a service with a pidfile in a fresh directory."""

    def declare(name: str, **fields: Any) -> Service:
        return Service(name=name, pidfile=str(tmp_path / f"{name}.pid"), **{**SLEEP, **fields})

    return declare


@pytest.fixture
def supervisors() -> Iterator[Any]:
    """Return a function that makes a supervisor; all it has started is stopped at the end."""
    made: list[Supervisor] = []

    def make(*services: Service) -> Supervisor:
        made.append(Supervisor(services))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()
        run(each)
        each.close()


def drive(supervisor: Supervisor, until: type[Event]) -> Event:
    """Drive a supervisor until an event of a kind happens; return it."""
    found: list[Event] = []
    supervisor.listeners.append(lambda event: found.append(event))
    while True:
        supervisor.advance()
        for event in found:
            if type(event) is until:
                supervisor.listeners.pop()
                return event
        supervisor.table.wait(supervisor.handles, supervisor.until)


def test_main_process_is_ours_and_marked(declared: Any, supervisors: Any) -> None:
    """A pidfile, a session, and a variable that tells whose it is."""
    supervisor = supervisors(declared("web"))
    supervisor.start("web")
    drive(supervisor, events.Ready)
    process = supervisor.units["web"].process
    assert f"{process.pid}\n" == Path(supervisor.units["web"].service.pidfile).read_text()
    assert process.pid == os.getsid(process.pid)
    until_executed(process.pid)
    variables = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    assert [supervisor.effects.marker(supervisor.units["web"])] == [
        each for each in variables if each.startswith(MARKER)
    ]


def test_killed_process_comes_back(declared: Any, supervisors: Any) -> None:
    """Another process, and its predecessor's signal is known."""
    supervisor = supervisors(declared("web", respawn={"when": "always"}))
    supervisor.start("web")
    drive(supervisor, events.Ready)
    first = supervisor.units["web"].process
    os.kill(first.pid, signal.SIGKILL)
    exited = drive(supervisor, events.Exited)
    assert (first.pid, -signal.SIGKILL) == (exited.pid, exited.status)  # type: ignore[attr-defined]
    if supervisor.units["web"].process is None:
        drive(supervisor, events.Ready)
    assert first != supervisor.units["web"].process


def test_second_process_is_never_started(declared: Any, supervisors: Any) -> None:
    """A service that another has started is taken over by its pidfile."""
    service = declared("web")
    first, second = supervisors(service), supervisors(service)
    first.start("web")
    drive(first, events.Ready)
    second.start("web")
    adopted = drive(second, events.Adopted)
    assert first.units["web"].process.pid == adopted.pid  # type: ignore[attr-defined]


def test_start_of_another_is_seen_by_its_pidfile(declared: Any, supervisors: Any) -> None:
    """Also by who wrote that file before, and has just lost its own process."""
    service = declared("web", respawn={"when": "always"})
    first, second = supervisors(service), supervisors(service)
    first.start("web")
    drive(first, events.Ready)
    os.kill(first.units["web"].process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, first.units["web"].process.pid, os.WEXITED | os.WNOWAIT)
    second.start("web")
    started = drive(second, events.Started)
    adopted = drive(first, events.Adopted)
    assert started.pid == adopted.pid  # type: ignore[attr-defined]


@pytest.mark.parametrize("whose", ["another", "own"])
def test_pidfile_that_names_a_stranger_is_not_believed(
    declared: Any, supervisors: Any, whose: str
) -> None:
    """The process of another service, or the supervisor itself, as in a container's old /run."""
    supervisor = supervisors(declared("web"), declared("other"))
    supervisor.start("other")
    drive(supervisor, events.Ready)
    other = supervisor.units["other"].process.pid
    path = Path(supervisor.units["web"].service.pidfile)
    path.write_text(f"{other if whose == 'another' else os.getpid()}\n")
    supervisor.start("web")
    assert drive(supervisor, events.Started).pid not in (other, os.getpid())  # type: ignore[attr-defined]
    assert f"{supervisor.units['web'].process.pid}\n" == path.read_text()


def test_changed_pidfile_leaves_no_old_one(declared: Any, supervisors: Any, tmp_path: Path) -> None:
    """Its number would be another process's some day; one that somebody else wrote stays."""
    supervisor = supervisors(declared("web"), declared("other"))
    for name in supervisor.units:
        supervisor.start(name)
        drive(supervisor, events.Ready)
    (tmp_path / "other.pid").write_text("1\n")
    moved = {"pidfile": str(tmp_path / "new.pid")}
    other = {"pidfile": str(tmp_path / "new2.pid")}
    supervisor.update([
        Service(name="web", **{**SLEEP, **moved}), Service(name="other", **{**SLEEP, **other}),
    ])  # fmt: skip
    while sorted(os.listdir(tmp_path))[:2] != ["new.pid", "new2.pid"]:
        drive(supervisor, events.Started)
    assert ["new.pid", "new2.pid", "other.pid"] == sorted(os.listdir(tmp_path))


def test_failed_start_leaves_nothing(declared: Any, supervisors: Any, tmp_path: Path) -> None:
    """No program, no user, no directory for the pidfile: each is told in words."""
    supervisor = supervisors(
        declared("missing", executable="/no/such"),
        declared("stranger", user="no-such-user"),
        Service(name="nowhere", pidfile="/no/such/dir/p", **SLEEP),
    )
    supervisor.start_all()
    supervisor.advance()
    reasons = {name: unit.failure for name, unit in supervisor.units.items()}
    assert "/no/such" in str(reasons["missing"])
    assert "no-such-user" in str(reasons["stranger"])
    assert "/no/such/dir/p" in str(reasons["nowhere"])
    assert [] == [*tmp_path.glob("*.pid")]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_hooks_run_in_the_environment_of_the_service(
    declared: Any, supervisors: Any, tmp_path: Path
) -> None:
    """By /bin/sh -e, and to their ends."""
    text = f'echo "$WHAT" > {tmp_path}/said'
    supervisor = supervisors(declared("web", before_start=text, environment={"WHAT": "hello"}))
    supervisor.start("web")
    drive(supervisor, events.Ready)
    assert "hello\n" == (tmp_path / "said").read_text()


def test_service_has_its_login_and_its_rights(declared: Any, supervisors: Any) -> None:
    """Its declared variables win over the login; what marks it wins over all."""
    variables = {"A": "1", "LOGNAME": "declared", MARKER.decode(): "forged", "NOTIFY_SOCKET": "x"}
    score = int(Path("/proc/self/oom_score_adj").read_text()) + 1
    supervisor = supervisors(
        declared("web", login=True, clear_environment=True, environment=variables),
        declared("bound", no_new_privs=True, oom_score=score, environment=variables, login=True),
    )
    for name in supervisor.units:
        supervisor.start(name)
        drive(supervisor, events.Ready)
        pid = supervisor.units[name].process.pid
        until_executed(pid)
        words = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        found = dict(word.split("=", 1) for word in words if word)
        assert ("1", "declared") == (found["A"], found["LOGNAME"])
        assert pwd.getpwuid(os.getuid()).pw_name == found["USER"]
        assert ("PATH" in found, "NOTIFY_SOCKET" in found) == (name == "bound", False)
        assert f":{name}:" in found[MARKER.decode()]
        no_new_privs = f"NoNewPrivs:\t{int(name == 'bound')}\n"
        assert no_new_privs in Path(f"/proc/{pid}/status").read_text()
        raised = int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == score
        assert raised == (name == "bound")


@pytest.mark.requires_root
def test_home_is_that_of_the_user(declared: Any, supervisors: Any) -> None:
    """Over the declared one, as with ssd-service; a login is below it."""
    variables = {"HOME": "/declared"}
    supervisor = supervisors(
        declared("plain", user="daemon", environment=variables),
        declared("login", user="daemon", environment=variables, login=True),
    )
    for name, expected in (("plain", pwd.getpwnam("daemon").pw_dir), ("login", "/declared")):
        supervisor.start(name)
        drive(supervisor, events.Ready)
        pid = supervisor.units[name].process.pid
        until_executed(pid)
        assert f"HOME={expected}" in Path(f"/proc/{pid}/environ").read_text().split("\0")


def test_stop_ends_all_side_by_side(declared: Any, supervisors: Any) -> None:
    """And removes the pidfiles."""
    services = [declared(f"s{number}") for number in range(5)]
    supervisor = supervisors(*services)
    supervisor.start_all()
    supervisor.advance()
    assert {"running"} == {unit.state for unit in supervisor.units.values()}
    supervisor.shutdown()
    run(supervisor)
    assert [] == [each.pidfile for each in services if Path(each.pidfile).exists()]
