"""Measure what a task of Ansible costs on a host, over ssh (scripts/bench --fleet).

usage: scripts/bench --fleet [--quick] [--hosts N] [--tasks N] [--runs N] [--only NAME;...]
                             [--json FILE] [--page FILE]

All contenders run in turn, A B C A B C ..., on the same hosts: namespaces of this machine with a
real sshd each, so it needs root. Ansible is installed by pip if it is missing. The medians of the
runs are compared. It takes about ten minutes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
if __package__ in (None, ""):  # python scripts/fleet_bench
    sys.path[:0] = [str(ROOT / "scripts")]
NEEDED = ("ansible-core>=2.16", "pytest")  # the hosts are those of the tests


def options(words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser("bench --fleet", description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--page", type=Path, help="replace the table of this page")
    parser.add_argument("--hosts", type=int, default=4, help="hosts of each kind")
    parser.add_argument("--tasks", type=int, default=5, help="tasks in one play")
    parser.add_argument("--runs", type=int, default=5, help="runs, whose medians are compared")
    parser.add_argument("--only", help="some of the contenders, with ; between them")
    parser.add_argument("--quick", action="store_true", help="try the bench: one of everything")
    given = parser.parse_args(words)
    if given.quick:
        given.hosts = given.tasks = given.runs = 1
    return given


def bring() -> None:
    """Install Ansible beside this interpreter, unless SSD_ANSIBLE names another place."""
    there = Path(os.environ.get("SSD_ANSIBLE", Path(sys.executable).parent))
    if not (there / "ansible-playbook").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *NEEDED], check=True)


def main(words: Sequence[str]) -> None:
    """Measure what is asked for."""
    given = options(words)
    bring()
    sys.path[:0] = [str(ROOT / "tests")]
    from kit import ansible, ssh_hosts

    from fleet_bench import measuring, report

    if reason := ssh_hosts.obstacle():
        sys.exit(f"bench: {reason}")
    names = given.only.split(";") if given.only else list(measuring.CONTENDERS)
    if unknown := [name for name in names if name not in measuring.CONTENDERS]:
        sys.exit(f"bench: no contender {unknown[0]}; there are {'; '.join(measuring.CONTENDERS)}")
    for name in list(names):
        if lacking := measuring.missing(name):
            names.remove(name)
            print(f"{name} is left out: there is no {lacking}")
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        situation: {name: [] for name in names} for situation in measuring.SITUATIONS
    }
    print(
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"{os.cpu_count()} processors; {given.hosts} hosts, {given.tasks} tasks a play, "
        f"medians of {given.runs} runs in turn",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="ssd-bench-") as place:
        collections = ansible.install_collection(Path(place))
        hosts = Path(place, "fleet")
        hosts.mkdir()
        with ssh_hosts.fleet(hosts, measuring.kinds(given.hosts)) as fleet:
            stage = measuring.Stage(fleet, collections, names)
            for situation in found:
                for _ in range(given.runs):
                    empty = stage.empty()
                    for name in names:
                        way = measuring.CONTENDERS[name]
                        cost = stage.cost(way, situation, given.tasks, empty[way.group])
                        found[situation][name].append(asdict(cost))
                print(report.table(report.rows({situation: found[situation]})), flush=True)
    measured = report.rows(found)
    print("\n".join(report.verdicts(measured)))
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1) + "\n")
    if given.page:
        given.page.write_text(report.renewed(given.page.read_text(), measured))


if __name__ == "__main__":
    main(sys.argv[1:])
