"""What an idle supervisor of jobs has loaded: little, because it stays in memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kit import namespace
from kit.loading import DAEMON, HEAVY, HOME, LIBRARY, PLAIN, lines_of

from .running import write

# Runs the command in this interpreter until a job runs, then lists its modules.
IDLE = f"""
import os, sys
before = set(sys.modules)
sys.path[:0] = [{HOME!r}]
sys.path.append({DAEMON!r})
from ssd import supervise
from ssd.upstart import cli as jobs_cli
from ssd.upstart.cli import foreground


class Idle(foreground.Foreground):
    def _settle(self):
        super()._settle()
        if any(unit.state == "running" for unit in self.supervisor.units.values()):
            loaded = sorted(set(sys.modules) - before)
            import json
            files = {{name: getattr(sys.modules[name], "__file__", None) for name in loaded}}
            print(json.dumps(files), flush=True)
            os._exit(0)


jobs_cli.Foreground = Idle
supervise.main(["ssd-supervise", *sys.argv[1:]])
"""
# In C: the reaper of orphans, timers, JSON, starts, jitter, sockets, limits, queues, accounts.
FREE = {
    "_ctypes", "_heapq", "_json", "_posixsubprocess", "_random", "_socket", "resource",
    "_collections", "gc", "grp", "pwd", "termios",
}  # fmt: skip
LINES = 20_600


@pytest.mark.requires_namespaces
def test_idle_supervisor_of_jobs_has_loaded_little(tmp_path: Path) -> None:
    """No module of the library but those in C, and no more lines than its budget."""
    directory = tmp_path / "d"
    write(directory, {"web.conf": "start on startup\nexec sleep 1000\n"})
    code = directory / "idle.code"
    code.write_text(IDLE)
    words = [sys.executable, *PLAIN, str(code), f"--upstart={directory}", "--quiet"]
    argv = namespace.command(words, keep=[directory])
    done = subprocess.run(argv, capture_output=True, text=True)
    files = json.loads(done.stdout)
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    assert set() == set(files) & HEAVY - FREE
    assert set() == set(files) - own - LIBRARY - FREE
    assert LINES >= lines_of(files)
