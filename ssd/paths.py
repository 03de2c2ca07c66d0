"""Walk to a file without following a symbolic link that another user could have planted.

A daemon often owns the directory of its pidfile or log. An attacker who has taken it over can put
a link there, and root's start or stop would read or write the file that it points to. So a link is
followed only in a directory that only root or the caller can write. Each directory is held by a
descriptor.
"""

import errno
import os
import stat

MAX_LINKS = 40  # path_resolution(7): the kernel's own limit
_DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


class UntrustedLink(Exception):
    """A symbolic link is in a directory that others can write. ``name`` is the link."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    @property
    def reason(self) -> str:
        """Say why the link is not followed, and what to do."""
        where = f"others can write the directory of the symbolic link {self.name!r}"
        return f"{where}; if you made it, give the path that it leads to"


def only_ours(facts: os.stat_result) -> bool:
    """Tell whether only root or the caller may write the file that ``facts`` describe."""
    if facts.st_uid not in (0, os.geteuid()) or facts.st_mode & stat.S_IWOTH:
        return False
    return not facts.st_mode & stat.S_IWGRP or facts.st_gid in (0, os.getegid())


def walk(path: bytes, follow_last: bool, stop: object = None) -> tuple[int, str]:
    """Resolve a path; return a descriptor of its directory, and the name in that directory.

    With ``follow_last`` a link as the last component is resolved too, unless ``stop`` is its
    directory's device and inode. The caller closes the descriptor. The name (os.fsdecode)
    need not exist. Raises UntrustedLink, and OSError (ELOOP after 40 links).
    """
    # Text, because pyfakefs takes no bytes together with a descriptor.
    text = os.fsdecode(path)
    directory = os.open("/" if text.startswith("/") else ".", _DIRECTORY)
    try:
        # Innermost last, so that pop() gives the next component.
        ahead = [part for part in text.split("/") if part not in ("", ".")][::-1]
        links = 0
        while ahead:
            name = ahead.pop()
            target = _link(name, directory) if ahead or follow_last else None
            if target is not None:
                if (links := links + 1) > MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), text)
                if not only_ours(facts := os.fstat(directory)):
                    raise UntrustedLink(name)
                if not ahead and (facts.st_dev, facts.st_ino) == stop:
                    return directory, name
                if target.startswith("/"):
                    directory = _enter("/", directory)
                ahead += [part for part in target.split("/") if part not in ("", ".")][::-1]
            elif ahead:
                directory = _enter(name, directory)
            else:
                return directory, name
        return directory, "."
    except BaseException:
        os.close(directory)
        raise


def _link(name: str, directory: int) -> str | None:
    """Return the target of a link; None if there is no such file, or it is no link."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def _enter(name: str, directory: int) -> int:
    """Open a directory inside another one, and close the latter unless that fails."""
    inner = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
    os.close(directory)
    return inner
