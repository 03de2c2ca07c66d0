"""The process as a command: complete output, open descriptors, its name."""

import errno
import os

import pytest
from kit.children import python

from ssd import stdio
from ssd.stdio import Voice


class Stingy:
    """A write(2) that writes one byte at a time, and fails or returns ``last`` in the end."""

    def __init__(self, most: int, last: int | OSError) -> None:
        self.most, self.last, self.taken = most, last, b""

    def __call__(self, fd: int, data: bytes) -> int:
        """Write a part of the data; return its length."""
        if len(self.taken) < self.most:
            self.taken += data[:1]
            return 1
        if isinstance(self.last, OSError):
            raise self.last
        return self.last


def test_all_is_written_however_little_is_taken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next call writes the rest."""
    stingy = Stingy(5, 0)
    monkeypatch.setattr(os, "write", stingy)
    stdio.write_all(1, b"12345")
    assert b"12345" == stingy.taken


@pytest.mark.parametrize("last", [0, OSError(errno.ENOSPC, "full")])
def test_data_that_is_not_written_whole_is_an_error(
    last: int | OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if write(2) returns 0, because the loop must end."""
    monkeypatch.setattr(os, "write", Stingy(2, last))
    with pytest.raises(OSError):
        stdio.write_all(1, b"12345")


def test_text_that_cannot_be_written_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as possible is written."""
    stingy = Stingy(2, OSError(errno.ENOSPC, "full"))
    monkeypatch.setattr(os, "write", stingy)
    stdio.write(1, "12345")
    assert b"12" == stingy.taken


# quietness -> what comes out of debug, info, say
LOUDNESS = {-1: "DIS", 0: "IS", 1: "S"}


@pytest.mark.parametrize("quietness", LOUDNESS)
def test_quiet_and_verbose_choose_what_is_said(
    quietness: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Warnings and errors are always written, to standard error and with the program's name."""
    voice = Voice("ssd")
    voice.quietness = quietness
    voice.debug("D")
    voice.info("I")
    voice.say("S")
    voice.warn("W")
    voice.complain("E", "hint\n")
    voice.flush()
    expected = (LOUDNESS[quietness], "ssd: warning: W\nssd: E\nhint\n")
    assert expected == tuple(capfd.readouterr())


def test_buffered_text_can_be_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    """A successful start reports its progress on a terminal only, as the original does."""
    voice = Voice("ssd")
    voice.say("progress")
    voice.leave()
    voice.flush()
    assert ("", "") == tuple(capfd.readouterr())


def test_text_that_is_not_utf_8_comes_out_byte_for_byte(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """File names are bytes."""
    voice = Voice("ssd")
    voice.say(os.fsdecode(b"\xff\xfe"))
    voice.flush()
    assert b"\xff\xfe" == capfdbinary.readouterr().out


SETTLED = """
import os, signal, sys
from ssd.stdio import settle
closed = list(map(int, sys.argv[1:]))
result = os.dup(1)
before = [os.fstat(fd) for fd in range(3)]
for fd in closed:
    os.close(fd)
settle()
null = os.stat("/dev/null")
for fd in range(3):
    assert os.path.samestat(os.fstat(fd), null if fd in closed else before[fd])
    assert os.get_inheritable(fd) == (fd not in closed)
assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
os.write(result, b"as in a C program")
"""


@pytest.mark.parametrize("closed", ["", "0", "1", "02", "012"])
def test_closed_descriptors_are_dev_null_for_ssd_alone(closed: str) -> None:
    """The next file that is opened must not become standard output; SIGINT ends the process."""
    assert b"as in a C program" == python(SETTLED, *closed).stdout


NAMED = """
import sys
from ssd.stdio import name_process
name_process(sys.argv[1])
print(open("/proc/self/comm").read(), end="")
"""


def test_process_has_the_name_that_it_was_called_by() -> None:
    """As the kernel names a script: the last part of the path, 15 bytes of it."""
    assert b"ssd-service\n" == python(NAMED, "/usr/local/bin/ssd-service").stdout
