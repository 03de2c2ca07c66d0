"""Warnings about parts of a shell declaration that have no effect."""

import os
import pickle
from pathlib import Path

import pytest

from ssd.service.fields import KINDS
from ssd.service.sources.doubts import MEANT

from .texts import FILE, loads


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("DAEMON_OPTS=-x\n", ":3: DAEMON_OPTS has no effect; did you mean DAEMON_ARGS?"),
        ("\n USER=nobody\n", ":4: USER has no effect; did you mean SERVICE_USER?"),
        ("RUN_AS=nobody\n", ":3: RUN_AS has no effect; did you mean SERVICE_USER?"),
        ("PIDPATH=/run/x\n", ":3: PIDPATH has no effect; did you mean PIDFILE?"),
        ("SYSTEM_USER=nova\n", ":3: SYSTEM_USER has no effect; did you mean SERVICE_USER?"),
        ("RETRY=5\n", ":3: RETRY has no effect; did you mean SERVICE_STOP_SCHEDULE?"),
        ("USE_SYSLOG=yes\n", ":3: USE_SYSLOG has no effect; it is for services of OpenStack"),
        ("ENABLED=no\n", ":3: ENABLED has no effect; update-rc.d(8) enables and disables"),
        ("DAEMON='/bin/sleep 300'\n", ": DAEMON: '/bin/sleep 300' is one path; arguments"),
        ("DAEMON_ARGS='-c \"a b\"'\n", ": DAEMON_ARGS is split at blanks, also inside quotes"),
        ("A=1\r\n", ": lines end in carriage returns"),
    ],
)
@pytest.mark.parametrize("first", ["#!/usr/bin/env ssd-service\n", "#!/lib/init/init-d-script\n"])
def test_doubt_names_the_variable_that_was_meant(text: str, doubt: str, first: str) -> None:
    """It gives the variable that has this meaning here."""
    (found,) = loads(text, first).doubts
    number = doubt[1:2]
    expected = doubt.replace(number, str(int(number) + 1), 1) if number.isdigit() else doubt
    assert found.startswith(f"{FILE}{expected}")


def test_variable_that_a_file_uses_raises_no_doubt() -> None:
    """Nor does one that it exports, or one unlike any other."""
    text = "OPTIONS=300\nDAEMON_ARGS=$OPTIONS\nexport USER=x\nGROUP=a; DESC=${GROUP}\nXYZZY=1\n"
    assert () == loads(text).doubts


def test_doubt_names_line_of_the_administrators_file(tmp_path: Path) -> None:
    """Also for a misspelt name, which is an error in the declaration itself."""
    (tmp_path / "nap").write_text("DAEMON_ARG=-x\nDAEMON_OPTS=-x\nOTHER=1\nGROUP=a\r\n")
    assert (
        f"{tmp_path}/nap: lines end in carriage returns, which become part of the values",
        f"{tmp_path}/nap:1: DAEMON_ARG has no effect; did you mean DAEMON_ARGS?",
        f"{tmp_path}/nap:2: DAEMON_OPTS has no effect; did you mean DAEMON_ARGS?",
    ) == loads(f"DEFAULT_DIR={tmp_path}\nDESC=$GROUP\n").doubts


def test_openstack_variables_raise_no_doubt_in_its_services(tmp_path: Path) -> None:
    """In other files they do."""
    (tmp_path / "nap").write_text("USE_SYSLOG=yes\nSYSTEM_USER=x\nDAEMON_OPTS=-x\nUSER=y\n")
    service = loads(f"PROJECT_NAME=nova\nNAME=nap\nDEFAULT_DIR={tmp_path}\n")
    assert (
        f"{tmp_path}/nap:3: DAEMON_OPTS has no effect; did you mean DAEMON_ARGS?",
        f"{tmp_path}/nap:4: USER has no effect; did you mean SERVICE_USER?",
    ) == service.doubts


def test_service_with_doubts_can_be_copied_and_pickled(tmp_path: Path) -> None:
    """Another process finds the same doubts."""
    service = pickle.loads(pickle.dumps(loads("DAEMON_OPTS=-x\n")))
    assert (1, "/bin/sleep") == (len(service.doubts), service.executable)


def test_proposed_variables_exist() -> None:
    """Each is a field, or one of Debian's variables."""
    ours = {word.removeprefix("SERVICE_").lower() for word in MEANT.values()}
    assert ours <= {*KINDS, "daemon_args", "daemon", "desc"}


def test_doubts_are_printed_by_verbs_that_start(services) -> None:
    """Not by a status, which is asked often."""
    text = f"DAEMON=/bin/sleep\nDAEMON_ARGS=1000\nDAEMON_USER=nobody\nPIDFILE={services.pidfile}\n"
    (services.directory / "nap").write_text(text)
    reason = f"{services.directory}/nap:3: DAEMON_USER has no effect; did you mean SERVICE_USER?\n"
    for verb in ("start", "restart", "show-args"):
        assert f"ssd-service: warning: {reason}" == services("nap", verb).stderr
    assert ("", "") == (services("nap", "status").stderr, services("nap", "stop").stderr)
    assert f"ssd-service: warning: {reason}" == services("all", "start").stderr
    assert "" == services("all", "status").stderr
    done = services("generate", "sysv", "nap")
    assert (0, f"ssd-service: warning: {reason}") == (done.returncode, done.stderr)
    done = services("generate", "sysv", "nap", "--strict")
    assert (1, "") == (done.returncode, done.stdout)


LOST = {
    "declare -x A=1": "sh(1) does not know the command declare",
    "SERVICE_UMASK = 077": "sh(1) does not know the command SERVICE_UMASK; an "
    "assignment must have no blank before =",
    "if true; then source-of-it x; fi": "sh(1) does not know the command source-of-it",
    "nosuchcommand 2>/dev/null": None,
    "command -v nosuchcommand || :": None,
    "echo nap: 1: x: not found >&2": None,
    f"echo {FILE}: 4: not found >&2; echo >&2; echo {FILE}: >&2": None,
    "for i in 1 2; do declare x; done": "sh(1) does not know the command declare",
}


@pytest.mark.parametrize("line", LOST)
def test_command_that_the_shell_does_not_find_is_a_doubt(line: str) -> None:
    """A blank before "=" leaves the program without arguments; bash's commands are not sh(1)'s."""
    service = loads(f"{line}\n", "#!/usr/bin/env ssd-service\n")
    assert ((f"{FILE}:4: {LOST[line]}",) if LOST[line] else ()) == service.doubts


def test_unknown_command_in_the_administrators_file_is_a_doubt(tmp_path: Path) -> None:
    """It has the path of that file."""
    (tmp_path / "nap").write_text("A=1\nDAEMON_ARGS = 3\n")
    service = loads(f"DEFAULT_DIR={tmp_path}\n", DEFAULT_DIR=os.fsencode(tmp_path))
    said = "sh(1) does not know the command DAEMON_ARGS; an assignment must have no blank before ="
    assert (f"{tmp_path}/nap:2: {said}",) == service.doubts


def test_readonly_variable_is_an_assignment() -> None:
    """By readonly."""
    (told,) = loads("readonly RUNAS=nobody\n").doubts
    assert told.endswith("RUNAS has no effect; did you mean SERVICE_USER?")
