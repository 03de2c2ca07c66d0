"""Kill a supervisor of jobs again and again, and let another follow; run in a namespace.

usage: killing.py SSD-SUPERVISE DIRECTORY ROUNDS SEED

Prints as JSON what a test compares.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ssd.supervision.client import Connection, NoAnswer, Unreachable, reach

GUARDED = """
script
  exec 8>>{place}/{name}.lock
  flock -n 8 || {{ echo {name} >> {place}/doubled; exit 1; }}
  echo $$ >> {place}/{name}.starts
  {rest}
end script
"""
JOBS = {
    "steady0": ("start on startup\nexport HOME\npre-start exec true\n", "exec sleep 1000"),
    "steady1": ("start on started steady0\npost-start exec sleep 0.05\n", "exec sleep 1000"),
    "steady2": (
        "start on started steady0\nexpect fork\n",
        "(sleep 0.05; exec sleep 1000) & sleep 0.03; exit 0",
    ),
    "steady3": (
        "start on started steady1\nexpect daemon\n",
        "( (exec sleep 1000) & exit 0 ) & sleep 0.02; exit 0",
    ),
    "crash": ("start on startup\nrespawn\nrespawn limit unlimited\n", "sleep 0.02; exit 3"),
    "wished": ("pre-start exec sleep 0.02\npost-stop exec sleep 0.02\n", "exec sleep 1000"),
}
STEADY = ("steady0", "steady1", "steady2", "steady3")
SO_ALREADY = {"start": ("already-started",), "stop": ("unknown-instance", "already-stopped")}


class Succession:
    """Supervisors of one directory of jobs, one after the other."""

    def __init__(self, script: str, place: Path, chance: random.Random) -> None:
        self.script = script
        self.place = place
        self.chance = chance
        self.process: subprocess.Popen[bytes] | None = None
        self.expected = "stop"  # the last wish for "wished" that was taken
        self.doubts = 0  # wishes of which nobody knows whether they were taken
        self.faults: list[str] = []
        self.seen: dict[str, int] = {}

    def start(self) -> None:
        """Let a supervisor begin."""
        with open(self.place / "said", "ab") as said:
            self.process = subprocess.Popen(
                [self.script, f"--upstart={self.place}/d"], stdout=said, stderr=said
            )

    def kill(self) -> None:
        """Kill it."""
        assert self.process is not None
        if self.process.poll() is not None:
            self.faults.append(f"it ended by itself, with {self.process.returncode}")
        self.process.kill()
        self.process.wait()

    def status(self) -> dict[str, dict[str, Any]]:
        """Return the facts of all jobs; none without an answer."""
        connection = self.connect()
        if connection is None:
            return {}
        try:
            lines = list(connection.ask("status", all=True))
        except NoAnswer:
            return {}
        finally:
            connection.close()
        rows: list[Any] = [row for line in lines for row in line.get("services", ())]  # type: ignore[attr-defined]
        return {row["name"]: row for row in rows}

    def connect(self) -> Connection | None:
        """Connect to the supervisor; None if it does not listen."""
        try:
            return reach(f"{self.place}/d")
        except Unreachable:
            return None

    def wish(self) -> None:
        """Have a job stopped, or started; note whether that was taken."""
        command = self.chance.choice(["stop", "start"])
        self.doubts += 1
        connection = self.connect()
        if connection is None:
            return
        try:
            *_, last = connection.ask("job", command=command, name="wished", nowait=True)
        except NoAnswer:
            return
        finally:
            connection.close()
        known = (
            ("already-started",) if command == "start" else ("unknown-instance", "already-stopped")
        )
        if last.get("ok") or last.get("kind") in known:
            self.expected, self.doubts = command, 0
        else:
            self.faults.append(f"{command}: {last}")

    def compare(self) -> None:
        """Note whether a process of a steady job is another one."""
        for name, now in self.status().items():
            pid = now.get("pid")
            if name not in STEADY or now["state"] != "running":
                continue  # it may still fork
            if self.seen.setdefault(name, pid) != pid:
                self.faults.append(f"{name}: process {self.seen[name]}, then {now}")

    def round(self) -> None:
        """Start a supervisor, and kill it at a random moment of its life."""
        self.start()
        if self.chance.random() < 0.5:
            time.sleep(self.chance.uniform(0, 0.35))
        else:
            while not self.status():
                time.sleep(0.002)
            self.compare()
            self.wish()
            time.sleep(self.chance.choice([0, 0, self.chance.uniform(0, 0.1)]))
        self.kill()

    def finish(self) -> dict[str, Any]:
        """Let a last supervisor settle, and stop it; return what was found."""
        self.start()
        while (
            not (now := self.status())
            or any(now[name]["state"] != "running" for name in STEADY)
            or now["wished"]["state"] not in ("running", "waiting")
        ):
            time.sleep(0.01)
        self.compare()
        living = living_of(JOBS)
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return {
            "exit": self.process.wait(),
            "wished": now["wished"]["goal"],
            "expected": None if self.doubts else self.expected,
            "living": {name: living[name] for name in ("steady0", "steady1")},
            "left": living_of(JOBS),
            "faults": self.faults,
            "doubled": read(self.place / "doubled"),
            "starts": {name: len(read(self.place / f"{name}.starts")) for name in JOBS},
            "adopted": sum(b"is taken over" in line for line in open(self.place / "said", "rb")),
        }


def living_of(names: Iterable[str]) -> dict[str, int]:
    """Return how many leaders of sessions each job has."""
    found = dict.fromkeys(names, 0)
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            leads = os.getsid(int(entry)) == int(entry)
        except OSError:
            continue
        for name in found:
            found[name] += leads and b"UPSTART_JOB=" + name.encode() in words
    return found


def read(path: Path) -> list[str]:
    """Return the lines of a file; none if there is no file."""
    return path.read_text().splitlines() if path.exists() else []


def main(script: str, directory: str, rounds: str, seed: str) -> None:
    """Write the job files, and go through the rounds."""
    place = Path(directory)
    (place / "d").mkdir()
    for name, (stanzas, rest) in JOBS.items():
        text = stanzas + GUARDED.format(place=place, name=name, rest=rest)
        (place / "d" / f"{name}.conf").write_text(text)
    succession = Succession(script, place, random.Random(int(seed)))
    for _ in range(int(rounds)):
        succession.round()
    print(json.dumps(succession.finish()))


if __name__ == "__main__":
    main(*sys.argv[1:])
