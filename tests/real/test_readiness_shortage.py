"""--notify-await when resources run out once the program runs: the start has not failed."""

import errno
import os
import resource
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from kit.seccomp import PIDFD_OPEN, POLL, RECVMSG, lacking

from ssd import Command, Match, NotReady
from ssd.starting import Start

from .alone import CLONE_NEWNS, alone, checked, libc, mount
from .notifier import Notifier
from .processes import LONG, end, reap
from .programs import Tool, recorded, spawn
from .test_readiness import FOREVER, PIDFILE, words


def without_proc() -> None:
    """Remove the processes from /proc, for this process and its children."""
    checked(libc.unshare(CLONE_NEWNS))
    mount("none", "/proc", "tmpfs")


# What runs out when the program runs.
WANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "memory for a pidfd": lambda: lacking(PIDFD_OPEN, errno.ENOMEM),
    "a descriptor for a pidfd": lambda: lacking(PIDFD_OPEN, errno.EMFILE),
    "a file of the system's": lambda: lacking(PIDFD_OPEN, errno.ENFILE),
    "memory to wait": lambda: lacking(POLL, errno.ENOMEM),
    "/proc": lambda: {"preexec_fn": without_proc},
}


@alone
@pytest.mark.parametrize("want", WANTS)
def test_program_that_runs_is_heard_whatever_is_wanting(ssd: Tool, want: str) -> None:
    """A shortage after execve(2) does not make the start fail."""
    program = Notifier()
    start = spawn(ssd.path, *words(program), **WANTS[want]())
    daemon, _ = program.began()
    program.order("STATUS=nearly")
    program.order("READY=1")
    assert ("", "", 0) == (*start.communicate(timeout=LONG), start.returncode)
    end(daemon)


@alone
@pytest.mark.parametrize("want", [want for want in WANTS if want != "memory to wait"])
def test_end_is_noticed_whatever_is_wanting(ssd: Tool, want: str) -> None:
    """By kill(2) if nothing else works; if no process can be waited for, the time ends the wait."""
    program = Notifier()
    start = spawn(ssd.path, *words(program), **WANTS[want]())
    daemon, _ = program.began()
    program.order("exit")
    assert 3 == reap(daemon)
    said = f"ssd: program (pid {daemon}) ended before it was ready\n"
    assert ("", said, 2) == (*start.communicate(timeout=LONG), start.returncode)
    assert recorded(PIDFILE) is None


@alone
def test_program_that_cannot_be_heard_runs_on(ssd: Tool) -> None:
    """The time ends the wait; the program was started and is recorded."""
    program = Notifier("READY=1")
    start = spawn(ssd.path, *words(program, timeout="1"), **lacking(RECVMSG, errno.ENOMEM))
    daemon, _ = program.began()
    output, said = start.communicate(timeout=LONG)
    assert said.startswith(f"ssd: program (pid {daemon}) is not ready after 1 seconds (see ")
    assert ("", 2) == (output, start.returncode)
    assert daemon == recorded(PIDFILE)
    end(daemon)


@alone
@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "refused"), MemoryError()])
def test_unforeseen_error_says_that_the_program_was_started(error: Exception) -> None:
    """The caller of the library would take any other exception for a failed start."""
    program = Notifier("READY=1")

    def say(event: str, *values: object) -> None:
        if event == "awaiting":
            raise error

    start = Start(
        Match(pidfile=PIDFILE),
        Command([program.path]),
        background=True,
        make_pidfile=True,
        warn=lambda *warning: None,
        say=say,
        notify_timeout=float(FOREVER),
    )
    with pytest.raises(NotReady) as caught:
        start.run()
    daemon, _ = program.began()
    assert (daemon, "unheard") == (caught.value.process.pid, caught.value.reason)
    assert daemon == recorded(PIDFILE)
    end(daemon)


@alone
def test_start_with_few_descriptors_succeeds_or_leaves_nothing(ssd: Tool) -> None:
    """With any limit: status 0 and a daemon, or status 2 and none."""
    outcomes = set()
    for most in range(5, 24):
        program = Notifier("READY=1")
        few = lambda most=most: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # noqa: E731
        start = spawn(ssd.path, *words(program), preexec_fn=few)
        _, wrong = start.communicate(timeout=LONG)
        daemon = recorded(PIDFILE)
        assert (start.returncode, daemon is None) in ((0, False), (2, True)), (most, wrong)
        outcomes.add(start.returncode)
        if daemon is not None:
            end(program.began()[0])
            os.unlink(PIDFILE)
        shutil.rmtree(os.path.dirname(program.path))
    assert {0, 2} == outcomes
