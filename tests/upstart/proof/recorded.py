"""The harness that has recorded the real Upstart's answers, and a directory of ours for it.

The harness is a directory of its own, beside the checkout as ``shared/upstart``, or where
SSD_UPSTART_CASES says. Each of its cases runs in namespaces of its own.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import CHECKOUT
from kit.children import WAIT_TIMEOUT

FOLDER = Path(os.environ.get("SSD_UPSTART_CASES") or CHECKOUT.parent / "shared" / "upstart")
# Cases mostly wait, so more of them run at a time than there are processors.
AT_A_TIME = 6
TRIES = 3  # of a case that differs: a busy machine sees other moments
# Those of the machine on which the answers were recorded: processes tell theirs.
LIMITS = ("--nofile=20000:20000", "--memlock=8388608:8388608", "--stack=8388608:", "--nice=0:0",
          "--rtprio=0:0", "--msgqueue=819200:819200")  # fmt: skip
# The cases make a user nova of their own, whom one of the machine would hide.
OWN_USERS = """
mount -t tmpfs -o mode=755 etc /mnt
cp -a /etc/. /mnt
sed -i '/^nova:/d' /mnt/passwd /mnt/group
mount --move /mnt /etc
exec "$@"
"""

Case = dict[str, Any]


def obstacle() -> str:
    """Return why the cases cannot be run here; nothing if they can."""
    if (FOLDER / "harness.py").is_file():
        return ""
    return f"no recorded answers of Upstart in {FOLDER} (SSD_UPSTART_CASES)"


def harness(folder: Path = FOLDER) -> ModuleType:
    """Load the harness, whose cases run with the limits of the recording and users of their own."""
    path = [*sys.path]
    try:
        spec = importlib.util.spec_from_file_location("recorded_harness", folder / "harness.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
        sys.modules.pop("scenarios", None)
    module.UNSHARE[:0] = ["prlimit", *LIMITS, "unshare", "--mount", "sh", "-ec", OWN_USERS, "sh"]
    return module


def names() -> list[str]:
    """Return the names of all cases that have an answer, for parametrized tests."""
    if obstacle():
        return []
    kept = json.loads((FOLDER / "expected.json").read_text())
    cases = json.loads((FOLDER / "cases.json").read_text())["cases"]
    return [case["name"] for case in cases if case["name"] in kept]


def candidate(directory: Path, *words: str) -> Path:
    """Make the directory of commands that the harness wants: links to the installed ones.

    ``words``: what upstart-init gets besides; with them it is a script.
    """
    tools = Path(sys.executable).parent
    directory.mkdir(parents=True)
    subprocess.run(
        [tools / "ssd-initctl", "--make-links", directory], check=True, timeout=WAIT_TIMEOUT
    )
    if words:
        init = directory / "upstart-init"
        init.unlink()
        given = " ".join(words)
        init.write_text(f'#!/bin/sh\nexec "{tools}/ssd-supervise" {given} --upstart "$@"\n')
        init.chmod(0o755)
    return directory


def selected(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the cases of the tests of this module that compare answers and are to run.

    None with pytest-xdist, where another process may run them: each begins when its test does.
    """
    if hasattr(request.config, "workerinput"):
        return
    for item in request.session.items:
        if item.path == request.path and item.name.startswith("test_answers_"):
            yield item.callspec.params["case"]  # type: ignore[attr-defined]


class Runs:
    """Cases that run in the background, so many at a time, and what they differ in."""

    def __init__(
        self,
        module: ModuleType,
        cases: list[Case],
        kept: dict[str, Any],
        *,
        first: bool,
        meant: "Mapping[str, str] | None" = None,
    ) -> None:
        """``first``: whether ours is process 1, as the original was; else it is beside it.

        ``meant``: the differences that are as they should be, by case.
        """
        module.scenarios.PID1 = first
        self._harness = module
        self._cases = {case["name"]: case for case in cases}
        self._kept = kept
        self._meant = meant or {}
        self._pool = ThreadPoolExecutor(AT_A_TIME)
        self._begun: dict[tuple[str, Path], Future[list[str]]] = {}

    def begin(self, name: str, where: Path) -> None:
        """Run a case with the commands of a directory, when its turn has come."""
        self._begun[name, where] = self._pool.submit(self._differences, name, where)

    def differences(self, name: str, where: Path) -> list[str]:
        """Wait for a case; return its differences as lines."""
        if (name, where) not in self._begun:
            self.begin(name, where)
        return self._begun[name, where].result()

    def close(self) -> None:
        """Begin no other case, and wait for those that run."""
        self._pool.shutdown(cancel_futures=True)

    def _differences(self, name: str, where: Path) -> list[str]:
        case, lines = self._cases[name], [""]
        for _ in range(TRIES):
            came = without_ours(self._harness.run_case(case, "candidate", str(where)), where)
            lines = [steady(line) for line in self._harness.compare(case, self._kept[name], came)]
            if "\n".join(lines) in ("", self._meant.get(name)):
                break
        return lines


def without_ours(came: dict[str, Any], where: Path) -> dict[str, Any]:
    """Return answers without our supervisor among the processes, where it is not process 1."""
    init = str(where / "upstart-init")
    for kind, answer in came["answers"]:
        if kind == "ps" and isinstance(answer, list):
            answer[:] = [row for row in answer if init not in row.get("argv", ())]
    return came


def steady(line: str) -> str:
    """Return a line of a difference without what depends on the moment.

    That is the time that was measured, and whether a job that is stopping has stopped.
    """
    line = re.sub(r"(seconds: expected )[\d.]+(, came )[\d.]+", r"\1N\2M", line.strip())
    return re.sub(r"came 'foo stop/killed, process P\d+", "came 'foo stop/waiting", line)
