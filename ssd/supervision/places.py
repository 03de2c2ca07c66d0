"""Where a supervisor has its files: socket, lock, journal, the services' pipes and logs.

There is one run directory for each directory of declarations and user, and both the supervisor
and its clients find it from these two alone. Like the directory of start locks
(``ssd.pidfile.locking``) it follows from the account, and not from XDG_RUNTIME_DIR: cron has no
such variable, and that directory goes when its user logs out, while the supervisor stays. Nobody
else may write it, so nobody can plant a socket, a pipe or a journal.
"""

import errno
import fcntl
import os
import stat

from ssd.errors import Error
from ssd.homes import home, is_own, log_directory
from ssd.service import DIRECTORY, SUPERVISORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

UPSTART = "%upstart"  # beside the run directories; it is no name of one (``key``)
MAX_KEY = 200  # bytes; NAME_MAX is 255
LONGEST_PATH = 107  # bytes of the address of a socket, unix(7)
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Occupied(Error):
    """Another supervisor has this directory. ``pid`` is its process, 0 if that is unknown."""

    def __init__(self, directory: str, pid: int) -> None:
        shown = f"process {pid}" if pid else "another process"
        super().__init__(f"{directory}: {shown} supervises its services already")
        self.directory: str = directory
        self.pid: int = pid


def key(directory: str) -> str:
    """Return the name of the run directory for a directory of declarations.

    It is the real path with ``-`` for each slash. Two directories never have the same name.
    Raises OSError if a path that is too long for a name does not exist.
    """
    whole = os.fsencode(os.path.realpath(directory)).strip(b"/")
    made = whole.replace(b"%", b"%25").replace(b"-", b"%2d").replace(b"/", b"-") or b"-"
    if len(made) > MAX_KEY:
        facts = os.stat(directory)
        # Two % in a row are in no other name.
        made = b"%%%%%x-%x-%s" % (facts.st_dev, facts.st_ino, made[-MAX_KEY // 2 :])
    return os.fsdecode(made)


def default_directory() -> str:
    """Return the directory of declarations of the calling user."""
    if os.geteuid() == 0:
        return DIRECTORY
    above = os.environ.get("XDG_CONFIG_HOME", "")
    if not above.startswith("/"):
        above = os.path.expanduser("~/.config")
    return f"{above}/ssd"


def base(uid: int) -> "tuple[str, tuple[str, ...]]":
    """Return where a user's run directories are: what exists, and the directories below it."""
    if uid == 0:
        above, _, name = SUPERVISORS.rpartition("/")
        if os.access(above, os.W_OK):
            return above, (name,)
    elif found := home(uid):
        return found, (".cache", "ssd", "supervise")
    return "/tmp", (f"ssd-{uid}", "supervise")


def sockets(directory: str, uid: int) -> "list[str]":
    """Return the paths where a user may find the socket of a directory's supervisor.

    First that of the user's own supervisor, then of root's. UPSTART is no directory: it stands for
    that of the supervisor of Upstart jobs, whichever that is.
    """
    name = UPSTART if directory == UPSTART else key(directory)
    above, parts = base(uid)
    own = "/".join((above.rstrip("/"), *parts))
    return [f"{each}/{name}/socket" for each in dict.fromkeys((own, SUPERVISORS))]


def upstart_link(uid: int) -> str:
    """Return the path of the link to the run directory of a user's supervisor of Upstart jobs."""
    above, parts = base(uid)
    return "/".join((above.rstrip("/"), *parts, UPSTART))


def is_locked(socket: str) -> bool:
    """Tell whether a supervisor has the lock of the run directory that a socket is in."""
    try:
        fd = os.open(f"{os.path.dirname(socket)}/lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class Places:
    """The places of one supervisor.

    ``directory``: that of the declarations. ``path``: the run directory. ``logs``: the directory
    of logs. ``descriptor``: of the run directory, open until ``close``.
    ``is_first``: whether nobody had the lock before.
    """

    __slots__ = ("directory", "path", "logs", "descriptor", "is_first", "_lock")

    def __init__(self, directory: str, path: str, logs: str, descriptor: int) -> None:
        self.directory = directory
        self.path = path
        self.logs = logs
        self.descriptor = descriptor
        self.is_first = False
        self._lock = -1

    @property
    def socket(self) -> str:
        """The path of the socket."""
        return f"{self.path}/socket"

    @property
    def journal(self) -> str:
        """The path of the journal."""
        return f"{self.path}/journal"

    @property
    def notify(self) -> str:
        """The path of the socket that services of any user send notifications to; "" for none.

        It is beside the run directory, which others cannot enter. An address has 107 bytes at most
        (unix(7)), so the name is short; it is no name of a run directory (``key``).
        """
        facts = os.fstat(self.descriptor)
        beside = os.path.dirname(self.path)
        path = f"{beside}/%notify-{facts.st_dev:x}-{facts.st_ino:x}"
        return path if len(os.fsencode(path)) <= LONGEST_PATH else ""

    def fifo(self, name: str) -> str:
        """Return the path of the pipe of a service's output."""
        return f"{self.path}/{name}.fifo"

    def log(self, name: str) -> str:
        """Return the path of a service's log, unless its declaration has another."""
        return f"{self.logs}/{name}.log"

    def lock(self, handed: int = -1) -> int:
        """Take the lock of the only supervisor; return its descriptor. Raises Occupied.

        handed: the descriptor, if the program before this one in the same process has it.

        The kernel releases it when the last copy of the descriptor is closed, whatever ends the
        process. A program that replaces this one keeps it by ``os.set_inheritable``.
        """
        if self._lock >= 0:
            return self._lock
        if handed >= 0:
            self._lock = handed
            return handed
        from ssd.supervision.locks import take

        try:
            fd, occupant = take("lock", self.descriptor)
        except OSError as error:
            raise _named(error, f"{self.path}/lock") from error
        if fd < 0:
            raise Occupied(self.directory, occupant)
        self.is_first = occupant < 0
        self._lock = fd
        return fd

    def close(self) -> None:
        """Let go of the lock and the directory."""
        for fd in (self._lock, self.descriptor):
            if fd >= 0:
                os.close(fd)
        self._lock = self.descriptor = -1


def enter(directory: str, group: "int | None" = None) -> Places:
    """Make and open the run directory for a directory of declarations.

    ``group``: members may pass, to use the socket. Raises OSError, with the path, also if another
    user can write a directory on the way.
    """
    uid = os.geteuid()
    above, parts = base(uid)
    # Others may pass to a supervisor that lets their group in; there is nothing to list.
    fd = _descend(above, parts, uid, 0o711)
    shown = "/".join((above.rstrip("/"), *parts, key(directory)))
    fd = _enter(fd, os.path.basename(shown), shown, uid, 0o700)
    try:
        if group is not None:
            os.fchown(fd, -1, group)
        os.fchmod(fd, 0o700 if group is None else 0o710)
    except OSError as error:
        os.close(fd)
        raise _named(error, shown) from error
    return Places(os.path.realpath(directory), shown, log_directory(uid), fd)


def _named(error: OSError, path: str) -> OSError:
    """Return an error with the path of what a descriptor stood for."""
    return OSError(error.errno, error.strerror, path)


def _descend(above: str, parts: "Sequence[str]", uid: int, mode: int) -> int:
    """Open a directory below another, and make what is missing. Raises OSError."""
    fd = os.open(above, _OPEN)
    here = above.rstrip("/")
    for part in parts:
        here = f"{here}/{part}"
        fd = _enter(fd, part, here, uid, mode if part is parts[-1] else 0o700)
    return fd


def _enter(above: int, name: str, shown: str, uid: int, mode: int) -> int:
    """Open a directory of the user's own, make it if it is missing, and close the one above.

    Raises OSError also if another user owns it or may write it.
    """
    try:
        try:
            os.mkdir(name, 0o700, dir_fd=above)
        except FileExistsError:
            made = False
        else:
            made = True
        fd = os.open(name, _OPEN | os.O_NOFOLLOW, dir_fd=above)
    except OSError as error:
        raise OSError(error.errno, error.strerror, shown) from error
    finally:
        os.close(above)
    try:
        if made:
            os.fchmod(fd, mode)  # the umask may have changed the mode of mkdir(2)
        if not is_own(facts := os.fstat(fd), uid):
            mode_shown = f"mode {stat.S_IMODE(facts.st_mode):04o}"
            reason = f"it belongs to user {facts.st_uid}, {mode_shown}, and not to the caller alone"
            raise OSError(errno.EPERM, reason, shown)
    except BaseException:
        os.close(fd)
        raise
    return fd
