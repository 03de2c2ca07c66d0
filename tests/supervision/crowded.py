"""Kill supervisors whose run directory is full, and see what their successors make of it.

usage: crowded.py SSD-SUPERVISE DIRECTORY; run in a namespace

Prints as JSON what a test compares.
"""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from supervision.killing import DECLARATION, GUARDED, Succession, check, marked, read

NAMES = {"steady0": "steady", "steady1": "steady"} | {f"crash{n}": "crash" for n in range(6)}
KILLS = 2


def fill() -> None:
    """Leave no room in /run."""
    for size in (1 << 16, 1 << 12, 1 << 8):
        with open(f"/run/filler{size}", "wb", 0) as filler:
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue  # it is full


def main(script: str, directory: str) -> None:
    """Go through it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", "/run"], check=True)
    place = Path(directory)
    (place / "d").mkdir()
    for name, manner in NAMES.items():
        text = DECLARATION.format(
            python=sys.executable, guarded=GUARDED, name=name, directory=directory, manner=manner,
            more='pidfile = "none"',
        )  # fmt: skip
        (place / "d" / f"{name}.toml").write_text(text)
    line = Succession(script, place / "d", random.Random(7))
    line.directory = place
    line.start()
    while any("pid" not in line.status().get(name, {}) for name in ("steady0", "steady1")):
        time.sleep(0.01)
    fill()
    for _ in range(KILLS):
        begun = len(read(place / "crash0.starts"))
        while len(read(place / "crash0.starts")) < begun + 25:  # until lines have been lost
            time.sleep(0.01)
        line.kill()
        line.start()
        while not line.status():
            time.sleep(0.01)
        line.compare()
    while sum("may soon lack" in said for said in read(place / "said")) <= KILLS:
        time.sleep(0.01)
    for filler in Path("/run").glob("filler*"):
        filler.unlink()
    while not any("is complete again" in said for said in read(place / "said")):
        time.sleep(0.01)
    living = marked()
    assert line.process is not None
    line.process.send_signal(signal.SIGTERM)
    said = read(place / "said")
    print(json.dumps({
        "exit": line.process.wait(),
        "faults": [one for one in line.faults if not one.startswith("crash")],
        "doubled": read(place / "doubled"),
        "told": sum("may soon lack" in each for each in said),
        "living": [len(living.get(name, [])) for name in ("steady0", "steady1")],
        "starts": [len(read(place / f"{name}.starts")) for name in ("steady0", "steady1")],
        "left": marked(), "lines": [check(read(place / f"{name}.log")) for name in NAMES],
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
