"""Capabilities of a process, as the kernel tells and takes them."""

import subprocess
import sys
from pathlib import Path

import pytest

from ssd.surroundings import capability_calls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are calls of Linux")


def status(text: str, name: str) -> int:
    """Return a field of /proc/PID/status, which is hexadecimal."""
    return next(int(line.split()[1], 16) for line in text.splitlines() if name in line)


def test_capabilities_are_those_of_the_kernel() -> None:
    """In the order of the kernel's structure, over both halves of 64 bits."""
    text = Path("/proc/thread-self/status").read_text()
    expected = tuple(status(text, f"Cap{name}:") for name in ("Eff", "Prm", "Inh"))
    assert expected == capability_calls.capget()


SET = """
from ssd.surroundings.capability_calls import PR_SET_NO_NEW_PRIVS, capget, capset
from ssd.system_calls import prctl
prctl(PR_SET_NO_NEW_PRIVS, 1)
effective, permitted, inheritable = capget()
capset(0, permitted, permitted)
print(open("/proc/self/status").read())
"""


def test_settings_hold() -> None:
    """In another process, because they cannot be taken back."""
    done = subprocess.run([sys.executable, "-c", SET], capture_output=True, text=True, check=True)
    found = {name: status(done.stdout, name) for name in ("NoNewPrivs", "CapEff", "CapInh")}
    permitted = capability_calls.capget()[1]
    assert {"NoNewPrivs": 1, "CapEff": 0, "CapInh": permitted} == found
