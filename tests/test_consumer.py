"""Type checkers in strict mode find no error in another project that uses ssd.

They check against the installed package, by its py.typed (PEP 561).
"""

import doctest
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import pages
from kit.children import WAIT_TIMEOUT

DOCS = Path(__file__).parent.parent / "docs"
# Pages whose examples are programs; on the others they are tests, which have fixtures.
PAGES = ("supervisor", "capture-output", "ctrl-c", "sigchld", "frozen-application", "respawn")

# Each name in the way that a supervisor uses it; --disallow-any-expr allows no Any.
CONSUMER = """
import asyncio
import resource
import signal
from collections.abc import Sequence
from enum import IntEnum, StrEnum
from pathlib import Path

import ssd
from ssd import loops
from ssd.service import DeclarationError, Service, UnknownService


class Program(StrEnum):
    SH = "/bin/sh"


class Limit(IntEnum):
    FILES = resource.RLIMIT_NOFILE


RUN = Path("/run")
match = ssd.Match(pidfile=RUN / "web.pid", exec=Program.SH, name="web", user="root")
command = ssd.Command(
    [RUN / "web", Program.SH, b"word", "word"],
    startas=Path("/bin/sh"), directory=RUN, root=Path("/"), user=Program.SH, group=1,
    output=RUN / "log", umask=0o27, nice=1, cpu_scheduling=("fifo", 1),
    io_scheduling=("idle", 7), environment={"A": "b", Program.SH: "c"},
    limits={Limit.FILES: (1, 2), resource.RLIMIT_CORE: (0, 0)},
)
keys: dict[ssd.Match, bool] = {match: command == command}


def begin(background: bool) -> ssd.Process:
    child: ssd.Child = ssd.start(match, command, background=False, stdio=(0, 1, 2))
    with child:
        descriptor: int = child.fileno()
        child.signal(signal.SIGTERM)
        status: int = child.wait()
        again: int | None = child.poll()
        print(descriptor, status, again, child.status, child.pid, child.start_time)
    daemon: ssd.Process = ssd.start(match, command, make_pidfile=True, notify_timeout=3)
    other: ssd.Process = ssd.start(match, command, background=True, table=ssd.default_table())
    print(daemon == other)
    return ssd.start(match, command, background=background)


def end() -> list[ssd.Process]:
    found: list[ssd.Process] = ssd.find(match, table=ssd.table_named("psutil"))
    code: int = ssd.status(match)
    many: list[list[ssd.Process]] = ssd.stop_all([match], ssd.Schedule.parse("TERM/5"))
    with ssd.Stop(match, ssd.Schedule.once(signal.SIGTERM)) as stop:
        ssd.run(stop)
        for handle in stop.handles:
            print(handle.fileno(), handle.process.pid, handle.ended())
        outcome: str | None = stop.outcome
        for sent in stop.rounds:
            print(sent.signum, sent.found, sent.signalled, sent.denied)
        print(stop.until, stop.table.now(), stop.remaining, stop.signalled)
    print(found, code, many, outcome)
    return ssd.stop(match, "TERM/30/KILL/5")


def processes(error: ssd.Error) -> Sequence[ssd.Process]:
    if isinstance(error, (ssd.AlreadyRunning, ssd.NotStopped, ssd.NotPermitted)):
        return error.processes
    if isinstance(error, ssd.NotReady):
        print(error.reason, error.errno, error.detail)
        return [error.process]
    if isinstance(error, ssd.StartFailed):
        text: str = error.stage + error.detail + (error.reason or "") + str(error.errno or 0)
    elif isinstance(error, ssd.PidfileError):
        text = error.path + (error.reason or "") + str(error.errno or 0)
    elif isinstance(error, ssd.ExecutableMissing):
        text = error.path + (error.strerror or "") + str(error.errno or 0)
    elif isinstance(error, ssd.StartBlocked):
        text = error.path + str(error.seconds)
    elif isinstance(error, ssd.UnknownUser):
        text = error.user
    elif isinstance(error, ssd.UnknownGroup):
        text = error.group
    elif isinstance(error, ssd.ProcessTableError):
        text = error.reason
    elif isinstance(error, DeclarationError):
        text = error.reason + (error.key or "") + (error.file or "") + str(error.line or 0)
    elif isinstance(error, UnknownService):
        text = error.name + error.places[0] + (error.nearest or "")
    else:
        text = str(error)
    print(text)
    return []


def lock(path: Path) -> int | None:
    with ssd.PIDLockFile(path, timeout=3.5) as held:
        held.acquire(timeout=1)
        own: bool = held.i_am_locking() and held.is_locked()
        print(own, held.path, held.timeout)
        held.release()
        held.break_lock()
        return held.read_pid()


async def supervise() -> int:
    child: ssd.Child = await loops.start(match, command, background=False)
    daemon: ssd.Process = await loops.start(match, command)
    stopped: list[ssd.Process] = await loops.stop(match, "TERM/5")
    all_of_them: list[list[ssd.Process]] = await loops.stop_all([match])
    print(daemon, stopped, all_of_them)
    return await loops.wait(child, 3)


def service() -> ssd.Schedule:
    declared = Service(name="nap", executable="/bin/sleep", arguments=["60"])
    name: str = declared.name
    path: str | None = declared.program
    print(name, path, declared.match() == match, declared.command() == command)
    return declared.schedule


if __name__ == "__main__":
    asyncio.run(supervise())
"""


def code(page: str) -> Iterator[str]:
    """Yield the code of a how-to, block by block, in the form of one module."""
    parser = doctest.DocTestParser()
    for _, kind, content in pages.blocks((DOCS / "howto" / f"{page}.md").read_text()):
        if kind == "python" and ">>>" in content:
            yield from (example.source for example in parser.get_examples(content))
        elif kind == "python":
            yield content


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write the consumer's project, and return its directory."""
    (tmp_path / "consumer.py").write_text(CONSUMER)
    for page in PAGES:
        name = page.replace("-", "_")
        (tmp_path / f"{name}.py").write_text("\n".join(code(page)))
    return tmp_path


def checked(project: Path, *command: str) -> str:
    """Run a checker in the project; return its output if it finds an error."""
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=WAIT_TIMEOUT, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_consumers_project_passes_mypy(project: Path) -> None:
    """The code of the how-tos, too; and no value of the library is Any."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    mypy = [sys.executable, "-m", "mypy", "--strict"]
    assert "" == checked(project, *mypy, *(f"{page.replace('-', '_')}.py" for page in PAGES))
    assert "" == checked(project, *mypy, "--disallow-any-expr", "consumer.py")


WRONG = """
import ssd
child: ssd.Child = ssd.start(ssd.Match(name="x"), ssd.Command(["/x"]))
ssd.stop(ssd.Match(name="x"), 30)
ssd.find("webd")
ssd.finds(ssd.Match(name="x"))
"""


def test_consumers_slips_are_found(project: Path) -> None:
    """A checker that sees Any would find no error."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    (project / "wrong.py").write_text(textwrap.dedent(WRONG))
    said = checked(project, sys.executable, "-m", "mypy", "--strict", "wrong.py")
    assert [3, 4, 5, 6] == [
        int(line.split(":")[1]) for line in said.splitlines() if "error:" in line
    ]


@pytest.mark.slow
def test_consumers_project_passes_pyright(project: Path) -> None:
    """In its strict mode, if SSD_PYRIGHT names one: scripts/test --lint installs it."""
    pyright = os.environ.get("SSD_PYRIGHT")
    if not pyright:
        pytest.skip("SSD_PYRIGHT names no pyright: scripts/test --lint does")
    # A doctest shows the values of its expressions, and each block of a page imports what it needs.
    allowed = {"reportUnusedExpression": False, "reportDuplicateImport": False}
    rules = json.dumps({"typeCheckingMode": "strict", **allowed})
    (project / "pyrightconfig.json").write_text(rules)
    assert "" == checked(project, pyright, "--pythonpath", sys.executable)
