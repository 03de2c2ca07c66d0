"""The script ssd-initctl: it starts Python as ssd-service does, and behaves as a C program."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT

from .prefixes import Prefix
from .test_ssd_supervise import launcher


def test_launcher_is_that_of_ssd_service() -> None:
    """Word for word; that one is tested in every case."""
    assert launcher("ssd-service") == launcher("ssd-initctl")


def test_fault_is_named_and_the_status_is_1(ssd_path, tmp_path) -> None:
    """Of a broken package, in one line."""
    prefix = Prefix(tmp_path / "prefix", ssd_path.parent)
    prefix.python().break_package("raise MemoryError")
    done = prefix("ssd-initctl", "list")
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("ssd-initctl: unforeseen error: MemoryError")
    assert 1 == done.stderr.count("\n")


@pytest.fixture
def start(ssd_path: Path, tmp_path: Path) -> Path:
    """Return a link to a link to the command, which is called start."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/start").symlink_to(ssd_path.parent / "ssd-initctl")
    (tmp_path / "start").symlink_to("bin/start")
    return tmp_path / "start"


def run(*words: object, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run a command."""
    settings = {"text": True, "timeout": WAIT_TIMEOUT, "stderr": subprocess.PIPE, **options}
    return subprocess.run([*map(str, words)], **settings)  # type: ignore[call-overload, no-any-return]


def test_link_is_the_command_of_its_name(start: Path) -> None:
    """Through other links, by PATH too; that name is said, and ps(1) shows it."""
    hint = "start: missing job name\nTry `start --help' for more information.\n"
    assert (1, hint) == ((done := run(start)).returncode, done.stderr)
    path = f"{start.parent}:/usr/bin:/bin"
    done = run("sh", "-c", "start", env={"PATH": path})
    assert (1, hint) == (done.returncode, done.stderr)


def test_closed_pipe_ends_it_by_the_signal(start: Path) -> None:
    """SIGPIPE, as a C program; Python ignores it."""
    read, written = os.pipe()
    os.close(read)
    done = run(start, "--help", stdout=written)
    os.close(written)
    assert (-signal.SIGPIPE, "") == (done.returncode, done.stderr)


def test_full_disk_does_not_matter(start: Path) -> None:
    """Neither does a closed output: nobody looks at what printf(3) returns."""
    with open("/dev/full", "w") as full:
        done = run(start, "--help", stdout=full)
    assert (0, "") == (done.returncode, done.stderr)
    done = run("sh", "-c", '"$0" --help >&-', start)
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("ignored", [False, True])
def test_interrupt_is_as_in_a_c_program(ignored: bool, start: Path, tmp_path: Path) -> None:
    """It kills, unless the caller ignores it."""
    probe = "import os, sys, signal; os.kill(os.getpid(), 2)"
    package = tmp_path / "prefix"
    prefix = Prefix(package, start.resolve().parent).python().break_package("")
    (prefix.packages / "ssd/stdio.py").write_text(f"{probe}\ndef name_process(path): pass\n")
    home = prefix.packages / "ssd/upstart/initctl"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text("def main(argv): return 5\n")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        done = run(prefix.bin / "ssd-initctl")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (5 if ignored else -signal.SIGINT) == done.returncode
