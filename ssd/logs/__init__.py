"""The output of services: through a FIFO each, into files that are rotated at line ends.

``Logs`` is what all logs of a supervisor share, ``Log`` the log of one service. Nothing here waits
and nothing is a process: ``Logs`` puts descriptors into the supervisor's watch, and has a time of
its own only while a file cannot be written.
"""

import os
from time import monotonic, time

from ssd.logs.files import Files
from ssd.logs.stream import Stream
from ssd.logs.tail import last_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.logs.sinks import Forward, Syslog, Watch

DEFAULTS = {
    "kind": "file", "path": None, "stderr_path": None, "max_size": 10_000_000, "max_age": 0,
    "keep": 5, "form": "plain", "syslog": False, "forward": False,
}  # fmt: skip


class Settings:
    """How a log is written: the same object for all logs that are declared alike."""

    __slots__ = ("max_size", "max_age", "keep", "form", "syslog", "forward")

    def __init__(
        self, max_size: int, max_age: float, keep: int, form: str, syslog: bool, forward: bool
    ) -> None:
        self.max_size = max_size  # bytes; 0: any
        self.max_age = max_age  # seconds; 0: any
        self.keep = keep  # rotated files
        self.form = form
        self.syslog = syslog
        self.forward = forward

    @property
    def shared(self) -> bool:
        """Whether lines go to syslog or stdout, too."""
        return self.syslog or self.forward


class Logs:
    """What the logs of a supervisor share.

    ``report(name, kind, text)`` is told that a log "failed", has "resumed", or that lines were
    "dropped" for syslog or stdout. ``watch`` has ``add(fd, callback)`` and ``remove(fd)``.
    ``now`` is the time of ``until``, ``clock`` the one that lines are marked with, in seconds
    since the epoch.
    """

    def __init__(
        self,
        report: "Callable[[str, str, str], None]",
        *,
        watch: "Watch | None" = None,
        now: "Callable[[], float]" = monotonic,
        clock: "Callable[[], float]" = time,
        stdout: int = 1,
        devlog: str = "/dev/log",
    ) -> None:
        self.report = report
        self.now = now
        self.clock = clock
        self.files = Files()
        self.paused: dict[Stream, None] = {}  # those that wait for a time
        self._watch = watch
        self._settings: dict[tuple[object, ...], Settings] = {}
        self._stdout = stdout
        self._devlog = devlog
        self._syslog: Syslog | None = None
        self._forward: Forward | None = None

    @property
    def until(self) -> "float | None":
        """When ``advance`` is due, in the time of ``now``; None if it is not."""
        times = [stream.again for stream in self.paused if stream.again is not None]
        return min(times, default=None)

    def advance(self) -> None:
        """Try again what could not be written, where its time has come."""
        now = self.now()
        for stream in list(self.paused):
            stream.advance(now)

    def settings(self, declaration: "Mapping[str, object]") -> Settings:
        """Return the settings of a declaration."""
        values = {**DEFAULTS, **declaration}
        key = tuple(values[field] for field in Settings.__slots__)
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = Settings(*key)  # type: ignore[arg-type]
        return found

    def watch(self, stream: Stream) -> None:
        """Have a stream drained whenever something is in it."""
        if self._watch is not None:
            self._watch.add(stream.fd, stream)

    def unwatch(self, stream: Stream) -> None:
        """Stop that."""
        if self._watch is not None:
            self._watch.remove(stream.fd)

    def syslog(self) -> "Syslog":
        """Return the way to syslog."""
        if self._syslog is None:
            from ssd.logs.sinks import Syslog  # few logs go there

            self._syslog = Syslog(self._report_sink, self._devlog)
        return self._syslog

    def forward(self) -> "Forward":
        """Return the way to stdout."""
        if self._forward is None:
            from ssd.logs.sinks import Forward

            self._forward = Forward(self._report_sink, self._stdout, self._watch)
        return self._forward

    def _report_sink(self, kind: str, text: str) -> None:
        self.report("", kind, text)

    def close(self) -> None:
        """Close the files and sinks. Each log is closed by its owner, before."""
        self.files.close()
        if self._syslog is not None:
            self._syslog.close()
            self._syslog = None
        if self._forward is not None:
            self._forward.close()
            self._forward = None


class Log:
    """The log of one service."""

    __slots__ = ("out", "err")

    def __init__(
        self, logs: Logs, name: str, declaration: "Mapping[str, object]", fifo: str, path: str,
        uid: "int | None" = None, gid: "int | None" = None,
    ) -> None:  # fmt: skip
        """``declaration``: the field ``log``, complete or not. Open nothing yet.

        ``fifo``: where it is made; NAME.fifo.stderr is beside it if stderr is apart. ``path``: the
        log, if the declaration has none. ``uid``, ``gid``: the service's, None for the caller's.
        """
        values = {**DEFAULTS, **declaration}
        settings = logs.settings(declaration)
        owner = (
            os.geteuid() if uid is None else uid,
            os.getegid() if gid is None else gid,
        )
        file = values["kind"] == "file"
        out = str(values["path"] or path)
        apart = values["stderr_path"] if file else None
        self.out: Stream | None = None
        self.err: Stream | None = None
        if file or settings.shared:
            kind = "output" if apart is None else "stdout"
            self.out = Stream(logs, settings, name, kind, fifo, out if file else None, *owner)
            self.out.in_own_place = values["path"] is None
        if apart is not None and apart != out:
            self.err = Stream(logs, settings, name, "stderr", f"{fifo}.stderr", str(apart), *owner)

    def _streams(self) -> list[Stream]:
        return [stream for stream in (self.out, self.err) if stream is not None]

    def prepare(self) -> None:
        """Make or open the FIFOs before a start or an adoption. Raises OSError."""
        for stream in self._streams():
            stream.prepare()

    def child_descriptors(self) -> tuple[int, int]:
        """Return the service's stdout and stderr, maybe one descriptor. The caller closes them."""
        if self.out is None:
            fd = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
            return fd, fd
        out = self.out.for_child()
        if self.err is None:
            return out, out
        try:
            return out, self.err.for_child()
        except BaseException:
            os.close(out)
            raise

    def descriptors(self) -> list[int]:
        """Return what is to be watched for reading just now: nothing while a file fails."""
        return [stream.fd for stream in self._streams() if stream.fd >= 0 and stream.again is None]

    def held(self) -> list[int]:
        """Return the descriptors of the FIFOs that are open."""
        return [stream.fd for stream in self._streams() if stream.fd >= 0]

    def drain(self, fd: int) -> bool:
        """Move what is there; tell whether there may be more. For loops without a ``watch``."""
        found = [stream for stream in self._streams() if stream.fd == fd]
        return found[0].drain() if found else False

    @property
    def until(self) -> "float | None":
        """When ``advance`` is due; None mostly."""
        times = [stream.again for stream in self._streams() if stream.again is not None]
        return min(times, default=None)

    def advance(self, now: float) -> None:
        """Try again what could not be written, if its time has come."""
        for stream in self._streams():
            stream.advance(now)

    def finish(self) -> None:
        """Move what is left and end a begun line, after the service has ended."""
        for stream in self._streams():
            stream.finish()

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines, of a rotated file too, without newlines. Raises OSError.

        If stderr is apart, they are of the stream that was written last.
        """
        files = [each for each in self._streams() if each.path is not None]
        if not files:
            return []
        last = max(files, key=Stream.written)
        return last_lines(last.path or "", count, last.uid)

    def remove(self) -> None:
        """Let go, and remove the FIFOs, of a service that is no longer declared."""
        for stream in self._streams():
            stream.remove()

    def close(self) -> None:
        """Let go. What the service writes from now on waits in its FIFO, up to 64 KB."""
        for stream in self._streams():
            stream.close()
