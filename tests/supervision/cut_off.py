"""Cut a supervisor off within a start, and let another follow; run in a namespace.

usage: cut_off.py DIRECTORY WHERE

Prints as JSON what a test compares. WHERE: "before exec", "before the line", "before the pidfile",
"without its journal".
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from supervision.killing import GUARDED, marked, read

DECLARATION = """
executable = "{python}"
arguments = ["-IS", "{guarded}", "web", "{directory}", "steady"]
nice = {nice}
[log]
path = "{directory}/web.log"
"""


def supervise(directory: str) -> None:
    """Become a supervisor."""
    from ssd.supervision import cli

    sys.exit(cli.main(["ssd-supervise", f"--directory={directory}/d"]))


def cut(directory: str, where: str) -> None:
    """Become a supervisor that is killed at a certain moment."""
    from ssd.supervision import effects
    from ssd.supervision.effects import spawning

    begin, become = spawning.start, spawning.become

    def killed(*arguments: Any, **options: Any) -> Any:
        child = begin(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)
        return child

    def held(*arguments: Any) -> Any:
        """In the child: go on once the parent is dead and somebody says so."""
        os.kill(os.getppid(), signal.SIGKILL)
        with open(f"{directory}/go", "rb") as go:
            go.read()
        become(*arguments)

    def unwritten(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "before exec":
        spawning.become = held  # type: ignore[assignment]
    elif where in ("before the line", "without its journal"):
        spawning.start = killed
    else:
        effects.Effects._write_pidfile = unwritten  # type: ignore[method-assign]
    supervise(directory)


def until(process: "subprocess.Popen[str]", text: str) -> list[str]:
    """Read what a supervisor says until a line with a text."""
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.split(" ", 2)[2].rstrip() if line[:2] == "20" else line.rstrip())
        if text in line:
            return said
    raise AssertionError(said)


def waits_for_lock(pid: int) -> bool:
    """Tell whether a supervisor has opened its lock."""
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{entry}").endswith("/lock"):
                return True
        except OSError:
            continue
    return False


def main(directory: str, where: str) -> None:
    """Go through it."""
    place = Path(directory)
    (place / "d").mkdir()
    nice = 1 if where == "before exec" else 0  # then the supervisor forks itself
    text = DECLARATION.format(
        python=sys.executable, guarded=GUARDED, directory=directory, nice=nice
    )
    (place / "d" / "web.toml").write_text(text)
    os.mkfifo(place / "go")
    words = [sys.executable, "-P", __file__]
    first = subprocess.run([*words, directory, where, "cut"], stdout=subprocess.DEVNULL)
    if where == "without its journal":
        (journal,) = Path("/run/ssd-supervise").glob("*/journal")
        journal.unlink()
    second = subprocess.Popen(
        [*words, directory, where, "follow"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    waited = False
    if where == "before exec":
        while not waits_for_lock(second.pid):
            os.sched_yield()
        waited = second.poll() is None
        with open(place / "go", "wb"):
            pass
    said = until(second, "web is taken over")
    while not (read(place / "web.starts") and read(Path("/run/web.pid"))):
        os.sched_yield()
    living = marked()
    pidfile = read(Path("/run/web.pid"))
    second.send_signal(signal.SIGTERM)
    said += until(second, "web has stopped")
    print(json.dumps({
        "first": first.returncode, "waited": waited, "said": said,
        "known": pidfile == [str(pid) for pid in living.get("web", [])],
        "starts": len(read(place / "web.starts")),
        "doubled": read(place / "doubled"), "exit": second.wait(), "left": marked(),
    }))  # fmt: skip


if __name__ == "__main__":
    if sys.argv[3:] == ["cut"]:
        cut(*sys.argv[1:3])
    elif sys.argv[3:] == ["follow"]:
        supervise(sys.argv[1])
    else:
        main(*sys.argv[1:])
