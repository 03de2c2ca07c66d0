"""Kill a supervisor again and again, and let another follow each time; run in a namespace.

usage: killing.py SSD-SUPERVISE DIRECTORY ROUNDS SEED

Prints as JSON what a test compares.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

GUARDED = str(Path(__file__).with_name("guarded.py"))
MANNERS = {"steady0": "steady", "steady1": "steady", "crash0": "crash", "crash1": "crash",
           "wished": "steady"}  # fmt: skip
DECLARATION = """
executable = "{python}"
arguments = ["-IS", "{guarded}", "{name}", "{directory}", "{manner}"]
{more}
[respawn]
when = "always"
limit = 0
delay = 0.02
backoff = 0.02
delay_max = 0.05
[log]
path = "{directory}/{name}.log"
"""


class Succession:
    """Supervisors of one directory, one after the other."""

    def __init__(self, script: str, directory: Path, chance: random.Random) -> None:
        self.script = script
        self.directory = directory
        self.chance = chance
        self.process: subprocess.Popen[bytes] | None = None
        self.expected = "start"  # the last wish for "wished" that was taken
        self.doubts = 0  # wishes of which nobody knows whether they were taken
        self.unsure = dict.fromkeys(MANNERS, 0)  # starts of which a successor may not know
        self.faults: list[str] = []
        self.seen: dict[str, dict[str, Any]] = {}
        key = os.fsencode(os.path.realpath(directory)).strip(b"/")
        name = key.replace(b"%", b"%25").replace(b"-", b"%2d").replace(b"/", b"-")
        self.socket = f"/run/ssd-supervise/{os.fsdecode(name)}/socket"

    def start(self) -> None:
        """Let a supervisor begin."""
        with open(self.directory / "said", "ab") as said:
            self.process = subprocess.Popen(
                [self.script, "--directory", str(self.directory / "d")], stdout=said, stderr=said
            )

    def kill(self) -> None:
        """Kill it."""
        assert self.process is not None
        if self.process.poll() is not None:
            self.faults.append(f"it ended by itself, with {self.process.returncode}")
        self.process.kill()
        self.process.wait()
        self._count_unsure()

    def _count_unsure(self) -> None:
        """Count starts that were about to fork: whether they have, only a living process tells."""
        journal = Path(self.socket).with_name("journal")
        if not journal.exists():
            return
        records = map(json.loads, journal.read_text().rstrip("\0").split("\n")[1:-1])
        last = {record.get("name"): record for record in records}
        for name in self.unsure:
            record = last.get(name, {})
            self.unsure[name] += record.get("state") == "spawned" and "pid" not in record

    def ask(self, verb: str, **fields: object) -> list[dict[str, Any]] | None:
        """Ask the supervisor; None if there is no answer."""
        lines: list[dict[str, Any]] = []
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            try:
                client.connect(self.socket)
                client.sendall(json.dumps({"id": 1, "verb": verb, **fields}).encode() + b"\n")
                with client.makefile("rb") as answer:
                    for line in answer:
                        lines.append(json.loads(line))
                        if "ok" in lines[-1]:
                            return lines
            except OSError:
                return None
        return None

    def status(self) -> dict[str, dict[str, Any]]:
        """Return the facts of all services; none without an answer."""
        found = self.ask("status", all=True) or []
        return {one["name"]: one for line in found for one in line.get("services", ())}

    def wish(self) -> None:
        """Have a service stopped, or started; note whether that was taken."""
        verb = self.chance.choice(["stop", "start"])
        if self.ask(verb, name="wished", nowait=True):
            self.expected, self.doubts = verb, 0
        else:
            self.doubts += 1

    def compare(self) -> None:
        """Note what has become less than it was."""
        for name, now in self.status().items():
            before = self.seen.get(name)
            if before and now.get("restarts", 0) < before.get("restarts", 0) and name != "wished":
                self.faults.append(f"{name}: {before}, then {now}")
            if before and name.startswith("steady") and now.get("pid") != before.get("pid"):
                self.faults.append(f"{name}: {before}, then {now}")
            if now.get("pid") or not name.startswith("steady"):
                self.seen[name] = now

    def round(self) -> None:
        """Start a supervisor, and kill it at a random moment of its life."""
        self.start()
        if self.chance.random() < 0.5:
            time.sleep(self.chance.uniform(0, 0.25))
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
        while not (now := self.status()) or any(
            each["state"] not in ("running", "failed") and each["goal"] != "stop"
            for name, each in now.items()
            if not name.startswith("crash")
        ):
            time.sleep(0.01)
        self.compare()
        living = marked()
        restarts = {name: each.get("restarts", 0) for name, each in self.status().items()}
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return {
            "exit": self.process.wait(),
            "wished": now["wished"]["state"],
            "expected": self.expected if not self.doubts else None,
            "living": {name: len(pids) for name, pids in living.items() if "crash" not in name},
            "left": marked(),
            "faults": self.faults,
            "doubled": read(self.directory / "doubled"),
            "restarts": restarts,
            "unsure": self.unsure,
            "starts": {name: len(read(self.directory / f"{name}.starts")) for name in MANNERS},
            "lines": {
                # One that has ended while no supervisor ran may have lost its last line.
                name: check(
                    read(self.directory / f"{name}.log"), name != "wished" or "pid" in now[name]
                )
                for name in MANNERS
            },
            "adopted": sum(
                b"is taken over" in line for line in open(self.directory / "said", "rb")
            ),
        }


def marked() -> dict[str, list[int]]:
    """Return the processes with a marker, by service."""
    found: dict[str, list[int]] = {}
    for entry in os.listdir("/proc"):
        try:
            for each in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                if each.startswith(b"SSD_SUPERVISED="):
                    found.setdefault(each.split(b":")[-2].decode(), []).append(int(entry))
        except OSError:
            continue
    return found


def read(path: Path) -> list[str]:
    """Return the lines of a file; none if there is no file."""
    return path.read_text().splitlines() if path.exists() else []


def check(lines: list[str], whole: bool = True) -> str:
    """Return what is wrong with numbered lines of one or more lives; ``whole``: with the end."""
    expected = 0
    for place, line in enumerate(lines):
        if line == "end" or (line == "0" and expected):
            expected = 0 if line == "end" else 1
        elif line != str(expected):
            return f"line {place} is {line}, not {expected}"
        else:
            expected += 1
    return "" if expected == 0 or not whole else f"no end after {expected}"


def main(script: str, directory: str, rounds: str, seed: str) -> None:
    """Declare the services, and go through the rounds."""
    place = Path(directory)
    (place / "d").mkdir()
    for name, manner in MANNERS.items():
        text = DECLARATION.format(
            python=sys.executable, guarded=GUARDED, name=name, directory=directory, manner=manner,
            more='stop_schedule = "TERM/5/KILL/5"',
        )  # fmt: skip
        (place / "d" / f"{name}.toml").write_text(text)
    succession = Succession(script, place / "d", random.Random(int(seed)))
    succession.directory = place
    for _ in range(int(rounds)):
        succession.round()
    print(json.dumps(succession.finish()))


if __name__ == "__main__":
    main(*sys.argv[1:])
