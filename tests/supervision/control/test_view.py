"""How clients see declared services: names, lists, programs and logs."""

from pathlib import Path

import pytest

from ssd.service import Service
from ssd.supervision.control.view import View
from ssd.supervision.unit import Unit
from supervision.machine import Machine


def unit(directory: Path, file: "str | None" = None, **fields: object) -> Unit:
    """Return a service of a fake machine."""
    made = Machine(directory, [{"name": "web", **fields}]).supervisor.units["web"]
    made.service = Service(**{**made.service.to_dict(), "file": file})
    return made


def test_name_is_that_of_the_file(tmp_path: Path) -> None:
    """Without its ending; that of the service if it is from no file."""
    view = View()
    assert "web" == view.name(unit(tmp_path))
    assert "site" == view.name(unit(tmp_path, "/etc/ssd/site.toml"))
    assert "site" == view.name(unit(tmp_path, "/etc/ssd/site"))


@pytest.mark.parametrize("file", ["web@.toml", "web.toml", "web@8081", "web@"])
def test_name_of_an_instance_is_its_own(tmp_path: Path, file: str) -> None:
    """Whichever template it is in."""
    made = Machine(tmp_path, [{"name": "web@8081"}]).supervisor.units["web@8081"]
    made.service.file = f"/etc/ssd/{file}"
    assert "web@8081" == View().name(made)


def test_all_units_are_listed_and_take_wishes(tmp_path: Path) -> None:
    """In the order of their names."""
    units = Machine(tmp_path, [{"name": "web"}, {"name": "app"}]).supervisor.units
    assert ["app", "web"] == View().listed(units)
    assert "" == View().refusal(units["web"])


def test_program_is_there_on_a_fake_machine(tmp_path: Path) -> None:
    """Where no file is looked for."""
    assert View().is_installed(unit(tmp_path, executable="/bin/nosuch"))


def test_log_is_the_users_or_roots(tmp_path: Path) -> None:
    """Its lines are shown as they are."""
    view = View()
    assert view.log_owner(unit(tmp_path)) is None
    assert 0 == view.log_owner(unit(tmp_path, user="root"))
    assert ["a\r"] == view.plain(["a\r"])
