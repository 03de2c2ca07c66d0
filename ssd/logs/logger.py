"""The process that writes the log of one daemon which no supervisor watches.

``ssd.logs.launching`` starts it before the daemon. It reads a pipe for each output until nobody has
the other end any more, so it lives as long as the daemon and all that the daemon has left. It holds
nothing else of the start: no descriptor, no terminal, no session, no directory.

Signals that mean the daemon, or its session, do not end it: the last lines are yet to come.
"""

import os
import select

from ssd.logs import DEFAULTS, Logs
from ssd.logs.sharing import SharedFile
from ssd.logs.spool import Spool
from ssd.logs.stream import CHUNK, Stream
from ssd.signals import raw
from ssd.stdio import name_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.logs import Settings
    from ssd.logs.files import LogFile

    Values = dict[str, str | int | float | bool | None]

NAME = "ssd-logger"  # of the process, in ps(1), and in syslog
READY = b"ready\n"
OUT, ERR, REPORT = 0, 3, 2  # its descriptors: one pipe or two, and where it says that it is ready
IGNORED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGUSR1",
           "SIGUSR2")  # fmt: skip
PATIENCE = 600.0  # seconds for which it tries to write the last output to a file that fails


def main(words: list[str]) -> int:
    """Write the log; return the exit status.

    words: those of ``arguments``. The first line on descriptor 2 says ready, or why not.
    """
    for name in IGNORED:
        raw.signal(getattr(raw, name), raw.SIG_IGN)
    raw.pthread_sigmask(raw.SIG_SETMASK, ())
    name, values, uid = _values(words)
    os.closerange(ERR + ("stderr_path" in values), os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    os.chdir("/")
    name_process(NAME)
    logger = Logger(name, values, uid)
    try:
        logger.open()
    except OSError as error:
        os.write(REPORT, f"{error.errno or 0} {error.strerror}\n".encode())
        return 1
    os.write(REPORT, READY)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, REPORT)
    os.close(null)
    try:
        logger.run()
    except Exception as error:  # nobody waits for this process, and its stderr is /dev/null
        logger.report(name, "failed", f"the logger ends: {error!r}")
        raise
    return 0


def arguments(name: str, values: "Values", uid: int | None) -> list[str]:
    """Return the words that tell a logger what to do, readable in ps(1).

    name: of the service. values: the field ``log``, complete or not. uid: the daemon's user.
    """
    words = [
        f"{key}={value}" for key, value in values.items() if value not in (None, DEFAULTS[key])
    ]
    return [name, *words, *([] if uid is None else [f"uid={uid}"])]


def _values(words: list[str]) -> "tuple[str, Values, int | None]":
    """Read the words of ``arguments``."""
    given = dict(word.split("=", 1) for word in words[1:])
    uid = given.pop("uid", None)
    values: Values = {}
    for key, text in given.items():
        default = DEFAULTS[key]
        if isinstance(default, bool):
            values[key] = text == "True"
        elif isinstance(default, int):
            values[key] = int(text) if text.isdigit() else float(text)
        else:
            values[key] = text
    return words[0], values, None if uid is None else int(uid)


class Logger:
    """The streams of one daemon, and the files that they go to."""

    def __init__(self, name: str, values: "Values", uid: int | None) -> None:
        self.logs = Logs(self.report)
        settings = self.logs.settings(values)
        whole = {**DEFAULTS, **values}
        path = str(whole["path"]) if whole["kind"] == "file" else None
        apart = whole["stderr_path"]
        kind = "output" if apart is None else "stdout"
        self.streams = [Piped(self.logs, settings, name, kind, path, uid, OUT)]
        if apart is not None:
            self.streams.append(Piped(self.logs, settings, name, "stderr", str(apart), uid, ERR))

    def open(self) -> None:
        """Open the files, so that a start fails if that is impossible. Raises OSError."""
        for stream in self.streams:
            stream.open()

    def run(self) -> None:
        """Write until all pipes have ended."""
        while streams := [stream for stream in self.streams if not stream.ended]:
            poll = select.poll()
            for stream in streams:
                if stream.again is None:
                    poll.register(stream.fd, select.POLLIN)
            due = self.logs.until
            seconds = None if due is None else max(0.0, due - self.logs.now())
            ready = {fd for fd, _ in poll.poll(None if seconds is None else seconds * 1000 + 1)}
            for stream in streams:
                if stream.fd in ready:
                    stream.drain()
            self.logs.advance()
            for stream in streams:
                stream.give_up()
        for stream in self.streams:
            stream.finish()
            stream.close()
        self.logs.close()

    def report(self, name: str, kind: str, text: str) -> None:
        """Tell syslog what happens to the log: there is nobody else."""
        if kind != "dropped":  # then it is syslog that does not listen
            from time import localtime, strftime

            there = localtime(self.logs.clock())
            stamp = f"{strftime('%b', there)} {there.tm_mday:2} {strftime('%H:%M:%S', there)}"
            self.logs.syslog().put(NAME, [os.fsencode(f"{name}: {text}")], stamp)


class Piped(Stream):
    """One output of the daemon, through a pipe that ends with its last writer."""

    __slots__ = ("ended", "lost", "_gone")

    file_type = SharedFile

    def __init__(
        self, logs: Logs, settings: "Settings", name: str, kind: str, path: "str | None",
        uid: "int | None", fd: int,
    ) -> None:  # fmt: skip
        super().__init__(logs, settings, name, kind, "", path, -1 if uid is None else uid, -1)
        self.fd = fd
        self.ended = False
        self.lost = False  # what is left in the pipe, because the file could not be written
        self._gone: float | None = None  # since when nobody has the other end
        os.set_blocking(fd, False)

    def open(self) -> None:
        """Open the file. Raises OSError."""
        if self.path is not None:
            self.logs.files.get(self, self._open)
            self._unlock()

    def drain(self) -> bool:
        """See Stream; others may write to the file afterwards."""
        try:
            return super().drain()
        finally:
            self._unlock()

    __call__ = drain

    def finish(self) -> None:
        """See Stream."""
        if not self.lost:
            super().finish()
            self._unlock()

    def give_up(self) -> None:
        """Give up what cannot be written when its writers are gone for long."""
        if self.again is None:
            return
        poll = select.poll()
        poll.register(self.fd, 0)
        if not poll.poll(0):
            return
        now = self.logs.now()
        if self._gone is None:
            self._gone = now
        elif now - self._gone > PATIENCE:
            self._report("failed", f"cannot write {self.path}: its last output is lost")
            self.ended = self.lost = True
            self._set_again(None)

    def _move(self, file: "LogFile", count: int) -> int:
        """Move bytes from the pipe to the file; none mean its end."""
        moved = super()._move(file, count)
        self.ended = moved == 0
        return moved

    def _read(self) -> bool:
        """Read for syslog alone."""
        try:
            piece = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return False
        self.ended = not piece
        self._tell(piece)
        return bool(piece)

    def _unlock(self) -> None:
        file = self.logs.files.known(self)
        if isinstance(file, SharedFile):
            file.unlock()

    def _new_spool(self) -> Spool:
        return MemorySpool()


class MemorySpool(Spool):
    """A spool without a name: with this process the pipe ends, and nobody could go on."""

    __slots__ = ()

    def __init__(self) -> None:
        self.path = ""
        self.full = False
        if hasattr(os, "memfd_create"):
            self.fd = os.memfd_create("spool")
        else:
            from tempfile import TemporaryFile

            with TemporaryFile() as file:
                self.fd = os.dup(file.fileno())

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)
