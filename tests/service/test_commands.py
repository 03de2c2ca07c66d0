"""What a declaration says of a start."""

from typing import Any

import pytest

from ssd.service import DeclarationError, Service, commands
from ssd.service.commands import environment

NAP = {"name": "nap", "executable": "/bin/sleep", "arguments": ["60"]}


def test_command_follows_the_declaration() -> None:
    """In the words of ``ssd.Command``."""
    command = Service(
        **NAP, user="nobody", group="0", umask="077", nice=5, working_directory="/tmp",
        cpu_scheduling="rr:5", io_scheduling="idle", output="/tmp/log",
        limits={"core": "unlimited", "nofile": "10:20"}, environment={"A": "1"},
    ).command()  # fmt: skip
    assert [b"/bin/sleep", b"60"] == command.argv
    assert ("nobody", "0", 0o077, 5) == (command.user, command.group, command.umask, command.nice)
    assert (b"/tmp", b"/tmp/log") == (command.directory, command.output)
    assert (("rr", 5), ("idle", 7)) == (command.cpu_scheduling, command.io_scheduling)
    assert {(-1, -1), (10, 20)} == set(command.limits.values())
    assert b"1" == command.environment[b"A"]
    assert b"PATH" in command.environment


# fields -> the rare fields of the Command
STREAMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "a file for each": ({"stdout": "/o", "stderr": "/e"}, {"stdout": b"/o", "stderr": b"/e"}),
    "a log": ({"log": {"keep": 2, "forward": True}}, {"logger": {"keep": 2, "name": "nap"}}),
    "no more than a supervisor has": ({"log": {"forward": True}}, {}),
    "a log beside an output": ({"log": {"keep": 2}, "output": "/o"}, {}),
    "a log without a console": ({"log": {"keep": 2}, "console": "none"}, {}),
}


@pytest.mark.parametrize("case", STREAMS)
def test_streams_of_a_start_follow_the_declaration(case: str) -> None:
    """A log counts if it is not the default; a supervisor writes it itself."""
    fields, expected = STREAMS[case]
    service = Service(**NAP, **fields)
    assert expected == vars(service.command())
    assert {} == vars(commands.command(service, streams=False))


# A field, its value, and the keywords that it becomes
RIGHTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("login", True, {"login": True}),
    ("oom_score", 0, {"oom_score_adj": 0}),
    ("capabilities", "", {"capabilities": ""}),
    ("no_new_privs", True, {"no_new_privs": True}),
    ("securebits", "noroot", {"securebits": "noroot"}),
]


@pytest.mark.parametrize(("field", "value", "expected"), RIGHTS)
def test_each_right_alone_has_effect(field: str, value: Any, expected: dict[str, Any]) -> None:
    """It needs no other to be looked at, and 0 or none is something that was asked for."""
    assert expected == vars(Service(**NAP, **{field: value}).command())


def test_script_is_run_by_a_shell() -> None:
    """As Upstart runs one; it needs no executable."""
    command = Service(name="nap", script="sleep 60\n").command()
    assert [b"/bin/sh", b"-e", b"-c", b"sleep 60\n", b"nap"] == command.argv


def test_missing_program_is_an_error_of_a_start() -> None:
    """A status needs none."""
    service = Service(name="nap", file="/etc/ssd/nap.toml")
    assert "/run/nap.pid" == service.match().pidfile
    with pytest.raises(DeclarationError, match="/etc/ssd/nap.toml: executable: "):
        service.command()


def test_rare_fields_are_keywords_of_the_command() -> None:
    """In the words of ``ssd.Command``; without any of them it has none."""
    assert {} == vars(Service(**NAP).command())
    command = Service(
        **NAP, oom_score="never", capabilities="^cap_kill", no_new_privs=True, securebits="noroot",
    ).command()  # fmt: skip
    assert {
        "oom_score_adj": -1000,
        "capabilities": "^cap_kill",
        "no_new_privs": True,
        "securebits": "noroot",
    } == vars(command)
    assert 0 == Service(**NAP, oom_score=0).command().oom_score_adj


def test_login_is_below_what_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a login the declared variables are part of the environment, below the user's HOME."""
    monkeypatch.setenv("A", "inherited")
    fields = {**NAP, "environment": {"HOME": "/srv", "A": "declared"}}
    plain = Service(**fields).command()
    assert (b"declared", {}) == (plain.environment[b"A"], plain.variables)
    command = Service(**fields, login=True).command()
    assert b"inherited" == command.environment[b"A"]
    assert {b"HOME": b"/srv", b"A": b"declared"} == command.variables


def test_cleared_environment_has_what_is_passed_and_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also for its hooks."""
    monkeypatch.setenv("KEPT", "kept")
    service = Service(
        **NAP, clear_environment=True, pass_environment=["KEPT", "MISSING"], environment={"A": "1"}
    )
    assert {b"KEPT": b"kept", b"A": b"1"} == service.command().environment == environment(service)


def test_rights_have_a_normal_form() -> None:
    """That of libcap, and systemd's names: two services with the same rights are equal."""
    service = Service(**NAP, capabilities="!KILL,^chown", securebits="0x3")
    assert "^cap_chown,!cap_kill" == service.capabilities
    assert "noroot noroot-locked" == service.securebits
    same = {"capabilities": service.capabilities, "securebits": service.securebits}
    assert Service(**NAP, **same) == service


@pytest.mark.parametrize("field", ["capabilities", "securebits"])
def test_unknown_name_of_a_right_is_an_error(field: str) -> None:
    """With the field."""
    with pytest.raises(DeclarationError, match=f"^{field}: .*'nothing'"):
        Service(**NAP, **{field: "nothing"})
