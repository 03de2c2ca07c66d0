"""Who descends from a process: by its mark, its session and its environment."""

import os
from io import BytesIO

import pytest

from ssd.matching import Process
from ssd.processes import default_table
from ssd.testing import FakeProcess, FakeProcesses
from ssd.upstart.following import lineage
from ssd.upstart.following.lineage import PIDS, Lineage, Relative, relative_of
from ssd.upstart.following.marks import Mark

OURS = (b"UPSTART_JOB=foo", b"UPSTART_INSTANCE=")


def of(table: FakeProcesses, first: FakeProcess, mark: Mark | None = None) -> Lineage:
    """Return the descendants of a fake process."""
    return Lineage(table, first.identity, OURS, mark, True)


@pytest.fixture
def first(fake_processes: FakeProcesses) -> FakeProcess:
    """Return the first process of a job, which leads a session."""
    fake_processes.caller.subreaper = True
    process = fake_processes.add("job", ppid=fake_processes.caller.pid)
    process.lead()
    return process


def test_orphans_of_its_session_descend_from_it(
    fake_processes: FakeProcesses, first: FakeProcess
) -> None:
    """Not those of other sessions, and not the children of orphans; the oldest is first."""
    other = fake_processes.add("job", ppid=fake_processes.caller.pid)
    other.lead()
    other.fork()
    one, two = first.fork(), first.fork()
    below = one.fork()
    family = of(fake_processes, first)
    assert [] == family.look()
    other.die()
    first.die()
    first.reap()
    assert [one.pid, two.pid] == [each.pid for each in family.look()]
    assert [below.pid] == [each.pid for each in family.children(one.pid)]


def test_sessions_of_descendants_are_theirs(
    fake_processes: FakeProcesses, first: FakeProcess
) -> None:
    """What such a session has descends from it, too; environments tell who made the first."""
    middle = first.fork(environment={"UPSTART_JOB": "foo", "UPSTART_INSTANCE": ""})
    middle.lead()
    family = of(fake_processes, first)
    first.die()
    assert [middle.pid] == [each.pid for each in family.look()]
    last = middle.fork(environment={})
    middle.die()
    assert [last.pid] == [each.pid for each in family.look()]


@pytest.mark.parametrize(
    ("environment", "is_ours"),
    [
        ({"UPSTART_JOB": "foo", "UPSTART_INSTANCE": ""}, True),
        ({"UPSTART_JOB": "foo", "UPSTART_INSTANCE": "1"}, False),
        ({"UPSTART_JOB": "bar", "UPSTART_INSTANCE": ""}, False),
        ({"PATH": "/bin"}, False),
    ],
)
def test_environment_names_the_job(
    fake_processes: FakeProcesses,
    first: FakeProcess,
    environment: dict[str, str],
    is_ours: bool,
) -> None:
    """Of a process in a session of its own."""
    child = first.fork(environment=environment)
    child.lead()
    first.die()
    found = of(fake_processes, first).look()
    assert ([child.pid] if is_ours else []) == [each.pid for each in found]


def test_older_process_is_no_descendant(fake_processes: FakeProcesses, first: FakeProcess) -> None:
    """It may be left by an earlier start of the job."""
    old = fake_processes.add(
        "job", ppid=fake_processes.caller.pid, start_time=first.identity.start_time - 1,
        environment={"UPSTART_JOB": "foo", "UPSTART_INSTANCE": ""},
    )  # fmt: skip
    assert not old.ended
    assert [] == of(fake_processes, first).look()


def test_mark_decides_where_there_is_one(
    fake_processes: FakeProcesses, first: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever session and environment say; but an environment of another job contradicts."""
    ours, others = first.fork(environment={}), first.fork(environment={})
    stale = first.fork(environment={"UPSTART_JOB": "bar"})
    for each in (ours, others, stale):
        each.lead()
    values = {ours.pid: 100, others.pid: 101, stale.pid: 100}
    monkeypatch.setattr(lineage.marks, "of", values.get)
    first.die()
    found = of(fake_processes, first, Mark(100, 200)).look()
    assert [ours.pid] == [each.pid for each in found]


def test_age_is_counted_over_the_last_pid(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel begins anew at low numbers: of one tick, those are the younger ones."""
    first = Process(PIDS - 5, 7)
    young, old = (Relative(Process(pid, 7), first.pid) for pid in (310, PIDS - 2))
    known = {each.pid: each for each in (young, old)}
    monkeypatch.setattr(lineage, "relative_of", lambda pid, table: known[pid])
    monkeypatch.setattr(type(fake_processes.kin), "children", lambda self, pid: [*known])
    family = Lineage(fake_processes, first, OURS, None, True)
    assert [old, young] == family.look()


def test_zombie_tells_its_session_and_whether_it_executed() -> None:
    """And one that is about to be reaped is remembered with its status."""
    table = default_table()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os._exit(3)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    relative = relative_of(pid, table)
    assert relative is not None
    assert (pid, True, False) == (relative.session, relative.ended, relative.executed)
    first = Process(pid, relative.process.start_time - 1)
    family = Lineage(table, first, OURS, None, True)
    family.witness(pid, 3)
    os.waitpid(pid, 0)
    assert relative_of(pid, table) is None
    (gone,) = family.look()
    assert (relative.process, True, 3) == (gone.process, gone.ended, gone.status)


def test_executed_program_is_told() -> None:
    """Python, by the process of the tests."""
    relative = relative_of(os.getpid(), default_table())
    assert relative is not None
    assert (True, False) == (relative.executed, relative.ended)


def stat(state: bytes, flags: int) -> bytes:
    """Return the text of /proc/PID/stat, with a hostile name."""
    return b"7 (a) Z 1 (b) %b 1 7 7 0 -1 %d " % (state, flags) + b"0 " * 12 + b"99 0 0"


def test_end_that_has_begun_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is a zombie its children are no orphans, and it has no environment any more."""
    exiting = lineage.PF_EXITING | lineage.PF_FORKNOEXEC
    texts = [stat(b"R", exiting), stat(b"D", exiting), stat(b"Z", exiting)]
    monkeypatch.setattr(lineage, "open", lambda *given: BytesIO(texts.pop(0)), raising=False)
    relative = relative_of(7, default_table())
    assert relative is not None and [] == texts
    assert (True, False, 99) == (relative.ended, relative.executed, relative.process.start_time)


def test_end_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a process that writes a large core; the supervisor has other work."""
    text, times = stat(b"D", lineage.PF_EXITING), iter((5.0, 5.05, 5.2))
    monkeypatch.setattr(lineage, "open", lambda *given: BytesIO(text), raising=False)
    monkeypatch.setattr(lineage, "monotonic", lambda: next(times))
    relative = relative_of(7, default_table())
    assert relative is not None and not relative.ended
    assert [] == list(times)


def test_process_without_an_environment_may_end_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its end is waited for, after which its children are orphans."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os._exit(0)
    asked: list[int] = []
    whole = lineage._stat
    monkeypatch.setattr(lineage, "_stat", lambda pid: asked.append(pid) or whole(pid))
    family = Lineage(default_table(), Process(pid + 1, 0), OURS, None, True)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert None is family._by_environment(Relative(Process(pid, 1), pid))
    assert [pid] == asked
    os.waitpid(pid, 0)
