"""Scripts that are larger than a pipe."""

import os

from ssd.supervision.watch import EpollWatch
from ssd.upstart.processes.scripts import Scripts

LARGE = b"x" * 300_000


def fed(script: bytes) -> "tuple[EpollWatch, Scripts, int]":
    """Feed a script to a pipe; return its reading end."""
    watch = EpollWatch()
    scripts = Scripts(watch)
    reading, writing = os.pipe()
    scripts.feed(writing, script)
    return watch, scripts, reading


def test_small_script_is_there_at_once() -> None:
    """And its end."""
    watch, _, reading = fed(b"true\n")
    with open(reading, "rb", buffering=0) as pipe:
        assert b"true\n" == pipe.read()
    watch.close()


def test_large_script_follows_as_it_is_read() -> None:
    """The caller never waits for the reader."""
    watch, _, reading = fed(LARGE)
    got = b""
    with open(reading, "rb", buffering=0) as pipe:
        while piece := pipe.read(65536):
            got += piece
            watch.poll()
    assert LARGE == got
    assert not watch.poll()
    watch.close()


def test_reader_that_ends_takes_no_more() -> None:
    """A shell that exits in its first line."""
    watch, scripts, reading = fed(LARGE)
    os.close(reading)
    watch.wait(10)
    assert watch.poll()
    assert {} == scripts._left
    assert not watch.poll()
    watch.close()


def test_close_ends_what_is_not_read_yet() -> None:
    """The reader gets what the pipe has, and the end."""
    watch, scripts, reading = fed(LARGE)
    scripts.close()
    with open(reading, "rb", buffering=0) as pipe:
        assert 0 < len(b"".join(iter(lambda: pipe.read(65536), b""))) < len(LARGE)
    watch.close()
