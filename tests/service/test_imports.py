"""What ssd-service loads: on a hot path little, and for each verb no more than it needs."""

from pathlib import Path

import pytest
from kit.children import child, ended
from kit.loading import BUNDLED, HEAVY, LIBRARY, account, lines_of, loaded
from kit.locks import lock_file

from ssd.service.verbs.performing import other_inits

COMMON = {
    "ssd",
    "ssd.errors",
    "ssd.finding",
    "ssd.stdio",
    "ssd.matching",
    "ssd.paths",
    "ssd.pidfile",
    "ssd.processes",
    "ssd.processes.linux",
    "ssd.service",
    "ssd.service.sources",
    "ssd.service.cli",
    "ssd.service.declaration",
    "ssd.service.environment",
    "ssd.service.errors",
    "ssd.service.fields",
    "ssd.service.kinds",
    "ssd.service.verbs.performing",
    "ssd.service.programs",
    "ssd.service.verbs.steps",
    "ssd.service.trust",
    "ssd.service.verbs",
    "ssd.service.verbs.vitals",
    "ssd.signals",
    "ssd.statuses",
}
TOML = {"ssd.service.sources.plain_toml", "ssd.service.sources.toml"}
SHELL = {
    "ssd.service.sources.debian",
    "ssd.service.sources.header",
    "ssd.service.sources.openstack",
    "ssd.service.sources.plain_shell",
    "ssd.service.sources.shell",
    "ssd.service.sources.shell_values",
    "ssd.service.words",
}
LINE = {"ssd.service.console"}
STOP = {
    "ssd.pidfile_removal",
    "ssd.schedule",
    "ssd.stopping",
    "ssd.pidfile.locking",
    "ssd.processes.handles",
    "ssd.processes.waiting",
    "ssd.pidfile.lock_waiting",
    "ssd.service.verbs.stopping",
}
START = {
    "ssd.service.commands",
    "ssd.starting.become",
    "ssd.starting.command",
    "ssd.starting.detach",
    "ssd.starting.kill_pipe",
    "ssd.environment",
    "ssd.accounts",
    "ssd.starting.report",
    "ssd.pidfile.locking",
    "ssd.pidfile.marks",
    "ssd.processes.origin",
    "ssd.pidfile.writing",
    "ssd.service.verbs.preparing",
    "ssd.service.verbs.starting",
    "ssd.starting",
}
MANY = {"ssd.service.sources.listing", "ssd.service.verbs.fleet"}

# If another init runs: the names of files show whether it has a service of that name.
OTHER_INITS = {
    "ssd.service.generators", "ssd.service.generators.facilities", "ssd.service.verbs.inits",
    "ssd.service.initscripts", "ssd.service.initscripts.cli",
    "ssd.service.initscripts.program", "ssd.service.initscripts.script",
} if other_inits() else set()  # fmt: skip
MORE = 700 if OTHER_INITS else 0  # lines of those

# words of the command -> what of ssd it may load, and how many lines that may be
BUDGETS = {
    "toml status": (COMMON | TOML, 3460),
    "toml start": (COMMON | TOML | LINE, 3610),  # it runs already
    "toml stop": (COMMON | TOML | LINE | STOP, 4710),
    "shell status": (COMMON | SHELL, 4070),
    "all status": (COMMON | TOML | SHELL | MANY, 4640),
}

# words of the command with --json, which Ansible runs -> how many lines it may load on top
JSON_LINES = {"toml start --json": 2040, "toml start --json --plan": 2830}

# This machine may have a supervisor, which would be asked.
ALONE = "import ssd.service; ssd.service.SUPERVISORS = '/run/no such directory'"


def service(directory: Path, *words: str) -> tuple[int, dict[str, str | None]]:
    """Run ssd-service in a child; return its status, and the modules with their files."""
    options = "ssd-service", f"--directory={directory}"
    return loaded("ssd.service.cli", *options, *words, first=ALONE)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with one declaration of each kind."""
    place = tmp_path / "declared"
    place.mkdir()
    pidfile = tmp_path / "pid"
    (place / "toml.toml").write_text(f'executable = "/bin/sleep"\npidfile = "{pidfile}"\n')
    names = f"PROJECT_NAME=nova\nNAME=shell\nDAEMON=/bin/sleep\nPIDFILE={pidfile}\n"
    (place / "shell").write_text(names)
    lock_file(pidfile)  # the first start on a machine makes the directory of locks
    return place


@pytest.mark.parametrize("line", BUDGETS)
def test_verb_loads_only_what_it_needs(line: str, directory: Path) -> None:
    """No expensive module, only modules of its own list, and no more lines than its budget."""
    allowed, budget = BUDGETS[line]
    allowed, budget = allowed | OTHER_INITS, budget + MORE
    with child() as process:
        (directory.parent / "pid").write_text(f"{process.pid}\n")
        status, files = service(directory, *line.split())
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    assert 0 == status
    free = account(files)
    assert set() == set(files) & HEAVY - free
    assert set() == own - allowed
    assert set() == own - BUNDLED - OTHER_INITS
    assert set() == set(files) - own - LIBRARY - free
    assert budget >= lines_of(files)


@pytest.mark.parametrize("line", JSON_LINES)
def test_verb_in_json_loads_no_expensive_module(line: str, directory: Path) -> None:
    """Not json, psutil or subprocess; what it has on top of the verb is in the bundle."""
    with child() as process:
        (directory.parent / "pid").write_text(f"{process.pid}\n")
        status, files = service(directory, *line.split())
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    assert 0 == status
    assert set() == set(files) & {*HEAVY, "json", "re", "enum"} - account(files)
    assert set() == own - BUNDLED - OTHER_INITS
    assert BUDGETS["toml start"][1] + JSON_LINES[line] + MORE >= lines_of(files)


def test_start_loads_python_daemon_and_nothing_else(directory: Path) -> None:
    """Not psutil, not subprocess, no module of other verbs."""
    (directory / "toml.toml").write_text(
        f'executable = "/bin/sleep"\narguments = ["1000"]\npidfile = "{directory.parent}/pid"\n'
    )
    status, files = service(directory, "toml", "start")
    with ended(int((directory.parent / "pid").read_text())):
        own = {name for name in files if name.partition(".")[0] == "ssd"}
        assert 0 == status
        assert "daemon.daemon" in files
        assert set() == own - BUNDLED - OTHER_INITS
        assert set() == set(files) & {"psutil", "lockfile", "logging", "subprocess", "tomllib"}
        # The latter where other starts have left lock files, or hold some at this moment.
        files.pop("ssd.pidfile.lock_directories", None)
        assert set() == own - COMMON - TOML - LINE - START - OTHER_INITS - {
            "ssd.pidfile.lock_directories"
        }
        assert 5460 + MORE >= lines_of(files)
