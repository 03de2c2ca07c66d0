"""ssd's own parser reads the options back into what the declaration says."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from ssd.accounts import Account
from ssd.cli.options import Options, read
from ssd.cli.start import command_of
from ssd.matching import Match
from ssd.schedule import Schedule
from ssd.service import Service
from ssd.service.generators import openrc, ssd_options, sysv
from ssd.starting.rare.variables import login
from ssd.surroundings.kernel_files import OOM_SCORE_ADJ

from . import samples

# What a Command has that options express; environment and limits are the shell's.
ATTRIBUTES = (
    "argv", "directory", "root", "user", "group", "umask", "nice", "cpu_scheduling",
    "io_scheduling", "output", "stdout", "stderr",
)  # fmt: skip
DECLARED: list[dict[str, Any]] = [
    {},
    {"script": "exec sleep 1000", "arguments": ["a b"]},
    {"group": "daemon"},
    {"user": "daemon", "working_directory": "/srv", "umask": "027", "nice": 3},
    {"user": "daemon", "group": "adm", "cpu_scheduling": "fifo:5", "io_scheduling": "idle"},
    {"root": "/srv/root", "match_executable": True, "output": "/var/log/x.out"},
    {"stdout": "/var/log/x.out", "stderr": "/var/log/x.err"},
    {"pidfile": "none", "process_name": "sleep"},
    {"match_interpreted": True, "same_namespace": True},
]


def started(service: Service) -> Options:
    """Return the options of a start, as ssd reads them."""
    program, *arguments = service.argv
    words = ["--start", *ssd_options.matching(service, start=True), *ssd_options.starting(service)]
    options = Options()
    read([*words, "--startas", program, "--", *arguments], options)
    return options


def known(match: Match) -> tuple[object, ...]:
    """Return the criteria; ssd joins root and path with a slash too many, as the original does."""
    path = match.exec and os.path.normpath(match.exec)
    return match.pidfile, path, match.name, match.interpreted, match.same_namespace


def test_tool_is_ssd_alone_if_the_original_lacks_an_option() -> None:
    """Otherwise the script would fail at each verb where ssd is not installed."""
    either = "$(command -v ssd || command -v start-stop-daemon)"
    assert either == ssd_options.tool("--start", "--exec", "/interpreted")
    assert "ssd" == ssd_options.tool("--start", "--interpreted")
    text = sysv.generate(samples.least(same_namespace=True)).text()
    assert '\n: "${START_STOP_DAEMON:=ssd}"\n' in text


# fields -> the options of the output, and what is lost of the log
OUTPUTS: list[tuple[dict[str, Any], str, str]] = [
    ({"log": {"path": "/l"}}, "--logger /l", ""),
    ({"log": {"path": "/l"}, "stderr": "/e"}, "--stderr /e --logger /l", ""),
    ({"log": {"kind": "none", "syslog": True}}, "--logger syslog", ""),
    ({"log": {"path": "/l", "keep": 1}}, "--logger /l", "it is rotated at 10 MB"),
    ({"log": {"keep": 1}}, "", "it has no path"),
    ({"log": {"path": "/l"}, "output": "/o"}, "--output /o", ""),
    ({"log": {"path": "/l"}, "console": "none"}, "", "it has no path"),
    ({"log": {"path": "/l"}, "background": False}, "--logger /l", "ssd redirects only programs"),
]


@pytest.mark.parametrize(("declared", "words", "lost"), OUTPUTS)
def test_log_is_written_by_the_logger_of_ssd(
    declared: dict[str, Any], words: str, lost: str
) -> None:
    """Where it has a path; a script with it needs ssd, and says what it cannot express."""
    service = samples.least(**declared)
    assert words.split() == ssd_options.outputs(service)
    sheet = sysv.generate(service)
    losses = [reason for field, reason in sheet.losses if field == "log"]
    assert [lost] == [reason[: len(lost)] for reason in losses or [""]]
    uses = "--logger" in words and "background" not in declared
    assert uses == ("START_STOP_DAEMON:=ssd}" in sheet.text())


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: "-".join(declared) or "least")
def test_start_has_the_match_and_command_of_the_service(declared: dict[str, Any]) -> None:
    """Each field that an option expresses has the declared value."""
    service = samples.least(**declared)
    options = started(service)
    assert known(service.match()) == known(options.match())
    expected, actual = service.command(), command_of(options, service.argv[0])
    assert {name: getattr(expected, name) for name in ATTRIBUTES} == {
        name: getattr(actual, name) for name in ATTRIBUTES
    }


@pytest.mark.parametrize(
    ("declared", "background", "make_pidfile"),
    [({}, True, True), ({"background": False}, False, False), ({"task": True}, False, False),
     ({"pidfile": "none", "process_name": "sleep"}, True, False)],
)  # fmt: skip
def test_start_in_the_background_writes_the_pidfile(
    declared: dict[str, Any], background: bool, make_pidfile: bool
) -> None:
    """Only for a service that the tool sends to the background."""
    options = started(samples.least(**declared))
    assert (background, make_pidfile) == (options.has("background"), options.has("make-pidfile"))


def test_start_waits_whole_seconds_for_a_notification() -> None:
    """The time limit is rounded up."""
    options = started(samples.least(readiness={"kind": "notify", "timeout": 1.5}))
    assert (True, 2) == (options.has("notify-await"), options.notify_timeout)


def test_stop_has_the_schedule_of_the_service() -> None:
    """It removes the pidfile that the start has written."""
    service = samples.least(stop_schedule="INT/7/KILL/1")
    options = Options()
    read(["--stop", *ssd_options.matching(service), *ssd_options.stopping(service)], options)
    assert (Schedule.parse("INT/7/KILL/1"), True) == (
        options.schedule,
        options.has("remove-pidfile"),
    )
    assert service.match() == options.match()


LOGIN = 'printf "%s\\n" "$HOME" "$USER" "$LOGNAME" "$SHELL"'


@pytest.mark.parametrize("user", [None, "daemon", "it's nobody"])
def test_shell_sets_the_variables_of_a_login(user: str | None, run: Run) -> None:
    """As ``ssd.starting.rare.variables`` does; for a user that there is not, it fails."""
    if shutil.which("getent") is None:
        pytest.skip("getent(1) is missing")
    service = samples.least(user=user, login=True)
    done = run("sh", "-euc", "\n".join([*ssd_options.login(service, "exit 7"), LOGIN]))
    if user == "it's nobody":
        assert (7, "") == (done.returncode, done.stdout)
        return
    expected = login(Account(user, None))
    words = [expected[name].decode() for name in (b"HOME", b"USER", b"LOGNAME", b"SHELL")]
    assert words == done.stdout.splitlines()


def test_login_without_a_home_or_a_shell_has_those_of_login1(run: Run) -> None:
    """As in ``ssd.starting.rare.variables``."""
    lines = ["getent() { echo web:x:5:5::/no/such:; }"]
    lines += ssd_options.login(samples.least(user="web", login=True), "exit 7")
    assert "/\nweb\nweb\n/bin/sh\n" == run("sh", "-euc", "\n".join([*lines, LOGIN])).stdout


@pytest.mark.skipif(not os.path.exists(OOM_SCORE_ADJ), reason="the score is one of Linux")
def test_script_sets_the_score_of_what_it_starts(run: Run, tmp_path: Path) -> None:
    """The tool that becomes the program has it, and a script that runs a verb more has not."""
    score = int(Path(OOM_SCORE_ADJ).read_text()) + 1
    script, tool = tmp_path / "script", tmp_path / "tool"
    script.write_text(sysv.generate(samples.least(oom_score=score)).text())
    tool.write_text(
        '#!/bin/sh\necho "$1 $(cat /proc/$$/oom_score_adj)" >> said; [ $1 = --start ]\n'
    )
    tool.chmod(0o755)
    done = run(
        "sh", script, "start", cwd=tmp_path, env={**os.environ, "START_STOP_DAEMON": str(tool)}
    )
    assert 0 == done.returncode, done.stderr
    said = (tmp_path / "said").read_text().splitlines()
    assert f"--start {score}" == said[-1]
    assert {str(score - 1)} == {line.split()[1] for line in said[:-1]}


def test_home_of_a_user_is_not_what_was_declared() -> None:
    """With start-stop-daemon, which says so; without a user it is."""
    fields = {"login": True, "environment": {"HOME": "/srv"}}
    for user, lost in ((None, []), ("daemon", ["login"])):
        for kind in (sysv, openrc):
            sheet = kind.generate(samples.least(user=user, **fields))
            assert lost == [field for field, _ in sheet.losses]


def test_limits_are_set_before_the_tool_or_by_ssd() -> None:
    """prlimit(1) and setpriv(1) become start-stop-daemon; ssd itself must not have low limits."""
    service = samples.least(limits={"core": 0, "nofile": "4:9"}, no_new_privs=True)
    before = ["prlimit", "--core=0:0", "--nofile=4:9", "setpriv", "--no-new-privs"]
    assert (before, []) == ssd_options.bounds(service, [])
    options = ["--limit", "core=0", "--limit", "nofile=4:9", "--no-new-privs"]
    assert ([], options) == ssd_options.bounds(service, ["--same-namespace"])
    assert ([], []) == ssd_options.bounds(samples.least(), ["--same-namespace"])


def test_rights_are_options_of_ssd_alone() -> None:
    """So a script that has them calls no other tool."""
    service = samples.least(capabilities="^cap_kill", securebits="", limits={"core": 0})
    words = ["--capabilities", "^cap_kill", "--securebits", "", "--limit", "core=0"]
    assert ([], words) == ssd_options.bounds(service, [])
    text = sysv.generate(service).text()
    assert '"${START_STOP_DAEMON:=ssd}"' in text
    assert "--capabilities '^cap_kill' --securebits '' --limit 'core=0' --startas" in text
    assert "prlimit" not in text
