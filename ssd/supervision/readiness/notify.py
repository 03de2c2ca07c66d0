"""The notification socket of all services of a supervisor: one datagram socket (sd_notify(3)).

Only services that declare it get its address in NOTIFY_SOCKET, those with readiness by
notification or with a watchdog: programs behave differently with that variable. (runc, for
example, then waits until the container itself says READY=1.)

The kernel attaches the sender to each message. The sender belongs to a service if it is the main
process, in its session, below it, or has the marker of this start in its environment; a message of
anybody else is dropped.
"""

import os

from ssd.accounts import Account
from ssd.errors import Error, ProcessTableError
from ssd.starting.notify import MAX_MESSAGE_SIZE
from ssd.starting.notify_directories import SocketDirectory
from ssd.starting.notify_sender import CONTROL_SIZE, Sender, request_senders
from ssd.supervision.readiness.following import complain
from ssd.supervision.readiness.notices import Speaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.supervision.unit import Unit
    from ssd.supervision.watch import Watch

MOST = 32  # messages that are read in one turn: a flood delays nothing else by more
DEEPEST = 64  # generations between a sender and its main process


class Notify:
    """The socket, which is made for the first service that wants it, and who belongs to whom.

    path: of the socket; "" for a directory of its own, which is removed with it. fd: of a socket
    that the program before this one has left open at the path, -1 for none.
    """

    __slots__ = ("path", "_watch", "_table", "_socket", "_directory", "_speakers", "_pids",
                 "_markers")  # fmt: skip

    def __init__(self, table: "ProcessTable", watch: "Watch", path: str = "", fd: int = -1) -> None:
        self.path = os.fsencode(path)
        self._table = table
        self._watch = watch
        self._socket: socket | None = None
        self._directory: SocketDirectory | None = None
        self._speakers: dict[str, Speaker] = {}
        self._pids: dict[int, Speaker] = {}
        self._markers: dict[bytes, Speaker] = {}
        if fd >= 0:
            import _socket

            self._read(_socket.socket(fileno=fd))

    def fileno(self) -> int:
        """Return the descriptor of the socket, -1 without one."""
        return -1 if self._socket is None else self._socket.fileno()

    def variables(self, service: "Service") -> "dict[bytes, bytes]":
        """Return what a service's environment needs. Raises OSError if there can be no socket."""
        self._open()
        made = {b"NOTIFY_SOCKET": self.path}
        if service.watchdog:
            made[b"WATCHDOG_USEC"] = b"%d" % int(service.watchdog * 1e6)
        return made

    def listen(self, unit: "Unit") -> None:
        """Listen to a service whose main process has just been started, or taken over.

        A problem is told, and stops nothing.
        """
        self.forget(unit)
        try:
            if self._table.launcher is None:
                self._open()
            uid = Account(unit.service.user, None).uid
            marker = unit.supervisor.effects.marker(unit)
            speaker = Speaker(unit, self, marker, os.geteuid() if uid is None else uid)
            self._speakers[unit.name] = self._markers[marker] = speaker
            self.main_changed(unit)
        except (Error, OSError) as error:
            complain(unit, error)

    def knows(self, unit: "Unit") -> bool:
        """Tell whether it listens to a service."""
        return unit.name in self._speakers

    def main_changed(self, unit: "Unit") -> None:
        """Listen to another main process, and to the session that it is in.

        A session counts only if a process of the service has made it: a daemon that somebody has
        started by hand shares that of a shell.
        """
        speaker = self._speakers.get(unit.name)
        if speaker is None or unit.main is None:
            return
        self._forget_pids(speaker)
        kin, pid = self._table.kin.of(unit.main.pid), unit.main.pid
        kept = speaker.pids & {0 if kin is None else kin.session}
        speaker.pids = {pid} | kept
        self._pids.update(dict.fromkeys(speaker.pids, speaker))
        launcher = self._table.launcher
        if launcher is not None:
            inbox = speaker.inbox = launcher.notifications(unit.main)
            self._watch.hold(inbox, self.hear)

    def forget(self, unit: "Unit") -> None:
        """Listen to a service no more."""
        speaker = self._speakers.pop(unit.name, None)
        if speaker is not None:
            self._markers.pop(speaker.marker, None)
            self._forget_pids(speaker)

    def _forget_pids(self, speaker: Speaker) -> None:
        for pid in speaker.pids:
            self._pids.pop(pid, None)
        if speaker.inbox is not None:
            self._watch.release(speaker.inbox)
            speaker.inbox = None

    def hear(self) -> None:
        """Take the messages that wait, at most MOST."""
        if self._socket is None:
            for declared in list(self._speakers.values()):
                declared.empty_inbox()
            return
        import _socket

        flags: int = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
        for _ in range(MOST):
            try:
                message, control, told, _ = self._socket.recvmsg(
                    MAX_MESSAGE_SIZE, CONTROL_SIZE, flags
                )
            except OSError:  # no more; or no memory is left, and the next turn reads it
                return
            sender = Sender(control)
            try:
                speaker = self._speaker(sender)
                if speaker is not None and not told & _socket.MSG_TRUNC:
                    speaker.take(message)
            except ProcessTableError:
                continue  # no descriptor is left to see who it is
            finally:
                sender.close()  # BARRIER=1: its sender waits for that

    def hear_last(self, unit: "Unit") -> None:
        """Take what a service has said before its main process ended."""
        if self.knows(unit):
            self.hear()

    def own(self, speaker: Speaker, pid: int) -> "Process | None":
        """Return the process that has a pid, if it is one of a service's."""
        process = self._table.process(pid)
        return process if process is not None and self._owner(pid) is speaker else None

    def close(self) -> None:
        """Close the socket and remove it."""
        if self._socket is None:
            return
        self._watch.remove(self._socket.fileno())
        self._socket.close()
        self._socket = None
        if self._directory is not None:
            self._directory.remove()
            return
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass

    def _open(self) -> None:
        """Bind the socket, once; root's is for all users, for its services may be any user."""
        import _socket

        if self._socket is not None:
            return
        if not self.path:
            self._directory = SocketDirectory()
            self.path = self._directory.socket_path
            if os.geteuid() == 0:
                os.chmod(self._directory.path, 0o711)
        made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK)
        try:
            request_senders(made)
            try:
                os.unlink(self.path)  # a supervisor that was killed has left it
            except FileNotFoundError:
                pass
            made.bind(self.path)
            os.chmod(self.path, 0o666 if os.geteuid() == 0 else 0o600)
        except OSError:
            made.close()
            raise
        self._read(made)

    def _read(self, made: "socket") -> None:
        self._socket = made
        self._watch.add(made.fileno(), self.hear)

    def _speaker(self, sender: Sender) -> Speaker | None:
        """Return the service that a sender belongs to."""
        session = sender.session()
        if session is None or sender.pid is None:
            return None  # it has been reaped, or is in another PID namespace
        found = self._pids.get(sender.pid) or self._pids.get(session)
        return found or self._owner(sender.pid, sender.uid)

    def _owner(self, pid: int, uid: int | None = None) -> Speaker | None:
        """Return the service that a process belongs to: by what is above it, else by its marker.

        A marker is believed of root and of the service's user: others could have copied it.
        """
        above: int = pid
        for _ in range(DEEPEST):
            kin = self._table.kin.of(above)
            if kin is None:
                break
            found = self._pids.get(above) or self._pids.get(kin.session)
            if found is not None:
                return found
            above = kin.ppid
        for entry in self._table.kin.environment(pid):
            marked = self._markers.get(entry)
            if marked is not None and uid in (None, 0, marked.uid):
                return marked
        return None
