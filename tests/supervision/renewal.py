"""Replace the program of a supervisor again and again, while services crash and log.

usage: renewal.py PACKAGE SSD-SUPERVISE DIRECTORY ROUNDS; run in a namespace

PACKAGE is copied, so that the program can be broken. Prints as JSON what a test compares.
"""

import json
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from supervision.killing import DECLARATION, GUARDED, Succession, check, marked, read

NAMES = {f"{manner}{number}": manner for manner in ("steady", "crash") for number in range(10)}


def copied(package: str, script: str, directory: Path) -> str:
    """Copy the program, and return the path of the command."""
    shutil.copytree(package, directory / "tree" / "ssd")
    (directory / "tree" / "bin").mkdir()
    command = directory / "tree" / "bin" / "ssd-supervise"
    shutil.copy(script, command)
    (directory / "tree" / "bin" / "python3").symlink_to(sys.executable)
    return str(command)


def starts_of(pid: int) -> str:
    """Return what changes when a process is executed anew: where its stack begins."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[25]


def main(package: str, script: str, directory: str, rounds: str) -> None:
    """Go through it."""
    place = Path(directory)
    (place / "d").mkdir()
    for name, manner in NAMES.items():
        text = DECLARATION.format(
            python=sys.executable, guarded=GUARDED, name=name, directory=directory, manner=manner,
            more="",
        )  # fmt: skip
        (place / "d" / f"{name}.toml").write_text(
            text.replace("0.02", "0.2").replace("0.05", "0.2")
        )
    line = Succession(copied(package, script, place), place / "d", random.Random(5))
    line.directory = place
    line.start()
    steady = [name for name, manner in NAMES.items() if manner == "steady"]
    # The others are rarely all there at one moment.
    while not (before := line.status()) or any("pid" not in before[name] for name in steady):
        time.sleep(0.01)
    assert line.process is not None
    pid, images, refused, faults = line.process.pid, set(), [], []
    for _ in range(int(rounds)):
        images.add(starts_of(pid))
        while not (answer := line.ask("upgrade")):
            time.sleep(0.001)
        if not answer[-1]["ok"]:
            faults.append(answer)
            break
        while starts_of(pid) in images or not line.status():
            time.sleep(0.001)
        line.compare()
    module = place / "tree" / "ssd" / "supervision" / "unit.py"
    whole = module.read_text()
    module.write_text(whole + "\ndef broken(:\n")
    for _ in range(2):
        refused.append((line.ask("upgrade") or [{}])[-1])
    module.write_text(whole)
    (place / "d" / "steady0.toml").write_text("nonsense = 1\n")
    refused.append((line.ask("upgrade") or [{}])[-1])
    after = line.status()
    line.process.send_signal(signal.SIGTERM)
    print(json.dumps({
        "exit": line.process.wait(), "images": len(images), "faults": line.faults + faults,
        "refused": [one.get("message", str(one)) for one in refused],
        "same": sorted(n for n in steady if before[n]["pid"] == after.get(n, {}).get("pid")),
        "unknown": [one for one in read(place / "said") if "nobody knows" in one],
        "crashed": sum(" exited with status 3 " in one for one in read(place / "said")),
        "started": sum(len(read(place / f"crash{n}.starts")) for n in range(10)),
        "doubled": read(place / "doubled"), "left": marked(),
        "lines": {name: check(read(place / f"{name}.log")) for name in NAMES},
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
