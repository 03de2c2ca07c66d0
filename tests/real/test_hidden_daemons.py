"""Daemons that their manager may not see: /proc with hidepid (proc(5)).

They are not dumpable, because their user may not read their executable; or root looks and may
not trace them (capabilities(7), CAP_SYS_PTRACE).
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kit.seccomp import KERNELS, kernel

import ssd as library
from ssd.matching import UNKNOWN_START, Process
from ssd.processes import table_named

from .alone import alone, open_ways
from .processes import LONG, pids, reap, wait_end
from .programs import Program, Tool, recorded, run, spawn
from .test_hidepid import TABLES, USER, as_user, mount_proc

PIDFILE = "/run/own/d.pid"
UNSEEN = "hidepid=2,gid=54322"
CALLERS = {
    "its user": [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"],
    "root without ptrace": ["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"],
}
callers = pytest.mark.parametrize("caller", CALLERS)


class Agent(Program):
    """A daemon that is hidden from its user, and from root without CAP_SYS_PTRACE."""

    def __init__(self, caller: str) -> None:
        """Make its files, and hide the processes of this namespace."""
        open_ways()
        super().__init__("agent", "/run/agent")
        os.chmod(self.path, 0o711)
        os.mkdir("/run/own")
        if caller == "its user":
            os.chown("/run/own", USER, USER)
        self._caller = caller
        mount_proc(UNSEEN)

    def called(self, tool: Tool, *words: str) -> list[str]:
        """Return the words that run a tool as the caller."""
        return ["setpriv", *CALLERS[self._caller], tool.path, *words]

    def start(self, *more: str) -> list[str]:
        """Return the options of a start."""
        chuid = ["--chuid", "nobody"] if self._caller != "its user" else []
        return ["--start", "--background", "--make-pidfile", "--pidfile", PIDFILE, *chuid,
                "--startas", self.path, *more]  # fmt: skip


@contextmanager
def agent(tool: Tool, caller: str) -> Iterator[tuple[Agent, int]]:
    """Start a hidden daemon; end its processes at the end."""
    program = Agent(caller)
    started = run(*program.called(tool, *program.start("--", *program.script("say $$; stay"))))
    assert (0, "") == (started.returncode, started.stderr)
    pid = program.started()
    assert recorded(PIDFILE) == pid
    yield program, pid
    for left in program.running():
        os.kill(left, signal.SIGKILL)


@callers
@pytest.mark.parametrize("version", KERNELS)
@alone
def test_hidden_daemon_is_managed_as_any_other(tool: Tool, caller: str, version: str) -> None:
    """A process that exists for kill(2) runs: it is not started again, and it is stopped."""
    hinder = kernel(version)

    def call(*words: str) -> int:
        return run(*program.called(tool, *words), **hinder).returncode

    with agent(tool, caller) as (program, pid):
        assert 0 == call("--status", "--pidfile", PIDFILE)
        assert 0 == call("--status", "--pid", str(pid))
        again = program.start("--", *program.script("say $$; stay"))
        assert 1 == call(*again)
        assert [pid] == program.running()
        assert 0 == call("--stop", "--signal", "0", "--pidfile", PIDFILE)
        # The process that waits for its end must not be the one that must reap it.
        stop = spawn(
            *program.called(tool, "--stop", "--retry", "TERM/60", "--pidfile", PIDFILE), **hinder
        )
        assert -signal.SIGTERM == reap(pid)
        assert 0 == stop.wait(LONG)
        assert [] == program.running()
        assert 1 == call("--status", "--pidfile", PIDFILE)


@callers
@alone
def test_hidden_zombie_is_dead(ssd: Tool, caller: str) -> None:
    """A pidfd shows the end of a hidden process."""
    with agent(ssd, caller) as (program, pid):
        words = program.called(ssd, "--stop", "--retry", "TERM/60", "--pidfile", PIDFILE)
        stop = spawn(*words)
        wait_end(pid)
        assert 0 == stop.wait(LONG)  # and it is not reaped
        status = run(*program.called(ssd, "--status", "--pidfile", PIDFILE))
        assert (1, "") == (status.returncode, status.stderr)
        reap(pid)


@callers
@alone
def test_pidfile_of_a_stopped_hidden_daemon_is_removed(ssd: Tool, caller: str) -> None:
    """It is kept while the daemon runs, and removed when this call has stopped it."""
    with agent(ssd, caller) as (program, pid):
        clear = ["--stop", "--remove-pidfile", "--pidfile", PIDFILE]
        asked = run(*program.called(ssd, *clear, "--name", "another"))
        assert 2 == asked.returncode
        assert pid == recorded(PIDFILE)
        stop = run(*program.called(ssd, *clear, "--retry", "TERM/60"))
        assert (0, "") == (stop.returncode, stop.stderr)
        assert None is recorded(PIDFILE)
        reap(pid)


@callers
@pytest.mark.parametrize("criterion", ["--exec", "--name", "--user", "--ppid"])
@alone
def test_unreadable_process_is_neither_dead_nor_matched(
    ssd: Tool, caller: str, criterion: str
) -> None:
    """With a second criterion its state is unknown; nothing is started or killed."""
    with agent(ssd, caller) as (program, pid):
        user = str(USER) if caller == "its user" else "nobody"
        value = {"--exec": program.path, "--name": "agent", "--user": user, "--ppid": "1"}
        asked = ["--pidfile", PIDFILE, criterion, value[criterion]]
        calls = {
            "--status": [*asked],
            "--pidof": [*asked],
            "--stop": [*asked, "--oknodo"],
            "--start": [*program.start()[1:], *asked, "--oknodo"],
        }
        said = f"ssd: process {pid} runs, but this user may not read whether it is the daemon"
        for command, words in calls.items():
            done = run(*program.called(ssd, command, *words))
            expected = 4 if command in ("--status", "--pidof") else 2
            assert (expected, "") == (done.returncode, done.stdout), command
            assert done.stderr.startswith(said)
        assert [pid] == program.running()


@callers
@alone
def test_hidden_program_is_waited_for_until_it_is_ready(ssd: Tool, caller: str) -> None:
    """A hidden process does not count as ended."""
    program = Agent(caller)
    socket = "s.socket(s.AF_UNIX, s.SOCK_DGRAM)"
    send = f"import _socket as s, os, sys; {socket}.sendto(b'READY=1', sys.argv[1])"
    helper = f'{sys.executable} -IS -c "{send}; os.read(os.pipe()[0], 1)" $NOTIFY_SOCKET'
    script = program.script(f"say $$; read go < {program.ear.path}.go; {helper}")
    os.mkfifo(f"{program.ear.path}.go")
    os.chmod(f"{program.ear.path}.go", 0o666)
    words = program.start("--notify-await", "--notify-timeout", "1000", "--", *script)
    start = spawn(*program.called(ssd, *words))
    pid = program.started()
    with open(f"{program.ear.path}.go", "w") as go:
        go.write("go\n")
    assert ("", "") == start.communicate(timeout=LONG)
    assert (0, pid) == (start.returncode, recorded(PIDFILE))
    os.kill(pid, signal.SIGKILL)


@callers
@alone
def test_hidden_program_that_ends_is_not_waited_for(ssd: Tool, caller: str) -> None:
    """Its end is noticed although it is hidden."""
    program = Agent(caller)
    words = program.start("--notify-await", "--notify-timeout", "1000", "--")
    start = spawn(*program.called(ssd, *words, *program.script("say $$; stay")))
    pid = program.started()
    os.kill(pid, signal.SIGKILL)
    said = f"ssd: program (pid {pid}) ended before it was ready\n"
    assert ("", said) == start.communicate(timeout=LONG)
    assert None is recorded(PIDFILE)


@pytest.mark.parametrize("kind", TABLES)
@alone
def test_library_manages_a_hidden_daemon(ssd: Tool, kind: str) -> None:
    """find, status, start and stop, on each table; a start returns the visible facts."""
    program = Agent("its user")
    words = [program.path, *program.script("say $$; stay")]

    def body() -> None:
        table: Any = table_named(kind)
        match = library.Match(pidfile=PIDFILE)
        command = library.Command(words)
        process = library.start(match, command, make_pidfile=True, table=table)
        assert Process(program.started(), UNKNOWN_START) == process
        assert ([process], 0) == (
            library.find(match, table=table),
            library.status(match, table=table),
        )
        with pytest.raises(library.AlreadyRunning):
            library.start(match, command, table=table)
        both = library.Match(pidfile=PIDFILE, user=USER)
        for ask in (library.find, library.status, library.stop):
            with pytest.raises(library.ProcessUnreadable) as caught:
                ask(both, table=table)
            assert process.pid == caught.value.pid
        with pytest.raises(library.ProcessUnreadable):
            library.start(both, command, table=table)
        with table.open(process) as handle:
            assert not handle.ended()
            assert [process] == library.stop(match, table=table)
            assert handle.ended()
        assert 1 == library.status(match, table=table)

    others = pids()
    as_user(body)
    assert others == [pid for pid in pids() if pid in others]
