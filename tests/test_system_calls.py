"""Functions of the C library: their results are the kernel's, and so are their errors."""

import errno
import sys

import pytest

from ssd import system_calls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are calls of Linux")


def test_error_of_the_kernel_is_raised() -> None:
    """With its number: prctl(2) has no such option."""
    with pytest.raises(OSError) as caught:
        system_calls.prctl(2**30)
    assert errno.EINVAL == caught.value.errno


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
        system_calls.call("nothing")
    assert errno.ENOSYS == caught.value.errno


def test_python_without_ctypes_has_no_such_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kernel without them, for every function."""
    monkeypatch.setattr(system_calls, "_ctypes", None)
    for function in (system_calls.is_subreaper, system_calls.words):
        with pytest.raises(OSError) as caught:
            function()
        assert errno.ENOSYS == caught.value.errno
