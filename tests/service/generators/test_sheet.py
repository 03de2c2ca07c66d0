"""Every field of a declaration is in the file or recorded as lost; directories are made safely."""

import os
import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT

from ssd.service import Service
from ssd.service.fields import NAMES
from ssd.service.generators import systemd, sysv, upstart
from ssd.service.generators.cli import KINDS

from . import samples

COLUMNS = ("sysv", "systemd", "upstart", "openrc")


# KillMode=mixed is in every unit.
ALREADY = {("systemd", "kill_mode")}


def generated(kind: str, service: Service) -> Any:
    """Return what a generator makes of a service."""
    return import_module(f"ssd.service.generators.{kind}").generate(service)


def test_samples_cover_every_field() -> None:
    """Otherwise the next test would miss a field; a single service has no instances."""
    assert [name for name in NAMES if name != "instances"] == list(samples.FIELDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", samples.FIELDS)
def test_field_changes_the_file_or_is_lost(field: str, kind: str) -> None:
    """No declared field is lost silently."""
    besides = samples.BESIDES.get(field, {})
    without = samples.least(**besides)
    with_it = samples.least(**{**besides, field: samples.FIELDS[field]})
    before, after = generated(kind, without), generated(kind, with_it)
    lost = {name for name, _ in after.losses} - {name for name, _ in before.losses}
    said = [line for line in after.text().splitlines() if line.startswith("# Not in this file: ")]
    body = [line for line in after.text().splitlines() if line not in said]
    assert lost == {line.split()[5] for line in said} - {name for name, _ in before.losses}
    assert body != before.text().splitlines() or field in lost or (kind, field) in ALREADY


@pytest.mark.parametrize("kind", KINDS)
def test_fields_not_declared_are_not_lost(kind: str) -> None:
    """A plain service has no losses in any kind of file."""
    assert [] == generated(kind, samples.least()).losses
    assert [] == generated(kind, samples.least(provides=["x"])).losses  # the default


@pytest.mark.parametrize("kind", KINDS)
def test_lost_fields_all_exist(kind: str) -> None:
    """The tables of losses name only existing fields."""
    assert set() == set(import_module(f"ssd.service.generators.{kind}").LOST) - set(NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_text_depends_on_the_declaration_alone(kind: str) -> None:
    """It has no date and no host name."""
    service = samples.everything()
    assert generated(kind, service).text() == generated(kind, service).text()


def test_page_shows_the_lost_fields() -> None:
    """The table of docs/reference/generators.md matches the generators."""
    page = (CHECKOUT / "docs" / "reference" / "generators.md").read_text()
    shown = re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    lost = {kind: import_module(f"ssd.service.generators.{kind}").LOST for kind in COLUMNS}
    expected = [
        (name, " | ".join("-" if name in lost[kind] else "yes" for kind in COLUMNS))
        for name in NAMES
        if any(name in fields for fields in lost.values())
    ]
    assert expected == shown


# Shell code that creates the directory $1 with mode 0755 for the owner $2.
MAKERS = {
    "sysv": f'{sysv.MAKE_DIRECTORY}\nmake_directory "$1" 0755 "$2"',
    "systemd": f'set -- "$1" 0755 "$2"; {systemd.MAKE}',
    "upstart": upstart.MAKE.format(path='"$1"', mode="0755", owner='"$2"'),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_directory_replaced_by_a_link_changes_no_target(kind: str, tmp_path: Path) -> None:
    """chown(1) changes the link itself, not its target."""
    victim, made = tmp_path / "victim", tmp_path / "made"
    victim.touch()
    planted = f"mkdir() {{ ln -s {victim} {made}; }}\n"
    before = victim.stat().st_ctime_ns
    words = ["sh", "-ec", planted + MAKERS[kind], "sh", made, f"{os.getuid()}:{os.getgid()}"]
    assert 0 == subprocess.run(words).returncode
    assert (True, before) == (made.is_symlink(), victim.stat().st_ctime_ns)
