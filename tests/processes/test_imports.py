"""The hot path loads few modules: a short command pays for each."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ssd

HEAVY = {
    "psutil",
    "daemon",
    "lockfile",
    "enum",
    "signal",
    "re",
    "typing",
    "dataclasses",
    "argparse",
    "getopt",
    "logging",
    "subprocess",
    "collections.abc",
    "ssd.testing",
}

IMPORT = re.compile(r"^\s*(from|import) ssd\.testing", re.MULTILINE)
LOOKING = """
import os
from ssd.matching import Criteria
from ssd.processes import table_named
table = table_named("kernel")
table.select(Criteria(pid=1))
table.select(Criteria(None, os.getppid(), (0, 0), b"name", 0))
table.process(1)
"""
STOPPING = (
    LOOKING
    + """
with table.open(table.process(os.getpid())) as handle:
    handle.signal(0)
    table.wait([handle], table.now())
"""
)


def modules_after(code: str) -> set[str]:
    """Return what is loaded after code ran in a bare interpreter.

    Without the site module: files that it reads may load anything (PEP 648's .pth).
    """
    package = Path(ssd.__file__).parent.parent
    words = f"import sys; sys.path.insert(0, {str(package)!r})\n{code}\nprint(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", words], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's table is Linux's")
@pytest.mark.parametrize("code", ["import ssd.processes.linux", LOOKING, STOPPING])
def test_kernels_table_loads_nothing_heavy(code: str) -> None:
    """Import, look and signal without a module that costs milliseconds."""
    already = modules_after("pass")
    assert set() == (modules_after(code) - already) & HEAVY


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's table is Linux's")
def test_look_at_one_pid_loads_no_code_for_many() -> None:
    """A pid or a pidfile needs neither the scan nor the handles."""
    code = "from ssd.processes.linux import LinuxTable; LinuxTable().process(1)"
    expected = {"ssd", "ssd.errors", "ssd.matching", "ssd.processes"}
    expected |= {"ssd.matching", "ssd.processes.linux"}
    assert expected == {name for name in modules_after(code) if name.split(".")[0] == "ssd"}


def test_runtime_does_not_load_the_fakes() -> None:
    """Nothing outside ssd.testing imports it."""
    package = Path(ssd.__file__).parent
    importing = [
        source.relative_to(package)
        for source in package.rglob("*.py")
        if "testing" not in source.parts and IMPORT.search(source.read_text())
    ]
    assert [] == importing
