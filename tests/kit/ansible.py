"""Run Ansible on the controller of a fleet, with our collection, and read what it did as data."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit.ssh_files import CHECKOUT
from kit.ssh_hosts import Fleet, ansible_programs

# Ansible's own callbacks write for people. This one writes a line of JSON for each result.
_CALLBACK = '''
DOCUMENTATION = """
name: recorded
type: aggregate
short_description: a line of JSON for each result
description: It is for tests.
"""

import json
import os
import time

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorded"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, outcome, result):
        host, task = result._host.get_name(), result._task.get_name()
        row = {"host": host, "task": task, "outcome": outcome, "values": dict(result._result)}
        line = json.dumps({**row, "at": time.monotonic()}, default=str)
        with open(os.environ["RECORDED"], "a") as file:
            file.write(line + "\\n")

    def v2_runner_on_ok(self, result):
        self._record("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._record("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result):
        self._record("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._record("skipped", result)
'''


@dataclass(frozen=True)
class Result:
    """What one task did on one host: ok, failed, ignored, unreachable or skipped.

    ``at``: when its result came, in seconds of time.monotonic().
    """

    host: str
    task: str
    outcome: str
    values: dict[str, Any]
    at: float

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


class Ansible:
    """Ansible on the controller of a fleet; ``collections`` is where ours is installed."""

    def __init__(self, fleet: Fleet, collections: Path) -> None:
        obstacle()
        self.fleet = fleet
        self._plugins = fleet.directory / "callbacks"
        self._plugins.mkdir(exist_ok=True)
        (self._plugins / "recorded.py").write_text(_CALLBACK)
        self._recorded = fleet.directory / "recorded"
        self._collections = collections

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables for a run whose results ``results`` returns."""
        self._recorded.unlink(missing_ok=True)
        return self.fleet.environment(
            ANSIBLE_COLLECTIONS_PATH=str(self._collections),
            ANSIBLE_CALLBACK_PLUGINS=str(self._plugins),
            ANSIBLE_CALLBACKS_ENABLED="recorded",
            ANSIBLE_LOAD_CALLBACK_PLUGINS="1",
            RECORDED=str(self._recorded),
            **more,
        )

    def results(self) -> list[Result]:
        """Return what the last run did, in order."""
        return list(self._read())

    def _read(self) -> Iterator[Result]:
        if self._recorded.exists():
            for line in self._recorded.read_text().splitlines():
                yield Result(**json.loads(line))

    def task(
        self, hosts: str, module: str, *flags: str, check: bool = False, **arguments: Any
    ) -> dict[str, Result]:
        """Let some hosts run one module; return the result of each. ``check``: a dry run."""
        words = ["ansible", hosts, "-m", module, "-a", json.dumps(arguments), *flags]
        self.run(*words, *(["--check"] if check else []))
        return {result.host: result for result in self.results()}

    def playbook(self, text: str, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook, which is written into a file first."""
        file = self.fleet.directory / "playbook.yml"
        file.write_text(text)
        return self.run("ansible-playbook", str(file), *flags)

    def run(self, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one of Ansible's programs."""
        return self.fleet.run(*argv, env=self.environment(**more))


def obstacle() -> None:
    """Skip where Ansible is not installed."""
    if not (ansible_programs() / "ansible-playbook").exists():
        pytest.skip("ansible-core is missing: scripts/test --fleet installs it")


def install_collection(directory: Path) -> Path:
    """Build the collection of this checkout and install it there; return where Ansible looks."""
    obstacle()
    built, installed = directory / "built", directory / "collections"
    built.mkdir()
    _call(CHECKOUT / "scripts/collection", "--out", built)
    (tarball,) = built.glob("ssd-daemon-*.tar.gz")
    galaxy = ansible_programs() / "ansible-galaxy"
    _call(galaxy, "collection", "install", "--offline", tarball, "-p", installed)
    return installed


def _call(*argv: Any) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert 0 == done.returncode, done.stdout + done.stderr
