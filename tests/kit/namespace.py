"""Run a command as if alone on a machine: its own processes, /dev, /run and /tmp.

Tests that can reach processes by name, user or parent run in here, so that a mistake can only hit
processes of the test. When the command ends, the kernel ends them all.
"""

import functools
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# Run as the namespace's first process. $1: number of paths to keep visible; then these;
# then the command. Devices are copies, so that a test may remove one; an ordinary user may not
# make any (mknod(2)) and gets bind mounts of the machine's. Hundreds of tests run this: it starts
# as few programs as it can.
_ENTER = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/.dev /run/.kept
mount -t tmpfs -o mode=755 tmpfs /run/.dev
nodes=
for node in null zero full random urandom tty fd stdin stdout stderr; do
    { [ ! -e "/dev/$node" ] && [ ! -L "/dev/$node" ]; } || nodes="$nodes /dev/$node"
done
cp -a $nodes /run/.dev 2> /dev/null || for node in $nodes; do
    [ ! -L "$node" ] || continue
    : > "/run/.dev/${node#/dev/}"; mount --bind "$node" "/run/.dev/${node#/dev/}"
done
[ -L /run/.dev/fd ] || ln -s /proc/self/fd /run/.dev/fd
for stream in 0/stdin 1/stdout 2/stderr; do
    [ -L "/run/.dev/${stream#*/}" ] || ln -s "fd/${stream%/*}" "/run/.dev/${stream#*/}"
done
mkdir -m 1777 /run/.dev/shm
mount --move /run/.dev /dev
mount --rbind /tmp /run/.kept
mount -t tmpfs -o mode=1777 tmpfs /tmp
count=$1; shift
while [ "$count" -gt 0 ]; do
    mkdir -p "$1"; mount --rbind "/run/.kept/${1#/tmp/}" "$1"
    shift; count=$((count - 1))
done
umount -l /run/.kept; rmdir /run/.kept /run/.dev
set +e
"$@"
exit "$?"
"""


def _unshare() -> list[str]:
    """Return the words that make the namespaces, with a user namespace for an ordinary user."""
    mapped = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    flags = ["--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
    return ["unshare", *mapped, *flags]


@functools.cache
def obstacle() -> str | None:
    """Return why no namespace can be made here; None if one can."""
    if not sys.platform.startswith("linux"):
        return "namespaces are a feature of Linux"
    try:
        tried = subprocess.run(command(["true"]), capture_output=True, text=True)
    except FileNotFoundError:
        return "unshare(1) is missing: apt-get install util-linux"
    return None if tried.returncode == 0 else f"no namespace: {tried.stderr.strip()}"


def command(argv: Sequence[str | bytes], keep: Iterable[str | Path] = ()) -> list[str | bytes]:
    """Return the words that run ``argv`` in namespaces of its own.

    ``keep``: directories below /tmp that stay visible, besides those the tests run from.
    """
    needed = {str(path) for path in (*keep, *_own()) if str(path).startswith("/tmp/")}
    outermost = sorted(
        path for path in needed if not any(path.startswith(f"{other}/") for other in needed)
    )
    prefix = [*_unshare(), "sh", "-c", _ENTER, "sh", str(len(outermost)), *outermost]
    return [*prefix, *argv]


def _own() -> list[Path]:
    """Return the paths of the interpreter, its environment and these tests."""
    checkout = Path(__file__).resolve().parent.parent.parent
    return [checkout, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), Path.cwd()]


def in_mounts(script: str, *arguments: Any) -> Sequence[str]:
    """Return the words that run a shell script in a mount namespace of its own."""
    return ["unshare", "--mount", "sh", "-ec", script, "sh", *map(os.fspath, arguments)]
