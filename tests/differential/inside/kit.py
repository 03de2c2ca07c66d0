"""The programs that cases start, and a small root directory to start them in.

A program under test shows that it runs by stopping itself: its parent, the first process of the
namespace, is notified by the kernel, and reads everything about it from /proc meanwhile. After
SIGCONT it reads from a silent pipe.
"""

import os
import shutil
import sys

KIT = "/tmp/kit"
HOLD = f"{KIT}/hold"
ROOT = f"{KIT}/root"

_SHELL = "/bin/dash" if os.path.exists("/bin/dash") else "/bin/sh"

HALT = f"kill -STOP $$; exec 9<>{HOLD}; while :; do read x <&9; done"

_NOTIFIER = """\
#!{python} -IS
import _socket as s, os, posix, sys
if address := os.environ.get("NOTIFY_SOCKET"):
    sock = s.socket(s.AF_UNIX, s.SOCK_DGRAM)
    name = "\\0" + address[1:] if address.startswith("@") else address
    for message in sys.argv[1:]:
        if message == "exit":
            sys.exit(5)
        sock.sendto(message.encode(), name)
    sock.close()
posix.kill(posix.getpid(), 19)
posix.read(posix.open({hold!r}, posix.O_RDWR), 1)
"""

_FILES = {
    "probe": (0o755, f"#!/bin/sh\n{HALT}\n"),
    "exit7": (0o755, "#!/bin/sh\nexit 7\n"),
    "says": (0o755, '#!/bin/sh\necho "out $1"; echo "err $1" >&2\n'),
    "killed": (0o755, "#!/bin/sh\nkill -KILL $$\n"),
    "plain": (0o755, "exit 7\n"),
    "lost": (0o755, "#!/nonexistent/interpreter\n"),
    "data": (0o644, f"#!/bin/sh\n{HALT}\n"),
    "private": (0o700, f"#!/bin/sh\n{HALT}\n"),
    "notifier": (0o755, _NOTIFIER.format(python=sys.executable, hold=HOLD)),
}


def build() -> None:
    """Write the programs and the small root."""
    os.mkdir(KIT)
    os.chmod(KIT, 0o755)
    pipe(HOLD)
    for name, (mode, text) in _FILES.items():
        with open(f"{KIT}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{KIT}/{name}", mode)
    shutil.copy(_SHELL, f"{KIT}/sh")
    small_root()


def pipe(path: str) -> None:
    """Make a named pipe that anyone may read and write."""
    os.mkfifo(path)
    os.chmod(path, 0o666)


def small_root() -> None:
    """Make a directory that is enough of a root to run the shell and the probe in."""
    for directory in ("bin", "srv/deep", "tmp/kit", "usr/bin"):
        os.makedirs(f"{ROOT}/{directory}")
    os.chmod(f"{ROOT}/tmp", 0o1777)
    pipe(f"{ROOT}{HOLD}")
    shutil.copy(_SHELL, f"{ROOT}/bin/sh")
    shutil.copy(f"{KIT}/probe", f"{ROOT}/usr/bin/probe")
    for library in libraries():
        os.makedirs(os.path.dirname(ROOT + library), exist_ok=True)
        shutil.copy(library, ROOT + library)


def libraries() -> list[str]:
    """Return the shared objects that the shell loads, the loader under the name ELF asks for."""
    ready, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, 1)
        os.execv(_SHELL, ["sh", "-c", "while read line; do echo $line; done </proc/$$/maps"])
    os.close(write)
    with open(ready, encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps if ".so" in line}
    os.waitpid(child, 0)
    return sorted(paths | {loader()})


def loader() -> str:
    """Return the name of the program loader written in the shell (PT_INTERP of elf(5))."""
    with open(_SHELL, "rb") as file:
        start = file.read(4096)
    name = start[start.index(b"/lib") :]
    return name[: name.index(b"\0")].decode()


def executable(name: bytes) -> bytes:
    """Copy the shell to a path whose last part is `name`, an executable and a comm of its own."""
    path = b"/tmp/bin/" + name
    shutil.copy(_SHELL.encode(), path)
    os.chmod(path, 0o755)
    return path
