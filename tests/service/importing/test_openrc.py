"""Scripts of OpenRC, in a trace with a stand-in for their interpreter."""

import os
from pathlib import Path

import pytest

from ssd.service.importing import openrc

from .conftest import TellScript

SCRIPT = """#!/sbin/openrc-run
description="a web server"
command=@daemon
command_args="-p 80 'two words'"
command_user=daemon:daemon
command_background=yes
pidfile=/run/web/$RC_SVCNAME.pid
directory=/srv
umask=027
output_log=/var/log/web.log
error_log=/var/log/web.err
retry=QUIT/9/KILL/5
start_stop_daemon_args="--env MODE=live --ionice 2:7 --wait 50"
extra_started_commands=reload
depend() {
    need net db
    use logger
    after firewall
    provide www
}
start_pre() { checkpath -d -m 0750 -o daemon:daemon /run/web; }
reload() {
    ebegin Reloading
    start-stop-daemon --signal HUP --pidfile $pidfile
    eend $?
}
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can put a stand-in into /sbin")
def test_script_of_openrc_is_imported(script: TellScript, tmp_path: Path) -> None:
    """Its variables, its functions before the start, and its dependencies."""
    service, notes = script(SCRIPT)
    assert {
        "name": "web",
        "description": "a web server",
        "executable": str(tmp_path / "daemon"),
        "arguments": ["-p", "80", "two words"],
        "pidfile": "/run/web/web.pid",
        "user": "daemon",
        "group": "daemon",
        "directories": [{"path": "/run/web", "mode": "0750", "user": "daemon", "group": "daemon"}],
        "working_directory": "/srv",
        "environment": {"MODE": "live"},
        "umask": "027",
        "io_scheduling": "best-effort:7",
        "stdout": "/var/log/web.log",
        "stderr": "/var/log/web.err",
        "stop_schedule": "QUIT/9/KILL/5",
        "reload_signal": "HUP",
        "requires": ["db"],
        "after": ["firewall"],
        "provides": ["www"],
        "required_start": ["$network"],
        "should_start": ["$syslog"],
    } == service.to_dict()
    assert [] == notes


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can put a stand-in into /sbin")
def test_supervised_program_is_respawned(script: TellScript) -> None:
    """supervise-daemon keeps it in the foreground, so a start sends it to the background."""
    service, _ = script("""#!/sbin/openrc-run
supervisor=supervise-daemon
command=@daemon
command_args_foreground=-F
stop_post() { yesno NO || yesno command || echo stopped; }
""")
    assert service.background
    assert ["-F"] == service.arguments
    assert "always" == service.respawn["when"]
    assert "TERM/5" == service.stop_schedule


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("-S -x /x -u web -- -u web", "-S -x /x --chuid web -- -u web"),
        ("-S --user=web -b -1 /l --stderr=/e", "-S --chuid=web -b --stdout /l --stderr=/e"),
        ("-S -1 /l --stderr=/e", "-S"),
        ("-S -I 3 -P --secbits=noroot", "-S --iosched idle --securebits=noroot"),
        ("-s HUP -p /p", "--stop -s HUP -p /p"),
        ("-S --ionice=1:4 -w 100 --stdout-logger=x", "-S --iosched real-time:4"),
    ],
)
def test_options_are_translated(words: str, made: str) -> None:
    """Those that mean something else, or nothing, in start-stop-daemon."""
    assert made.split() == openrc.translated(["x", *words.split()])[1:]


@pytest.mark.parametrize(
    ("line", "truth"),
    [("#!/sbin/openrc-run", True), ("#! /sbin/runscript", True), ("#!/bin/sh openrc", False)],
)
def test_interpreter_tells_a_script_of_openrc(line: str, truth: bool) -> None:
    """Also under its old name."""
    assert truth == openrc.interprets(line)
