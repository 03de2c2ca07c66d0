"""Init scripts, run in a trace and written down as declarations."""

import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from kit import namespace, users

from ssd.service import DeclarationError
from ssd.service.importing import sysv
from ssd.service.importing.trace import sandbox

from .conftest import TellScript

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="su(1) works for root only")

SKELETON = """
### BEGIN INIT INFO
# Provides:          web
# Required-Start:    $network
# Default-Start:     2 3
# Short-Description: the web
### END INIT INFO
[ -r @dir/default ] && . /etc/default/web-of-test
PIDFILE=/run/web-of-test.pid
case "$1" in
start)
    mkdir -p /run/web-of-test
    chmod 750 /run/web-of-test
    export MODE=live
    umask 077
    ulimit -n 100
    cd /usr
    start-stop-daemon --start --test --quiet --pidfile $PIDFILE --exec @daemon > /dev/null || exit 1
    start-stop-daemon --start --quiet --pidfile $PIDFILE --chuid daemon --nicelevel 3 \\
        --exec @daemon -- --port 80 "two words" || exit 2 ;;
stop)
    start-stop-daemon --stop --quiet --retry=INT/20/KILL/5 --pidfile $PIDFILE --name daemon
    [ "$?" = 2 ] && exit 2
    start-stop-daemon --stop --quiet --oknodo --retry=0/30/KILL/5 --exec @daemon
    rm -f $PIDFILE ;;
reload) start-stop-daemon --stop --signal USR1 --quiet --pidfile $PIDFILE ;;
graceful) exit 0 ;;
esac
"""


def test_skeleton_is_imported_as_it_runs(script: TellScript, tmp_path: Path) -> None:
    """Debian's: the daemon in the foreground of start-stop-daemon goes to the background itself."""
    service, notes = script(SKELETON)
    assert {
        "name": "web",
        "description": "the web",
        "executable": str(tmp_path / "daemon"),
        "arguments": ["--port", "80", "two words"],
        "pidfile": "/run/web-of-test.pid",
        "process_name": "daemon",
        "user": "daemon",
        "directories": [{"path": "/run/web-of-test", "mode": "0750"}],
        "environment": {"MODE": "live"},
        "umask": "077",
        "limits": {"nofile": 100},
        "nice": 3,
        "stop_schedule": "INT/20/KILL/5",
        "reload_signal": "USR1",
        "background": False,
        "required_start": ["$network"],
        "default_start": ["2", "3"],
        "short_description": "the web",
    } == service.to_dict()
    assert [
        "start: reads /etc/default/web-of-test, which is not here: "
        "the declaration does not follow it",
        "verbs: a declaration has no graceful",
    ] == notes
    assert not os.path.exists("/run/web-of-test")


@as_root
def test_su_and_signals_are_traced(script: TellScript) -> None:
    """The user is the one whom the kernel shows; the schedule is that of kill and sleep."""
    service, notes = script("""
    case "$1" in
    start) su -s /bin/sh daemon -c "cd /var; umask 027; nohup /usr/bin/perl -w x \\
               >> /var/tmp/web.log 2>&1 & echo \\$! > /tmp/web.pid" ;;
    stop) pid=$(cat /tmp/web.pid); kill -INT $pid
          for i in 1 2 3 4; do kill -0 $pid || exit 0; sleep 2; done; kill -9 $pid ;;
    reload) kill -HUP $(cat /tmp/web.pid) ;;
    esac""")
    assert "/usr/bin/perl" == service.executable
    assert ["-w", "x"] == service.arguments
    assert "daemon" == service.user
    assert "/var" == service.working_directory
    assert "027" == service.umask
    assert "/var/tmp/web.log" == service.output
    assert "/tmp/web.pid" == service.pidfile
    assert "daemon" == service.environment["USER"]
    assert service.background
    assert "INT/8/KILL/5" == service.stop_schedule
    assert "HUP" == service.reload_signal
    assert [] == notes


def test_daemon_of_its_own_is_found_by_its_pidfile(script: TellScript) -> None:
    """It goes to the background itself; a check before it is no daemon."""
    service, notes = script("""
    case "$1" in
    start) @daemon --check || exit 6
           @daemon -d --pid=/run/web.pid; [ -s /run/web.pid ] || exit 7 ;;
    stop) kill `cat /run/web.pid` ;;
    esac""")
    assert ["-d", "--pid=/run/web.pid"] == service.arguments
    assert not service.background
    assert "/run/web.pid" == service.pidfile
    assert "TERM/30" == service.stop_schedule
    assert [
        "start: runs @dir/daemon --check before: write it as before_start if it is needed",
        "stop: does not wait for the end: 30 seconds are declared",
    ] == notes


def test_daemon_without_a_pidfile_is_found_by_its_file(script: TellScript) -> None:
    """As the script finds it; but never in a container."""
    service, notes = script("[ $1 = stop ] && exec pkill daemon; @daemon -d")
    assert ("none", True) == (service.pidfile, service.same_namespace)
    assert service.match_interpreted
    assert not service.match_executable
    assert "pidfile: the script knows none: the daemon is found by its program" in notes


def test_interpreter_alone_finds_no_daemon(script: TellScript) -> None:
    """A stop would end all that it runs."""
    service, notes = script("[ $1 = stop ] && exec pkill perl; /usr/bin/perl -d @daemon")
    assert "/run/web.pid" == service.pidfile
    assert any("/usr/bin/perl runs more than this daemon" in note for note in notes)


@as_root
def test_files_that_are_given_away_are_told(script: TellScript) -> None:
    """And those that are written: some by name, the rest by number."""
    service, notes = script("""
    chmod 1777 /srv
    echo x > /srv/b; for i in 1 2 3 4 5 6; do echo x > /srv/c$i; done; rm -f /etc/hostname
    install -o daemon /dev/null /srv/a
    [ $1 = stop ] || start-stop-daemon --start --background --exec @daemon
    """)
    assert [
        "[ -e /srv/a ] || install -m 0755 -o daemon -g root /dev/null /srv/a",
        "chown root:root /srv; chmod 1777 /srv",
    ] == sorted(service.before_start.split("\n"))
    assert "start: removes /etc/hostname" in notes
    assert any(re.fullmatch(r"start: writes (/srv/\w+, ){4}/srv/\w+ and 2 more", n) for n in notes)


@as_root
def test_ordinary_user_needs_a_user_namespace(tmp_path: Path) -> None:
    """In which su cannot work; the rest does."""
    if namespace.obstacle() is not None or not users.nobody_runs_python():
        pytest.skip("another user cannot run this Python")
    code = (
        "import sys; from ssd.service.importing import sysv\n"
        "made = sysv.read(sys.argv[1], root=False)\n"
        "print(made.services[0].to_dict(), *made.notes, sep='\\n')"
    )
    text = """#!/bin/sh
        mkdir /tmp/made /run/web; setpriv --reuid 1 true
        [ $1 = stop ] || start-stop-daemon --start --background --chuid daemon --exec /usr/bin/perl
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        file = Path(directory, "web")
        file.write_text(text)
        for path in (file, Path(directory)):
            path.chmod(0o755)
            os.chown(path, users.NOBODY, users.NOBODY)
        done = subprocess.run(
            [sys.executable, "-c", code, str(file)], **users.as_nobody(), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    if "cannot be traced here" in done.stderr:
        pytest.skip("another user may not make a user namespace")
    assert "" == done.stderr
    assert "'user': 'daemon'" in done.stdout
    assert "'directories': [{'path': '/run/web'}]" in done.stdout
    assert "user: su and its like cannot change the user in a trace that is not root's" in (
        done.stdout
    )


@as_root
def test_functions_of_red_hat_have_a_stand_in(script: TellScript) -> None:
    """Where the file itself is missing; killproc waits three seconds."""
    service, notes = script("""
    . /etc/rc.d/init.d/functions
    pidfile=/run/web/pid
    case "$1" in
    start) install -d -o daemon /run/web
           daemon --user=daemon --pidfile=$pidfile +5 /usr/bin/perl -d --pid $pidfile
           touch /var/lock/subsys/web ;;
    stop) killproc -p $pidfile perl; rm -f /var/lock/subsys/web ;;
    reload) killproc -p $pidfile perl -HUP ;;
    esac""")
    assert ("/usr/bin/perl", ["-d", "--pid", "/run/web/pid"]) == (
        service.executable,
        service.arguments,
    )
    assert ("daemon", 5) == (service.user, service.nice)
    assert "/run/web/pid" == service.pidfile
    assert "TERM/3/KILL/5" == service.stop_schedule
    assert "HUP" == service.reload_signal
    assert ["functions: /etc/init.d/functions is not here: a stand-in took its place"] == notes


@pytest.mark.skipif(not os.path.exists("/lib/init/init-d-script"), reason="Debian's")
def test_init_d_script_is_traced(script: TellScript, tmp_path: Path) -> None:
    """Its interpreter is a script itself; Debian 13's sends the signals in another order."""
    shipped = Path("/lib/init/init-d-script").read_text()
    (schedule,) = re.findall(r"--retry=(\S*/0/\S*)", shipped)
    service, _ = script("""#!/usr/bin/env /lib/init/init-d-script
DAEMON=@daemon
DAEMON_ARGS="-a b"
NAME=daemon
PIDFILE=/run/web/pid
do_start_prepare() { mkdir /run/web; }
""")
    assert {
        "name": "web",
        "executable": str(tmp_path / "daemon"),
        "arguments": ["-a", "b"],
        "pidfile": "/run/web/pid",
        "process_name": "daemon",
        "directories": [{"path": "/run/web"}],
        "environment": {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        "stop_schedule": schedule,
        "background": False,
    } == service.to_dict() | {"environment": {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}}


def test_program_that_is_not_installed_gets_a_stand_in(script: TellScript) -> None:
    """Scripts leave at once without their program: it is made, where it would be."""
    service, notes = script("""
    PROG=@dir/sbin/absent
    test -x $PROG || exit 5
    [ "$1" = stop ] || start-stop-daemon --start --background --exec $PROG
    [ "$1" = start ] || start-stop-daemon --stop --exec $PROG
    """)
    assert service.executable is not None
    assert service.executable.endswith("/sbin/absent")
    assert service.background
    assert "start: @dir/sbin/absent: not installed here, a stand-in took its place" in notes


def test_script_that_is_not_executable_is_run(tmp_path: Path) -> None:
    """By its interpreter, as it is unpacked from a package."""
    if namespace.obstacle() is not None:
        pytest.skip(str(namespace.obstacle()))
    file = tmp_path / "web.sh"
    file.write_text("#!/bin/sh -e\n[ $1 = stop ] || start-stop-daemon -Sbx /usr/bin/perl\n")
    (service,) = sysv.read(str(file)).services
    assert ("web", "/usr/bin/perl") == (service.name, service.executable)


def test_script_that_starts_nothing_is_an_error(script: TellScript) -> None:
    """With what it said."""
    with pytest.raises(
        DeclarationError, match="starts no daemon, and ended with status 6; it said: no"
    ):
        script("echo no; exit 6")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-b --env-file /run/only-there", "unable to read --env-file /run/only-there"),
        ("-b --notify-await --wait 5", "no field corresponds to both"),
    ],
)
def test_options_without_a_field_are_an_error(
    options: str, reason: str, script: TellScript
) -> None:
    """The script gives them, and they cannot be written down."""
    with pytest.raises(DeclarationError, match=reason):
        script(f"echo A=1 > /run/only-there; start-stop-daemon -Sx @daemon {options}")


def test_two_daemons_are_one_declaration_and_a_note(script: TellScript) -> None:
    """What is lost has to be said; --strict then writes nothing."""
    service, notes = script("""
    case "$1" in
    start) @daemon -1 & @daemon -2 & sysctl -w vm.overcommit_memory=1 ;;
    stop) pkill daemon; true ;;
    esac""")
    assert ["-1"] == service.arguments
    assert "start: starts @dir/daemon -2, too: it needs a declaration of its own" in notes
    assert (
        "start: runs /usr/sbin/sysctl -w vm.overcommit_memory=1: write it as before_start" in notes
    )


def test_script_that_others_can_write_is_not_run(tmp_path: Path) -> None:
    """It would run as root, if only in a sandbox."""
    file = tmp_path / "web"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o777)
    with pytest.raises(DeclarationError, match="write"):
        sysv.read(str(file))


def test_pipe_is_no_script(tmp_path: Path) -> None:
    """It cannot be run, and may never end; a directory is none either."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(DeclarationError, match="must be a file"):
            sysv.read(str(path))


def test_limits_that_are_here_already_are_seen(script: TellScript) -> None:
    """What the script sets counts, also where this machine's is the same; or it is told."""
    service, notes = script("""
    ulimit -S -n $(ulimit -H -n); ulimit -n 9999999999
    start-stop-daemon --start --background --exec @daemon""")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert {"nofile": hard} == service.limits
    assert any(note.startswith("limits: the trace cannot set one") for note in notes)


def test_pidfile_is_that_of_the_arguments(script: TellScript) -> None:
    """The daemon writes it, whatever start-stop-daemon goes by; an empty option names none."""
    service, notes = script("""
    case "$1" in
    start) start-stop-daemon --start --pidfile "" --exec @daemon -- --pid=/run/webd.pid ;;
    stop) [ ! -s /run/webd.pid ] || start-stop-daemon --stop --pidfile //run/webd.pid --retry 3 ;;
    esac""")
    assert ("/run/webd.pid", "TERM/3/KILL/3") == (service.pidfile, service.stop_schedule)
    service, notes = script("start-stop-daemon --start --exec @daemon -- --pid=/run/webd.pid")
    assert "/run/webd.pid" == service.pidfile
    assert "pidfile: /run/webd.pid is what the arguments of the daemon name" in notes


def test_namespaces_are_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without them nothing runs, and the error says what is missing."""

    def refuse(root: bool) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(sandbox, "separate", refuse)
    file = tmp_path / "web"
    file.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    file.chmod(0o755)
    with pytest.raises(DeclarationError, match="cannot be traced here: unshare: Operation not"):
        sysv.read(str(file))
    assert not (tmp_path / "ran").exists()
