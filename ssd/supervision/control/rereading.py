"""Read declarations again while services run.

A declaration in shell takes a shell, for up to 30 seconds; a supervisor must not wait for that. So
a forked process reads them, compares them with those that count now, and sends back only what is
new. One that is broken changes nothing at all.
"""

import marshal
import os
import sys

from ssd.errors import Error
from ssd.service import sources
from ssd.service.declaration import Service
from ssd.service.errors import UnknownService
from ssd.signals import raw as signals
from ssd.supervision.cli import declared
from ssd.supervision.effects import held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import NoReturn

    from ssd.supervision.supervisor import Supervisor, Update

    Done = Callable[["Update | list[str]"], None]
    # Name -> None for a declaration that is as before, else its file and fields.
    Found = dict[str, "tuple[str | None, dict[str, object]] | None"]

_HANDLED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD", "SIGUSR1", "SIGUSR2")


def compare(
    directory: str, names: "Sequence[str] | None", known: "Mapping[str, Service]"
) -> "tuple[Found, list[str]]":
    """Return what a directory declares now beside the ``known`` services, and what is wrong.

    Of ``names``, those that are not declared any more are left out.
    """
    if names is not None:
        names = [name for name in names if _is_declared(name, directory)]
    try:
        services = declared.read(directory, names)
    except (Error, OSError) as error:
        from ssd.supervision.cli.refusal import explain

        return {}, explain(error)
    found: Found = {}
    for service in services:
        same = known.get(service.name) == service
        found[service.name] = None if same else (service.file, service.to_dict())
    return found, []


def _is_declared(name: str, directory: str) -> bool:
    try:
        return sources.locate(name, directory) is not None
    except (Error, OSError):
        return True  # reading it gives the error


class Rereading:
    """Has a supervisor take the declarations of its directory anew.

    ``names``: the services that it was started for; None for all of the directory. The process
    must have no other threads.
    """

    __slots__ = ("_supervisor", "_directory", "_names", "_pid", "_pipe", "_data", "_asked", "_next")

    def __init__(
        self, supervisor: "Supervisor", directory: str, names: "Iterable[str] | None" = None
    ) -> None:
        self._supervisor = supervisor
        self._directory = directory
        self._names = None if names is None else list(names)
        self._pid = 0
        self._pipe = -1
        self._data: list[bytes] = []
        self._asked: list[Done] = []
        self._next: list[Done] = []  # who asked after the reading had begun

    def begin(self, done: "Done") -> None:
        """Read, and have the supervisor take it; never waits. Raises OSError.

        ``done`` is called later, with the Update, or with what is wrong, in words.
        """
        if self._pid:
            self._next.append(done)
            return
        self._asked.append(done)
        try:
            self._fork()
        except BaseException:
            self._asked.clear()
            raise

    def _fork(self) -> None:
        reading, writing = os.pipe()
        try:
            pid = os.fork()
        except BaseException:
            os.close(reading)
            os.close(writing)
            raise
        if pid == 0:
            self._help(writing)
        os.close(writing)
        os.set_blocking(reading, False)
        self._pid, self._pipe = pid, reading
        held.WAITED_FOR.add(pid)
        self._supervisor.watch.add(reading, self._take)

    def _help(self, writing: int) -> "NoReturn":
        """In the forked process: read, send what was found, and end."""
        status = 1
        try:
            os.setpgid(0, 0)
            signals.set_wakeup_fd(-1)
            for name in _HANDLED:
                signals.signal(getattr(signals, name), signals.SIG_DFL)
            # The supervisor's lock and sockets must not outlive it here.
            os.dup2(writing, 3, inheritable=False)
            os.closerange(4, os.sysconf("SC_OPEN_MAX"))
            found = compare(self._directory, self._names, self._known())
            with open(3, "wb") as pipe:
                marshal.dump(found, pipe)
            status = 0
        except BaseException as error:
            sys.stderr.write(f"the declarations cannot be read: {error!r}\n")
            raise
        finally:
            os._exit(status)  # without the supervisor's buffers and exit handlers

    def _known(self) -> "dict[str, Service]":
        units = self._supervisor.units.values()
        return {unit.name: unit.changed or unit.service for unit in units if not unit.removed}

    def _take(self) -> None:
        """Take what the other process sends; at its end have the supervisor take it."""
        try:
            piece = os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return
        if piece:
            self._data.append(piece)
            return
        self._reap()
        data, self._data = b"".join(self._data), []
        asked, self._asked = self._asked, []
        outcome = self._outcome(data)
        for done in asked:
            done(outcome)
        later, self._next = self._next, []
        for done in later:
            self._again(done)

    def _again(self, done: "Done") -> None:
        try:
            self.begin(done)
        except OSError as error:
            from ssd.sentences import describe

            done([describe(error)])

    def _reap(self) -> None:
        """Close the pipe, and wait for the process, which has closed it to end."""
        self._supervisor.watch.remove(self._pipe)
        os.close(self._pipe)
        os.waitpid(self._pid, 0)
        held.WAITED_FOR.discard(self._pid)
        self._pid, self._pipe = 0, -1

    def _outcome(self, data: bytes) -> "Update | list[str]":
        try:
            found, faults = marshal.loads(data)
        except (EOFError, ValueError, TypeError):
            return ["the process that read the declarations has ended early"]
        if faults:
            return list(faults)
        try:
            return self._supervisor.update(self._services(found))
        except (Error, OSError) as error:
            from ssd.sentences import describe

            return [describe(error)]

    def _services(self, found: "Found") -> "list[Service]":
        """Make services of what was found; one that has not changed is the same object."""
        known = self._known()
        services: list[Service] = []
        for name, read in found.items():
            if read is not None:
                services.append(Service(file=read[0], **read[1]))
            elif name in known:
                services.append(known[name])
            else:
                raise UnknownService(name, [self._directory], None)
        return services

    def close(self) -> None:
        """Give up a reading that has not ended; its shell ends, too."""
        if self._pid:
            try:
                os.killpg(self._pid, signals.SIGKILL)
            except ProcessLookupError:  # it has not made its group yet
                os.kill(self._pid, signals.SIGKILL)
            self._reap()
