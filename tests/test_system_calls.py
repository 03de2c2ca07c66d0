"""Functions of the C library: their results are the kernel's, and so are their errors."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from ssd import system_calls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are calls of Linux")


def status(text: str, name: str) -> str:
    """Return a field of /proc/PID/status."""
    return next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name}:"))


def test_capabilities_are_those_of_the_kernel() -> None:
    """In the order of the kernel's files, over both halves of 64 bits."""
    text = Path("/proc/thread-self/status").read_text()
    expected = tuple(int(status(text, f"Cap{name}"), 16) for name in ("Eff", "Prm", "Inh"))
    assert expected == system_calls.capget()


def test_error_of_the_kernel_is_raised() -> None:
    """With its number: no capability has this one."""
    with pytest.raises(OSError) as caught:
        system_calls.prctl(system_calls.PR_CAPBSET_READ, 63)
    assert errno.EINVAL == caught.value.errno


SET = """
from ssd import system_calls
system_calls.prctl(system_calls.PR_SET_NO_NEW_PRIVS, 1)
effective, permitted, inheritable = system_calls.capget()
system_calls.capset(0, permitted, inheritable)
print(open("/proc/self/status").read())
"""


def test_settings_hold() -> None:
    """In another process, because they cannot be taken back."""
    done = subprocess.run([sys.executable, "-c", SET], capture_output=True, text=True, check=True)
    assert ("1", 0) == (status(done.stdout, "NoNewPrivs"), int(status(done.stdout, "CapEff"), 16))


def test_subreaper_is_set_asked_for_and_taken_back() -> None:
    """The kernel's own answer follows each call."""
    before = system_calls.is_subreaper()
    try:
        for wanted in (True, False, True):
            system_calls.set_subreaper(wanted)
            assert wanted == system_calls.is_subreaper()
    finally:
        system_calls.set_subreaper(before)


def test_missing_function_is_an_error() -> None:
    """As a system call that the kernel does not have."""
    with pytest.raises(OSError, match="the C library has no nothing") as caught:
        system_calls._call("nothing")
    assert errno.ENOSYS == caught.value.errno
