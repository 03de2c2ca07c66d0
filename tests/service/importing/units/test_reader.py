"""What a unit is asked for, its specifiers, and what is left over."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ssd.service import DeclarationError
from ssd.service.importing.units import file
from ssd.service.importing.units.reader import Reader, specifiers, unescape
from ssd.service.importing.values import integer


def reader(directory: Path, text: str, name: str = "a-b@c\\x2dd-e.service", root=True) -> Reader:
    """Return the reader of a unit."""
    (directory / name).write_text(f"[Service]\n{text}\n")
    return Reader(file.read(str(directory / name), ()), root)


def test_specifiers_are_those_of_the_system(tmp_path: Path) -> None:
    """Names, directories, the manager's account, and the machine: systemd.unit(5)."""
    known = specifiers(reader(tmp_path, "Nice=1").unit, True)
    names = ("a-b@c\\x2dd-e.service", "a-b@c\\x2dd-e", "a-b", "a/b", "c\\x2dd-e", "c-d/e", "b")
    assert names == tuple(known[mark] for mark in "nNpPiIj")
    assert ("/c-d/e", "/run", "/var/lib") == tuple(known[mark] for mark in "ftS")
    assert str(os.geteuid()) == known["U"]
    assert f"{tmp_path}" == known["Y"]


def test_specifiers_of_a_user_are_in_the_home(tmp_path: Path, monkeypatch) -> None:
    """Unless the variables of XDG name other places."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    known = specifiers(reader(tmp_path, "Nice=1").unit, False)
    assert ("/run/mine", f"{known['h']}/.local/state") == (known["t"], known["S"])


def test_settings_not_asked_for_are_left(tmp_path: Path) -> None:
    """Whatever a declaration does not hold; an empty value asks for nothing."""
    found = reader(tmp_path, "Nice=1\nUser=%p\nGroup=\nSlice=x")
    assert ("a-b", "") == (found.text("User"), found.text("Group"))
    assert [("Service", "Nice"), ("Service", "Slice")] == list(found.left())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Nice", "x", r"service:2: Nice: must be a whole number, not 'x'"),
        ("User", "%b", r"service:2: User: %b is unknown before a start"),
        ("ExecStop", "'", r"service:2: ExecStop: has a quote without its pair"),
        ("Environment", '"', r"service:2: Environment: has a quote without its pair"),
        ("RestartSec", "soon", r"service:2: RestartSec: must be a time"),
    ],
)
def test_wrong_value_is_named_with_its_line(name, text, said, tmp_path: Path) -> None:
    """And with its setting."""
    found = reader(tmp_path, f"{name}={text}", "x.service")
    read: dict[str, Callable[[str], object]] = {
        "Nice": lambda name: found.value(name, integer, 0),
        "User": found.text,
        "ExecStop": found.commands,
        "Environment": found.words,
        "RestartSec": lambda name: found.seconds(name, 1),
    }
    with pytest.raises(DeclarationError, match=said):
        read[name](name)


def test_escaped_names_are_paths() -> None:
    """systemd-escape(1): a dash is a slash."""
    assert "dev/a-b" == unescape("dev-a\\x2db")
    assert "a\\xZZ" == unescape("a\\xZZ")
