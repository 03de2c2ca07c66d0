"""Every field of a declaration is in the file, or it is said that it is not."""

import re
from importlib import import_module
from typing import Any

import pytest
from conftest import CHECKOUT

from ssd.service import Service
from ssd.service.fields import NAMES
from ssd.service.generators.cli import KINDS

from . import samples

COLUMNS = ("sysv", "systemd", "upstart", "openrc")


def generated(kind: str, service: Service) -> Any:
    """Return what a generator makes of a service."""
    return import_module(f"ssd.service.generators.{kind}").generate(service)


def test_there_is_a_sample_of_every_field() -> None:
    """Or the next test would leave one out."""
    assert list(NAMES) == list(samples.FIELDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", samples.FIELDS)
def test_field_changes_the_file_or_is_said_to_be_lost(field: str, kind: str) -> None:
    """Nothing that was declared goes missing in silence."""
    besides = samples.BESIDES.get(field, {})
    without = samples.least(**besides)
    with_it = samples.least(**{**besides, field: samples.FIELDS[field]})
    before, after = generated(kind, without), generated(kind, with_it)
    lost = {name for name, _ in after.losses} - {name for name, _ in before.losses}
    said = [line for line in after.text().splitlines() if line.startswith("# Not in this file: ")]
    body = [line for line in after.text().splitlines() if line not in said]
    assert lost == {line.split()[5] for line in said} - {name for name, _ in before.losses}
    assert body != before.text().splitlines() or field in lost


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_declared_is_not_lost(kind: str) -> None:
    """A plain service goes into a file of any kind without a word."""
    assert [] == generated(kind, samples.least()).losses
    assert [] == generated(kind, samples.least(provides=["x"])).losses  # its own name


@pytest.mark.parametrize("kind", KINDS)
def test_no_table_names_a_field_that_is_gone(kind: str) -> None:
    """The reasons are for fields that there are."""
    assert set() == set(import_module(f"ssd.service.generators.{kind}").LOST) - set(NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_same_declaration_gives_the_same_file(kind: str) -> None:
    """No date and no name of a machine is in it."""
    service = samples.everything()
    assert generated(kind, service).text() == generated(kind, service).text()


def test_page_shows_what_has_no_word() -> None:
    """The table of docs/reference/generators.md is that of the generators."""
    page = (CHECKOUT / "docs" / "reference" / "generators.md").read_text()
    shown = re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    lost = {kind: import_module(f"ssd.service.generators.{kind}").LOST for kind in COLUMNS}
    expected = [
        (name, " | ".join("-" if name in lost[kind] else "yes" for kind in COLUMNS))
        for name in NAMES
        if any(name in fields for fields in lost.values())
    ]
    assert expected == shown
