"""The modules that the command loads: few on a hot path, and for each verb only those it needs."""

import os
import sys
from pathlib import Path

import pytest
from kit.children import child, ended, python
from kit.loading import BUNDLED, HEAVY, HOME, LIBRARY, PLAIN, account, lines_of, loaded
from kit.locks import lock_file
from kit.pidfiles import mark

SSD = ("ssd.cli", "ssd")  # the package of its main, and the name that it is called by

COMMON = {
    "ssd",
    "ssd.cli",
    "ssd.cli.options",
    "ssd.cli.grammar",
    "ssd.errors",
    "ssd.finding",
    "ssd.stdio",
    "ssd.matching",
    "ssd.paths",
    "ssd.pidfile",
    "ssd.processes",
    "ssd.processes.linux",
    "ssd.signals",
    "ssd.statuses",
}
STATUS = COMMON | {"ssd.cli.status"}
SCAN = {"ssd.processes.scan"}
MARK = {"ssd.pidfile.marks", "ssd.processes.origin"}  # of a pidfile that ssd has written
STOP = {
    "ssd.cli.stop",
    "ssd.stopping",
    "ssd.processes.handles",
    "ssd.processes.waiting",
    "ssd.schedule",
}
TREE = {"ssd.trees", "ssd.processes.kin"}  # with --tree alone
START = {
    "ssd.cli.start",
    "ssd.starting",
    "ssd.pidfile.locking",
    "ssd.starting.become",
    "ssd.starting.command",
    "ssd.environment",
    "ssd.accounts",
}
BACKGROUND = {
    "ssd.starting.detach",
    "ssd.starting.kill_pipe",
    "ssd.starting.report",
    "ssd.pidfile.writing",
} | MARK
SAID = {"ssd.sentences"}  # if the command prints something

# command line -> the modules of ssd that it may load, and the number of their lines
BUDGETS = {
    "--help": (
        {
            "ssd",
            "ssd._version",
            "ssd.cli",
            "ssd.cli.added",
            "ssd.cli.grammar",
            "ssd.cli.help",
            "ssd.cli.options",
            "ssd.errors",
            "ssd.signals",
            "ssd.statuses",
            "ssd.stdio",
        },
        1040,
    ),
    "--bogus": (
        {
            "ssd",
            "ssd.cli",
            "ssd.cli.added",
            "ssd.cli.grammar",
            "ssd.cli.options",
            "ssd.sentences",
            "ssd.errors",
            "ssd.signals",
            "ssd.statuses",
            "ssd.stdio",
        },
        1140,
    ),
    "--status --pidfile {pidfile}": (STATUS, 1830),
    "--status --pidfile {marked}": (STATUS | MARK, 1970),
    "--status --pid {pid}": (STATUS, 1830),
    "--status --name sleep": (STATUS | SCAN, 2160),
    "--status --exec /bin/true": (STATUS | SCAN, 2160),
    "--status --user 12345678": (STATUS | SCAN, 2160),
    "--status --ppid {self}": (STATUS | SCAN, 2160),
    "--pidof --name sleep": (STATUS | SCAN, 2160),
    "--stop --pidfile {pidfile}": (COMMON | STOP, 2640),
    "--stop --pidfile {pidfile} --retry=TERM/30/KILL/5": (COMMON | STOP, 2640),
    "--stop --pidfile {pidfile} --tree": (COMMON | STOP | TREE, 3120),
    "--stop --pidfile {marked}": (COMMON | STOP | MARK, 2780),
    "--stop --pidfile {pidfile} --test": (COMMON | STOP | SAID, 2580),
    "--stop --quiet --oknodo --pidfile {missing}": (COMMON | STOP | SAID, 2580),
    "--start --pidfile {pidfile} --startas /bin/true": (COMMON | START | SAID, 2910),
    "--start --test --pidfile {missing} --startas /bin/true": (COMMON | START, 2740),
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path) -> None:
    """Create the directory of locks, which only the first start on a machine does."""
    lock_file(tmp_path / "none")


@pytest.mark.parametrize("line", BUDGETS)
def test_verb_loads_only_what_it_needs(line: str, tmp_path: Path) -> None:
    """No heavy module, only modules of its list, and no more lines than its budget."""
    allowed, budget = BUDGETS[line]
    with child() as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        mark(tmp_path / "marked", process.pid)
        places = {
            "pid": str(process.pid),
            "self": str(os.getpid()),
            "marked": str(tmp_path / "marked"),
            "pidfile": str(tmp_path / "pid"),
            "missing": str(tmp_path / "none"),
        }
        _, files = loaded(*SSD, *line.format(**places).split())
    files.pop("ssd.processes.sharing", None)  # if this machine has thousands of processes
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    free = account(files)
    assert set() == set(files) & HEAVY - free
    assert set() == own - allowed
    assert set() == own - BUNDLED
    assert set() == set(files) - own - LIBRARY - free
    assert budget >= lines_of(files)


def test_background_start_loads_python_daemon_and_no_more(tmp_path: Path) -> None:
    """DaemonContext detaches; psutil, lockfile, logging and subprocess are not loaded."""
    pidfile = tmp_path / "pid"
    line = f"--start --background --make-pidfile --pidfile {pidfile} --startas /bin/sleep -- 1000"
    status, files = loaded(*SSD, *line.split())
    with ended(int(pidfile.read_text())):
        own = {name for name in files if name.partition(".")[0] == "ssd"}
        assert 0 == status
        assert "daemon.daemon" in files
        assert set() == own - BUNDLED
        assert set() == set(files) & {"psutil", "lockfile", "logging", "subprocess", "threading"}
        # The latter if other starts have left lock files, or hold some at this moment.
        files.pop("ssd.pidfile.lock_directories", None)
        assert set() == own - COMMON - START - BACKGROUND - {"ssd.pidfile.lock_directories"}
        assert 3490 >= lines_of(files)


RARE = {
    "a user by name": ("--status --user root", "pwd"),
    "a group by name": ("--start --test --name xyz --startas /x --group root", "grp"),
    "a start without a pidfile": (
        f"--start --exec {sys.executable}",
        "ssd.pidfile.lock_directories",
    ),
    "a scheduler": ("--start --test --name xyz --startas /x -P rr:1", "ssd.cli.values"),
}


@pytest.mark.parametrize("case", RARE)
def test_rare_modules_are_loaded_when_they_are_needed(case: str) -> None:
    """The rare module is there when it is asked for."""
    line, module = RARE[case]
    _, files = loaded(*SSD, *line.split())
    assert module in files


def test_importing_the_library_loads_nothing(tmp_path: Path) -> None:
    """``import ssd`` is one module; the public names come when they are used."""
    code = f"""
import sys
before = set(sys.modules)
sys.path[:0] = [{HOME!r}]
import ssd
print(sorted(set(sys.modules) - before))
ssd.Match, ssd.status, ssd.stop, ssd.Process, ssd.Schedule
print(sorted(set(sys.modules) - before))
"""
    done = python(code, flags=PLAIN)
    first, second = map(eval, done.stdout.decode().splitlines())
    assert ["ssd"] == first
    assert set() == set(second) & HEAVY
