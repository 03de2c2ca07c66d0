"""A machine whose services Ansible's modules manage: namespaces of its own, and no ssh.

A module runs there as Ansible runs it, with its arguments in JSON; that takes a quarter of a second
instead of the two of a playbook.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit import namespace

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SOURCES = CHECKOUT / "packaging/ansible"
BIN = Path(sys.prefix) / "bin"
USUAL = "/usr/local/bin:/usr/bin:/bin"  # the PATH of a host that lacks ssd
PACKAGE = "ansible_collections.ssd.daemon.plugins.modules"
PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/opt/ssd/bin")

# Runs in the namespaces: each line on standard input has commands that it starts at once; it
# answers with a line when all have ended. Their output goes into files, which a daemon may keep.
# An ssd-service of this machine is hidden.
_SERVER = """
import json, subprocess, sys, tempfile
for place in sys.argv[1:]:
    subprocess.run(["mount", "--bind", "/dev/null", place], check=True)
for line in sys.stdin:
    begun, answers = [], []
    for argv, environment in json.loads(line):
        files = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=files[0], stderr=files[1], env=environment
        )
        begun.append((child, files))
    for child, files in begun:
        status = child.wait()
        for file in files:
            file.seek(0)
        answers.append([status, *(file.read() for file in files)])
    print(json.dumps(answers), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str


class Managed:
    """The machine; ``directory`` is visible there, and has the declarations in ``ssd``."""

    def __init__(self, directory: Path) -> None:
        obstacle()
        self.directory = directory
        self.declarations = directory / "ssd"
        self.declarations.mkdir()
        self.collections = directory / "collections"
        place = self.collections / "ansible_collections/ssd"
        place.mkdir(parents=True)
        (place / "daemon").symlink_to(SOURCES)
        hidden = [f"{place}/ssd-service" for place in PLACES]
        server = [sys.executable, "-c", _SERVER, *filter(os.path.exists, hidden)]
        argv = namespace.command(server, keep=[directory])
        pipe = subprocess.PIPE
        self._server = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True)

    def __enter__(self) -> "Managed":
        return self

    def __exit__(self, *_: object) -> None:
        """End the machine, with all that runs on it."""
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait(60)
        self._server.stdout.close()

    def at_once(self, *commands: Sequence[Any], path: str = "", **more: str) -> list[Done]:
        """Run commands beside each other, and wait for all; ``path`` is their PATH."""
        assert self._server.stdin and self._server.stdout
        environment = {"PATH": path or f"{BIN}:{USUAL}", "HOME": str(self.directory), **more}
        rows = [([os.fspath(word) for word in argv], environment) for argv in commands]
        self._server.stdin.write(json.dumps(rows) + "\n")
        self._server.stdin.flush()
        return [Done(*row) for row in json.loads(self._server.stdout.readline())]

    def run(self, *argv: Any, path: str = "", **more: str) -> Done:
        """Run one command."""
        return self.at_once(argv, path=path, **more)[0]

    def ssd(self, *words: str) -> Done:
        """Run ssd-service with the declarations of this machine."""
        return self.run(BIN / "ssd-service", f"--directory={self.declarations}", *words)

    def declare(self, text: str = "", name: str = "nap") -> Path:
        """Declare a service that sleeps, or what the text says; return the declaration."""
        if "executable" not in text:
            text = f'executable = "/bin/sleep"\narguments = ["1000"]\n{text}'
        if "pidfile" not in text:
            text = f'pidfile = "{self.directory}/{name}.pid"\n{text}'
        file = self.declarations / f"{name}.toml"
        file.write_text(text)
        return file

    def pid(self, name: str = "nap") -> int:
        """Return the pid in a service's pidfile."""
        return int((self.directory / f"{name}.pid").read_text())

    def words(
        self, module: str, arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> list[Any]:
        """Return the words that run a module of the collection."""
        internal = {f"_ansible_{name}": value for name, value in options.items()}
        given = {"directory": str(self.declarations), **arguments, **internal}
        text = json.dumps({"ANSIBLE_MODULE_ARGS": {k: v for k, v in given.items() if v != ""}})
        return [sys.executable, "-m", f"{PACKAGE}.{module}", text]

    def module(
        self,
        module: str,
        *,
        check: bool = False,
        diff: bool = False,
        tmpdir: Path | None = None,
        path: str = "",
        **arguments: Any,
    ) -> dict[str, Any]:
        """Run a module; return its result. An argument "" is left out.

        check, diff: as --check and --diff. tmpdir: of the task. path: where ssd-service is found.
        """
        options: dict[str, Any] = {"check_mode": check, "diff": diff}
        if tmpdir is not None:
            options["tmpdir"] = str(tmpdir)
        words = self.words(module, arguments, options)
        return result(self.run(*words, path=path, PYTHONPATH=str(self.collections)))

    def playbook(self, tasks: Sequence[Mapping[str, Any]], *flags: str, path: str = "") -> Done:
        """Run Ansible itself on this machine, with a play of some tasks."""
        play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
        file = self.directory / "play.yml"
        file.write_text(json.dumps([play]))
        settings = self.directory / "ansible.cfg"
        settings.write_text("[defaults]\n")
        inventory = self.directory / "hosts"
        inventory.write_text(
            f"here ansible_connection=local ansible_python_interpreter={sys.executable}\n"
        )
        return self.run(
            BIN / "ansible-playbook",
            "-i",
            inventory,
            file,
            *flags,
            path=path,
            ANSIBLE_COLLECTIONS_PATH=str(self.collections),
            ANSIBLE_CONFIG=str(settings),
            ANSIBLE_NOCOLOR="1",
            LC_ALL="C.UTF-8",
        )


def result(done: Done) -> dict[str, Any]:
    """Return what a module printed."""
    try:
        found: dict[str, Any] = json.loads(done.out)
    except ValueError:
        raise AssertionError(done) from None
    found.pop("invocation", None)
    return found


def obstacle() -> None:
    """Skip where Ansible is not installed."""
    if not (BIN / "ansible-playbook").exists():
        pytest.skip("ansible-core is missing: scripts/test --fleet installs it")
