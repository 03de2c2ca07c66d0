"""Executables that were removed or replaced while they run: a package was upgraded, say."""

import fcntl
import os
import sys

from ssd.paths import UntrustedLink, walk
from ssd.processes.linux import DELETED

NS_GET_OWNER_UID = 0xB704  # _IO(0xb7, 4): ioctl_ns(2), linux/nsfs.h


def runs_by_name(where: int, file: tuple[int, int]) -> bool:
    """Say whether a file has the name now that a process's executable once had.

    Like the original, but only if nobody but root or the caller can have chosen what the
    name leads to: neither by mounts of his own nor by a link. ``where``: a directory of /proc.
    """
    try:
        link = os.readlink(b"exe", dir_fd=where)
    except OSError:  # it has ended
        return False
    return _named_as_here(where) and now(link) == file


def now(link: bytes) -> tuple[int, int] | None:
    """Return device and inode of what has the name in an exe link, less its mark; None: nothing."""
    name = link[len(DELETED) :] if link.startswith(DELETED) else link.removesuffix(DELETED)
    try:
        directory, base = walk(name, follow_last=True)
    except (OSError, UntrustedLink):
        return None
    try:
        facts = os.lstat(base, dir_fd=directory)
    except OSError:  # nothing has that name here any more
        return None
    finally:
        os.close(directory)
    return facts.st_dev, facts.st_ino


def _named_as_here(where: int) -> bool:
    """Say whether no stranger can have mounted something where a process lives.

    Only the owner of a user namespace can (user_namespaces(7)): it is ours, or root's, as with
    a service of systemd's PrivateUsers=, or the caller's own.
    """
    try:
        theirs = os.open(b"ns/user", os.O_RDONLY, dir_fd=where)
    except FileNotFoundError:  # a kernel without them
        return True
    try:
        if os.path.samestat(os.fstat(theirs), os.stat("/proc/self/ns/user")):
            return True
        owner = fcntl.ioctl(theirs, NS_GET_OWNER_UID, bytes(4))
        return int.from_bytes(owner, sys.byteorder) in (0, os.geteuid())
    except OSError:  # before Linux 4.11 nobody tells
        return False
    finally:
        os.close(theirs)
