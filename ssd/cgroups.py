"""A group of processes that none of them can leave: cgroups of version 2 (cgroups(7)).

A child of a member is a member, whatever it does with its parents, session and environment, and
the kernel ends all members in one step, in which none of them can fork. A cgroup is a directory;
whoever may write in its parent can make one: root, or a user to whom systemd has delegated it.
Where none can be had every function says so, by None or False, and raises nothing.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

MOUNTS = "/proc/self/mountinfo"
SYSTEMD = "/run/systemd/system"  # sd_booted(3)
DELEGATED = ("user.delegate", "trusted.delegate")  # systemd's marks: systemd.resource-control(5)


class Cgroup:
    """One cgroup, by its directory."""

    __slots__ = ("path",)

    def __init__(self, path: bytes) -> None:
        self.path: bytes = path

    def add(self, pid: int) -> bool:
        """Move a process into it, with all its threads; 0 is the caller. Return whether it is in.

        Its children stay where they are; later ones are born in here.
        """
        return self._write(b"cgroup.procs", b"%d" % pid)

    def members(self) -> list[int] | None:
        """Return the pids of all processes in it and in the cgroups below; None if unreadable.

        Zombies are members until they are reaped, as long as the kernel shows them here.
        """
        found: list[int] = []
        for directory in _all(self.path):
            try:
                with open(directory + b"/cgroup.procs", "rb", buffering=0) as file:
                    found += map(int, file.readall().split())
            except OSError:  # not a cgroup, removed, or threaded: cgroups(7)
                return None
        return found

    def populated(self) -> bool | None:
        """Say whether a process lives in it or below; None if that cannot be read."""
        try:
            with open(self.path + b"/cgroup.events", "rb", buffering=0) as file:
                return b"populated 1" in file.readall()
        except OSError:  # removed, or the root cgroup
            return None

    def kill(self) -> bool:
        """Kill all processes in it and below, in one step; since Linux 5.14.

        Return False if that is impossible; then none was killed.
        """
        return self._write(b"cgroup.kill", b"1")

    def freeze(self, frozen: bool = True) -> bool:
        """Stop all processes in it and below, or let them go on; since Linux 5.2.

        They do not see it, unlike SIGSTOP, and can be killed. Returns before the last has stopped;
        one that has not yet may still fork, and its child freezes too.
        """
        return self._write(b"cgroup.freeze", b"1" if frozen else b"0")

    def remove(self) -> bool:
        """Remove it and the empty cgroups below; return whether it is gone.

        False while a process is in it, also a zombie whose threads have not all ended.
        """
        for directory in reversed(list(_all(self.path))):
            try:
                os.rmdir(directory)
            except FileNotFoundError:
                pass
            except OSError:  # EBUSY: processes; EACCES: another user's
                return False
        return True

    def _write(self, file: bytes, text: bytes) -> bool:
        try:
            fd = os.open(self.path + b"/" + file, os.O_WRONLY)
        except OSError:
            return False
        try:
            os.write(fd, text)
        except OSError:  # no such process, or not permitted
            return False
        finally:
            os.close(fd)
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cgroup) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r})"


def find(name: bytes | None) -> Cgroup | None:
    """Return a cgroup by the name that /proc/PID/cgroup has for it after ``0::``.

    None for the root, which holds everybody, and for one that our mounts do not show.
    """
    if name is None or name in (b"/", b"") or name.startswith(b"/.."):
        return None  # /..: outside our cgroup namespace
    for root, directory in mounts():
        if name == root or name.startswith(root.rstrip(b"/") + b"/"):
            path = directory + name[len(root.rstrip(b"/")) :]
            if os.path.isdir(path):
                return Cgroup(path)
    return None


def exclusive(names: "Iterable[bytes | None]", pids: "Container[int]") -> Cgroup | None:
    """Return the first of some cgroups in which there are processes, and none but these."""
    for cgroup in map(find, names):
        members = None if cgroup is None else cgroup.members()
        if members and all(pid in pids for pid in members):
            return cgroup
    return None


def make(name: str, parent: Cgroup | None = None) -> Cgroup | None:
    """Make a cgroup, in our own unless a parent is given; None if that cannot be had.

    Where systemd runs, only in one that it has delegated: it is the only writer of all others
    (https://systemd.io/CGROUP_DELEGATION). An existing one is returned only if nobody is in it.
    """
    if parent is None:
        parent = own()
    if parent is None or not _ours(parent):
        return None
    made = Cgroup(parent.path + b"/" + os.fsencode(name))
    try:
        os.mkdir(made.path, 0o755)
    except FileExistsError:  # left by a caller that was killed
        return made if made.populated() is False else None
    except OSError:
        return None
    return made


def own() -> Cgroup | None:
    """Return the cgroup of the caller, the root too; None without cgroups of version 2."""
    try:
        with open("/proc/self/cgroup", "rb", buffering=0) as file:
            lines = file.readall().splitlines()
    except OSError:
        return None
    name = next((line[3:] for line in lines if line.startswith(b"0::")), None)
    if name == b"/":
        return next((Cgroup(directory) for root, directory in mounts() if root == b"/"), None)
    return find(name)


def mounts() -> "Iterator[tuple[bytes, bytes]]":
    """Yield (root, directory) of each mount of version 2: which cgroup is seen where."""
    try:
        with open(MOUNTS, "rb", buffering=0) as file:
            lines = file.readall().splitlines()
    except OSError:
        return
    for line in lines:
        before, _, after = line.partition(b" - ")
        words = before.split()
        if after.startswith(b"cgroup2 ") and len(words) > 4:
            yield _plain(words[3]), _plain(words[4])


def _plain(path: bytes) -> bytes:
    """Undo the escapes of mountinfo: proc_pid_mountinfo(5)."""
    for escape, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n")):
        path = path.replace(escape, char)
    return path.replace(b"\\134", b"\\")


def _all(path: bytes) -> "Iterator[bytes]":
    """Yield a cgroup's directory and those below it, each before its own."""
    yield path
    try:
        with os.scandir(path) as entries:
            below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for each in below:
        yield from _all(each)


def _ours(parent: Cgroup) -> bool:
    """Say whether we may make cgroups in one without disturbing systemd."""
    if not os.path.isdir(SYSTEMD):
        return True
    for mark in DELEGATED:
        try:
            if os.getxattr(parent.path, mark) == b"1":
                return True
        except OSError:  # no such mark, or only root may see it
            continue
    return False
