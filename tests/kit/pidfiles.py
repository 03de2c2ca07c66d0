"""Functions that make good and hostile pidfiles: each makes one kind of file at a path."""

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssd import pidfile
from ssd.errors import PidfileUnreadable, PidfileUnsafe, PidfileUnwritable
from ssd.matching import Process
from ssd.pidfile import marks, writing
from ssd.processes import default_table

Make = Callable[[Path], object]
UNSAFE, UNREADABLE, MISSING = PidfileUnsafe, PidfileUnreadable, FileNotFoundError


def file(text: str = "123\n", mode: int = 0o644, uid: int = -1, gid: int = -1) -> Make:
    """Make a file with a content, a mode and an owner."""

    def make(path: Path) -> None:
        path.write_text(text)
        os.chown(path, uid, gid)
        path.chmod(mode)

    return make


def link(target: str) -> Make:
    """Make a symbolic link; ``real`` beside it is a good pidfile."""

    def make(path: Path) -> None:
        (path.parent / "real").write_text("123\n")
        path.symlink_to(target)

    return make


def nothing(path: Path) -> None:
    """Make nothing."""


def directory(path: Path) -> None:
    """Make a directory."""
    path.mkdir()


def listener(path: Path) -> None:
    """Make a socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def endless_device(path: Path) -> None:
    """Make a device like /dev/zero that only root may open."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("mknod(2) is not allowed here")


def terabyte(path: Path) -> None:
    """Make a file that begins well and does not end."""
    path.write_text("123\n")
    os.truncate(path, 2**40)


def hard_link(path: Path) -> None:
    """Make a file with a second name."""
    path.write_text("123\n")
    os.link(path, path.with_name("second"))


def outcome(function: Callable[..., object], *arguments: object) -> object:
    """Return what a function returns, or the class of what it raises."""
    try:
        return function(*arguments)
    except (PidfileUnsafe, PidfileUnreadable, PidfileUnwritable, FileNotFoundError) as error:
        return type(error)


def write(path: str | bytes | Path, pid: int, **options: Any) -> None:
    """Write a pidfile, and close the handle that would remove it."""
    written = writing.write(os.fspath(path), pid, **options)
    if written is not None:
        written.close()


def mark(path: str | bytes | Path, pid: int, started: int = 0, boot: bytes = b"") -> None:
    """Write a pidfile with the mark of the process that has the pid, or of one before it.

    ``started``: ticks between the start of the process and that of the marked one. ``boot``: the
    id of another boot.
    """
    table = default_table()
    process = table.process(pid)
    assert process is not None
    meant = writing.mark_of(Process(pid, process.start_time + started), table)
    if meant is not None:
        meant.boot = boot or meant.boot
    write(path, pid, mark=meant)


def marked(path: str | bytes | Path) -> bool:
    """Return whether a pidfile has a valid mark."""
    facts = os.stat(path)
    names = [name for name in os.listxattr(path) if name in pidfile.MARK_ATTRIBUTES]
    texts = [os.getxattr(path, name) for name in names]
    return any(marks.parse(text, facts.st_mtime_ns) is not None for text in texts)


def needs_attributes(directory: Path) -> None:
    """Skip a test if files in a directory cannot have a mark."""
    try:
        os.setxattr(directory, "user.ssd.test", b"")
    except OSError as error:
        pytest.skip(f"{directory} has no extended attributes: {error.strerror}")


def needs_boot() -> None:
    """Skip a test if a container hides the kernel's boot id behind its own."""
    if os.stat("/proc/sys/kernel/random/boot_id").st_dev != os.stat("/proc").st_dev:
        pytest.skip("this container has a boot id of its own")
