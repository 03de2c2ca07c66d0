"""A pidfile: read with suspicion, written whole or not at all, removed with care.

The rules are those of ``--pidfile`` in start-stop-daemon(8) made stricter where the
original can be led to a process of somebody else's choice (docs/divergences.md, rows 1,
2, 3, 5 and 10).
"""

import errno
import os
import stat

from ssd.errors import PidfileUnreadable, PidfileUnsafe, PidfileUnwritable
from ssd.paths import UntrustedLink, walk
from ssd.writing import write_all

SIZE_CAP = 4096  # bytes; PostgreSQL's postmaster.pid, the longest known, has about 100
PID_MAX = 2**31 - 1
NULL = b"/dev/null"  # "use no pidfile": exempt from every check, as in the original

# O_NONBLOCK: a FIFO in the pidfile's place must not hang us (open(2), fifo(7)).
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW


def parse(content: bytes) -> int | None:
    """Return the pid that a pidfile's content gives, or None if it gives none.

    The first word must be a whole positive decimal number; what follows does not count.
    """
    words = content.split(None, 1)
    if not words or not words[0].isdigit() or len(words[0]) > 20:
        return None
    pid = int(words[0])
    return pid if 0 < pid <= PID_MAX else None


def read(path: str | bytes, alone: bool = True) -> int | None:
    """Return the pid in a pidfile, or None if the file holds no pid.

    ``alone`` says that the pidfile is the only criterion, which is believed only if the
    file belongs to root or to the caller. Raises FileNotFoundError if there is no such
    file, PidfileUnreadable, and PidfileUnsafe if others could have chosen its content.
    """
    found = load(os.fsencode(path), alone)
    return None if found is None else parse(found)


def read_owner(path: str | bytes) -> tuple[int | None, int | None]:
    """Return the pid and the start time in a file, None for what is not there.

    The start time is what ``write`` was given. Raises what ``read`` does.
    """
    found = load(os.fsencode(path), alone=False) or b""
    words = found.split()
    started = int(words[1]) if len(words) == 2 and words[1].isdigit() else None
    return parse(found), started


def load(name: bytes, alone: bool) -> bytes | None:
    """Return what is in a pidfile that may be believed; None for what is no small file.

    Raises what ``read`` does.
    """
    if name == NULL:
        return None
    try:
        fd = _open(name)
    except FileNotFoundError:
        raise
    except UntrustedLink as link:
        raise PidfileUnsafe(os.fsdecode(name), _untrusted(link)) from None
    except OSError as error:
        raise PidfileUnreadable(os.fsdecode(name), error.strerror, error.errno) from error
    try:
        facts = os.fstat(fd)
        fault = distrust(facts, alone)
        if fault:
            raise PidfileUnsafe(os.fsdecode(name), fault)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > SIZE_CAP:
            return None
        return os.read(fd, SIZE_CAP)
    finally:
        os.close(fd)


def _untrusted(link: UntrustedLink) -> str:
    return f"others can write the directory of the symbolic link {link.name!r}"


def distrust(facts: os.stat_result, alone: bool) -> str | None:
    """Say why a pidfile with these facts (fstat(2)) is not believed; None if it is."""
    if facts.st_mode & stat.S_IWOTH:
        return "it is world-writable"
    foreign_group = facts.st_gid not in (0, os.getgid())
    if facts.st_mode & stat.S_IWGRP and foreign_group:
        return f"group {facts.st_gid} can write it"
    if alone and (foreign_group or facts.st_uid not in (0, os.getuid())):
        return (
            f"it is the only criterion and belongs to {facts.st_uid}:{facts.st_gid}, "
            "not to root or the caller"
        )
    if stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1:
        return "it has a second name (hard link)"
    return None


class Written:
    """A pidfile just written, held by its directory: it can be taken back after a chroot(2)."""

    __slots__ = ("_directory", "_base")

    def __init__(self, directory: int, base: str) -> None:
        self._directory = directory
        self._base = base

    def remove(self) -> None:
        """Remove the file. Raises OSError."""
        os.unlink(self._base, dir_fd=self._directory)

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._directory)


def write(
    path: str | bytes, pid: int, umask: int = 0o022, started: int | None = None
) -> Written | None:
    """Write a pid and a newline as a new file, in one step.

    Its mode is 0644 less ``umask``: nobody believes a file that others may write. With
    ``started``, the owner's start time, that is a second line. The text is written to a
    temporary file beside it, which is then renamed: a reader, or a full disk, never meets
    half a pidfile. Returns what takes it back, None for /dev/null. Raises PidfileUnwritable.
    """
    name = os.fsencode(path)
    if name == NULL:
        return None
    content = b"%d\n" % pid if started is None else b"%d\n%d\n" % (pid, started)
    try:
        directory, base = walk(name, follow_last=False)
        try:
            _refuse_special(base, directory)
            _replace(base, directory, content, 0o644 & ~umask)
        except BaseException:
            os.close(directory)
            raise
    except UntrustedLink as link:
        raise PidfileUnwritable(os.fsdecode(name), _untrusted(link)) from None
    except OSError as error:
        raise PidfileUnwritable(os.fsdecode(name), error.strerror, error.errno) from error
    return Written(directory, base)


def remove(path: str | bytes) -> bool:
    """Remove a pidfile, or a link to one; a missing one is no error.

    Returns False, and removes nothing, for what is no regular file, /dev/null above all.
    Whether it still names a living process is for the caller to look at first. Raises
    PidfileUnwritable.
    """
    name = os.fsencode(path)
    try:
        directory, base = walk(name, follow_last=False)
        try:
            if not stat.S_ISREG(os.stat(base, dir_fd=directory).st_mode):
                return False
            os.unlink(base, dir_fd=directory)
            return True
        finally:
            os.close(directory)
    except FileNotFoundError:
        return True
    except UntrustedLink as link:
        raise PidfileUnwritable(os.fsdecode(name), _untrusted(link)) from None
    except OSError as error:
        raise PidfileUnwritable(os.fsdecode(name), error.strerror, error.errno) from error


def _open(name: bytes) -> int:
    """Open a pidfile for reading; follow links by the rules of ``ssd.paths``."""
    try:
        fd = os.open(name, _READ)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):  # EMLINK: FreeBSD's word for it
            raise
    else:
        if _is_literal(name, fd):
            return fd
        os.close(fd)
    directory, base = walk(name, follow_last=True)
    try:
        return os.open(base, _READ, dir_fd=directory)
    finally:
        os.close(directory)


def _is_literal(name: bytes, fd: int) -> bool:
    """Tell whether a descriptor was reached by its very path, so through no link at all."""
    try:
        return name.startswith(b"/") and os.readlink(b"/proc/self/fd/%d" % fd) == name
    except OSError:
        return False  # no /proc, or hidden: the walk answers instead


def _refuse_special(base: str, directory: int) -> None:
    """Raise OSError if something other than a regular file has the pidfile's name."""
    try:
        mode = os.lstat(base, dir_fd=directory).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "it is a symbolic link")
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def _replace(base: str, directory: int, content: bytes, mode: int) -> None:
    """Write a temporary file and rename it to ``base``."""
    try:
        # Cut in bytes: a name has 255 of them at most.
        name = os.fsdecode(b".%s.tmp" % os.fsencode(base)[:200])
        fd, temporary = _create(name, directory)
    except PermissionError:
        # A file of the caller's in a directory that is not: it can only be written in place.
        if not os.access(base, os.W_OK, dir_fd=directory):
            raise
        _overwrite(base, directory, content)
        return
    try:
        try:
            write_all(fd, content)
            _take_group(fd)
            os.fchmod(fd, mode)
        finally:
            os.close(fd)
        os.rename(temporary, base, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(temporary, dir_fd=directory)
        raise


def _take_group(fd: int) -> None:
    """Give a new file our group: with its directory's (open(2)) nobody would believe it."""
    try:
        os.fchown(fd, -1, os.getgid())
    except PermissionError:
        pass  # a group that is no more the caller's, or a file system without any (vfat)


def _create(temporary: str, directory: int) -> tuple[int, str]:
    """Create the temporary file; return its descriptor and its name.

    One that is there was left by a start that was killed, and is replaced; in a sticky
    directory it may be somebody else's, and then another name is taken.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # which follows no link: open(2)
    try:
        return os.open(temporary, flags, 0o600, dir_fd=directory), temporary
    except FileExistsError:
        try:
            os.unlink(temporary, dir_fd=directory)
        except (PermissionError, IsADirectoryError):
            temporary += "." + os.urandom(8).hex()
        return os.open(temporary, flags, 0o600, dir_fd=directory), temporary


def _overwrite(base: str, directory: int, content: bytes) -> None:
    """Write into an existing file, the pid first and the cut second: never empty.

    But where it cannot be written whole it is emptied, and holds no pid: the beginning of
    the new one before the rest of the old one would name a stranger.
    """
    fd = os.open(base, os.O_WRONLY | os.O_NOFOLLOW, dir_fd=directory)
    try:
        if os.fstat(fd).st_nlink > 1:
            raise OSError(errno.EMLINK, "it has a second name (hard link)")
        try:
            write_all(fd, content)
            os.ftruncate(fd, len(content))
        except BaseException:
            os.ftruncate(fd, 0)
            raise
    finally:
        os.close(fd)
