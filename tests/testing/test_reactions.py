"""How declared processes take signals."""

import os
import signal
import sys
from collections.abc import Callable

import pytest
from kit.stops import send

import ssd
from ssd.matching import Criteria
from ssd.testing import (
    FakeProcesses,
    daemonizes,
    dies,
    executes,
    exits,
    forks,
    ignores,
    in_turn,
    leaves_zombie,
    reloads,
    renames,
    together,
)
from ssd.testing.process import FakeProcess, Reaction

KILL, TERM, HUP = signal.SIGKILL, signal.SIGTERM, signal.SIGHUP
CONT, STOP = signal.SIGCONT, signal.SIGSTOP


@pytest.mark.parametrize(
    ("signum", "state"),
    [
        (TERM, "gone"),
        (HUP, "gone"),
        (KILL, "gone"),
        (signal.SIGUSR1, "gone"),
        (STOP, "stopped"),
        (signal.SIGTSTP, "stopped"),
        (CONT, "running"),
        (signal.SIGCHLD, "running"),
        (signal.SIGWINCH, "running"),
        (0, "running"),
    ],
)
def test_undeclared_signal_does_what_the_kernel_does(
    signum: int, state: str, fake_processes: FakeProcesses
) -> None:
    """Signals without a reaction have the effects of signal(7)."""
    process = fake_processes.add("plain")
    send(process, signum)
    assert state == process.state


def test_stopped_process_takes_its_signals_when_it_goes_on(fake_processes: FakeProcesses) -> None:
    """TERM waits for CONT, KILL does not."""
    first, second = fake_processes.add("first"), fake_processes.add("second")
    send(first, STOP, TERM)
    send(second, STOP, KILL)
    assert ("stopped", "gone") == (first.state, second.state)
    send(first, CONT)
    assert "gone" == first.state


def test_init_ends_of_nothing(fake_processes: FakeProcesses) -> None:
    """Pid 1 receives only signals for which it has a reaction."""
    send(fake_processes.init, TERM, KILL)
    assert "running" == fake_processes.init.state


@pytest.mark.parametrize("signum", [TERM, KILL])
@pytest.mark.parametrize(
    ("make_reaction", "states"),
    [
        (ignores, ["running", "running"]),
        (lambda: in_turn(ignores(), dies()), ["running", "gone"]),
        (lambda: renames("other"), ["running", "running"]),
        (dies, ["gone"]),
    ],
)
def test_declared_reaction_is_the_process_own(
    make_reaction: Callable[[], Reaction],
    states: list[str],
    signum: int,
    fake_processes: FakeProcesses,
) -> None:
    """Each signal is taken as declared, KILL as well: a process may wait for a broken device."""
    process = fake_processes.add("special", reactions={signum: make_reaction()})
    seen = []
    for _ in states:
        send(process, signum)
        seen.append(process.state)
    assert states == seen


def test_exec_changes_all_but_the_identity(fake_processes: FakeProcesses) -> None:
    """exec(3) changes neither the pid nor the start time."""
    daemon = fake_processes.add(
        "sh", exe="/bin/sh", reactions={HUP: executes(sys.executable, "-m", "x")}
    )
    before = daemon.identity
    send(daemon, HUP)
    facts = os.stat(sys.executable)
    assert [before] == fake_processes.select(Criteria(file=(facts.st_dev, facts.st_ino)))
    assert [sys.executable, "-m", "x"] == daemon.argv
    assert os.path.basename(sys.executable)[:15].encode() == daemon.name


def test_fork_is_a_likeness(fake_processes: FakeProcesses) -> None:
    """A child has its parent's facts except those that are given."""
    parent = fake_processes.add("server", uid=33, reactions={HUP: forks(name="worker")})
    send(parent, HUP)
    (child,) = fake_processes.children(parent.pid)
    assert [child] == fake_processes.select(Criteria(uid=33, name=b"worker"))
    assert parent.reactions == fake_processes[child.pid].reactions


@pytest.mark.parametrize(("reaped_after", "reaped_at"), [(0, 0), (5, 5), (None, None)])
def test_zombie_is_reaped_by_its_parent_when_that_gets_to_it(
    reaped_after: float | None, reaped_at: float | None, fake_processes: FakeProcesses
) -> None:
    """At once, later, or by init when the parent itself has ended."""
    parent = fake_processes.add("parent")
    child = parent.fork(reactions={TERM: leaves_zombie(reaped_after)})
    send(child, TERM)
    fake_processes.clock.advance_until(lambda: child.state == "gone")
    assert (reaped_at or 0, "zombie" if reaped_at is None else "gone") == (
        fake_processes.now(), child.state,
    )  # fmt: skip
    parent.die()
    assert "gone" == child.state


def test_reload_is_lived_through(fake_processes: FakeProcesses) -> None:
    """HUP is a reload for daemons that handle it."""
    daemon = fake_processes.add("d", reactions={HUP: reloads()})
    send(daemon, HUP, HUP)
    assert ("running", 2) == (
        daemon.state, [event.what for event in fake_processes.events].count("reloads"),
    )  # fmt: skip


# reaction to TERM -> exit status of the process
STATUSES = {
    "of the signal": (dies(), -TERM),
    "of the signal, later": (dies(after=3), -TERM),
    "with a status": (exits(7), 7),
    "with a status, later": (exits(after=3), 0),
    "as it wants": (dies(status=-KILL), -KILL),
    "into the background": (daemonizes(), 0),
    "after something else": (together(renames("x"), exits(4)), 4),
}


@pytest.mark.parametrize("case", STATUSES)
def test_process_ends_with_a_status(case: str, fake_processes: FakeProcesses) -> None:
    """A given status, or minus the number of the signal."""
    reaction, status = STATUSES[case]
    process = fake_processes.add("d", reactions={TERM: reaction})
    send(process, TERM)
    fake_processes.clock.advance(3)
    assert status == process.status


def test_planned_reaction_needs_a_living_process(fake_processes: FakeProcesses) -> None:
    """A name that is to change at 5 s does not if the process has ended at 3 s."""
    lively, brief = fake_processes.add("lively"), fake_processes.add("brief")
    brief.die(after=3)
    for process in (lively, brief):
        process.after(5, renames("other"))
    fake_processes.clock.advance(10)
    assert (b"other", b"brief") == (lively.name, brief.name)


def test_each_process_has_its_own_turns(fake_processes: FakeProcesses) -> None:
    """Also processes of one program, or with the same declared reactions."""
    reactions = {TERM: together(in_turn(ignores(), dies()), renames("asked"))}
    fake_processes.register("/usr/sbin/webd", reactions=reactions)
    wrapper = fake_processes.add("sh")
    wrapper.execute("/usr/sbin/webd")
    processes = [wrapper, *(fake_processes.add("webd", reactions=reactions) for _ in range(2))]
    for state in ("running", "gone"):
        for process in processes:
            send(process, TERM)
            assert state == process.state


def test_forked_process_goes_on_where_its_parent_was(fake_processes: FakeProcesses) -> None:
    """A fork copies the memory of a process; from then on each counts for itself."""
    parent = fake_processes.add("webd", reactions={TERM: in_turn(ignores(), ignores(), dies())})
    send(parent, TERM)
    child = parent.fork()
    send(parent, TERM)
    send(parent, TERM)
    send(child, TERM)
    assert ("gone", "running") == (parent.state, child.state)
    send(child, TERM)
    assert "gone" == child.state


@pytest.mark.parametrize(("reaction", "state"), [(ignores(), "running"), (reloads(), "gone")])
def test_exec_leaves_of_reactions_what_is_ignored(
    reaction: Reaction, state: str, fake_processes: FakeProcesses
) -> None:
    """execve(2) removes the handlers and keeps ignored signals."""
    fake_processes.register("/usr/sbin/known")
    for path in ("/usr/sbin/known", "/usr/sbin/unknown"):
        process = fake_processes.add("wrapper", reactions={HUP: reaction})
        process.execute(path)
        send(process, HUP)
        assert state == process.state


@pytest.mark.parametrize("act", ["rename", "execute", "fork"])
def test_dead_do_nothing(act: str, fake_processes: FakeProcesses) -> None:
    """A test that acts on an ended process has made a mistake."""
    process = fake_processes.add("webd")
    process.die()
    with pytest.raises(ValueError, match="<webd 101, gone> has ended"):
        getattr(process, act)(*([] if act == "fork" else ["other"]))
    assert [] == fake_processes.children(1)[1:]


def test_planned_reaction_of_a_stopped_process_waits(
    fake_processes: FakeProcesses,
) -> None:
    """Its timers expire meanwhile, and have no effect before CONT."""
    process = fake_processes.add("webd", reactions={TERM: dies(after=3, status=0)})
    process.after(4, renames("late"))
    send(process, TERM, STOP)
    fake_processes.clock.advance(10)
    assert ("stopped", b"webd") == (process.state, process.name)
    send(process, CONT)
    assert ("gone", 0, b"webd") == (process.state, process.status, process.name)


def test_stop_of_a_stopped_process_is_none(fake_processes: FakeProcesses) -> None:
    """One CONT discards all pending stop signals (signal(7))."""
    process = fake_processes.add("webd")
    send(process, STOP, STOP, signal.SIGTSTP, CONT)
    assert "running" == process.state


def test_signals_that_wait_come_once_and_the_lowest_first(fake_processes: FakeProcesses) -> None:
    """The kernel keeps one of each standard signal, and delivers them by number."""
    taken: list[int] = []
    reactions = {n: lambda _, n=n: taken.append(n) for n in (HUP, TERM)}
    send(fake_processes.add("webd", reactions=reactions), STOP, TERM, HUP, TERM, CONT)
    assert [HUP, TERM] == taken


def test_orphan_reaps_its_own_children(fake_processes: FakeProcesses) -> None:
    """As before its parent's end; init reaps only the orphan itself."""
    parent = fake_processes.add("webd", reaped_after=None)
    orphan = parent.fork()
    parent.die()
    child = orphan.fork()
    child.die()
    assert ("zombie", "running") == (child.state, orphan.state)
    orphan.die()
    assert ("gone", "gone") == (child.state, orphan.state)


# Failures -------------------------------------------------------------------------------


def pass_on(process: FakeProcess) -> None:
    """Open a process that has ended, as a reaction of a test might."""
    process.table.open(ssd.Process(4711, 1))


def test_failed_reaction_is_not_an_error_of_the_signal(fake_processes: FakeProcesses) -> None:
    """To the stop, a ProcessLookupError would mean that webd has ended."""
    fake_processes.add("webd", reactions={TERM: pass_on})
    with pytest.raises(RuntimeError, match="<webd 101, running> to SIGTERM failed") as it:
        ssd.stop(ssd.Match(name="webd"), table=fake_processes)
    assert isinstance(it.value.__cause__, ProcessLookupError)


def test_failed_fork_is_not_the_senders_error() -> None:
    """The process lives on, and the timeline has the error."""
    table = FakeProcesses(pid_max=102, caller_pid=50)
    table.last_pid = 100
    webd = table.add("webd", reactions={HUP: forks()})
    table.pid_max = 2
    assert [webd.identity] == ssd.stop(ssd.Match(name="webd"), ssd.Schedule.once(HUP), table=table)
    assert ("running", []) == (webd.state, table.children(webd.pid))
    assert "cannot fork: Resource temporarily unavailable" in table.timeline()
