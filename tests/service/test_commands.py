"""What a declaration says of a start."""

import pytest

from ssd.service import DeclarationError, Service

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
