"""Prepare a start or stop: make the directories of a service, and run its hooks."""

import errno
import os

from ssd.errors import Error
from ssd.signals import IGNORED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssd.service.declaration import Service
    from ssd.service.verbs.recording import Recorded


def make_directories(directories: "Iterable[Mapping[str, str]]") -> None:
    """Make the directories that are missing, and leave existing ones as they are.

    The mode and owner of an existing directory may be intended. Only root can set an owner.
    A symbolic link that another user could have made is not followed. Raises UnknownUser,
    UnknownGroup and OSError.
    """
    for each in directories:
        if not os.path.isdir(each["path"]):
            _make(each["path"], int(each["mode"], 8), each.get("user"), each.get("group"))


def _make(path: str, mode: int, user: str | None = None, group: str | None = None) -> None:
    """Make a directory and those above it; leave nothing half made."""
    from ssd.accounts import Account

    account = Account(user, group)
    above = os.path.dirname(path.rstrip("/"))
    if not os.path.isdir(above):
        _make(above, 0o755)
    parent, name = _parent(path)
    try:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            if os.path.isdir(path):  # another start was faster
                return
            raise
        try:
            _give(parent, name, mode, account.uid, account.gid)
        except BaseException:
            os.rmdir(name, dir_fd=parent)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(parent)


def _parent(path: str) -> tuple[int, str]:
    """Return a descriptor of the parent directory, and the name in it. Raises OSError."""
    from ssd.paths import UntrustedLink, walk

    try:
        return walk(os.fsencode(path.rstrip("/")), follow_last=False)
    except UntrustedLink as error:
        raise PermissionError(errno.EPERM, error.reason, path) from error


def _give(parent: int, name: str, mode: int, uid: int | None, gid: int | None) -> None:
    """Set mode and owner by descriptor: another user may own the parent directory."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, dir_fd=parent)
    try:
        if os.fstat(fd).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "another user has replaced the directory")
        if os.geteuid() == 0:
            os.fchown(fd, -1 if uid is None else uid, -1 if gid is None else gid)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


class HookFailed(Error):
    """The hook in ``field`` failed with ``status``."""

    def __init__(self, field: str, status: int) -> None:
        how = f"status {status}" if status >= 0 else f"signal {-status}"
        super().__init__(f"{field} ended with {how}")
        self.field = field
        self.status = status


def run_hook(service: "Service", field: str, recording: "Recorded | None" = None) -> None:
    """Run a hook by /bin/sh -e in the service's environment. Raises HookFailed.

    ``recording`` hears what it prints; None lets it print where we do.
    """
    text = getattr(service, field)
    if not text:
        return
    from ssd.service.commands import environment
    from ssd.service.sh import SHELL

    words = [SHELL, "-e", "-c", text, service.name]
    if recording is not None:
        from ssd.service.verbs.hearing import run

        status, said = run(words, environment(service))
        recording.hear(said)
    else:
        pid = os.posix_spawn(SHELL, words, environment(service), setsigdef=IGNORED)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise HookFailed(field, status)
