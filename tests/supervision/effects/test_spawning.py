"""Starts of real children by the supervisor itself."""

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from kit.children import python

from ssd import Command
from ssd.accounts import Account
from ssd.errors import StartFailed
from ssd.supervision.effects import spawning
from ssd.supervision.effects.held import Held, OwnChild

NULL = (-1, -1, -1)
SHOW = 'echo "$(id -u) $(umask) $PWD $NAME $(ulimit -n) $(nice)"; ps -o sid= -p $$'
SIGNALS = "grep -E '^Sig(Blk|Ign)' /proc/self/status"


def said(command: Command, user: str | None = None, **options: Any) -> list[str]:
    """Start a program, and return the lines that it prints."""
    reading, writing = os.pipe()
    variables = {b"NAME": b"value", b"PATH": os.environb[b"PATH"]}
    try:
        account = Account(user, None)
        child = spawning.start(command, account, (-1, writing, -1), variables, **options)
    finally:
        os.close(writing)
    with open(reading) as output:
        lines = output.read().split("\n")
    assert 0 == ended(child)
    return [line.strip() for line in lines if line]


def ended(child: OwnChild) -> int | None:
    """Wait for a child by its pidfd, and return its status."""
    from ssd.processes import default_table

    default_table().wait([child], None)
    status = child.poll()
    child.close()
    return status


def shell(text: str, **fields: object) -> Command:
    """Return a command of the shell."""
    return Command(["/bin/sh", "-c", text], **fields)  # type: ignore[arg-type]


def test_child_has_a_session_and_what_was_asked_for(tmp_path: Path) -> None:
    """Directory, umask, environment; its session is its own."""
    first, session = said(shell(f"{SHOW}; :", directory=str(tmp_path), umask=0o27))
    assert f"{os.getuid()} 0027 {tmp_path} value".split() == first.split()[:4]
    assert int(session) != os.getsid(0)


def test_limits_and_niceness_need_a_fork_of_our_own() -> None:
    """fork_exec knows neither; the signals are the program's defaults all the same.

    Its own limit of descriptors goes before the one that the caller gives back.
    """
    import resource

    command = shell(f"{SHOW}; {SIGNALS}", nice=3, limits={resource.RLIMIT_NOFILE: (99, 99)})
    lines = said(command, descriptors=(77, 88))
    assert ["99", str(os.nice(0) + 3)] == lines[0].split()[4:]
    assert ["0000000000000000"] * 2 == [line.split()[1] for line in lines[2:]]


@pytest.mark.parametrize("nice", [0, 1], ids=["fork_exec", "fork"])
def test_limits_of_the_caller_are_given_back(nice: int) -> None:
    """Its program gets them, and this process keeps what it has raised."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        lines = said(shell("ulimit -Sn; ulimit -Hn", nice=nice), descriptors=(77, before[1]))
        assert ["77", str(before[1])] == lines
        assert (before[1], before[1]) == resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_signals_have_their_defaults_after_fork_exec() -> None:
    """Python ignores SIGPIPE and SIGXFSZ; a program must not."""
    lines = said(shell(SIGNALS))
    assert ["0000000000000000"] * 2 == [line.split()[1] for line in lines]


def test_helper_starts_what_a_threaded_process_must_not_fork() -> None:
    """A lock that another thread holds would be held in the child for ever."""
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait)
    thread.start()
    try:
        assert spawning.is_threaded()
        assert str(os.nice(0) + 2) == said(shell(SHOW, nice=2))[0].split()[-1]
    finally:
        leave.set()
        thread.join()


def test_process_of_one_thread_is_known_as_such() -> None:
    """It may fork itself; where /proc is missing nobody knows."""
    code = "from ssd.supervision.effects import spawning; print(spawning.is_threaded())"
    assert b"False\n" == python(code).stdout


@pytest.mark.requires_root
def test_user_is_changed_with_all_groups() -> None:
    """As by ssd --chuid."""
    assert ["65534"] == said(shell("id -u", user="nobody"), user="nobody")
    limited = shell("id -u; id -G", nice=1, user="nobody")
    assert ["65534", "65534"] == said(limited, user="nobody")


@pytest.mark.parametrize("fields", [{}, {"nice": 1}])
def test_program_that_is_missing_is_named(fields: dict[str, int]) -> None:
    """By either way; and no zombie is left."""
    command = Command(["/no/such/program"], **fields)  # type: ignore[arg-type]
    with pytest.raises(StartFailed) as caught:
        spawning.start(command, Account(None, None), NULL, {})
    assert ("exec", "/no/such/program") == (caught.value.stage, caught.value.detail)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_stage_before_the_exec_is_named() -> None:
    """fork_exec does not say which it was; a second try does."""
    command = Command(["/bin/true"], directory="/no/such/directory")
    with pytest.raises(StartFailed) as caught:
        spawning.start(command, Account(None, None), NULL, {})
    assert "chdir" == caught.value.stage


def test_own_child_is_signalled_and_reaped() -> None:
    """Its status is minus the signal's number, and stays known."""
    child = spawning.start(Command(["/bin/sleep", "60"]), Account(None, None), NULL, {})
    assert (None, False) == (child.poll(), child.ended())
    child.signal(signal.SIGUSR1)
    assert -signal.SIGUSR1 == ended(child) == child.poll()
    with pytest.raises(ProcessLookupError):
        child.signal(signal.SIGTERM)
    assert child.process is child and -1 == child.fileno()


def test_held_process_has_no_status_unless_it_is_our_child() -> None:
    """Only its parent learns how it ended; a supervisor may become that of an orphan."""
    from ssd.processes import default_table

    table = default_table()
    script = "/bin/sleep 60 & echo $!; exec /bin/sleep 60"
    process = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        for pid, is_child in ((int(process.stdout.readline()), False), (process.pid, True)):
            found = table.process(pid)
            assert found is not None
            held = Held(table.open(found))
            assert (None, False, found) == (held.poll(), held.ended(), held)
            held.signal(signal.SIGKILL)
            table.wait([held], None)
            if is_child:
                assert -signal.SIGKILL == held.poll()
            else:
                with pytest.raises(ChildProcessError):
                    held.poll()
            held.close()
    finally:
        process.kill()
        process.communicate()
