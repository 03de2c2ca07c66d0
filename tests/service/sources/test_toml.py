"""Declarations in TOML: reading, writing, and errors with their line."""

import os
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.service import DeclarationError, Service
from ssd.service.fields import KINDS
from ssd.service.sources import toml

from ..strategies import value_of

SERVICES = st.fixed_dictionaries(
    {"name": value_of("name")},
    optional={name: value_of(kind) for name, kind in KINDS.items() if name != "name"},
).map(lambda fields: Service(**fields))


@given(SERVICES)
def test_toml_text_makes_the_same_service(service: Service) -> None:
    """Every field, with every value that it can have."""
    assert service == toml.loads(toml.write(service))


@given(SERVICES)
def test_toml_text_is_valid(service: Service) -> None:
    """The standard library reads the same."""
    assert service.to_dict() == Service(**tomllib.loads(toml.write(service))).to_dict()


MISTAKES = {
    'name = "x"\nexekutable = "/bin/true"\n': (2, "exekutable", "executable"),
    'name = "x"\n\numask = 22\n': (3, "umask", None),
    'name = "x"\n[readiness]\nkind = "exec"\ntimeuot = 3\n': (4, "readiness.timeuot",
                                                             "readiness.timeout"),
    'name = "x"\nreadiness = {timeout = -1}\n': (2, "readiness.timeout", None),
    'nice = 1\n[limits]\nfoo = 3\n': (3, "limits.foo", None),
    'name = "x"\n[environment]\n"A=B" = "1"\n': (3, "environment.A=B", None),
    '\nexecutable = "/bin/true"\n': (None, "name", None),
    'name = "x"\nnice = = 3\n': (2, None, None),
    'name = "x"\nnice = 1\nnice = 2\n': (3, None, None),
    'name = "x"\narguments = [1,\n': (3, None, None),
    f"arguments = {'[' * 9999}\n": (None, None, None),
    f"nice = {'9' * 9999}\n": (None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text[:40])
def test_error_has_file_line_and_key(text: str) -> None:
    """And the key that was probably meant."""
    with pytest.raises(DeclarationError) as caught:
        toml.loads(text, "/etc/ssd/x.toml", "x" if "name" in text else "x/y")
    error = caught.value
    line, key, near = MISTAKES[text]
    assert ("/etc/ssd/x.toml", line, key) == (error.file, error.line, error.key)
    if near:
        assert near == error.nearest


def test_name_defaults_to_that_of_the_file(tmp_path) -> None:
    """So most declarations need no name."""
    file = tmp_path / "nap.toml"
    file.write_text('executable = "/bin/sleep"\n')
    assert "nap" == toml.read(str(file)).name
    file.write_text('name = "other"\n')
    assert "other" == toml.read(str(file)).name


@pytest.mark.parametrize("reading", ["plain", "whole"])
def test_file_may_come_from_windows(tmp_path, reading) -> None:
    """Byte order mark and carriage returns are left out."""
    file = tmp_path / "nap.toml"
    more = "nice = 0x5\r\n" if reading == "whole" else ""
    file.write_bytes(f'\ufeffexecutable = "/bin/sleep"\r\n{more}'.encode())
    assert "/bin/sleep" == toml.read(str(file)).executable


def test_file_that_is_not_utf8_is_an_error(tmp_path) -> None:
    """The line is that of the first wrong byte."""
    file = tmp_path / "nap.toml"
    file.write_bytes(b'name = "x"\ndescription = "\xff"\n')
    with pytest.raises(DeclarationError) as caught:
        toml.read(str(file))
    assert 2 == caught.value.line


def test_file_must_be_regular_and_small(tmp_path) -> None:
    """A pipe is not waited for, and no gigabyte is read."""
    pipe, directory, large = (tmp_path / f"{name}.toml" for name in ("pipe", "directory", "large"))
    os.mkfifo(pipe)
    directory.mkdir()
    large.touch()
    os.truncate(large, toml.MAX_FILE_SIZE + 1)
    for file in (pipe, directory, large):
        with pytest.raises(DeclarationError) as caught:
            toml.read(str(file))
        assert str(file) == caught.value.file


def test_bytes_that_are_not_utf8_are_not_written() -> None:
    """TOML is UTF-8 (its specification, "Spec"); the error names the field."""
    service = Service(name="nap", environment={"A": "b", "WHERE": os.fsdecode(b"/srv/\xff")})
    with pytest.raises(DeclarationError, match="WHERE: TOML cannot contain bytes"):
        toml.write(service)
