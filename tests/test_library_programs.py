"""What a program gets that the library starts, and what it does not get."""

import errno
import os
import signal
from pathlib import Path

import pytest
from kit.children import ENVIRONMENT, ended, python, shell, told
from kit.leaks import listing
from kit.libc import Watch
from kit.users import NOBODY

import ssd
from ssd import Command, Match

ODD = b"\xff \xc3("


# Starts from a directory that it has entered, with another in its path, and prints what is done.
ASTRAY = """
import os, sys
import ssd, ssd.children
os.chdir(sys.argv[1])
sys.path.append(sys.argv[2])
true = ssd.Command(["/bin/true"])
print(ssd.start(ssd.Match(name="nobody"), true, background=False).wait())
print(ssd.start(ssd.Match(name="nobody"), true).pid > 0)
"""


@pytest.mark.parametrize("first", ["", ".", "relative"], ids=repr)
def test_modules_of_the_directory_that_the_caller_is_in_are_not_imported(
    first: str, tmp_path: Path
) -> None:
    """Neither his ssd nor what a start needs; nor the caller's own modules of these names."""
    for package in ("ssd", "relative/ssd", "app"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('a stranger')\n")
    for name in ("daemon", "marshal", "fcntl", "resource", "lockfile"):
        for folder in (".", "relative", "app"):
            (tmp_path / folder / f"{name}.py").write_text("raise SystemExit('a stranger')\n")
    code = f"import sys; sys.path.insert(0, {first!r}){ASTRAY}"
    done = python(code, tmp_path, tmp_path / "app", cwd="/")
    assert (b"0\nTrue\n", b"") == (done.stdout, done.stderr)


def test_arguments_and_names_go_through_byte_for_byte(tmp_path: Path) -> None:
    """Neither need be UTF-8."""
    odd = os.fsencode(tmp_path) + b"/" + ODD
    os.mkdir(odd)
    command = shell('printf "%s|%s|" "$1" "$PWD"', ODD, directory=odd)
    assert ODD + b"|" + odd + b"|" == told(command, tmp_path)


def test_environment_goes_through_byte_for_byte(tmp_path: Path) -> None:
    """A given one is the whole of it, in bytes or text; HOME is added for a user only."""
    given = {"NAME": "\udcff", b"BYTES": ODD, "EMPTY": ""}
    command = Command(["/usr/bin/env", "-0"], environment=given)  # type: ignore[arg-type]
    assert {b"NAME=\xff", b"BYTES=" + ODD, b"EMPTY="} == variables(told(command, tmp_path))


def variables(text: bytes) -> set[bytes]:
    """Split what env(1) prints."""
    return set(text.removesuffix(b"\0").split(b"\0"))


def test_inherited_environment_holds_the_callers_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the caller put into os.environ is there, and nothing else is new."""
    monkeypatch.setenv("SSD_TEST", "\udcff")
    monkeypatch.setenv("LC_CTYPE", "POSIX")  # in the C locale Python has put one there
    found = variables(told(Command(["/usr/bin/env", "-0"]), tmp_path))
    assert {name + b"=" + value for name, value in os.environb.items()} == found


@pytest.mark.parametrize(
    "given",
    [{b"LANG": b"C"}, {}, {b"LC_CTYPE": b"C.UTF-8"}, {b"LC_ALL": b"C"}, {b"ODD\xff": b"\xfe"}],
    ids=repr,
)
def test_what_python_adds_to_the_environment_does_not_reach_the_program(
    given: dict[bytes, bytes], tmp_path: Path
) -> None:
    """In the C locale Python sets LC_CTYPE for itself; the program gets what the caller got."""
    done = python(ENVIRONMENT, tmp_path, env=given)
    assert {name + b"=" + value for name, value in given.items()} == (
        variables(done.stdout) - {b""}
    ), done.stderr


def test_ignored_signals_of_python_do_not_reach_the_program(tmp_path: Path) -> None:
    """SIGPIPE and SIGXFSZ, which CPython ignores, have their default action."""
    command = shell("grep SigIgn /proc/self/status")
    ignored = int(told(command, tmp_path).split()[1], 16)
    assert [] == [n for n in (signal.SIGPIPE, signal.SIGXFSZ) if ignored >> (n - 1) & 1]


def test_no_descriptor_of_the_callers_reaches_a_program(tmp_path: Path) -> None:
    """Inheritable ones neither; a child has its three standard ones."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    found = told(shell("ls /proc/$$/fd"), tmp_path).split()
    os.close(reading)
    os.close(writing)
    assert [b"0", b"1", b"2"] == [fd for fd in found if int(fd) < 10]


@pytest.mark.requires_root
def test_program_below_another_root_starts(tmp_path: Path) -> None:
    """The new root has nothing of ours to read: all is loaded before."""
    with pytest.raises(ssd.StartFailed) as caught:
        ssd.start(Match(pidfile=tmp_path / "pid"), Command(["/bin/x"], root=str(tmp_path)))
    assert ("exec", "/bin/x", errno.ENOENT) == (
        caught.value.stage,
        caught.value.detail,
        caught.value.errno,
    )
    assert [] == listing(tmp_path)


@pytest.mark.requires_root
def test_daemon_of_another_user_is_that_users_for_good(tmp_path: Path) -> None:
    """All its ids and its groups are; ids by number need an account, too."""
    command = Command(["/bin/sleep", "1000"], user="nobody")
    match = Match(pidfile=tmp_path / "pid")
    process = ssd.start(match, command, make_pidfile=True)
    with ended(process.pid):
        text = Path(f"/proc/{process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in text.splitlines())
        assert [str(NOBODY)] * 4 == fields["Uid"].split() == fields["Gid"].split()
        assert [str(NOBODY)] == fields["Groups"].split()


@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
def test_program_blocks_no_signal(background: bool, tmp_path: Path) -> None:
    """Though its helper does, until it is the program."""
    command = shell(
        f"grep SigBlk /proc/self/status > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/said"
    )
    with Watch(tmp_path, Watch.MOVED) as watch:
        process = ssd.start(Match(pidfile=tmp_path / "none"), command, background=background)
        watch.until("said")
    assert 0 == int((tmp_path / "said").read_text().split()[1], 16)
    if not background:
        with process as started:  # type: ignore[attr-defined]
            assert 0 == started.wait()
