"""What a process of Linux is: the files that it means by words, its interpreter, its namespace."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from kit.children import child

from ssd.errors import ProcessTableError
from ssd.evidence import More
from ssd.matching import Criteria
from ssd.processes.kernel_facts import KernelFacts, sifted
from ssd.processes.linux import DELETED, LinuxTable, runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def numbers(path: Path | str) -> tuple[int, int]:
    """Return device and inode of a file."""
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


@pytest.fixture
def proc(tmp_path: Path) -> Iterator[Callable[..., KernelFacts]]:
    """Return a function that makes the directory of a process in /proc from links and texts."""
    opened = []

    def make(**entries: str | bytes) -> KernelFacts:
        directory = tmp_path / f"proc{len(opened)}"
        directory.mkdir()
        for name, content in entries.items():
            if isinstance(content, bytes):
                (directory / name).write_bytes(content)
            else:
                (directory / name).symlink_to(content)
        opened.append(os.open(directory, os.O_PATH | os.O_DIRECTORY))
        return KernelFacts(opened[-1], runs, DELETED)

    yield make
    for fd in opened:
        os.close(fd)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root directory of a process: a script, and links to it and out of it."""
    root = tmp_path / "root"
    (root / "srv/lib").mkdir(parents=True)
    (root / "srv/food").touch()
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/food").touch()
    for name, target in {
        "srv/absolute": "/srv/food",
        "srv/relative": "lib/../food",
        "srv/directory": "lib",
        "srv/loop": "loop",
        "srv/out": "../../../../../../../srv/food",
        "srv/missing": "/srv/none",
        "srv/self": "/proc/self/exe",
        "proc": "/srv",
    }.items():
        (root / name).symlink_to(target)
    return root


WORDS = {
    "/srv/food": True,
    "//srv/./lib/../food": True,
    "/srv/absolute": True,
    "/srv/relative": True,
    "/srv/directory/../food": True,
    "/srv/out": True,  # in a root directory, .. is the root itself
    "/../../srv/food": True,
    "food": True,
    "../srv/food": True,
    "/srv/loop": False,
    "/srv/missing": False,
    "/srv/none": False,
    "/srv/food/x": False,
    "/srv/self": False,  # of ssd, not of the process
    "/proc/food": False,
    "lib": False,
    "": False,
}


@pytest.mark.parametrize("word", WORDS)
def test_word_is_looked_up_as_the_process_does(
    word: str, root: Path, proc: Callable[..., KernelFacts]
) -> None:
    """Within its root directory, from its working directory; links lead out of neither."""
    facts = proc(root=str(root), cwd=str(root / "srv"), environ=b"A=1\0PWD=relative\0")
    found = facts.files(word.encode())
    assert WORDS[word] == (numbers(root / "srv/food") in found)
    assert numbers(root.parent / "srv/food") not in found


def test_relative_word_may_begin_where_the_program_was_started(
    root: Path, proc: Callable[..., KernelFacts]
) -> None:
    """A daemon goes to another directory; PWD stays in its environment."""
    facts = proc(root=str(root), cwd=str(root), environ=b"HOME=/\0PWD=/srv\0")
    assert [numbers(root / "srv/food")] == facts.files(b"./food")
    assert [numbers(root / "srv/food")] == facts.files(b"srv/food")


def test_file_system_that_does_not_answer_is_no_match(
    root: Path, proc: Callable[..., KernelFacts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of a file is "no"; one of our own process is an error."""
    facts = proc(root=str(root), cwd=str(root / "srv"), environ=b"PWD=/srv\0")
    opened = os.open

    def fails(path: bytes, *words: object, **named: object) -> int:
        if path == name:
            raise OSError(code, os.strerror(code))
        return opened(path, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", fails)
    for name in (b"root", b"food"):  # noqa: B007 - the function above has it
        code = errno.ESTALE
        assert [] == facts.files(b"/srv/food")
        code = errno.EMFILE
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            facts.files(b"/srv/food")
    name, code = b"cwd", errno.EIO
    assert [numbers(root / "srv/food")] == facts.files(b"food")  # by PWD
    code = errno.EACCES
    with pytest.raises(PermissionError):
        facts.files(b"food")


def test_claimed_file_is_looked_up_by_the_caller(
    proc: Callable[..., KernelFacts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An absolute path, or a bare name in a directory of the system; not where the caller is."""
    monkeypatch.chdir("/")
    facts, shell = proc(), numbers("/bin/sh")
    assert [shell] == facts.claimed(b"/bin/sh")
    assert shell in facts.claimed(b"sh")
    for word in (b"", b"./sh", b"bin/sh", b"/no/such", b"no-such-program"):
        assert [] == facts.claimed(word)


def test_path_of_a_removed_executable_has_no_mark(proc: Callable[..., KernelFacts]) -> None:
    """Before or after it; a thread of the kernel has none, and a too long one is not known."""
    for link in ("/usr/bin/our", "/usr/bin/our (deleted)", " (deleted)/usr/bin/our"):
        assert b"/usr/bin/our" == proc(exe=link).path()
    assert b"" == proc().path()


def test_facts_are_those_of_the_process() -> None:
    """Of a real one: name, words without an end, executable, namespace."""
    with child("cat", "-", "", stdin=subprocess.PIPE) as process:
        where = os.open(f"/proc/{process.pid}", os.O_PATH | os.O_DIRECTORY)
        facts = KernelFacts(where, runs, DELETED)
        assert (b"cat", [b"cat", b"-"]) == (facts.name(), facts.words())
        assert facts.runs(numbers(f"/proc/{process.pid}/exe"))
        assert os.readlink(f"/proc/{process.pid}/exe") == facts.path().decode()
        assert facts.is_neighbour()
        assert b"#!x" == facts.shebang(b"#!x")
        os.close(where)


STATUS = b"Name:\tx\nPid:\t7\n"


def test_namespace_is_told_by_the_number_of_pids(proc: Callable[..., KernelFacts]) -> None:
    """One pid: ours. A kernel that has namespaces, and does not tell, is an error."""
    assert proc(status=STATUS + b"NSpid:\t7\nNSpgid:\t7\n").is_neighbour()
    assert not proc(status=STATUS + b"NSpid:\t7\t1\n").is_neighbour()
    silent = proc(status=STATUS)
    assert silent.is_neighbour()  # there is no /proc/self/ns/pid
    with child() as process:
        where = os.open(f"/proc/{process.pid}", os.O_PATH | os.O_DIRECTORY)
        facts = KernelFacts(where, runs, DELETED)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ssd.processes.kernel_facts.read", lambda where, name: STATUS)
            with pytest.raises(ProcessTableError, match=r"NSpid .* --same-namespace needs"):
                facts.is_neighbour()
        os.close(where)


def test_search_looks_closer_only_at_what_may_be_it(tmp_path: Path) -> None:
    """The executable itself, an interpreter, and what cannot be read; all if #! is unknown.

    Another user gives an interpreter a harmless name by a mount, and runs it first: this hides
    nobody who runs the same file by its own name.
    """
    links = {"1": "/bin/sh", "2": "/usr/bin/our (deleted)", "3": sys.executable, "4": "../less",
             "5": "/bin/ls", "6": None, "8": "../python3",
             "9": "../our (deleted)"}  # fmt: skip
    shell, real = os.path.realpath("/bin/sh"), os.path.realpath(sys.executable)
    for pid, target in links.items():
        (tmp_path / pid).mkdir()
        if target is not None:
            target = {"/bin/sh": shell, sys.executable: real}.get(target, target)
            (tmp_path / pid / "exe").symlink_to(target)
    (tmp_path / "7").symlink_to("7")  # ELOOP: its file system does not answer
    (tmp_path / "file").touch()
    for name in ("less", "python3", "our (deleted)"):
        (tmp_path / name).symlink_to("file")
    entries = [b"%d" % pid for pid in range(1, 10)]
    where = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    closer = {b"1", b"3", b"7", b"8", b"9"}
    for line, expected in ((b"#!/bin/sh", closer), (b"#!/opt/our", set(entries))):
        criteria = Criteria(file=(1, 2), more=More(True, line=line))
        assert expected == set(sifted(criteria, entries, where, DELETED))
    wanted = Criteria(file=numbers(tmp_path / "file"), more=More(True, line=b"#!/bin/sh"))
    assert b"4" in sifted(wanted, entries, where, DELETED)
    denied = PermissionError(errno.EACCES, "denied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", Mock(side_effect=denied))
        assert entries == [*sifted(wanted, entries, where, DELETED)]
    named = Criteria(name=b"x", more=More(True))
    assert entries == [*sifted(named, entries, where, DELETED)]
    os.close(where)


def test_search_and_look_by_pid_find_the_same() -> None:
    """On the kernel's table: the interpreter of this test, which runs pytest."""
    table = LinuxTable()
    script = numbers(__file__)
    reading = "import sys; print('ready', flush=True); sys.stdin.read()"
    asked = Criteria(file=script, more=More(True))
    with child("tail", "-f", __file__) as reader, child(sys.executable, "-c", reading, __file__):
        assert [] == table.select(asked)
        assert None is table.first(Criteria(reader.pid, file=script, more=More(True)))
