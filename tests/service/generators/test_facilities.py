"""LSB's names of dependencies become names of the other init systems."""

import os
import shutil
import subprocess

import pytest

from ssd.service.generators.facilities import OPENRC, SYSTEMD, services, unit_name, units

from . import readers


def test_facilities_are_known_to_both_systems() -> None:
    """The tables have the same facilities."""
    assert set(SYSTEMD) == set(OPENRC)


def test_units_leave_out_facilities_that_every_unit_has() -> None:
    """Other facilities become targets, and scripts become services."""
    names = ["$local_fs", "$network", "mysql", "+rabbitmq.sh", "$unknown"]
    expected = ["network-online.target", "mysql.service", "rabbitmq.service", "unknown.service"]
    assert expected == units(names)


def test_openrc_services_lose_the_plus_and_sh_of_lsb_names() -> None:
    """Scripts keep their names, without insserv's + and without .sh."""
    assert ["net", "mysql", "rabbitmq"] == services(["$network", "mysql", "+rabbitmq.sh"])


@pytest.mark.parametrize("name", ["plain", "a b", "a:b@c_d.e-f", "ä", "%n$x\\", "a\nb"])
def test_unit_name_is_read_back_by_systemd(name: str) -> None:
    """systemd-escape(1) returns the name; a dash would be a slash for it."""
    _, environment = readers.systemd_analyze()
    escape = shutil.which("systemd-escape", path=(environment or os.environ)["PATH"])
    assert escape is not None
    word = unit_name(name).replace("-", "\\x2d")
    done = subprocess.run([escape, "--unescape", word], capture_output=True, env=environment)
    assert f"{name}\n".encode() == done.stdout
