"""What runs with the marker of a supervisor, whoever is its parent: found in /proc.

The marker is a variable that every program of a supervisor is started with (``Effects``), and
that what it starts inherits. It is read where the kernel laid it at execve(2); a program may
write over that, so one that has run for a while is known by its pid in the journal as well.
"""

import os
import stat

from ssd.errors import VANISHED
from ssd.matching import Process
from ssd.processes.environments import read, settled
from ssd.supervision.effects import ASIDE, MARKER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Pipe = tuple[int, int]  # device and inode

ROOT = b"/proc"


class Survivor:
    """A living process with the marker of a start.

    name, token: of the marker; the token is empty if only its output told whose it is. ppid,
    session: pids. uid: its effective user.
    """

    __slots__ = ("process", "name", "token", "ppid", "session", "uid")

    def __init__(
        self, process: Process, name: str, token: str, ppid: int, session: int, uid: int
    ) -> None:
        self.process = process
        self.name = name
        self.token = token
        self.ppid = ppid
        self.session = session
        self.uid = uid

    @property
    def leads(self) -> bool:
        """Whether it leads its session, as what a supervisor has started does."""
        return self.session == self.process.pid


class Survivors:
    """All survivors, by service: ``of`` returns those of one, the oldest first."""

    __slots__ = ("_found",)

    def __init__(self, found: "Iterable[Survivor]" = ()) -> None:
        self._found: dict[str, list[Survivor]] = {}
        for each in sorted(found, key=lambda one: (one.process.start_time, one.process.pid)):
            self._found.setdefault(each.name, []).append(each)

    def names(self) -> "list[str]":
        """Return the services that have survivors."""
        return list(self._found)

    def has(self, process: Process) -> bool:
        """Tell whether a process is among them."""
        return any(one.process == process for each in self._found.values() for one in each)

    def of(self, name: str, token: str = "") -> "list[Survivor]":
        """Return the survivors of a service, with a token those of one start."""
        found = self._found.get(name, [])
        return [each for each in found if not token or each.token == token]

    def mains(self, name: str, token: str = "") -> "list[Survivor]":
        """Return those of them that a supervisor has started: no other survivor is their parent.

        Without a token, these are main processes alone.
        """
        found = self._found.get(name, [])
        inside = {each.process.pid for each in found}
        return [
            each
            for each in self.of(name, token)
            if each.leads
            and each.ppid not in inside
            and (token or not each.token.startswith(ASIDE))
        ]


def find(key: str, pipes: "Mapping[Pipe, str]", root: bytes = ROOT) -> Survivors:
    """Look at all processes but the caller.

    key: of the supervisor's marker. pipes: outputs of services whose start may have been cut
    off; a session leader with such an output counts as theirs even without a marker.
    """
    prefix = MARKER + b"=" + os.fsencode(key) + b":"
    found = []
    try:
        entries = [int(name) for name in os.listdir(root) if name.isdigit()]
    except OSError:
        entries = []  # nothing is mounted there, so nothing can be found
    for pid in entries:
        if pid == os.getpid():
            continue
        try:
            survivor = _look(pid, prefix, pipes, root)
        except VANISHED:
            continue
        if survivor is not None:
            found.append(survivor)
    return Survivors(found)


def _look(pid: int, prefix: bytes, pipes: "Mapping[Pipe, str]", root: bytes) -> Survivor | None:
    """Return a process as a survivor, None if it is none. Raises VANISHED."""
    where = os.open(root + b"/%d" % pid, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        marker = variable(where, prefix)
        name, _, token = os.fsdecode(marker).rpartition(":")
        if not marker:
            name = _by_output(where, pipes)
        if not name:
            return None
        fields = read(where, "stat").rpartition(b") ")[2].split(b" ", 21)
        if fields[0] in b"ZX":
            return None
        process = Process(pid, int(fields[19]))
        uid = os.fstat(where).st_uid
        return Survivor(process, name, token, int(fields[1]), int(fields[3]), uid)
    finally:
        os.close(where)


def variable(where: int, prefix: bytes) -> bytes:
    """Return what follows a prefix in a process's environment; empty without one. Raises VANISHED.

    where: a descriptor of its directory in /proc. One that is within execve(2) is waited for.
    """
    data = b"\0" + settled(where)
    begin = data.find(b"\0" + prefix)
    if begin < 0:
        return b""
    begin += 1 + len(prefix)
    return data[begin : data.find(b"\0", begin)]


def _by_output(where: int, pipes: "Mapping[Pipe, str]") -> str:
    """Return the service whose pipe is a process's stdout; empty if none is. Raises VANISHED."""
    if not pipes:
        return ""
    facts = os.stat("fd/1", dir_fd=where)
    return pipes.get((facts.st_dev, facts.st_ino), "") if stat.S_ISFIFO(facts.st_mode) else ""
