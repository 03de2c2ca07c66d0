"""nova-compute's life is the same through each of its three entry points.

These are the shell init script with ssd, the init script that is a declaration, and
``ssd-service nova-compute VERB``.
"""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.users import NOBODY, shared

from .machine import Machine, subreaper

ENTRY_POINTS = ("shell", "interpreter", "name")
LIFE = (
    "status", "start", "status", "start", "restart", "status", "force-reload", "kill", "status",
    "start", "stop", "status", "stop", "kill", "restart", "status", "stop", "frobnicate",
    "reload", "show-args",
)  # fmt: skip

# Opens and closes a pipe when it is executed, and then waits for ever.
DAEMON = """#!/bin/sh
: > '{root}/ready'
read line < '{root}/never'
"""


@contextmanager
def machine_of(
    entry: str, root: Path, script: Path, ssd_path: Path, user: str
) -> Iterator[Machine]:
    """Make a machine with one of the entry points; its service runs as this user."""
    interpreter = ssd_path.with_name("ssd-service")
    with subreaper():
        if entry == "shell":
            machine = Machine(root, script, ssd_path)
        elif entry == "interpreter":
            twin = script.with_name("nova-compute-declared")
            machine = Machine.declared(root, twin, interpreter)
        else:
            machine = Machine.named(root, interpreter, user)
        machine.environment["SYSTEM_USER"] = user
        machine.options = {"umask": 0o022}
        try:
            yield machine
        finally:
            machine.end()


def link(path: Path) -> str:
    """Read a link of another user's process, if root may: ptrace(2), CAP_SYS_PTRACE."""
    try:
        return os.readlink(path)
    except PermissionError:
        return "not shown in this container"


def process(machine: Machine) -> dict[str, object]:
    """Return the facts about the daemon that two starts must have in common."""
    pid = machine.pid
    where = Path(f"/proc/{pid}")
    lines = dict(line.split(":\t", 1) for line in (where / "status").read_text().splitlines())
    facts = ("Name", "Umask", "Uid", "Gid", "Groups", "SigIgn", "SigCgt", "SigBlk", "Threads")
    return {
        **{fact: lines[fact] for fact in facts},
        "argv": (where / "cmdline").read_text(),
        "cwd": link(where / "cwd"),
        "leads its session": os.getsid(pid) == pid,
        "descriptors": [link(where / "fd" / name) for name in "012"],
        "limits": (where / "limits").read_text(),
        "pidfile": oct(machine.pidfile.stat().st_mode),
    }


def life(machine: Machine) -> list[object]:
    """Lead the life and record the state after each verb."""
    machine.install(DAEMON)
    for pipe in ("ready", "never"):
        os.mkfifo(machine.root / pipe)
        (machine.root / pipe).chmod(0o666)
    diary: list[object] = []
    for verb in LIFE:
        status = None
        before = machine.pid if machine.pidfile.exists() else None
        if verb == "kill":
            if before is not None:
                machine.kill(before)
        else:
            done = machine(verb)
            status = done.returncode
            if verb == "show-args":
                diary.append(done.stdout)
        after = machine.pid if machine.pidfile.exists() else None
        alive = after is not None and after in _living()
        diary.append((verb, status, after is not None, alive, before == after))
        if alive and before != after:
            assert "" == (machine.root / "ready").read_text()
        if alive:
            diary.append(process(machine))
    made = [(str(path.relative_to(machine.root)), path.stat().st_uid, oct(path.stat().st_mode))
            for path in sorted((machine.root / "var").rglob("*"))]  # fmt: skip
    return [*diary, made]


def _living() -> list[int]:
    """Return the pids of all processes but zombies."""
    found = []
    for name in os.listdir("/proc"):
        try:
            stat = Path(f"/proc/{name}/stat").read_bytes() if name.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if stat and stat[stat.rindex(b")") + 2] not in b"ZX":
            found.append(int(name))
    return found


@pytest.fixture
def tell(tmp_path: Path, script: Path, ssd_path: Path) -> Callable[..., list[object]]:
    """Return a function that leads the life through an entry point, always in one directory."""

    def tell(entry: str, user: str = "root") -> list[object]:
        root = tmp_path / "machine"
        root.mkdir()
        with shared(root, 0o755), machine_of(entry, root, script, ssd_path, user) as machine:
            diary = life(machine)
        root.rename(tmp_path / entry)
        return diary

    return tell


def test_entry_points_give_the_same_life(tell) -> None:
    """The same states, exit statuses, processes and directories."""
    diaries = {entry: tell(entry) for entry in ENTRY_POINTS}
    assert diaries["shell"] == diaries["interpreter"]
    assert diaries["shell"] == diaries["name"]
    verbs = [entry for entry in diaries["name"] if isinstance(entry, tuple)]
    assert [3, 0, 0, 0, 0, 0, 0, None, 1, 0, 0, 3, 0, None, 0, 0, 0, 3, 3, 0] == [
        status for _, status, *_ in verbs
    ]


@pytest.mark.requires_root
def test_entry_points_give_the_same_user(tell) -> None:
    """Its ids, its groups, and what it owns; root starts it."""
    user = pwd.getpwuid(NOBODY)
    diaries = {entry: tell(entry, user.pw_name) for entry in ENTRY_POINTS}
    assert diaries["shell"] == diaries["interpreter"]
    assert diaries["shell"] == diaries["name"]
    ids = {entry["Uid"] for entry in diaries["name"] if isinstance(entry, dict)}
    assert {"\t".join([str(NOBODY)] * 4)} == ids
