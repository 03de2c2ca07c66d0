"""How a declared process takes a signal, or what a program does when it is executed.

A reaction is any function of the process. The functions here return the usual ones. An OSError
in a reaction of your own to a signal is raised as RuntimeError: the sender would take it for one
of kill(2).
"""

import os
from typing import Any

from ssd.pidfile import writing
from ssd.testing.clock import seconds_of
from ssd.testing.process import IGNORED, Combined, FakeProcess, Reaction, checked, named


class _Together(Combined):
    """Several reactions that all run at each signal."""

    words = "does several things"

    def __call__(self, process: FakeProcess) -> None:
        """Run all of them."""
        for reaction in self.reactions:
            if not process.ended:
                reaction(process)


class _Turns(Combined):
    """Reactions that run one at each signal; the last one stays."""

    words = "has its turn"

    def __call__(self, process: FakeProcess) -> None:
        """Run the next one."""
        first, *rest = self.reactions
        self.reactions = rest or [first]
        first(process)


def dies(after: float = 0.0, status: int | None = None) -> Reaction:
    """End, at once or after some seconds, by the signal or with a ``status`` if it is given.

    For SIGKILL: a process that waits for a slow device.
    """
    seconds_of(after, "after")
    words = f"ends it in {after:g} s" if after else "ends it"
    return named(words, lambda process: process.die(after, status))


def exits(status: int = 0, after: float = 0.0) -> Reaction:
    """End with an exit status, at once or after some seconds."""
    return dies(after, status)


def ignores() -> Reaction:
    """Do nothing, also after execve(2). For SIGKILL: a process in uninterruptible sleep."""
    return IGNORED


def reloads() -> Reaction:
    """Reload the configuration and go on, as daemons do at SIGHUP."""
    return named("is a reload", lambda process: process.table.note(process, "reloads"))


def executes(exe: str | os.PathLike[str], *arguments: str) -> Reaction:
    """Run another program in place of this one, with the same pid."""
    return named("has it execute", lambda process: process.execute(exe, *arguments))


def renames(name: str | bytes) -> Reaction:
    """Take another name."""
    return named("has it renamed", lambda process: process.rename(name))


def forks(**facts: Any) -> Reaction:
    """Make a child, with the parent's facts except ``facts`` (see ``FakeProcesses.add``).

    If no pid is free, there is no child, and the parent goes on.
    """

    def react(process: FakeProcess) -> None:
        try:
            process.fork(**facts)
        except BlockingIOError as error:
            process.table.note(process, f"cannot fork: {error.strerror}")

    return named("has it fork", react)


def leaves_zombie(reaped_after: float | None = None) -> Reaction:
    """End, and stay a zombie for some seconds; None: until the parent reaps it or ends."""

    def react(process: FakeProcess) -> None:
        process.reaped_after = reaped_after
        process.die()

    return named("ends it", react)


def daemonizes(pidfile: str | os.PathLike[str] | None = None, **facts: Any) -> Reaction:
    """Fork twice and end with status 0, as a program that becomes a daemon.

    The daemon is init's child, differs from the process by ``facts``, and writes the pidfile.
    """

    def react(process: FakeProcess) -> None:
        middle = process.fork()
        middle.lead()
        daemon = middle.fork(**facts)
        middle.die(status=0)
        if pidfile is not None:
            written = writing.write(os.fspath(pidfile), daemon.pid)
            if written is not None:
                written.close()
        process.die(status=0)

    return named("makes it a daemon", react)


def notifies(text: str, every: float | None = None) -> Reaction:
    """Say something by sd_notify(3), at once and, if it is given, ``every`` so many seconds."""
    if every is not None and seconds_of(every, "every") == 0:
        raise ValueError("every is 0, it must be more")

    def react(process: FakeProcess) -> None:
        process.notify(text)
        if every is not None:
            process.after(every, reaction)

    reaction = named(f"has it say {text}", react)
    return reaction


def in_turn(*reactions: Reaction) -> Reaction:
    """Use the first reaction at the first signal, the second at the second, the last at all others.

    Each process counts for itself; a forked one continues the count of its parent. For ``runs`` of
    a program, all its executions are counted together. Raises ValueError without a reaction.
    """
    if not reactions:
        raise ValueError("in_turn needs at least one reaction")
    return _Turns([checked(each) for each in reactions])


def together(*reactions: Reaction) -> Reaction:
    """Run all of these, one after the other, while the process lives."""
    return _Together([checked(each) for each in reactions])
