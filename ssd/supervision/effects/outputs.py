"""Where the output of each service goes: its log, the file that it declares, or nowhere."""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from ssd.accounts import Account
    from ssd.logs import Log, Logs
    from ssd.service.declaration import Service
    from ssd.supervision.unit import Unit
    from ssd.supervision.watch import Watch

    class Places(Protocol):
        """Where the pipes and the logs are: ``ssd.supervision.places.Places``."""

        def fifo(self, name: str) -> str:
            """Return the path of the pipe of a service's output."""

        def log(self, name: str) -> str:
            """Return the path of a service's log."""


class Outputs:
    """The outputs of a supervisor's services. Without ``places`` there are no logs.

    forwards: whether all lines also go to the supervisor's stdout, and into a file only if its
    path is declared. located: where the output of a unit is that something else keeps, or None.
    """

    __slots__ = ("places", "forwards", "located", "_watch", "_report", "_logs", "_null")

    def __init__(
        self,
        places: "Places | None",
        watch: "Watch",
        report: "Callable[[str, str, str], None]",
    ) -> None:
        """``report(name, kind, text)``: see ``ssd.logs.Logs``."""
        self.places = places
        self.forwards = False
        self.located: Callable[[Unit], str | None] | None = None
        self._watch = watch
        self._report = report
        self._logs: Logs | None = None
        self._null = -1

    def open(self, unit: "Unit", account: "Account") -> "tuple[int, int, int]":
        """Return the standard descriptors for a start; ``close`` closes them. Raises OSError."""
        null = self._nowhere()
        files = _files(unit.service)
        log = None if all(files) else self._log(unit, account)
        if log is not None:
            _demand_apart(log, files)
            log.prepare()
        opened = [null, null] if log is None else [*log.child_descriptors()]
        if any(files):
            self._open_files(files, opened, account)
        return null, opened[0], opened[1]

    def _open_files(
        self, files: "tuple[str | None, str | None]", opened: "list[int]", account: "Account"
    ) -> None:
        """Put the files that are declared in the place of what is opened; close that."""
        from ssd.starting.output import open_output

        before = {*opened}
        out, err = files
        try:
            if out is not None:
                opened[0] = open_output(os.fsencode(out), account.uid)
            if err is not None:
                same = err == out
                opened[1] = opened[0] if same else open_output(os.fsencode(err), account.uid)
        except BaseException:
            self.close((self._null, *{*opened} - before, *before))
            raise
        self.close((self._null, *before - {*opened}))

    def path_of(self, unit: "Unit") -> "str | None":
        """Return where the output of a service is kept, None if it is not."""
        if self.located is not None:
            return self.located(unit)
        service, places = unit.service, self.places
        if (own := self.own_file(unit)) is not None:
            return own
        if places is None or service.console == "none" or service.log["kind"] != "file":
            return None
        declared = service.log["path"]
        return places.log(unit.name) if declared is None else str(declared)

    def own_file(self, unit: "Unit") -> "str | None":
        """Return the file that a service has as its standard output itself."""
        return _files(unit.service)[0]

    def close(self, stdio: "tuple[int, ...]") -> None:
        """Close what ``open`` has returned."""
        for fd in {*stdio} - {self._null}:
            os.close(fd)

    def adopt(self, unit: "Unit", account: "Account") -> None:
        """Read the pipe of a service that another supervisor has started. Raises OSError."""
        log = None if all(_files(unit.service)) else self._log(unit, account)
        if log is not None:
            log.prepare()

    def held(self, unit: "Unit") -> "list[int]":
        """Return the descriptors of a service's pipes that are open here."""
        return [] if unit.log is None else unit.log.held()

    def pipes(self, names: "Iterable[str]") -> "dict[tuple[int, int], str]":
        """Return device and inode of the pipes of services, each with its name."""
        found: dict[tuple[int, int], str] = {}
        for name in names:
            if self.places is None:
                break
            try:
                facts = os.stat(self.places.fifo(name))
            except FileNotFoundError:
                continue  # it has no log
            found[facts.st_dev, facts.st_ino] = name
        return found

    def ended(self, unit: "Unit") -> None:
        """Write what is left of a main process that has ended."""
        if unit.log is not None:
            unit.log.finish()

    def last_lines(self, unit: "Unit", count: int) -> "list[str]":
        """Return the last lines of a service's log; none if it has no log."""
        return [] if unit.log is None else unit.log.last_lines(count)

    def changed(self, unit: "Unit") -> None:
        """Let go of a log whose declaration may have changed; its pipe remains."""
        if unit.log is not None:
            unit.log.close()
            unit.log = None

    def forget(self, unit: "Unit") -> None:
        """Let go of a service for good, and remove its pipe."""
        if unit.log is not None:
            unit.log.remove()
            unit.log = None

    @property
    def until(self) -> float | None:
        """When ``advance`` is due; None mostly."""
        return None if self._logs is None else self._logs.until

    def advance(self) -> None:
        """Try again what could not be written."""
        if self._logs is not None:
            self._logs.advance()

    def _log(self, unit: "Unit", account: "Account") -> "Log | None":
        """Return the log of a service; None if it has none."""
        if unit.log is None and self.places is not None and unit.service.console != "none":
            declared = self._declared(unit)
            if declared["kind"] == "none" and not (declared["syslog"] or declared["forward"]):
                return None
            from ssd.accounts import Account
            from ssd.logs import Log, Logs

            if account.uid is None and unit.service.user is not None:  # a hook of root's
                command = unit.service.command()
                account = Account(command.user, command.group)
            if self._logs is None:
                self._logs = Logs(self._report, watch=self._watch)
            unit.log = Log(
                self._logs, unit.name, declared, self.places.fifo(unit.name),
                self.places.log(unit.name), account.uid, account.gid,
            )  # fmt: skip
        return unit.log

    def _declared(self, unit: "Unit") -> "dict[str, object]":
        """Return the field ``log`` of a service, as it counts here."""
        declared: dict[str, object] = {**unit.service.log}
        if self.forwards:
            declared["forward"] = True
            if declared["path"] is None and declared["stderr_path"] is None:
                declared["kind"] = "none"
        return declared

    def _nowhere(self) -> int:
        if self._null < 0:
            self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        return self._null

    def close_all(self) -> None:
        """Close all that the outputs share; the logs belong to their units."""
        if self._logs is not None:
            self._logs.close()
        if self._null >= 0:
            os.close(self._null)
            self._null = -1


def _demand_apart(log: "Log", files: "tuple[str | None, str | None]") -> None:
    """Raise OSError if a log is also a file of the service itself: each would write over it."""
    for stream in (log.out, log.err):
        if stream is not None and stream.path is not None and stream.path in files:
            reason = f"its log is {stream.path}, as its stdout or stderr is: declare another path"
            raise OSError(errno.EINVAL, reason)


def _files(service: "Service") -> "tuple[str | None, str | None]":
    """Return the files of standard output and error that a service declares."""
    return service.stdout or service.output, service.stderr or service.output
