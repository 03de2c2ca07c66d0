"""What one process of Linux is, for the rare criteria (``ssd.evidence``).

All is read through one directory of /proc, which stays with its process. Executable, root
directory, working directory and environment may be read by those alone who may trace the process;
command line, name and status by everyone (proc(5)).
"""

import errno
import os

from ssd import evidence
from ssd.errors import EXHAUSTED, VANISHED, ProcessTableError
from ssd.interpreters import family, shebang
from ssd.processes.environments import read, settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ssd.matching import Criteria

    File = tuple[int, int]
    Runs = Callable[[int, File], bool]

MAX_LINKS = 40  # path_resolution(7): the kernel's own limit
FILE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
# Where a shell that has no PATH looks: what a bare word of a command line means by default.
PATH = (b"/usr/local/sbin", b"/usr/local/bin", b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin")


def meets(criteria: "Criteria", where: int, runs: "Runs", mark: bytes) -> bool:
    """Say whether a process meets file, name and ``more`` of the criteria. Raises VANISHED.

    where: a descriptor of its directory of /proc. runs: ``linux.runs``. mark: that of a deleted
    file in an exe link.
    """
    return evidence.meets(criteria, KernelFacts(where, runs, mark))


def sifted(
    criteria: "Criteria", entries: "Iterable[bytes]", where: int, mark: bytes
) -> "Iterator[bytes]":
    """Keep the entries of /proc that may run a file, or a script that is this file.

    The text of each exe link is read: any user can give an interpreter another name, by a mount in
    a namespace of their own, which must not hide those who run it by its real name. Without a file
    to look for all are kept.
    """
    assert criteria.more is not None
    path, _ = shebang(criteria.more.line)
    if criteria.file is None or path and family(path) is None:
        yield from entries  # there is no file, or any program may be its interpreter
        return
    device, inode = criteria.file
    others: set[bytes] = set()  # links that name no interpreter
    for entry in entries:
        exe = entry + b"/exe"
        try:
            facts = os.stat(exe, dir_fd=where)[1:3]
            link = os.readlink(exe, dir_fd=where)
            if facts == (inode, device):
                yield entry
            elif link not in others:
                if mark in link or family(link) is not None:
                    yield entry
                else:
                    others.add(link)
        except PermissionError:
            yield entry  # its command line may tell
        except VANISHED:
            continue
        except OSError:  # its file system does not answer: LinuxTable looks closer
            yield entry


class KernelFacts:
    """The facts of one process; see ``ssd.evidence.Facts``."""

    __slots__ = ("_where", "_runs", "_mark")

    def __init__(self, where: int, runs: "Runs", mark: bytes) -> None:
        self._where = where
        self._runs = runs
        self._mark = mark

    def runs(self, file: "File") -> bool:
        """Say whether the process runs an executable."""
        return self._runs(self._where, file)

    def path(self) -> bytes:
        """Return the path of the executable, also of one that was deleted."""
        try:
            link = os.readlink(b"exe", dir_fd=self._where)
        except FileNotFoundError:  # a thread of the kernel
            return b""
        except OSError as error:
            if isinstance(error, VANISHED):
                raise
            return b""  # longer than a page
        return link.removesuffix(self._mark).removeprefix(self._mark)

    def name(self) -> bytes:
        """Return the kernel's name."""
        return read(self._where, "comm").removesuffix(b"\n")

    def words(self) -> list[bytes]:
        """Return the command line; one within execve(2) is waited for."""
        text = settled(self._where, "cmdline").rstrip(b"\0")
        return text.split(b"\0") if text else []

    def files(self, word: bytes) -> "list[File]":
        """Return the files that the process may mean by a word.

        A relative one begins at its working directory, or at the one that it was started in.
        """
        with _Directory(b"root", self._where) as root:
            if word.startswith(b"/"):
                return _file(word, root, root)
            with _Directory(b"cwd", self._where) as here:
                found = _file(word, here, root)
            for entry in settled(self._where).split(b"\0"):
                if entry.startswith(b"PWD=/"):
                    found += _file(entry[4:] + b"/" + word, root, root)
        return found

    def claimed(self, word: bytes) -> "list[File]":
        """Return the files that have the path of a word for the caller."""
        found = []
        for path in [word] if b"/" in word else [each + b"/" + word for each in PATH]:
            if path.startswith(b"/") and word:
                try:
                    facts = os.stat(path)
                except OSError as error:
                    _unless_exhausted(error)
                else:
                    found.append((facts.st_dev, facts.st_ino))
        return found

    def shebang(self, line: bytes) -> bytes:
        """Return the line: files are on disk."""
        return line

    def is_neighbour(self) -> bool:
        """Say whether the process is in the PID namespace that /proc shows.

        NSpid has its pid there and in each namespace below (proc(5), Linux 4.1). Raises
        ProcessTableError if the kernel has namespaces, but not this line.
        """
        for line in read(self._where, "status").split(b"\n"):
            if line.startswith(b"NSpid:"):
                return len(line.split()) == 2
        try:
            os.lstat(b"../self/ns/pid", dir_fd=self._where)
        except FileNotFoundError:
            return True  # a kernel without CONFIG_PID_NS
        raise ProcessTableError(
            "this kernel does not say in which PID namespace a process is (NSpid in "
            "/proc/PID/status, Linux 4.1), which --same-namespace needs"
        )


class _Directory:
    """A directory of a process as a descriptor, -1 if its file system does not answer.

    Raises VANISHED if the caller may not read it, or the process has ended.
    """

    __slots__ = ("_fd",)

    def __init__(self, name: bytes, where: int) -> None:
        try:
            self._fd = os.open(name, DIRECTORY, dir_fd=where)
        except OSError as error:
            if isinstance(error, VANISHED):
                raise
            _unless_exhausted(error)
            self._fd = -1

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *exc: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def _file(path: bytes, start: int, root: int) -> "list[File]":
    """Return the file at a path, as a list of at most one.

    It is looked up as a process with this ``root`` directory does: neither a link nor ``..`` leads
    out of it. /proc is left out: there, a link means something else for each process that looks.
    """
    try:
        here = os.dup(start)
    except OSError as error:
        _unless_exhausted(error)
        return []
    ahead, links = path.split(b"/")[::-1], 0
    try:
        while ahead:
            name = ahead.pop()
            at_root = os.path.samestat(os.fstat(here), os.fstat(root))
            if name in (b"", b".") or name == b".." and at_root:
                continue
            if name == b"proc" and at_root:
                return []
            target = None if name == b".." else _link(name, here)
            if target is None:
                here = _moved(here, os.open(name, FILE, dir_fd=here))
                continue
            links += 1
            if links > MAX_LINKS:
                return []
            if target.startswith(b"/"):
                here = _moved(here, os.dup(root))
            ahead += target.split(b"/")[::-1]
        facts = os.fstat(here)
        return [(facts.st_dev, facts.st_ino)]
    except OSError as error:  # there is no such file, or the caller may not search a directory
        _unless_exhausted(error)
        return []
    finally:
        os.close(here)


def _moved(old: int, new: int) -> int:
    """Close one descriptor, and return the other."""
    os.close(old)
    return new


def _link(name: bytes, directory: int) -> bytes | None:
    """Return the target of a link; None of any other file. Raises OSError if there is none."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return None


def _unless_exhausted(error: OSError) -> None:
    """Raise an error that is about the caller: no descriptor or memory is left."""
    if error.errno in EXHAUSTED:
        raise error
