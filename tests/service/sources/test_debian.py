"""The variables of Debian's init scripts, and the fields that they set."""

from pathlib import Path

import pytest

from ssd.service import DeclarationError, Service
from ssd.service.sources import debian, shell

ENVIRONMENT = {b"PATH": b"/usr/bin:/bin"}


def loads(text: str, file: str = "/etc/init.d/atd") -> Service:
    """Read a text with hardly any environment."""
    return shell.loads(text, file, ENVIRONMENT)


INIT_D = """\
#!/usr/bin/env /lib/init/init-d-script
### BEGIN INIT INFO
# Provides:          atd
# Required-Start:    $syslog $time $remote_fs
# Required-Stop:     $syslog $time $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Deferred execution scheduler
### END INIT INFO
DAEMON=/usr/sbin/atd
PIDFILE=/var/run/atd.pid
"""


def test_init_d_script_follows_its_own_rules() -> None:
    """The daemon detaches itself, and is matched by pidfile, program and name."""
    service = loads(INIT_D, "/etc/init.d/atd")
    assert {
        "name": "atd",
        "description": "Deferred execution scheduler",
        "executable": "/usr/sbin/atd",
        "pidfile": "/var/run/atd.pid",
        "process_name": "atd",
        "match_executable": True,
        "stop_schedule": "TERM/0/CONT/30/KILL/5",
        "background": False,
        "provides": ["atd"],
        "required_start": ["$syslog", "$time", "$remote_fs"],
        "required_stop": ["$syslog", "$time", "$remote_fs"],
        "default_start": ["2", "3", "4", "5"],
        "default_stop": ["0", "1", "6"],
        "short_description": "Deferred execution scheduler",
    } == service.to_dict()


@pytest.mark.parametrize(
    ("lines", "name"), [("", "atd2"), ("NAME=x\n", "x"), ("DAEMON=none\n", "atd")], ids=str
)
def test_init_d_script_is_named_after_its_program(lines: str, name: str) -> None:
    """Unless it sets NAME; without a program the header gives the name."""
    text = INIT_D.replace("PIDFILE=/var/run/atd.pid", "DAEMON=/usr/sbin/atd2") + lines
    service = loads(text)
    found = (service.name, service.pidfile, service.process_name)
    assert (name, f"/run/{name}.pid", name) == found


def test_variables_of_an_init_d_script_become_fields() -> None:
    """All those of init-d-script(5)."""
    text = INIT_D + (
        "DESC='the daemon'\nNAME=other\nCOMMAND_NAME=none\nDAEMON_ARGS='-f  -l 1'\n"
        "RELOAD_SIGNAL=1\nSTOP_ARGS='--retry INT/2/KILL/1'\n"
        "START_ARGS='--background --make-pidfile -c daemon:adm --chdir /tmp -k 077 -N 5 -P rr:1"
        " --notify-await --notify-timeout 9'\n"
    )
    found = loads(text).to_dict()
    wanted = {
        "name": "other", "description": "the daemon", "arguments": ["-f", "-l", "1"],
        "reload_signal": "1", "stop_schedule": "INT/2/KILL/1", "user": "daemon", "group": "adm",
        "working_directory": "/tmp", "umask": "077", "nice": 5, "cpu_scheduling": "rr:1",
        "readiness": {"kind": "notify", "timeout": 9},
    }  # fmt: skip
    assert wanted == {key: found[key] for key in wanted}
    assert {"background", "process_name"}.isdisjoint(found)


def test_functions_of_an_init_d_script_become_hooks(tmp_path: Path) -> None:
    """They are called by the shell that read them."""
    file = tmp_path / "atd"
    file.write_text(INIT_D + "do_start_prepare() { echo prepared; }\ndo_stop_cleanup() { :; }\n")
    service = shell.read(str(file), ENVIRONMENT)
    assert service.before_start.endswith("; do_start_prepare")
    assert service.after_stop.endswith("; do_stop_cleanup")
    assert ("", "") == (service.after_start, service.before_stop)


@pytest.mark.parametrize(
    ("text", "near"),
    [("SERVICE_UMAKS=1\n", "SERVICE_UMASK"), ("DEAMON=x\n", "DAEMON")],
)
def test_misspelt_variable_is_an_error(text: str, near: str) -> None:
    """It has the line, and the variable that was probably meant."""
    with pytest.raises(DeclarationError) as caught:
        debian.check_spelling(f"A=1\n{text}", "/etc/ssd/nap")
    assert (2, near) == (caught.value.line, caught.value.nearest)


@pytest.mark.parametrize("text", ["DEAMON=x\nDAEMON=$DEAMON\n", "XYZZY=1\n", "DAEMON=/x\n"])
def test_own_variable_of_a_file_is_no_misspelling(text: str) -> None:
    """If the file uses it, or if it is not similar to a known one."""
    debian.check_spelling(text, "/etc/ssd/nap")
