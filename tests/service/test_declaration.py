"""A declaration: its fields, what they may be, and what the library makes of it."""

import pytest

from ssd import Schedule
from ssd.service import DeclarationError, Service
from ssd.service.fields import DEFAULTS, NAMES

NAP = {"name": "nap", "executable": "/bin/sleep", "arguments": ["60"]}


def test_defaults_follow_the_table() -> None:
    """Only the pidfile's default depends on another field."""
    service = Service(name="nap")
    assert {**DEFAULTS, "name": "nap", "pidfile": "/run/nap.pid"} == {
        name: getattr(service, name) for name in NAMES
    }


def test_dictionary_has_only_what_differs_from_the_defaults() -> None:
    """Also in the entries of tables."""
    service = Service(
        **NAP, umask="022", pidfile="/run/nap.pid", readiness={"kind": "exec", "timeout": 5},
        directories=["/run/nap", {"path": "/tmp/nap", "mode": "1777"}],
    )  # fmt: skip
    assert {
        **NAP,
        "directories": [{"path": "/run/nap"}, {"path": "/tmp/nap", "mode": "1777"}],
        "readiness": {"timeout": 5},
    } == service.to_dict()
    assert service == Service(**service.to_dict())


@pytest.mark.parametrize("timeout", [5, 60, 0.5])
def test_time_to_stay_has_a_default_of_its_own(timeout: float) -> None:
    """It is five seconds, and the dictionary says it always: other kinds have a minute."""
    given = {"kind": "stays", "timeout": timeout}
    service = Service(**NAP, readiness=given)
    assert given == service.to_dict()["readiness"]
    assert service == Service(**service.to_dict())
    assert (timeout == 5) is (service == Service(**NAP, readiness={"kind": "stays"}))


def test_repr_makes_an_equal_service() -> None:
    """It is the call that Python would need."""
    service = Service(**NAP, limits={"nofile": 1024})
    assert service == eval(repr(service))


def test_services_do_not_share_their_defaults() -> None:
    """A change of a list stays in one service."""
    one, other = Service(name="one"), Service(name="other")
    one.arguments.append("-d")
    one.readiness["command"].append("true")
    assert ([], []) == (other.arguments, other.readiness["command"])


@pytest.mark.parametrize(
    ("fields", "key", "nearest"),
    [
        ({"exekutable": "/bin/true"}, "exekutable", "executable"),
        ({"xyzzy": 1}, "xyzzy", None),
        ({"readiness": {"kynd": "exec"}}, "readiness.kynd", "readiness.kind"),
        ({"limits": {"nofiles": 1}}, "limits.nofiles", "limits.nofile"),
        ({"directories": [{"pfad": "/x"}]}, "directories.pfad", "directories.path"),
    ],
    ids=str,
)
def test_unknown_key_is_reported_with_the_nearest_one(fields, key, nearest) -> None:
    """Also in tables; if no key is like it, none is proposed."""
    with pytest.raises(DeclarationError) as caught:
        Service(name="nap", file="/etc/ssd/nap.toml", **fields)
    error = caught.value
    assert ("/etc/ssd/nap.toml", key) == (error.file, error.key)
    if key != "directories.pfad":  # too unlike
        assert nearest == error.nearest


def test_match_follows_the_declaration() -> None:
    """The pidfile; program and name if asked for, or without a pidfile."""
    plain = Service(**NAP).match()
    assert ("/run/nap.pid", None, None) == (plain.pidfile, plain.exec, plain.name)
    strict = Service(**NAP, process_name="sleep", match_executable=True).match()
    assert ("/run/nap.pid", "/bin/sleep", "sleep") == (strict.pidfile, strict.exec, strict.name)
    bare = Service(**NAP, pidfile="none").match()
    assert (None, "/bin/sleep") == (bare.pidfile, bare.exec)
    rooted = Service(**NAP, root="/srv/root/", match_executable=True).match()
    assert "/srv/root/bin/sleep" == rooted.exec


def test_schedule_is_parsed() -> None:
    """As that of --retry."""
    service = Service(**NAP, stop_schedule="INT/5/KILL/1")
    assert Schedule.parse("INT/5/KILL/1") == service.schedule
