"""One measurement in namespaces of its own: when it ends, the kernel ends all that it started."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

UNSHARE = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
DESCRIPTORS = 20_000
# The shell is process 1 and reaps what nobody else does. /run is for sockets and pidfiles.
ENTER = 'mount -t tmpfs -o mode=755 tmpfs /run; ulimit -c 0; "$@"; exit "$?"'


def obstacle() -> str:
    """Return why nothing can be measured here; nothing if it can."""
    if os.geteuid() != 0:
        return "it needs root"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


class Measurement:
    """A child that measures one row with one supervisor."""

    def __init__(self, tool: str, row: str, arguments: dict[str, Any]) -> None:
        self.place = tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
        words = json.dumps({"tool": tool, "row": row, "arguments": arguments})
        inside = [sys.executable, "-B", str(Path(__file__).parent), "--inside", words]
        self.child = subprocess.Popen(
            # It ends with the bench, whatever ends that.
            ["setpriv", "--pdeathsig", "KILL", *UNSHARE, "sh", "-c", ENTER, "sh", *inside],
            cwd=self.place.name,
            env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,
        )

    def result(self) -> dict[str, Any]:
        """Wait for the figures; a failure has the one key ``failed``."""
        out, errors = self.child.communicate()
        self.place.cleanup()
        if self.child.returncode:
            return {"failed": errors.strip()}
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found


def limit() -> None:
    """Allow as many descriptors as everywhere, if so many are allowed at all."""
    most = min(DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
