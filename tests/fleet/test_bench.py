"""scripts/bench --fleet finds a figure for each contender."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CHECKOUT
from fleet_bench import measuring
from kit import ansible, ssh_hosts

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]


def test_bench_has_a_figure_for_each_contender(tmp_path: Path) -> None:
    """With one host of each kind, one task and one run."""
    ansible.obstacle()
    if ssh_hosts.obstacle():
        pytest.skip(str(ssh_hosts.obstacle()))
    written = tmp_path / "figures.json"
    words = [sys.executable, CHECKOUT / "scripts/fleet_bench", "--quick", "--json", written]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
    able = [name for name in measuring.CONTENDERS if not measuring.missing(name)]
    wanted = [(situation, name) for situation in measuring.SITUATIONS for name in able]
    rows = json.loads(written.read_text())
    assert wanted == [(row["situation"], row["contender"]) for row in rows]
