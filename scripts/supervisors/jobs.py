"""Upstart jobs beside plain services: 400 of them read and started in one go (--upstart)."""

import subprocess
from pathlib import Path
from typing import Any

from ssd.service.sources import toml, upstart
from supervisors import crowds
from supervisors.report import AT_MOST, Row, pooled, typical
from supervisors.stage import Stage
from supervisors.tools import BIN, LIMIT, PYTHON, Ssd
from supervisors.workloads import Workload, crowd

JOB = Path(__file__).resolve().parent.parent.parent / "tests/upstart/data/nova-compute.conf"
READ = """
import sys, time
from pathlib import Path
files = [Path(each) for each in sys.argv[2:]]
texts = [(file.read_text(), file) for file in files] * int(sys.argv[1])
{imports}
begin = time.perf_counter()
for text, file in texts:
    {read}
print((time.perf_counter() - begin) / len(texts) * 1e3)
"""  # milliseconds for each file


class Services(Ssd):
    """Services of the project's own kind, each declared in a file."""

    name = "services"
    ending = "toml"
    parts = {
        "imports": "from ssd.service.sources import toml",
        "read": "toml.loads(text, str(file), file.stem)",
    }

    def read(self, times: int) -> float:
        """Return how long it takes to make a declaration of a file, in milliseconds."""
        files = sorted((self.place / "declared").glob(f"*.{self.ending}"))
        return self.read_files(times, files)

    def novas(self) -> Path:
        """Write nova-compute's job as a declaration; return the file."""
        file = self.place / f"nova-compute.{self.ending}"
        text = JOB.read_text()
        file.write_text(toml.write(upstart.parse(text, "nova-compute").service))
        return file

    def read_files(self, times: int, files: list[Path]) -> float:
        """Read files so many times, in an interpreter of its own."""
        code = READ.format(**self.parts)
        argv = [PYTHON, "-c", code, str(times), *map(str, files)]
        return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


class Jobs(Services):
    """The same as Upstart jobs, which an event starts all at once."""

    name = "jobs"
    ending = "conf"
    parts = {
        "imports": "from ssd.service.sources import upstart",
        "read": "upstart.parse(text, file.stem, file=str(file))",
    }

    def declare(self, services: list[Workload]) -> None:
        """Write a job for each."""
        (self.place / "declared").mkdir()
        for one in services:
            console = "" if one.log else "console none\n"
            unlimited = "respawn limit unlimited\n" if one.killed else ""
            (self.place / "declared" / f"{one.name}.conf").write_text(
                f"start on startup\nrespawn\n{unlimited}{console}kill timeout {LIMIT}\n"
                f"exec {' '.join(self.script(one))}\n"
            )

    def novas(self) -> Path:
        """Return nova-compute's job."""
        return JOB

    def command(self) -> list[str]:
        """With the directory of the jobs."""
        return [str(BIN / "ssd-supervise"), "--upstart", str(self.place / "declared")]

    def status(self, name: str) -> list[list[str]]:
        """Ask as one does on Upstart."""
        return [[str(BIN / "ssd-initctl"), *(["list"] if name == "all" else ["status", name])]]


def read(stage: Stage, count: int, times: int) -> dict[str, Any]:
    """Make declarations of the files of many services, and of nova-compute's job."""
    tool = stage.tool
    assert isinstance(tool, Services)
    tool.declare(crowd("idle", count, stage.place))
    return {
        "read": tool.read(times),
        "read nova": tool.read_files(times * count, [tool.novas()]),
    }


TOOLS: dict[str, type[Ssd]] = {tool.name: tool for tool in (Jobs, Services)}
MEASURES = {"up": crowds.up, "logged": crowds.logged, "read": read}
# As the plan of all supervisors: measure, arguments, those of --quick, side by side.
PLAN: dict[str, tuple[str, dict[str, Any], dict[str, Any], bool]] = {
    "jobs 400": ("up", {"count": 400, "kills": 100, "asked": 5},
                 {"count": 20, "kills": 5, "asked": 1}, False),
    "jobs logged 400": ("logged", {"count": 400}, {"count": 20}, False),
    "jobs read": ("read", {"count": 400, "times": 10}, {"count": 20, "times": 1}, False),
}  # fmt: skip
ROWS: list[Row] = [
    ("400 up", "s", "jobs 400", typical("up"), AT_MOST, None),
    ("400 up: processor time", "s", "jobs 400", typical("up cpu"), AT_MOST, None),
    ("memory, 400", "MB", "jobs 400", typical("pss"), AT_MOST, None),
    ("of it anonymous", "MB", "jobs 400", typical("anonymous"), AT_MOST, None),
    ("processes of its own", "", "jobs 400", typical("processes"), AT_MOST, None),
    ("400 with logs up", "s", "jobs logged 400", typical("up"), AT_MOST, None),
    ("memory, 400 with logs", "MB", "jobs logged 400", typical("pss"), AT_MOST, None),
    ("killed to successor, median of 400", "ms", "jobs 400", pooled("reaction", 0.5), AT_MOST,
     None),
    ("killed to successor, p99", "ms", "jobs 400", pooled("reaction", 0.99), AT_MOST, None),
    ("status of one", "ms", "jobs 400", pooled("status one", 0.5), AT_MOST, None),
    ("status of 400", "ms", "jobs 400", pooled("status all", 0.5), AT_MOST, None),
    ("a file read", "ms", "jobs read", typical("read"), AT_MOST, None),
    ("nova-compute read", "ms", "jobs read", typical("read nova"), AT_MOST, None),
]  # fmt: skip
