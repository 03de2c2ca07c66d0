"""What an idle supervisor has loaded: little, because it stays in memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kit import namespace
from kit.loading import DAEMON, HEAVY, HOME, LIBRARY, PLAIN, lines_of
from kit.supervise import NAP, declare

# Runs the command in this interpreter until all services run, then lists its modules.
IDLE = f"""
import os, sys
before = set(sys.modules)
sys.path[:0] = [{HOME!r}]
sys.path.append({DAEMON!r})
from ssd.supervision import cli
from ssd.supervision.cli import foreground


class Idle(foreground.Foreground):
    __slots__ = ()

    def _settle(self):
        super()._settle()
        if all(unit.state == "running" for unit in self.supervisor.units.values()):
            loaded = sorted(set(sys.modules) - before)
            import json
            files = {{name: getattr(sys.modules[name], "__file__", None) for name in loaded}}
            print(json.dumps(files), flush=True)
            os._exit(0)


cli.Foreground = Idle
cli.main(["ssd-supervise", *sys.argv[1:]])
"""
# In C: the reaper of orphans, timers, JSON, starts, jitter, sockets, limits, queues, garbage.
FREE = {
    "_ctypes", "_heapq", "_json", "_posixsubprocess", "_random", "_socket", "resource",
    "_collections", "gc",
}  # fmt: skip
LINES = 13_200


@pytest.mark.requires_namespaces
def test_idle_supervisor_has_loaded_little(tmp_path: Path) -> None:
    """No module of the library but those in C, and no more lines than its budget."""
    declare(tmp_path / "d", {"one": NAP, "two": NAP})
    code = tmp_path / "d" / "idle.code"
    code.write_text(IDLE)
    words = [sys.executable, *PLAIN, str(code), f"--directory={tmp_path}/d", "--quiet"]
    argv = namespace.command(words, keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
    files = json.loads(done.stdout)
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    assert set() == set(files) & HEAVY - FREE
    assert set() == set(files) - own - LIBRARY - FREE
    assert LINES >= lines_of(files)
