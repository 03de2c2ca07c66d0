"""The command by its name and by its first word."""

import pytest

from ssd.upstart.initctl.commands import COMMANDS
from ssd.upstart.initctl.help import GROUPS, OPTIONS

from .fake import FakeJobs

HINT = "Try `{} --help' for more information.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("start --bogus foo", "start: invalid option: --bogus"),
        ("start -z foo", "start: invalid option: -z"),
        ("initctl", "initctl: missing command"),
        ("initctl -q", "initctl: missing command"),
        ("initctl bogus", "initctl: invalid command: bogus"),
        ("initctl --bogus list", "initctl: invalid option: --bogus"),
        ("initctl -n start foo", "initctl: invalid option: -n"),
        ("initctl start --make-links x", "initctl: invalid option: --make-links"),
        ("status --no-wait foo", "status: invalid option: --no-wait"),
        ("start -n", "start: missing job name"),
        ("/usr/sbin/start -n", "start: missing job name"),
        ("initctl usage", "initctl: missing job name"),
        ("initctl emit", "initctl: missing event name"),
        ("initctl get-env", "initctl: missing variable name"),
        ("initctl unset-env", "initctl: missing variable name"),
        ("initctl set-env", "initctl: missing variable value"),
        ("initctl notify-dbus-address", "initctl: missing D-Bus address"),
        ("initctl notify-cgroup-manager-address", "initctl: missing address"),
        ("telinit", "telinit: missing runlevel"),
        ("telinit 22", "telinit: illegal runlevel: 22"),
    ],
)
def test_wrong_command_line_is_named_with_a_hint(words: str, said: str, jobs: FakeJobs) -> None:
    """Nothing is asked, and the status is 1."""
    program = said.partition(":")[0]
    assert (1, "", f"{said}\n{HINT.format(program)}") == jobs.run(*words.split())
    assert [] == jobs.requests


@pytest.mark.parametrize("words", ["start foo", "/sbin/start foo", "initctl start foo",
                                   "initctl -- start foo", "ssd-initctl -v start foo"])  # fmt: skip
def test_name_or_first_word_is_the_command(words: str, jobs: FakeJobs) -> None:
    """Whatever the path; with options before it."""
    jobs.answers["start"] = {"job": "foo", "instance": ""}
    jobs.answers["state"] = {"status": "foo start/running, process 7"}
    assert (0, "foo start/running, process 7\n", "") == jobs.run(*words.split())
    assert {"command": "start", "name": "foo"} == jobs.requests[0]


def test_options_before_the_command_count_for_it(jobs: FakeJobs) -> None:
    """Quiet is quiet."""
    jobs.answers["status"] = {"status": "foo stop/waiting"}
    assert (0, "", "") == jobs.run("initctl", "-q", "status", "foo")
    assert (0, "foo stop/waiting\n", "") == jobs.run("initctl", "-q", "status", "-v", "foo")


def test_commands_are_all_in_the_help() -> None:
    """With their options."""
    assert sorted(COMMANDS) == sorted(name for group in GROUPS.values() for name in group)
    own = {row[1] or row[0] for _, rows, _ in COMMANDS.values() for row in rows}
    assert set() == own - set(OPTIONS)
