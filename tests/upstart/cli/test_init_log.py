"""What init says of its jobs, and where."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.upstart.cli import init_log
from ssd.upstart.cli.init_log import LONGEST, InitLog


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch) -> "Iterator[int]":
    """Give the caller a kernel's log, which is a pipe, and return the end to read."""
    path = tmp_path / "kmsg"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    monkeypatch.setattr(init_log, "KERNEL_LOG", str(path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "isatty", lambda fd: False)
    yield reader
    os.close(reader)


def test_kernel_gets_one_record_for_each_message(kernel: int) -> None:
    """With the kernel's number of the level; a newline would begin another record."""
    said: list[tuple[str, bool]] = []
    log = InitLog(lambda text, wrong: said.append((text, wrong)), only_kernel=False)
    log.tell("warn", "foo main process (12) killed by TERM signal")
    log.tell("info", "a\nb")
    log.close()
    expected = "<4>init: foo main process (12) killed by TERM signal\n<6>init: a b\n"
    assert expected == os.read(kernel, 4096).decode()
    assert [("init: foo main process (12) killed by TERM signal", True),
            ("init: a\nb", False)] == said  # fmt: skip


def test_init_repeats_nothing_that_the_kernel_has_taken(kernel: int) -> None:
    """Once the kernel takes no more, others are told."""
    said: list[str] = []
    log = InitLog(lambda text, wrong: said.append(text), only_kernel=True)
    log.tell("error", "x" * 2000)
    assert [] == said
    assert LONGEST + 1 == len(os.read(kernel, 4096))
    log.close()
    log.tell("error", "late")
    assert ["init: late"] == said


@pytest.mark.parametrize("what", ["terminal", "user", "missing"])
def test_kernel_is_left_alone(kernel: int, what: str, monkeypatch) -> None:
    """On a terminal, by an ordinary user, and where there is none."""
    if what == "terminal":
        monkeypatch.setattr(os, "isatty", lambda fd: True)
    elif what == "user":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    else:
        monkeypatch.setattr(init_log, "KERNEL_LOG", "/nonexistent")
    said: list[str] = []
    log = InitLog(lambda text, wrong: said.append(text), only_kernel=True)
    log.tell("fatal", "all is lost")
    log.close()
    assert ["init: all is lost"] == said
    assert b"" == os.read(kernel, 4096)  # nobody has it open
