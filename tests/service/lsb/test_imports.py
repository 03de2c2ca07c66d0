"""The modules that an LSB function loads."""

import os
from pathlib import Path

import pytest
from kit.children import child
from kit.loading import BUNDLED, loaded

COMMON = {
    "ssd",
    "ssd.errors",
    "ssd.stdio",
    "ssd.service",
    "ssd.service.cli",
    "ssd.service.lsb",
    "ssd.service.lsb.cli",
    "ssd.signals",
    "ssd.statuses",
}
LINES = COMMON | {"ssd.service.console", "ssd.service.lsb.log"}
CALLS = COMMON | {"ssd.service.lsb.calls"}
PIDFILE = LINES | CALLS | {"ssd.paths", "ssd.pidfile", "ssd.processes", "ssd.service.lsb.pids"}
TABLE = PIDFILE | {"ssd.matching", "ssd.processes.linux"}
STOP = TABLE | {
    "ssd.validation",
    "ssd.stopping",
    "ssd.stops",
    "ssd.finding",
    "ssd.processes.handles",
    "ssd.processes.waiting",
    "ssd.schedule",
    "ssd.service.lsb.daemons",
}
HEADER = {
    "ssd.service.errors",
    "ssd.service.lsb.scripts",
    "ssd.service.sources",
    "ssd.service.sources.header",
}

# call -> the modules of ssd that it may load
BUDGETS = {
    "log_end_msg 0": LINES,
    "log_end_msg 1": LINES,
    "log_daemon_msg a b": LINES,
    "log_failure_msg a": LINES,
    "log_action_end_msg 1": LINES,
    "pidofproc -p {missing} x": PIDFILE,
    "pidofproc -p {pidfile} x": TABLE,
    "pidofproc nobody-runs-it": TABLE | {"ssd.processes.scan"},
    "status_of_proc -p {pidfile} x y": TABLE,
    "killproc -p {pidfile} sleep": STOP,
    "killproc -p {missing} sleep HUP": STOP,
    "get_lsb_header_val {pidfile} Provides": CALLS | HEADER,
    "init_is_upstart": CALLS | HEADER,
}
LIBRARY = {"errno", "fcntl", "select", "time"}  # in C, and free


@pytest.mark.parametrize("call", BUDGETS)
def test_function_loads_only_what_it_needs(call: str, tmp_path: Path) -> None:
    """From the standard library only modules in C, and nothing of another function."""
    with child() as process:
        pidfile = tmp_path / "pid"
        pidfile.write_text(f"{process.pid}\n")
        words = call.format(pidfile=pidfile, missing=tmp_path / "none").split()
        line = ("ssd-service", "lsb", *words)
        _, files = loaded("ssd.service.cli", *line, env={"PATH": os.defpath})
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    beyond = set(files) - own - LIBRARY
    assert set() == own - BUDGETS[call]
    assert set() == own - BUNDLED
    assert set() == beyond
