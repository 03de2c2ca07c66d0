"""OpenRC's own openrc-run runs the generated scripts."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from kit import debian, namespace

from ssd.service import Service
from ssd.service.generators import openrc
from ssd.service.generators.sheet import Inexpressible

from . import samples

# Lays OpenRC over the machine's files, and creates the state after a boot.
INSTALL = """
set -e
mkdir /tmp/over; mount -t tmpfs tmpfs /tmp/over
for top in etc usr; do
    mkdir -p /tmp/over/$top /tmp/over/$top.work
    layers=lowerdir=/$top,upperdir=/tmp/over/$top,workdir=/tmp/over/$top.work
    mount -t overlay -o $layers overlay /$top || { echo no overlay here; exit 77; }
done
cp -a "$1/etc/." /etc/; cp -a "$1/usr/." /usr/
for top in lib sbin; do # of Debian 12; later all is in usr
    [ ! -d "$1/$top" ] || cp -a "$1/$top/." "/usr/$top/"
done
ldconfig -X
rm -f /etc/init.d/*
for name in starting stopping started inactive wasinactive failed hotplugged daemons options \
    exclusive scheduled init.d tmp; do
    mkdir -p "/run/openrc/$name"
done
touch /run/openrc/softlevel
cp -p "$2" /etc/init.d/x; S=/etc/init.d/x
set +e
"""
DAEMON = """#!/usr/bin/python3
import os, resource, sys, time
told = [sys.argv[1:], os.getcwd(), os.environ.get("V"), resource.getrlimit(resource.RLIMIT_NOFILE),
        os.getpriority(0, 0), open("/proc/self/oom_score_adj").read().strip(), os.getuid()]
with open("/tmp/given.new", "w") as file:
    print(*map(ascii, told), sep="\\n", file=file)
os.rename("/tmp/given.new", "/tmp/given")
time.sleep(1000)
"""

Machine = Callable[..., str]


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("text", samples.HOSTILE)
def test_shells_can_parse_the_script(text: str, shell: str, run: Run, tmp_path: Path) -> None:
    """sh -n reports nothing, for any text in the declaration."""
    fields = {**samples.hostile(text), "root": None}
    script = tmp_path / "script"
    script.write_text(openrc.generate(samples.everything(**fields)).text())
    done = run(shell, "-n", script)
    assert (0, "") == (done.returncode, done.stderr)


def test_rights_are_variables_of_its_own_tool() -> None:
    """Capabilities as libcap writes them, securebits as a number."""
    service = samples.least(capabilities="^kill,!bpf", securebits="noroot", no_new_privs=True)
    lines = openrc.generate(service).text().splitlines()
    assert {"capabilities='^cap_kill,!cap_bpf'", "secbits=1", "no_new_privs=yes"} <= {*lines}


@pytest.fixture
def machine(run: Run, tmp_path: Path) -> Machine:
    """Return a function that runs shell code with an OpenRC service ``$S``, for its output."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if namespace.obstacle():
        pytest.skip(str(namespace.obstacle()))
    root = debian.unpack("openrc")

    ours = str(Path(sys.executable).with_name("ssd"))

    def machine(service: Service, commands: str) -> str:
        script = tmp_path / "script"
        script.write_text(openrc.generate(service).text())
        script.chmod(0o755)
        (tmp_path / "daemon").write_text(DAEMON)
        (tmp_path / "daemon").chmod(0o755)
        program = f'{INSTALL}\ncp -p "$3" /tmp/daemon\n{commands}'
        words = ["sh", "-c", program, "sh", str(root), str(script), str(tmp_path / "daemon"), ours]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = run(*namespace.command(words, keep=[tmp_path, root]), env=environment)
        if done.returncode == 77:
            pytest.skip("no overlay file system can be mounted here")
        return str(done.stdout)

    return machine


WAIT = 'n=0; until [ -s "$1" ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 9; sleep 0.1; done'
# OpenRC's start-stop-daemon does not wait until its child has written the pidfile.
# dpkg's tool writes the pid before its child executes the program: --exec would not match yet.
EXECUTED = """n=0; while grep -qs '^start-stop-daem' "/proc/$(cat /run/x.pid)/comm"; do
    n=$((n + 1)); [ $n -lt 600 ] || exit 9; sleep 0.1
done"""
RECORDED = f"{{ set -- /run/x.pid; {WAIT}; {EXECUTED}; }}"


def test_whole_life(machine: Machine) -> None:
    """Describe, start, status, stop, status."""
    service = samples.least(
        description="a description; $x", should_start=["mysql"], provides=["also-x"]
    )
    commands = f"""
for verb in describe start status stop status; do
    "$S" $verb > /tmp/said 2>&1; echo "$verb $?"; grep -o 'a description; .x' /tmp/said
    [ $verb != start ] || {RECORDED}
done
grep -E "_(iuse|iprovide)_.*'(mysql|also-x)'" /run/openrc/deptree | cut -d= -f2"""
    lines = machine(service, commands).splitlines()
    life = ["describe 0", "a description; $x", "start 0", "status 0", "stop 0", "status 3"]
    assert life == lines[:6]
    assert {"'mysql'", "'also-x'"} <= set(lines[6:])


def test_program_gets_what_was_declared(machine: Machine) -> None:
    """Words, directory, environment, limits, niceness and score."""
    words = ["a  b", "$x", "", "'", '"', "\\", "line\nline\t", "`false`", "*", ";", "%", "/tmp/*"]
    service = Service(
        name="x", executable="/usr/bin/python3", arguments=["/tmp/daemon", *words],
        working_directory="/tmp/a b", environment={"V": "it's $v"}, nice=3, oom_score=100,
        limits={"nofile": "64:128"}, before_start="touch '/tmp/before it'", user="daemon",
        directories=["/tmp/a b", {"path": "/run/y", "mode": "0750", "user": "daemon"}],
        log_file="/var/log/x.log", after_stop="touch /tmp/after",
    )  # fmt: skip
    commands = f"""
chmod 1777 /tmp; "$S" start > /tmp/said 2>&1 || cat /tmp/said; set -- /tmp/given; {WAIT}
cat /tmp/given; stat -c '%a %U %G' /run/y; "$S" stop > /tmp/said 2>&1 || cat /tmp/said
ls -d '/tmp/before it' /tmp/after"""
    expected: list[Any] = [
        words,
        "/tmp/a b",
        "it's $v",
        (64, 128),
        3 if (debian.unpack("openrc") / OWN).exists() else min(19, os.nice(0) + 3),
        "100",
        1,
    ]
    told = [*map(ascii, expected), "750 daemon daemon", "/tmp/after", "/tmp/before it"]
    assert told == machine(service, commands).splitlines()


OWN = "usr/lib/rc/sbin/start-stop-daemon"  # from Debian 13 on
# Replaces OpenRC's own tool, which Debian 12 lacks. If nothing runs, a stop succeeds, but fails
# with --oknodo; a signal without --stop does not stop (start-stop-daemon.c).
OPENRCS = """#!/bin/sh
case $1 in
--version) echo 'start-stop-daemon (OpenRC) 0.45.2' ;;
*) echo "$*" >> /tmp/asked ;;
esac
"""
# A zombie counts as ended, because no process may reap it inside.
ENDED = """n=0; while grep -qs 'State:.[^Z]' /proc/$pid/status; do
    n=$((n + 1)); [ $n -lt 600 ] || exit 9; sleep 0.1
done"""
PLACES = {
    "dpkg's": "",
    "ours": 'ln -sf "$4" /usr/sbin/start-stop-daemon',
    "ours, supervised": 'ln -sf "$4" /usr/sbin/start-stop-daemon',
}


@pytest.mark.parametrize("place", PLACES)
def test_stop_after_a_kill_is_a_success(place: str, machine: Machine) -> None:
    """As with OpenRC's own start-stop-daemon; a running service is still stopped."""
    fields = {"respawn": {"when": "always"}} if "supervised" in place else {}
    service = samples.least(**fields)
    commands = f"""
{PLACES[place]}
"$S" start > /tmp/said 2>&1; echo "start $?"; {RECORDED}
pid=$(cat /run/x.pid); kill -KILL $pid
{ENDED}
"$S" stop >> /tmp/said 2>&1; echo "stop $?"; "$S" status >> /tmp/said 2>&1; echo "status $?"
rm -f /run/x.pid; "$S" start >> /tmp/said 2>&1; echo "start $?"; {RECORDED}
pid=$(cat /run/x.pid); "$S" stop >> /tmp/said 2>&1; echo "stop $?"; {ENDED}; echo ended"""
    told = ["start 0", "stop 0", "status 3", "start 0", "stop 0", "ended"]
    assert told == machine(service, commands).splitlines()


def test_openrcs_own_tool_gets_its_own_options(machine: Machine) -> None:
    """Its --oknodo fails if nothing runs, and its --stop removes the pidfile."""
    service = samples.least(reload_signal="HUP")
    commands = f"""
tool=/{OWN}; [ -e $tool ] || tool=/usr/sbin/start-stop-daemon
cat > $tool << 'X'\n{OPENRCS}X
chmod 755 $tool
for verb in start reload stop; do "$S" $verb > /tmp/said 2>&1; echo "$verb $?"; done
grep -v -e --start /tmp/asked""".replace("\\n", "\n")
    told = machine(service, commands).splitlines()
    assert ["start 0", "reload 0", "stop 0"] == told[:3]
    reload, stop = told[3:]
    assert "--signal HUP --pidfile /run/x.pid" == reload
    assert "--oknodo" not in stop and "--stop --retry TERM/30/KILL/5" in stop


@pytest.mark.parametrize("place", ["dpkg's", "ours"])
def test_reload_is_a_signal(place: str, machine: Machine) -> None:
    """The daemon gets it and continues."""
    script = "trap 'echo reloaded > /tmp/heard' USR1; echo > /tmp/given; while :; do sleep 1; done"
    service = samples.least(executable="/bin/bash", arguments=["-c", script], reload_signal="USR1")
    commands = f"""
{PLACES[place]}
"$S" start > /tmp/said 2>&1; {RECORDED}; set -- /tmp/given; {WAIT}
"$S" reload > /tmp/said 2>&1; echo "reload $?"; set -- /tmp/heard; {WAIT}; cat /tmp/heard
"$S" stop > /tmp/said 2>&1; echo "stop $?" """
    assert ["reload 0", "reloaded", "stop 0"] == machine(service, commands).splitlines()


def test_failing_hook_does_not_prevent_a_stop(machine: Machine) -> None:
    """It is reported, as by ssd-service."""
    hooks = dict.fromkeys(("after_start", "before_stop", "after_stop"), "exit 5")
    commands = f"""
for verb in start status stop status; do
    "$S" $verb >> /tmp/said 2>&1; echo "$verb $?"; [ $verb != start ] || {RECORDED}
done
grep -o '[a-z]*_st[a-z]* failed' /tmp/said"""
    told = [f"{field} failed" for field in hooks]
    life = ["start 0", "status 0", "stop 0", "status 3"]
    assert [*life, *told] == machine(samples.least(**hooks), commands).splitlines()


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_values_are_not_executed(text: str, machine: Machine) -> None:
    """Every value is data for the script and for the shell after it."""
    fields = samples.hostile(text)
    kept = ("arguments", "description", "environment", "documentation", "usage", "author")
    service = samples.least(
        **{name: fields[name] for name in kept},
        executable="/bin/sh",
        before_start="touch /tmp/before",
    )
    service.arguments = ["-c", "exec sleep 1000", *service.arguments]
    service.environment_files = []
    commands = """
"$S" describe > /tmp/said 2>&1; "$S" start > /tmp/said 2>&1; ls /tmp/before
ls /tmp | grep -c '^broken-out$'"""
    assert "/tmp/before\n0\n" == machine(service, commands)


@pytest.mark.parametrize("field", ["executable", "pidfile", "root"])
def test_paths_with_blanks_are_refused(field: str) -> None:
    """A stop cannot quote blanks, and a script that cannot stop is useless."""
    with pytest.raises(Inexpressible, match=field):
        openrc.generate(samples.least(**{field: "/a b"}))


def test_respawn_makes_supervise_daemon_the_supervisor() -> None:
    """supervise-daemon does not look at exit statuses."""
    sheet = openrc.generate(samples.least(respawn={"when": "failure", "delay": 1.5}))
    lines = sheet.text().splitlines()
    assert {"supervisor=supervise-daemon", "respawn_delay=2", "respawn_max=10"} <= set(lines)
    assert ["respawn"] == [field for field, _ in sheet.losses]


def test_health_is_a_function_of_what_is_supervised() -> None:
    """supervise-daemon(8) calls it every so many seconds; it has no retries."""
    check = {"kind": "command", "command": ["/bin/true", "well"], "interval": 20, "retries": 1}
    sheet = openrc.generate(samples.least(respawn={"when": "always"}, health=check))
    text = sheet.text()
    assert "healthcheck_timer=20\n" in text
    assert "healthcheck() {\n    /bin/true well\n}" in text
    assert [] == sheet.losses
    assert ["health"] == [field for field, _ in openrc.generate(samples.least(health=check)).losses]


def test_service_must_stay_for_its_seconds() -> None:
    """A function checks the pidfile, where the process of the pidfile is the service."""
    stays = {"kind": "stays", "timeout": 2.5}
    sheet = openrc.generate(samples.least(readiness=stays))
    assert "start_post() {\n    local left=3\n" in sheet.text()
    assert [] == sheet.losses
    sheet = openrc.generate(samples.least(readiness=stays, respawn={"when": "always"}))
    assert "readiness" in [field for field, _ in sheet.losses]


# A schedule -> the same for OpenRC's start-stop-daemon, where 0 is a successful end.
SCHEDULES = {
    "TERM/30/KILL/5": "TERM/30/KILL/5",
    "30": "TERM/30/KILL/30",
    "TERM/0/CONT/30/KILL/5": "TERM/CONT/30/KILL/5",
    "TERM/0/KILL/0": "TERM/KILL/0",
    "-1/5/-34/6": "HUP/5/-34/6",
    "TERM/30/forever/KILL/1": "TERM/30/forever/KILL/1",
    "forever/TERM/0": "forever/TERM/1",
    "forever/TERM/0/KILL/1": "forever/TERM/KILL/1",
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedule_is_translated_for_openrc(schedule: str) -> None:
    """There a time alone sends no KILL, and a wait of 0 ends the schedule."""
    text = openrc.generate(samples.least(stop_schedule=schedule)).text()
    assert f"\nretry={SCHEDULES[schedule]}\n" in text


@pytest.mark.parametrize("when", ["never", "always"])
def test_service_of_openrc_has_answers_in_json(machine: Machine, when: str) -> None:
    """Also one whose pidfile is that of supervise-daemon(8), which is never the process itself."""
    service = samples.least(respawn={"when": when})
    declared = """mkdir /tmp/declared; cat > /tmp/declared/x.toml << 'END'
executable = "/bin/sleep"
arguments = ["1000"]
END
ours="$(dirname "$4")/ssd-service --directory=/tmp/declared"
"""
    commands = f"""{declared} rc-service x start > /tmp/said 2>&1 || cat /tmp/said; {RECORDED}
for words in "status" "restart --plan" "restart" "stop"; do
    set -- /run/x.pid; [ "$words" = stop ] && {{ {WAIT}; {EXECUTED}; }}
    $ours x $words --json 2> /tmp/said || cat /tmp/said
    echo ,
done
"""
    told = json.loads(f"[{machine(service, commands)} null]")[:-1]
    status, plan, restart, stop = told
    assert ["running"] * 3 + ["stopped"] == [each["state"] for each in told]
    assert [["/bin/sleep", "1000"]] == [each["cmdline"] for each in status["processes"]]
    assert status["before"] == plan["before"]
    assert ["stop", "start"] == plan["actions"] == restart["actions"]
    assert [each["pid"] for each in restart["before"]["processes"]] == [
        each["pid"] for each in status["processes"]
    ]
    (old,), (new,) = (restart[look]["processes"] for look in ("before", "after"))
    assert (True, False) == (old["ended"], new["ended"])
    assert (["stop"], "done", True) == tuple(stop[key] for key in ("actions", "outcome", "changed"))
