"""The syntax of units, their drop-ins, and where they are found."""

import os
from pathlib import Path

import pytest

from ssd.service import DeclarationError
from ssd.service.importing.units.file import Unit, read


def written(directory: Path, name: str, text: str) -> Path:
    """Write a unit, or a drop-in, and return its path."""
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def texts(unit: Unit, name: str, section: str = "Service") -> list[str]:
    """Return the values of a setting that count."""
    return [each.text for each in unit.all(section, name)]


def test_lines_continue_over_comments(tmp_path: Path) -> None:
    """A backslash becomes a blank; a comment in between is none of the value."""
    file = written(
        tmp_path, "x.service",
        "; first\n[Unit]\nX-Own=1\n[Service]\n ExecStart = /bin/a \\\n# no\n  b\\\n\n\nNice=1\n",
    )  # fmt: skip
    unit = read(str(file), ())
    assert ["/bin/a  b"] == texts(unit, "ExecStart")
    assert (5, 10) == tuple(unit.place("Service", name).line for name in ("ExecStart", "Nice"))
    assert [] == unit.strange


def test_last_empty_value_begins_anew(tmp_path: Path) -> None:
    """As drop-ins do to replace a list."""
    file = written(tmp_path, "x.service", "[Service]\nEnvironment=A=1\nEnvironment=\nNice=1\n")
    written(tmp_path, "x.service.d/a.conf", "[Service]\nEnvironment=B=2\n")
    unit = read(str(file), ())
    assert (["B=2"], ["1"]) == (texts(unit, "Environment"), texts(unit, "Nice"))
    assert str(tmp_path / "x.service.d/a.conf:2") == str(unit.place("Service", "Environment"))


def test_line_that_systemd_ignores_is_named(tmp_path: Path) -> None:
    """Without an equals sign, and in a section of another kind of unit."""
    file = written(tmp_path, "x.service", "A=1\n[Service]\nrubbish\n[Socket]\nB=1\n[X-Y]\nC=1\n")
    with pytest.raises(DeclarationError, match=r"has no \[Service\]"):
        read(str(file), ())
    file.write_text(file.read_text() + "[Service]\nNice=1\n")
    said = [(place.line, name) for place, name, _ in read(str(file), ()).strange]
    assert [(1, "A"), (3, "rubbish"), (5, "B")] == said


def test_old_names_are_those_of_today(tmp_path: Path) -> None:
    """Also if they stood in another section."""
    file = written(
        tmp_path, "x.service", "[Service]\nNice=1\nStartLimitInterval=3\n[Unit]\nBindTo=a\n"
    )
    unit = read(str(file), ())
    assert ["3"] == texts(unit, "StartLimitIntervalSec", "Unit")
    assert ["a"] == texts(unit, "BindsTo", "Unit")


def test_dropins_are_read_by_name_and_first_directory(tmp_path: Path) -> None:
    """Those of /etc come before those of /lib; a link to /dev/null hides one."""
    etc, lib = str(tmp_path / "etc"), str(tmp_path / "lib")
    written(tmp_path, "lib/a-b@.service", "[Service]\nEnvironment=0\n")
    for number, name in enumerate(
        ("lib/a-b@1.service.d/10.conf", "etc/a-b@.service.d/20.conf", "lib/a-b@.service.d/20.conf",
         "etc/a-@.service.d/30.conf", "lib/service.d/40.conf", "lib/a-b@.service.d/60.txt"), 1
    ):  # fmt: skip
        written(tmp_path, name, f"[Service]\nEnvironment={number}\n")
    (tmp_path / "lib/a-b@.service.d/50.conf").symlink_to("/dev/null")
    unit = read("a-b@1.service", (etc, lib))
    assert ["0", "1", "2", "4", "5"] == texts(unit, "Environment")
    assert ("a-b@1.service", "a-b@1", "a-b", "1") == (
        unit.name, unit.stem, unit.prefix, unit.instance,
    )  # fmt: skip
    assert f"{lib}/a-b@.service" == unit.files[0]


def test_unit_is_looked_up_by_its_name(tmp_path: Path) -> None:
    """The first directory that has it counts; a link is another name of a unit."""
    written(tmp_path, "lib/x.service", "[Service]\nNice=1\n")
    written(tmp_path, "etc/x.service", "[Service]\nNice=2\n")
    (tmp_path / "etc/y.service").symlink_to("x.service")
    directories = tuple(str(tmp_path / each) for each in ("none", "etc", "lib"))
    assert ["2"] == texts(read("x.service", directories), "Nice")
    assert "x.service" == read("y.service", directories).name
    with pytest.raises(FileNotFoundError):
        read("z.service", directories)


def test_masked_unit_is_an_error(tmp_path: Path) -> None:
    """An empty file, or a link to /dev/null."""
    (tmp_path / "x.service").symlink_to("/dev/null")
    (tmp_path / "y.service").touch()
    for name in ("x.service", "y.service"):
        with pytest.raises(DeclarationError, match="is masked"):
            read(str(tmp_path / name), ())


def test_other_unit_is_an_error() -> None:
    """Only services have a program."""
    with pytest.raises(DeclarationError, match=r"must end in \.service"):
        read("/lib/systemd/system/x.socket", ())


def test_pipe_is_no_unit(tmp_path: Path) -> None:
    """Nor is a directory."""
    os.mkfifo(tmp_path / "a.service")
    (tmp_path / "b.service").mkdir()
    for name in ("a", "b"):
        with pytest.raises(DeclarationError, match="must be a file"):
            read(str(tmp_path / f"{name}.service"), ())
