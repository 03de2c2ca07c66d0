"""What a process is where there is no /proc, asked of psutil on this machine."""

import errno
import os
import sys
from pathlib import Path

import psutil
import pytest
from kit.children import child

from ssd.errors import ProcessTableError
from ssd.evidence import COMMAND_LINE, EXECUTABLE, SCRIPT, More, meets
from ssd.matching import Criteria
from ssd.processes import portable
from ssd.processes.portable import Facts, PortableTable
from ssd.processes.psutil_facts import PsutilFacts

WAIT = "import sys; sys.stdin.read()"


def numbers(path: Path | str) -> tuple[int, int]:
    """Return device and inode of a file."""
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


def test_script_is_found_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path, from the working directory; the interpreter as an executable; not by a name."""
    script = tmp_path / "a-script-of-a-long-name"
    script.write_text(WAIT)
    with child(sys.executable, "-I", script.name, cwd=tmp_path, stdin=-1) as process:
        monkeypatch.setattr(portable, "LINUX", False)
        facts = PsutilFacts(Facts(process.pid))
        for path, kind in ((script, SCRIPT), (sys.executable, EXECUTABLE)):
            for only in (SCRIPT, EXECUTABLE, COMMAND_LINE):
                criteria = Criteria(file=numbers(path), more=More(True, only=only))
                assert (only == kind) == meets(criteria, facts)
        named = Criteria(name=script.name.encode(), more=More(True, same_namespace=True))
        assert meets(named, facts)
        assert not meets(Criteria(file=numbers(tmp_path), more=More(True)), facts)
        assert not meets(Criteria(name=b"x", more=More(True)), facts)
        table = PortableTable()
        assert portable._has(Facts(process.pid), named)
        assert b"#!x" == facts.shebang(b"#!x")
        assert [numbers(script)] == facts.claimed(os.fsencode(script))
        assert [] == facts.claimed(b"relative") == facts.claimed(b"/no/such")
        assert not table.unreadable(Criteria(process.pid, name=b"x", more=More(True)))


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(psutil.AccessDenied, PermissionError), (psutil.NoSuchProcess, ProcessLookupError)],
)
def test_errors_of_psutil_become_the_systems(
    raised: type, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller may not read it, or it has ended."""
    facts = PsutilFacts(Facts(os.getpid()))

    def fails(self: psutil.Process) -> None:
        raise raised(1)

    monkeypatch.setattr(Facts, "exe", fails)
    with pytest.raises(expected):
        facts.runs((1, 2))


@pytest.mark.parametrize("fact", ["name", "exe"])
def test_fact_that_psutil_leaves_empty_is_unknown(
    fact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process always has a name and, unless it is a thread of the kernel, an executable."""
    facts = PsutilFacts(Facts(os.getpid()))
    monkeypatch.setattr(Facts, fact, lambda self: "")
    with pytest.raises(PermissionError, match="psutil knows no"):
        facts.name() if fact == "name" else facts.path()


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EACCES])
def test_shortage_is_no_missing_script(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without memory it is not known which file a word means; a file out of reach is none."""

    def stat(path: bytes) -> None:
        raise OSError(number, os.strerror(number))

    facts = PsutilFacts(Facts(os.getpid()))
    monkeypatch.setattr(os, "stat", stat)
    if number == errno.EACCES:
        assert [] == facts.files(b"/x")
    else:
        with pytest.raises(ProcessTableError, match=os.strerror(number)):
            facts.files(b"/x")
