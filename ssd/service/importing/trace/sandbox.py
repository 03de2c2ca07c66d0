"""Namespaces in which an init script can run without an effect on the machine.

It sees the machine's files; what it writes goes into memory, into the upper layers of overlays.
/run is empty, as after boot. It sees no process, no device but /dev/null and its like, and no
network but its own. Everything that is no overlay is mounted read-only, and the capabilities with
which root could undo that, or change the kernel's state, are taken away before the script starts.
"""

import errno
import os
import stat

from ssd.service.importing.trace import kernel, tools
from ssd.service.importing.trace.kernel import mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# What stays of root's capabilities (linux/capability.h): chown, dac_override, fowner, fsetid, kill,
# setgid, setuid, setpcap, net_bind_service, ipc_lock, sys_chroot, sys_nice, sys_resource,
# audit_write, setfcap. They reach no further than the namespaces.
KEPT = frozenset((0, 1, 3, 4, 5, 6, 7, 8, 10, 14, 18, 23, 24, 29, 31))
HOME = "/run/.ssd-trace"  # what the trace itself needs in there
STAND_IN = f"{HOME}/stand-in"
REAL = f"{HOME}/real"
OUTPUT = f"{HOME}/output"
FOREVER = f"{HOME}/forever"  # a pipe that nobody writes to
ANSWERS = f"{HOME}/answers"
STAND_IN_TEXT = f"#!/bin/sh\n. {ANSWERS}/$$\n"
OWN = ("/run/lock", "/run/lock/subsys", "/run/sendsigs.omit.d")  # boot makes them
SIZE = "size=256m,mode=755"  # of all that a script may write
# Top directories without an overlay.
LEFT = ("proc", "sys", "dev", "run", "boot", "lost+found")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
VIRTUAL = (
    "proc", "sysfs", "cgroup", "cgroup2", "devtmpfs", "devpts", "mqueue", "debugfs", "tracefs",
    "securityfs", "binfmt_misc", "autofs", "configfs", "pstore", "bpf", "hugetlbfs", "fusectl",
    "efivarfs", "nsfs", "rpc_pipefs",
)  # fmt: skip
MOST_CONTENT = 256  # bytes of a small file, which may hold a pid


def separate(root: bool) -> None:
    """Give this process, and its next child, namespaces of their own. Raises OSError.

    ``root``: whether the caller is root; another user becomes root of a user namespace, in which
    its own account is the only one.
    """
    uid, gid = os.geteuid(), os.getegid()
    own = kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
    own |= kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    kernel.unshare(own if root else own | kernel.CLONE_NEWUSER)
    if not root:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {uid} 1"),
            ("gid_map", f"0 {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)


class Sandbox:
    """The mounts, made by the first process of the PID namespace. Raises OSError.

    ``root``: as for ``separate``.
    """

    def __init__(self, root: bool) -> None:
        self._root = root
        self._own: set[str] = set()  # what the trace wrote itself
        mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        points = list(_mounts())
        for point, _ in points:
            _make_read_only(point)
        mount("tmpfs", "/run", "tmpfs", data=SIZE)
        for name in ("root", "upper", "scratch"):
            os.mkdir(f"/run/{name}")
        mount("/", "/run/root", flags=kernel.MS_BIND | kernel.MS_REC)
        self._upper = os.open("/run/upper", os.O_RDONLY | os.O_DIRECTORY)
        self._lower = os.open("/run/root", os.O_RDONLY | os.O_DIRECTORY)
        self._layers: list[str] = []
        self._writable = False  # whether there is an overlay at all
        for target in _targets(points, root):
            self._overlay(target)
        if not self._writable:
            raise OSError(errno.ENOSYS, "no overlay can be mounted", "/")
        _mount_proc()
        _mount_dev()
        mount("tmpfs", "/run", "tmpfs", data=SIZE)  # hides the layers
        memory = ["/run"]
        for path in ("/var/run", "/var/lock"):  # not everywhere links
            if os.path.isdir(path) and not os.path.islink(path):
                mount("tmpfs", path, "tmpfs", data=SIZE)
                memory.append(path)
        self._memory = {path: os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in memory}
        for path in OWN:
            os.mkdir(path)
            os.chmod(path, 0o1777 if path == "/run/lock" else 0o755)
        for path in (HOME, REAL, ANSWERS):
            os.mkdir(path)
            os.chmod(path, 0o755)
        os.mkfifo(FOREVER)
        os.chmod(FOREVER, 0o644)
        self.write(STAND_IN, STAND_IN_TEXT)
        self._reals: dict[str, str] = {}

    def write(self, path: str, text: str, mode: int = 0o755) -> None:
        """Write a file of the sandbox, with the directories above it."""
        path = os.path.realpath(path)  # as the layers have it
        directory = os.path.dirname(path)
        while not os.path.exists(directory):
            self._own.add(directory)
            directory = os.path.dirname(directory)
        self._own.add(path)
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)

    def replace(self, path: str) -> str:
        """Put the stand-in in place of a program; return where the program itself is then."""
        if not os.path.exists(path):
            self.write(path, STAND_IN_TEXT)
            return path
        file = os.path.realpath(path)
        if file in self._reals:
            return self._reals[file]
        if tools.is_shell(file):
            raise OSError(errno.EBUSY, "is a shell, too, and cannot be replaced", path)
        self._reals[file] = real = f"{REAL}/{len(self._reals)}"
        os.close(os.open(real, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o755))
        mount(path, real, flags=kernel.MS_BIND)
        mount(STAND_IN, path, flags=kernel.MS_BIND)
        return real

    def hide_first(self) -> None:
        """Hide this process: its command line has the name of the script, and perhaps the daemon's.

        Scripts search for such names with ps(1) and pgrep(1).
        """
        own = f"/proc/{os.getpid()}"
        with open(f"{own}/limits", encoding="ascii") as file:  # pam_limits(8) gives them to users
            self.write(f"{HOME}/first/limits", file.read(), 0o644)
        mount(f"{HOME}/first", own, flags=kernel.MS_BIND)

    def changes(self) -> "Iterator[dict[str, object]]":
        """Yield what was made, changed or removed since then: path, kind, mode, uid, gid, content.

        The kind is directory if it is new, file if it is new or has another content, given if it
        has another owner or mode only, or removed.
        """
        for number, target in enumerate(self._layers):
            facts = os.stat(f"{number}/u", dir_fd=self._upper)
            if self._kind(target, facts):
                yield {**_change(target, facts, self._upper), "kind": "given"}
            for path, facts, parent in _walk(self._upper, f"{number}/u", target):
                if path in self._own:
                    continue
                kind = self._kind(path, facts)
                if kind == "removed":
                    yield {"path": path, "kind": kind}
                elif kind:
                    yield {**_change(path, facts, parent), "kind": kind}
        for target, fd in self._memory.items():
            for path, facts, parent in _walk(fd, ".", target):
                if not f"{path}/".startswith(f"{HOME}/") and path not in OWN:
                    yield _change(path, facts, parent)

    def _kind(self, path: str, facts: os.stat_result) -> str:
        """Return what became of a path in an upper layer; "" if it is there for what it holds."""
        if stat.S_ISCHR(facts.st_mode):  # a whiteout
            return "removed"
        kind = "directory" if stat.S_ISDIR(facts.st_mode) else "file"
        try:
            lower = os.stat(path.lstrip("/"), dir_fd=self._lower, follow_symlinks=False)
        except FileNotFoundError:
            return kind
        if kind == "file" and facts.st_mtime_ns != lower.st_mtime_ns:
            return kind
        names = ("st_mode", "st_uid", "st_gid")
        same = all(getattr(facts, name) == getattr(lower, name) for name in names)
        return "" if same or not self._root else "given"

    def _overlay(self, target: str) -> None:
        """Lay memory over a directory; what no overlay can cover stays as it is, read-only."""
        number = len(self._layers)
        upper, scratch = f"/run/upper/{number}", f"/run/scratch/{number}"
        lower = f"/run/root{target}"
        os.mkdir(upper)
        os.mkdir(f"{upper}/u")
        os.mkdir(scratch)
        facts = os.stat(lower)
        os.chmod(f"{upper}/u", facts.st_mode & 0o7777)
        if self._root:  # in a user namespace with one account nothing can be given away
            os.chown(f"{upper}/u", facts.st_uid, facts.st_gid)
        self._layers.append(target)
        options = f"lowerdir={lower},upperdir={upper}/u,workdir={scratch}"
        try:
            if any(mark in lower for mark in ":,\\"):  # they have a meaning in the options
                raise OSError
            mount("overlay", target, "overlay", kernel.MS_NODEV, options)
            self._writable = True
        except OSError:
            if target.count("/") == 1 and self._root:
                raise
            mount(lower, target, flags=kernel.MS_BIND | kernel.MS_REC)


def _mounts() -> "Iterator[tuple[str, str]]":
    """Yield the path and the type of each mount, a covered one too, in the order of mounting."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            before, _, after = line.partition(" - ")
            path = before.split()[4]
            for code in ("\\040", "\\011", "\\012", "\\134"):  # proc(5)
                path = path.replace(code, chr(int(code[1:], 8)))
            yield path, after.split()[0]


def _targets(points: "list[tuple[str, str]]", root: bool) -> "list[str]":
    """Return what gets an overlay: the top directories, and the mounts below them.

    In a user namespace the mounts below a directory are locked, and the kernel lays no overlay over
    it: its other directories get one each.
    """
    below = {point for point, kind in points if kind not in VIRTUAL and os.path.isdir(point)}
    made: list[str] = []

    def cover(directory: str) -> None:
        inner = any(point.startswith(f"{directory}/") for point, _ in points)
        if directory in below and directory.count("/") > 1:
            return  # it has its own
        if root or not inner:
            made.append(directory)
            return
        with os.scandir(directory) as found:
            for each in found:
                if each.is_dir(follow_symlinks=False):
                    cover(each.path)

    with os.scandir("/") as found:
        for each in found:
            if each.is_dir(follow_symlinks=False) and each.name not in LEFT:
                cover(each.path)
    tops = tuple(f"/{name}/" for name in LEFT)
    return made + sorted(
        each for each in below if each.count("/") > 1 and not each.startswith(tops)
    )


def _make_read_only(point: str) -> None:
    """Make a mount read-only, or take it out of the namespace. Raises OSError."""
    try:
        facts = os.statvfs(point)
        flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY
        for held, flag in (
            (os.ST_NOSUID, kernel.MS_NOSUID),
            (os.ST_NODEV, kernel.MS_NODEV),
            (os.ST_NOEXEC, kernel.MS_NOEXEC),
        ):
            flags |= flag if facts.f_flag & held else 0
        mount("", point, flags=flags)
    except OSError:
        if os.path.ismount(point):  # a covered one cannot be reached anyway
            kernel.unmount(point)


def _mount_proc() -> None:
    """Mount a /proc of these processes, in which only they can be written to."""
    harmless = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    mount("proc", "/proc", "proc", harmless)
    with os.scandir("/proc") as found:
        names = [each.name for each in found if not each.name.isdigit() and not each.is_symlink()]
    for name in names:
        path = f"/proc/{name}"
        if os.path.isdir(path) or os.stat(path).st_mode & 0o222:
            mount(path, path, flags=kernel.MS_BIND)
            mount("", path, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | harmless)


def _mount_dev() -> None:
    """Mount a /dev with the devices that change nothing."""
    os.mkdir("/run/dev")
    mount("tmpfs", "/run/dev", "tmpfs", data=SIZE)
    for name in DEVICES:
        if os.path.exists(f"/run/root/dev/{name}"):
            os.close(os.open(f"/run/dev/{name}", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
            mount(f"/run/root/dev/{name}", f"/run/dev/{name}", flags=kernel.MS_BIND)
    os.symlink("/proc/self/fd", "/run/dev/fd")
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"fd/{fd}", f"/run/dev/{name}")
    os.mkdir("/run/dev/shm")
    os.chmod("/run/dev/shm", 0o1777)
    mount("/run/dev", "/dev", flags=kernel.MS_BIND | kernel.MS_REC)


def _walk(fd: int, start: str, name: str) -> "Iterator[tuple[str, os.stat_result, int]]":
    """Yield the path, the facts and the directory's descriptor of all below a directory."""
    for directory, folders, files, parent in os.fwalk(start, dir_fd=fd):
        for each in [*folders, *files]:
            inner = os.path.normpath(os.path.join(os.path.relpath(directory, start), each))
            facts = os.stat(each, dir_fd=parent, follow_symlinks=False)
            yield f"{name}/{inner}", facts, parent


def _change(path: str, facts: os.stat_result, parent: int) -> "dict[str, object]":
    content = ""
    if stat.S_ISREG(facts.st_mode) and facts.st_size <= MOST_CONTENT:
        fd = os.open(os.path.basename(path), os.O_RDONLY | os.O_CLOEXEC, dir_fd=parent)
        with open(fd, encoding="utf-8", errors="surrogateescape") as file:
            content = file.read()
    return {
        "path": path,
        "kind": "directory" if stat.S_ISDIR(facts.st_mode) else "file",
        "mode": stat.S_IMODE(facts.st_mode),
        "uid": facts.st_uid,
        "gid": facts.st_gid,
        "content": content,
    }
