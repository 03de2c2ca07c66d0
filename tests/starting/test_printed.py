"""The last lines that a program has printed since its start."""

import os
from pathlib import Path
from typing import Any

import pytest
from kit.users import NOBODY

from ssd import Command
from ssd.starting.printed import Printed


def printed(path: Path | str, added: bytes, before: bytes = b"") -> list[str]:
    """Return the last lines of a file that has grown."""
    path = Path(path)
    path.write_bytes(before)
    output = Printed(Command(["/x"], output=path))
    with path.open("ab") as file:
        file.write(added)
    assert [str(path)] == output.paths
    return output.last_lines()


# what was added -> the lines
LINES: list[tuple[bytes, list[str]]] = [
    (b"", []),
    (b"one\ntwo", ["one", "two"]),
    (b"".join(b"%d\n" % number for number in range(30)), [str(n) for n in range(20, 30)]),
    (b"x" * 500 + b"\n", ["x" * 200]),
    (b"\x1b[2J\xff\0\tz\r\n", ["\\x1b[2J\\xff\\x00       z"]),
    ("größer\n".encode(), ["größer"]),
    (b"long\n" + b"y" * 70_000 + b"\nend\n", ["y" * 200, "end"]),
]


@pytest.mark.parametrize("case", range(len(LINES)))
def test_lines_are_the_last_that_were_added(case: int, tmp_path: Path) -> None:
    """Short, few, and without what a terminal would obey."""
    added, expected = LINES[case]
    assert expected == printed(tmp_path / "log", added, before=b"of an earlier start\n")


def test_file_that_was_truncated_is_read_from_its_beginning(tmp_path: Path) -> None:
    """As one that is replaced; a file that is not made has no lines."""
    log = tmp_path / "log"
    log.write_text("a long line of an earlier start\n")
    output = Printed(Command(["/x"], output=log))
    log.write_text("new\n")
    assert ["new"] == output.last_lines()
    log.unlink()
    assert [] == output.last_lines()
    os.mkfifo(log)
    assert [f"({log} is not read: it is no regular file any more)"] == output.last_lines()


# fields of the Command -> the files that may have last lines
OUTPUTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "two files": ({"stdout": "/o", "stderr": "/e"}, ["/o", "/e"]),
    "one of its own": ({"stdout": "/o", "output": "/b"}, ["/o", "/b"]),
    "one and nothing": ({"stderr": "/e"}, ["/e"]),
    "a log": ({"logger": "/l"}, ["/l"]),
    "a log beside a file": ({"logger": "/l", "stdout": "/o"}, ["/o", "/l"]),
    "two logs": ({"logger": {"path": "/l", "stderr_path": "/m"}}, ["/l", "/m"]),
    "syslog": ({"logger": "syslog"}, []),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_paths_are_the_files_that_the_output_goes_to(case: str) -> None:
    """Each once; what goes to syslog cannot be read, and is not lost either."""
    fields, expected = OUTPUTS[case]
    assert expected == Printed(Command(["/x"], **fields)).paths


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the directory is removed, nothing is raised: the start says what it lacks."""
    (tmp_path / "gone").mkdir()
    for here in (tmp_path, tmp_path / "gone"):
        monkeypatch.chdir(here)
        command = Command(["/x"], stdout="o", stderr="e", logger="l")
        assert [f"{here}/o", f"{here}/e"] == Printed(command).paths
    (tmp_path / "gone").rmdir()
    Printed(Command(["/x"], stdout="o"))
    assert [] == Printed(Command(["/x"], logger="l")).paths


def test_paths_say_where_the_output_goes(tmp_path: Path) -> None:
    """To /dev/null without a file; nowhere to be read with --no-close, or in a FIFO."""
    os.mkfifo(tmp_path / "fifo")
    assert ["/dev/null"] == Printed(Command(["/x"])).paths
    for command in (Command(["/x"], close=False), Command(["/x"], output=tmp_path / "fifo")):
        output = Printed(command)
        assert ([], []) == (output.paths, output.last_lines())


@pytest.mark.requires_root
def test_file_that_another_user_has_led_elsewhere_is_not_read(tmp_path: Path) -> None:
    """The daemon may own the directory: root reads no secret through its link, and says so."""
    secret, directory = tmp_path / "secret", tmp_path / "of-nobody"
    secret.write_text("secret\n")
    directory.mkdir()
    os.chown(directory, NOBODY, NOBODY)
    for name, plant in (("link", os.symlink), ("name", os.link)):
        output = Printed(Command(["/x"], output=directory / name), NOBODY)
        plant(secret, directory / name)
        (line,) = output.last_lines()
        assert line.startswith(f"({directory}/{name} is not read: ")
