"""The module ssd.daemon.service_info: one service, or all, and nothing is changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.managed import Managed

import ssd

pytestmark = [pytest.mark.fleet, pytest.mark.requires_namespaces]
KEYS = {"state", "processes", "pidfile", "declared_in", "version", "restarts"}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Managed]:
    """Yield a machine with ssd-service."""
    with Managed(tmp_path) as made:
        yield made


@pytest.mark.parametrize("check", [False, True])
def test_service_that_runs_is_told(host: Managed, check: bool) -> None:
    """Its process, and where it is declared; in check mode, too."""
    file = host.declare()
    assert 0 == host.ssd("nap", "start").status
    told = host.module("service_info", name="nap", check=check, diff=True)
    assert not told["changed"] and "diff" not in told
    assert ["nap"] == list(told["services"])
    nap = told["services"]["nap"]
    assert set(nap) >= KEYS
    assert "running" == nap["state"]
    assert [host.pid()] == [each["pid"] for each in nap["processes"]]
    assert (f"{host.directory}/nap.pid", str(file)) == (nap["pidfile"], nap["declared_in"])
    assert (ssd.__version__, None) == (nap["version"], nap["restarts"])
    assert ("host", ssd.__version__) == (told["ssd"]["source"], told["ssd"]["version"])


def test_all_services_are_told_without_a_name(host: Managed) -> None:
    """Also those that do not run, and a declaration that makes no sense with its reason."""
    for name in ("nap", "doze"):
        host.declare(name=name)
    host.declare('exekutable = "/bin/sleep"\n', name="wrong")
    assert 0 == host.ssd("nap", "start").status
    found = host.module("service_info")["services"]
    states = {name: each["state"] for name, each in found.items()}
    assert {"doze": "stopped", "nap": "running", "wrong": "unknown"} == states
    assert "exekutable" in found["wrong"]["error"]
    assert found["nap"]["error"] is None


def test_directory_without_services_has_none(host: Managed) -> None:
    """That is no failure."""
    told = host.module("service_info")
    assert {} == told["services"] and not told.get("failed")


def test_service_that_does_not_run_is_no_failure(host: Managed) -> None:
    """Whatever the status of the verb says."""
    host.declare()
    told = host.module("service_info", service="nap")
    assert not told.get("failed")
    assert ("stopped", []) == tuple(told["services"]["nap"][key] for key in ("state", "processes"))


def test_service_without_pidfile_has_none(host: Managed) -> None:
    """The key is there."""
    host.declare('pidfile = "none"\n')
    assert host.module("service_info", name="nap")["services"]["nap"]["pidfile"] is None


@pytest.mark.parametrize(
    ("name", "directory", "complaint"),
    [
        ("nape", "", "nape"),
        ("wrong", "", "exekutable"),
        ("all", "", "it stands for several"),
        ("/etc/init.d/nap", "", "it is a path"),
        ("nap", "ssd", "not an absolute path"),
        ("nap", "/no/such", "/no/such"),
        (None, "/no/such", "/no/such"),
    ],
    ids=str,
)
def test_service_that_cannot_be_told_fails(
    host: Managed, name: str | None, directory: str, complaint: str
) -> None:
    """A name that is not declared, or whose declaration makes no sense."""
    host.declare()
    host.declare('exekutable = "/bin/sleep"\n', name="wrong")
    where = {"directory": directory} if directory else {}
    told = host.module("service_info", name=name, **where)
    assert told["failed"], told
    assert complaint in told["msg"]
    assert {} == told["services"]


def test_restarts_are_those_of_a_supervisor(host: Managed) -> None:
    """It counts them; without one there is no count."""
    place = host.directory / "supervise"
    host.declare('respawn = { when = "always" }\n')
    script = (
        f"ssd-supervise --help > /dev/null && ssd-supervise --directory={host.declarations} "
        '> "$1" 2>&1 & '
        f"until ssd-service --directory={host.declarations} nap status > /dev/null; do :; done"
    )
    done = host.run("/bin/sh", "-c", script, "sh", place)
    assert 0 == done.status, done
    found = host.module("service_info", name="nap")["services"]["nap"]
    assert ("running", 0) == (found["state"], found["restarts"])
