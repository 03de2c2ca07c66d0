"""The script ssd-supervise: it starts Python as ssd-service does."""

import re

from conftest import CHECKOUT

from .prefixes import Prefix


def launcher(command: str) -> str:
    """Return the part of a script in which sh(1) looks for the Python."""
    text = (CHECKOUT / "scripts" / command).read_text()
    found = re.search(r"^# From here on.*?^exec [^\n]*\n", text, re.MULTILINE | re.DOTALL)
    assert found, command
    return found[0]


def test_launcher_is_that_of_ssd_service() -> None:
    """Word for word; that one is tested in every case."""
    assert launcher("ssd-service") == launcher("ssd-supervise")


def test_fault_is_named_and_the_status_is_1(ssd_path, tmp_path) -> None:
    """Of a broken package, in one line."""
    prefix = Prefix(tmp_path / "prefix", ssd_path.parent)
    prefix.python().break_package("raise MemoryError")
    done = prefix("ssd-supervise")
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("ssd-supervise: unforeseen error: MemoryError")
    assert 1 == done.stderr.count("\n")
