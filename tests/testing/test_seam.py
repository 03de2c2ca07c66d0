"""One seam: each function that looks at processes takes a table; no other part is replaced."""

import inspect
import signal
from math import inf
from pathlib import Path
from typing import Any

import lockfile
import pytest

import ssd
from ssd import aio as loops
from ssd.cli import main, run
from ssd.service import lsb
from ssd.testing import FakeProcesses, daemonizes, dies, executes, exits

# The functions that look at processes; all other names are values, errors and tables.
SEAM = [
    ssd.find, ssd.status, ssd.start, ssd.stop, ssd.stop_all, ssd.Stop, ssd.PIDLockFile,
    loops.start, loops.stop, loops.stop_all, main, run,
    lsb.start_daemon, lsb.killproc, lsb.pidofproc, lsb.status_of_proc,
]  # fmt: skip
APART = {
    "Child", "Command", "Match", "Process", "Schedule", "StartWarning", "__version__",
    "default_table", "run", "table_named",
}  # fmt: skip


@pytest.mark.parametrize("function", SEAM, ids=lambda function: function.__qualname__)
def test_seam_is_a_parameter_table(function: object) -> None:
    """None is the system's own table."""
    assert "table" in inspect.signature(function).parameters  # type: ignore[arg-type]


def test_table_without_the_members_of_the_contract_is_refused() -> None:
    """The error for an older table says which class to derive it from."""

    class Older:
        """A table that can only look."""

        def select(self, criteria: object) -> list:
            """Return no process."""
            return []

    table: Any = Older()
    with pytest.raises(TypeError, match=r"ssd\.processes\.base\.PidByPidTable"):
        ssd.find(ssd.Match(name="webd"), table=table)
    with pytest.raises(TypeError, match=r"ssd\.processes\.base\.PidByPidTable"):
        ssd.start(ssd.Match(name="webd"), ssd.Command(["/usr/sbin/webd"]), table=table)


def test_public_names_have_the_seam_or_need_none() -> None:
    """A new name must be in one of the two lists."""
    errors = {
        name for name in ssd.__all__
        if isinstance(value := getattr(ssd, name), type) and issubclass(value, Exception)
    }  # fmt: skip
    named = {function.__name__ for function in SEAM}
    assert set() == set(ssd.__all__) - errors - named - APART


def test_pidfile_lock_belongs_to_the_fake_caller(
    pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """Its owner is known by pid and start time among declared processes."""
    lock = ssd.PIDLockFile(str(pidfile), table=fake_processes)
    with lock:
        assert (True, fake_processes.caller.pid) == (lock.i_am_locking(), lock.read_pid())
    assert not pidfile.exists()


def test_pidfile_lock_is_waited_for_in_a_time_that_jumps(
    pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """Until the owner ends, or the time is over."""
    owner = fake_processes.add("other", reactions={signal.SIGTERM: dies(after=90)})
    pidfile.write_text(f"{owner.pid}\n{owner.identity.start_time}\n")
    lock = ssd.PIDLockFile(str(pidfile), table=fake_processes)
    with pytest.raises(lockfile.LockTimeout):
        lock.acquire(timeout=30)
    owner.after(60, exits())
    lock.acquire(timeout=inf)
    assert (90, True) == (fake_processes.now(), lock.i_am_locking())


def test_lsb_functions_run_on_a_fake_machine(
    pidfile: Path, fake_processes: FakeProcesses, capfd: pytest.CaptureFixture[str]
) -> None:
    """An init script's life in Python: started, found by pidfile, path and name, and killed."""
    webd, table = "/usr/sbin/webd", fake_processes
    table.register(webd, runs=daemonizes(pidfile), reactions={signal.SIGTERM: dies(after=3)})
    assert 0 == lsb.start_daemon(webd, "-f", pidfile=str(pidfile), table=table)
    pid = int(pidfile.read_text())
    for path, given in ((webd, str(pidfile)), (webd, None), ("webd", None)):
        found = lsb.pidofproc(path, given, table=table)
        assert (0, [pid]) == (found.status, found.pids)
    assert 0 == lsb.status_of_proc(webd, "webd", str(pidfile), table=table)
    assert "webd is running" in capfd.readouterr().out
    assert 0 == lsb.killproc(webd, "TERM", str(pidfile), table=table)
    table.clock.advance(3)
    assert [(0, signal.SIGTERM)] == [(each.time, each.signum) for each in table.signals]
    assert 3 == lsb.pidofproc("webd", table=table).status


def test_stop_takes_as_many_tables_as_there_are_machines() -> None:
    """Nothing is shared between them."""
    machines = [FakeProcesses() for _ in range(3)]
    for machine in machines:
        machine.add("webd")
    assert [ssd.stop(ssd.Match(name="webd"), table=machines[1])[0]] == [
        each.process.identity for each in machines[1].signals
    ]
    assert [[], []] == [machines[0].signals, machines[2].signals]


def test_exec_of_a_registered_program_is_that_program(fake_processes: FakeProcesses) -> None:
    """The process has the program's reactions and name, and runs its first reaction."""
    program = fake_processes.register(
        "/usr/bin/webd", exe="/usr/bin/python3", name="webd: main", runs=exits(4, after=5)
    )
    wrapper = fake_processes.add("sh", reactions={signal.SIGHUP: executes("/usr/bin/webd", "-f")})
    with fake_processes.open(wrapper.identity) as handle:
        handle.signal(signal.SIGHUP)
    assert [wrapper.identity] == ssd.find(
        ssd.Match(name="webd: main", exec="/usr/bin/python3"), table=fake_processes
    )
    assert ([wrapper], {}, ["/usr/bin/webd", "-f"]) == (
        program.processes, wrapper.reactions, wrapper.argv,
    )  # fmt: skip
    fake_processes.clock.advance(5)
    assert 4 == wrapper.status
