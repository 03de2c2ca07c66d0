"""The same rollout by Ansible itself, with hosts that are mere names, to compare."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from simulation.fleet import Fate, Fleet
from simulation.rollout import Controller, Result, Rollout, Serial, Tasks, simulate

PLAYBOOK = Path(__file__).resolve().parent / "playbook"
PLAIN = Tasks(drain=False, before=0, after=0, module=0.0)  # those of playbook/rollout.yml
SHORT = Fleet(stop=(1.0, 3.0), start=(0.0, 1.0), killed=0.1, schedule=5.0)
CASES: tuple[tuple[int, tuple[Serial, ...], int], ...] = (  # hosts, serial, forks
    (24, (8,), 24), (24, (8,), 4), (24, (24,), 6), (24, (1, "25%", "50%"), 6),
    (24, (1, "5%", "10%"), 24), (200, (1, "1%", "5%", "10%"), 10), (200, ("50%",), 40),
)  # fmt: skip


class Run(NamedTuple):
    """A run of ansible-playbook: its time and CPU time in seconds, and the hosts in its tasks."""

    seconds: float
    main: float
    workers: float
    reached: set[int]
    touched: set[int]


def run(fates: Sequence[Fate], serial: tuple[Serial, ...], forks: int) -> Run:
    """Run the playbook. Raises OSError without ansible-playbook, RuntimeError if it ends early."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        inventory = [
            f"host{number} seconds={fate.restart} fails={fate.fails}\n"
            for number, fate in enumerate(fates)
        ]
        (place / "inventory").write_text("[all]\n" + "".join(inventory))
        logs = [place / "reached", place / "touched"]
        for log in logs:
            log.touch()
        given = {"batches": list(serial), **{log.name: str(log) for log in logs}}
        argv = ["ansible-playbook", "--inventory", str(place / "inventory"), f"--forks={forks}",
                "--extra-vars", json.dumps(given), str(PLAYBOOK / "rollout.yml")]  # fmt: skip
        settings = {
            **os.environ,
            "ANSIBLE_CONFIG": str(PLAYBOOK / "ansible.cfg"),
            "ANSIBLE_HOME": str(place / "home"),
            "TIMED": str(place / "timed"),
        }
        done = subprocess.run(argv, env=settings, capture_output=True, text=True)
        if not (place / "timed").exists():
            raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {done.stderr}")
        reached, touched = (
            {int(line.removeprefix("host")) for line in log.read_text().split()} for log in logs
        )
        return Run(**json.loads((place / "timed").read_text()), reached=reached, touched=touched)


def measured() -> Controller:
    """Return this machine's controller: what a host and a task cost, if nothing else is done."""
    hosts = 100
    quick = [Fate(0.0, 0.0)] * hosts
    found = run(quick, (hosts,), hosts)
    worker = found.workers / hosts / 2
    return Controller(os.cpu_count() or 1, found.main / hosts / 2, worker, worker)


def compared() -> list[dict[str, object]]:
    """Run each case by Ansible and by the simulation; return how long both took, in seconds."""
    controller, rows = measured(), []
    for hosts, serial, forks in CASES:
        fates = SHORT._replace(hosts=hosts).fates()
        real = run(fates, serial, forks)
        simulated = simulated_like(fates, serial, forks, controller)
        rows.append({"hosts": hosts, "serial": list(serial), "forks": forks,
                     "ansible": round(real.seconds, 1),
                     "simulated": round(simulated.seconds, 1)})  # fmt: skip
    return rows


def simulated_like(
    fates: Sequence[Fate], serial: tuple[Serial, ...], forks: int, controller: Controller
) -> Result:
    """Simulate what ``run`` does."""
    rollout = Rollout(serial, forks, soak=0.0, tasks=PLAIN, controller=controller)
    return simulate(fates, rollout)
