"""How a declared process takes a signal, or what a program does when it is executed.

A reaction is any function of the process; these make the usual ones, when they are called. An
OSError in one of your own, on a signal, is raised as RuntimeError: its sender would take it for
that of kill(2).
"""

import os
from typing import Any

from ssd.pidfile import writing
from ssd.testing.clock import seconds_of
from ssd.testing.process import IGNORED, Combined, FakeProcess, Reaction, checked, named


class Together(Combined):
    """Several reactions, all of them at each signal."""

    words = "does several things"

    def __call__(self, process: FakeProcess) -> None:
        """Take a signal: all of them do."""
        for reaction in self.reactions:
            if not process.ended:
                reaction(process)


class Turns(Combined):
    """Reactions of which the first is next; the last one stays."""

    words = "has its turn"

    def __call__(self, process: FakeProcess) -> None:
        """Take a signal: the next one does."""
        first, *rest = self.reactions
        self.reactions = rest or [first]
        first(process)


def dies(after: float = 0.0, status: int | None = None) -> Reaction:
    """End, at once or after some seconds, of the signal unless a ``status`` is given.

    For SIGKILL: a process in a slow device.
    """
    seconds_of(after, "after")
    words = f"ends it in {after:g} s" if after else "ends it"
    return named(words, lambda process: process.die(after, status))


def exits(status: int = 0, after: float = 0.0) -> Reaction:
    """End with an exit status, at once or after some seconds."""
    return dies(after, status)


def ignores() -> Reaction:
    """Do nothing, also after an exec (execve(2)). For SIGKILL: in uninterruptible sleep."""
    return IGNORED


def reloads() -> Reaction:
    """Read the configuration again: live on, as daemons do with SIGHUP."""
    return named("is a reload", lambda process: process.table.note(process, "reloads"))


def executes(exe: str | os.PathLike[str], *arguments: str) -> Reaction:
    """Run another program in place of this one, with the same pid."""
    return named("has it execute", lambda process: process.execute(exe, *arguments))


def renames(name: str | bytes) -> Reaction:
    """Take another name."""
    return named("has it renamed", lambda process: process.rename(name))


def forks(**facts: Any) -> Reaction:
    """Make a child, with ``facts`` (those of ``FakeProcesses.add``) or the parent's.

    Where no pid is free it is none, and the parent lives on.
    """

    def react(process: FakeProcess) -> None:
        try:
            process.fork(**facts)
        except BlockingIOError as error:
            process.table.note(process, f"cannot fork: {error.strerror}")

    return named("has it fork", react)


def leaves_zombie(reaped_after: float | None = None) -> Reaction:
    """End, and stay a zombie: some seconds until the parent reaps; None: until it ends, too."""

    def react(process: FakeProcess) -> None:
        process.reaped_after = reaped_after
        process.die()

    return named("ends it", react)


def daemonizes(pidfile: str | os.PathLike[str] | None = None, **facts: Any) -> Reaction:
    """Fork twice and end with status 0, as a program does that makes itself a daemon.

    The daemon is init's child, like the process but for ``facts``, and writes its pid.
    """

    def react(process: FakeProcess) -> None:
        middle = process.fork()
        daemon = middle.fork(**facts)
        middle.die(status=0)
        if pidfile is not None:
            written = writing.write(os.fspath(pidfile), daemon.pid)
            if written is not None:
                written.close()
        process.die(status=0)

    return named("makes it a daemon", react)


def in_turn(*reactions: Reaction) -> Reaction:
    """Take the first signal like this, the second like that; the last one for all after.

    Each process that has it begins with the first, and a forked one goes on where its parent
    was. What a program ``runs`` is counted over all that execute it. Raises ValueError for none.
    """
    if not reactions:
        raise ValueError("in_turn needs at least one reaction")
    return Turns([checked(each) for each in reactions])


def together(*reactions: Reaction) -> Reaction:
    """Do all of these, one after the other, as long as the process lives."""
    return Together([checked(each) for each in reactions])
