"""Run cases on both sides, each in a PID and mount namespace of its own."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import ChainMap
from itertools import chain
from pathlib import Path

from .cases import DATA

ORACLE = "/usr/sbin/start-stop-daemon"
# Of Debian 12, 13 and, in 2026, sid; whatever their point releases.
ORACLE_VERSIONS = ("1.21", "1.22", "1.23")
FIRST_TARGET = 20001  # the pid of a case's first target
AT_MOST = 3000.0  # seconds for all of it
SHARES = 4

_NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
_TRIAL = (
    "mount -t tmpfs trial /dev && mknod /dev/null c 1 3 && echo 9 >/proc/sys/kernel/ns_last_pid"
)
_INSIDE = f"{Path(__file__).parent.name}.inside"
_TESTS = Path(__file__).parents[1]


def command() -> str:
    """Return the path of the command under test: SSD_COMMAND, else the script beside Python."""
    return os.environ.get("SSD_COMMAND") or str(Path(sys.executable).with_name("ssd"))


@functools.cache
def oracle_version() -> str:
    """Return the first two numbers of the original's version; "" if it names none."""
    said = subprocess.run([ORACLE, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\b\d+\.\d+(?=\.\d)", said)
    return found[0] if found else ""


def has_changed(later: str) -> bool:
    """Return whether the original is of the version ``later``, or of a newer one."""
    numbers = [tuple(map(int, text.split("."))) for text in (later, oracle_version())]
    return numbers[0] <= numbers[1]


def hindrance() -> str | None:
    """Return why the two sides cannot be compared here, None if they can."""
    if not os.access(ORACLE, os.X_OK):
        return f"{ORACLE} is not installed"
    if (version := oracle_version()) not in ORACLE_VERSIONS:
        return f"{ORACLE} is of version {version}, and not of {', '.join(ORACLE_VERSIONS)}"
    if os.geteuid() != 0:
        return "only root can make the namespaces and change users"
    if shutil.which("unshare") is None:
        return "unshare is not installed (apt-get install util-linux)"
    trial = subprocess.run(
        [*_NAMESPACE, "sh", "-c", _TRIAL], capture_output=True, text=True, check=False
    )
    if trial.returncode:
        return f"namespaces are not allowed here: {trial.stderr.strip()}"
    return None


def compare(ids: list[str], commands: list[str], data: Path = DATA) -> list[dict[str, dict]]:
    """Run the cases `ids` of `data` with each of `commands` at once; return outcomes by id.

    The first command is the original. Each side works in SHARES namespaces: some cases only
    wait, and others can run meanwhile.
    """
    parts = [ids[part::SHARES] for part in range(min(SHARES, len(ids)))]
    names = ["oracle", *["ssd"] * (len(commands) - 1)]
    shares = [
        [Side(name, path, part, data) for part in parts]
        for name, path in zip(names, commands, strict=True)
    ]
    try:
        return [dict(ChainMap(*(side.outcomes() for side in sides))) for sides in shares]
    finally:
        for side in chain(*shares):
            side.end()


class Side:
    """One running command in its namespace."""

    def __init__(self, name: str, path: str, ids: list[str], data: Path) -> None:
        """Start the namespace and hand it its order."""
        self._said, self._wrong = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        order = {"command": path, "side": name, "ids": ids, "keep": kept(path), "data": str(data)}
        self._process = subprocess.Popen(
            [*_NAMESPACE, sys.executable, "-S", "-E", "-B", "-m", _INSIDE],
            cwd=_TESTS,
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._wrong,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode())
        self._process.stdin.close()

    def outcomes(self) -> dict[str, dict]:
        """Wait for the end and return {id: its outcome}.

        Raises RuntimeError if the namespace did not do all of its work.
        """
        try:
            status = self._process.wait(AT_MOST)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"a side was not done; after {list(self._told())[-1:]}") from None
        self._wrong.seek(0)
        if status:
            raise RuntimeError(f"a side ended with {status}: {self._wrong.read().decode()}")
        return self._told()

    def _told(self) -> dict[str, dict]:
        self._said.seek(0)
        return {entry.pop("id"): entry for entry in map(json.loads, self._said)}

    def end(self) -> None:
        """End the namespace, if it is still there, and close what belongs to it."""
        self._process.kill()
        self._process.wait()
        self._said.close()
        self._wrong.close()


def kept(path: str) -> list[str]:
    """Return the directories that must stay visible: interpreter, command and project."""
    own = [sys.prefix, sys.base_prefix, str(_TESTS.parent), str(_TESTS)]
    return [directory for directory in [*own, str(Path(path).resolve().parent)] if directory != "/"]
