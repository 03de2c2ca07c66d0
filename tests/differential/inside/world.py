"""Give the namespace a /dev, /tmp, /run and user database of its own, equal on both sides."""

import ctypes
import os
import stat

_MS_BIND = 0x1000
_MS_REC = 0x4000

_libc = ctypes.CDLL(None, use_errno=True)

USERS = """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
walker:x:1234:1234:has a home:/tmp/home/walker:/bin/sh
homeless:x:1235:1235:has none:/nonexistent:/bin/sh
4321:x:5555:5555:a name of digits:/tmp/home/walker:/bin/sh
dotted.name:x:1236:2000:a dot in the name:/tmp/home/walker:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""

GROUPS = """\
root:x:0:
daemon:x:1:
walker:x:1234:
homeless:x:1235:
crew:x:2000:walker,homeless
deck:x:2001:walker
4322:x:6666:
nogroup:x:65534:
"""

_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount, as mount(2).

    Raises OSError with the kernel's reason.
    """
    words = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    if _libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[4]):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def build(kept: list[str]) -> None:
    """Cover /dev, /tmp and /run, open the way to `kept` for every user, and set the users."""
    closed = filter(None, map(closed_at, kept))
    cover(outermost({"/tmp", "/run", *closed}), kept)
    devices()
    for directory, mode in (("/tmp", 0o1777), ("/run", 0o755), ("/tmp/home/walker", 0o755)):
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, mode)
    os.chown("/tmp/home/walker", 1234, 1234)
    for path, text in (
        ("/etc/passwd", USERS),
        ("/etc/group", GROUPS),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"),
    ):
        replace(path, text)


def closed_at(path: str) -> str | None:
    """Return the first directory on the way to `path` that other users may not search, or None."""
    parts = os.path.realpath(path).split("/")[1:]
    for depth in range(1, len(parts) + 1):
        directory = "/" + "/".join(parts[:depth])
        if not os.stat(directory).st_mode & stat.S_IXOTH:
            return directory
    return None


def cover(covered: list[str], kept: list[str]) -> None:
    """Mount an empty directory over each of `covered`; the parts of `kept` in it stay visible."""
    hidden = outermost(
        path
        for path in map(os.path.realpath, kept)
        if any(f"{path}/".startswith(f"{top}/") for top in covered)
    )
    handles = {path: os.open(path, os.O_PATH) for path in hidden}
    for directory in covered:
        mount("tmpfs", directory, "tmpfs", options="mode=0755")
    for path, handle in handles.items():
        os.makedirs(path, exist_ok=True)
        mount(f"/proc/self/fd/{handle}", path, flags=_MS_BIND | _MS_REC)
        os.close(handle)


def outermost(paths) -> list[str]:
    """Return `paths` without those that lie inside another one."""
    chosen: list[str] = []
    for path in sorted(paths):
        if not any(f"{path}/".startswith(f"{top}/") for top in chosen):
            chosen.append(path)
    return chosen


def devices() -> None:
    """Mount a /dev with the few nodes and links that programs rely on."""
    mount("tmpfs", "/dev", "tmpfs", options="mode=0755")
    for name, numbers in _DEVICES.items():
        device(f"/dev/{name}", numbers)
    os.mkdir("/dev/pts")
    mount("devpts", "/dev/pts", "devpts", options="newinstance,ptmxmode=0666,mode=0620")
    os.symlink("pts/ptmx", "/dev/ptmx")
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ):
        os.symlink(target, f"/dev/{name}")


def device(path: str, numbers: tuple[int, int]) -> None:
    """Make a character device that anyone may read and write."""
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(*numbers))
    os.chmod(path, 0o666)


def repair() -> None:
    """Put /dev/null back if a case took it away."""
    if not os.path.exists("/dev/null"):
        device("/dev/null", _DEVICES["null"])


def replace(path: str, text: str) -> None:
    """Mount a file holding `text` over the existing file `path`."""
    if not os.path.exists(path):
        return
    os.makedirs("/tmp/etc", exist_ok=True)
    copy = f"/tmp/etc/{os.path.basename(path)}"
    with open(copy, "w", encoding="ascii") as file:
        file.write(text)
    mount(copy, path, flags=_MS_BIND)
