"""The process table of a system, by default and by name."""

import os
import sys
from pathlib import Path

import pytest

from ssd.processes import default_table, own, table_named
from ssd.processes.linux import LinuxTable
from ssd.processes.portable import PortableTable


@pytest.mark.parametrize(
    ("platform", "kind"), [("linux", "LinuxTable"), ("darwin", "PortableTable")]
)
def test_linux_reads_the_kernels_table_and_others_ask_psutil(
    platform: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is the fastest table that the system has."""
    monkeypatch.setattr(sys, "platform", platform)
    assert kind == type(default_table()).__name__


def test_psutils_table_can_be_asked_for_by_name() -> None:
    """psutil can be chosen on Linux, too."""
    assert isinstance(table_named("psutil"), PortableTable)


def test_unknown_table_is_refused() -> None:
    """An unknown name raises, and the message has the known ones."""
    with pytest.raises(ValueError, match="'ps': kernel or psutil"):
        table_named("ps")


def test_own_process_is_known_unless_the_table_is_unreadable(tmp_path: Path) -> None:
    """So a start that looks for no process works without /proc."""
    found = own(default_table())
    assert found and os.getpid() == found.pid
    assert None is own(LinuxTable(str(tmp_path)))
