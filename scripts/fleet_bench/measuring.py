"""Run the tasks of each contender on hosts of the tests' kit, and find what one task costs."""

import os
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kit import ssh_hosts
from kit.ansible import Ansible
from kit.ssh_hosts import BARE, SSD, Fleet, Host

DECLARATION = 'executable = "/bin/sleep"\narguments = ["100000"]\n'
# The same daemon in an init script of each sort.
DECLARED = """#!/usr/bin/env ssd-service
### BEGIN INIT INFO
# Provides: napssd
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
DAEMON=/bin/sleep
DAEMON_ARGS=100000
"""
LSB = """#!/bin/sh
### BEGIN INIT INFO
# Provides: naplsb
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
PATH=/sbin:/usr/sbin:/bin:/usr/bin
PIDFILE=/run/naplsb.pid
. /lib/lsb/init-functions
begin() {
    start-stop-daemon --start --quiet --oknodo --background --make-pidfile --pidfile $PIDFILE \\
        --exec /bin/sleep -- 100000
}
end() {
    start-stop-daemon --stop --quiet --oknodo --retry TERM/30/KILL/5 --remove-pidfile \\
        --pidfile $PIDFILE --exec /bin/sleep
}
case $1 in
    start) log_daemon_msg "Starting" naplsb; begin; log_end_msg $? ;;
    stop) log_daemon_msg "Stopping" naplsb; end; log_end_msg $? ;;
    restart) log_daemon_msg "Restarting" naplsb; end && begin; log_end_msg $? ;;
    status) status_of_proc -p $PIDFILE /bin/sleep naplsb ;;
    *) exit 3 ;;
esac
"""
PLAY = """
- hosts: "{group}*"
  gather_facts: false
  tasks:
    - ansible.builtin.raw: "true"
"""
STARTED, RESTARTED = "it runs already", "restart"
SITUATIONS = {STARTED: "started", RESTARTED: "restarted"}
GROUPS = {"ssd": SSD, "bare": BARE}
VERBS = {"started": "start", "restarted": "restart"}


@dataclass(frozen=True)
class Contender:
    """One way to have the service in a state. ``task``: with {state} or {verb} in it."""

    group: str
    task: str

    def words(self, state: str) -> str:
        """Return the task for a state."""
        return self.task.format(state=state, verb=VERBS[state])


CONTENDERS = {
    "ssd.daemon.service": Contender("ssd", "ssd.daemon.service: name=nap state={state}"),
    "carried": Contender("bare", "ssd.daemon.service: name=nap state={state}"),
    "sysvinit, script of ssd": Contender(
        "ssd", "ansible.builtin.sysvinit: name=napssd state={state}"
    ),
    "sysvinit, LSB script": Contender("ssd", "ansible.builtin.sysvinit: name=naplsb state={state}"),
    "command, ssd-service": Contender("ssd", "ansible.builtin.command: ssd-service nap {verb}"),
    "command, LSB script": Contender("ssd", "ansible.builtin.command: /etc/init.d/naplsb {verb}"),
    "command true": Contender("ssd", "ansible.builtin.command: /bin/true"),
}
NEEDS = {"LSB script": "/lib/lsb/init-functions"}


@dataclass(frozen=True)
class Cost:
    """Of one task on one host: milliseconds that passed, and of processors' time."""

    wall: float
    host: float
    controller: float


def missing(name: str) -> str | None:
    """Return what a contender needs and this machine lacks; None if it can take part."""
    needed = [path for words, path in NEEDS.items() if name.endswith(words)]
    return next((path for path in needed if not os.path.exists(path)), None)


def kinds(number: int) -> dict[str, ssh_hosts.Kind]:
    """Return as many hosts with ssd as without."""
    return {
        f"{group}{each}": kind for group, kind in GROUPS.items() for each in range(1, number + 1)
    }


@dataclass(frozen=True)
class Used:
    """What one play took, in seconds: one of its tasks on all hosts, and all processor time."""

    wall: float
    host: float
    controller: float


class Stage:
    """Hosts on which the services are declared, and run by these contenders."""

    def __init__(self, fleet: Fleet, collections: Path, names: Iterable[str]) -> None:
        self._fleet, self._ansible = fleet, Ansible(fleet, collections)
        self._groups = {
            group: [host for host in fleet if host.name.startswith(group)] for group in GROUPS
        }
        for host in fleet:
            _equip(host)
        for name in names:
            self._run(CONTENDERS[name].group, CONTENDERS[name].words("started"), 1)

    def empty(self) -> dict[str, Used]:
        """Return what a play without tasks takes, for each group of hosts."""
        return {group: self._run(group, "", 0) for group in GROUPS}

    def cost(self, contender: Contender, situation: str, tasks: int, empty: Used) -> Cost:
        """Return what one task costs on one host, over some tasks in one play.

        The processor time of a play without tasks is taken off.
        """
        used = self._run(contender.group, contender.words(SITUATIONS[situation]), tasks)
        share = 1e3 / len(self._groups[contender.group])
        return Cost(
            used.wall * share,
            (used.host - empty.host) / tasks * share,
            (used.controller - empty.controller) / tasks * share,
        )

    def _run(self, group: str, task: str, tasks: int) -> Used:
        """Run a play on a group of hosts."""
        hosts = self._groups[group]
        file = self._fleet.directory / "play.yml"
        file.write_text(PLAY.format(group=group) + f"    - {task}\n" * tasks)
        output = self._fleet.directory / "output"
        before = sum(host.processor_time() for host in hosts)
        with output.open("w") as out:
            run = self._fleet.begin(
                "ansible-playbook",
                str(file),
                env=self._ansible.environment(ANSIBLE_SSH_ARGS=self._ssh()),
                stdout=out,
                stderr=out,
            )
            _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            raise RuntimeError(output.read_text())
        host = sum(host.processor_time() for host in hosts) - before
        ends = [result.at for result in self._ansible.results()][len(hosts) - 1 :: len(hosts)]
        wall = statistics.median(b - a for a, b in pairwise(ends)) if tasks else 0.0
        return Used(wall, host, used.ru_utime + used.ru_stime)

    def _ssh(self) -> str:
        """Return the options of ssh: connections last as long as the bench."""
        return f"-F {self._fleet.ssh_config} -o ControlMaster=auto -o ControlPersist=1h"


def _equip(host: Host) -> None:
    host.declare("nap.toml", DECLARATION)
    for name, text in {"napssd": DECLARED, "naplsb": LSB}.items() if host.kind.ssd else ():
        file = host.path(f"/etc/init.d/{name}")
        file.write_text(text)
        file.chmod(0o755)
