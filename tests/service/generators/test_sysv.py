"""Generated init scripts are valid shell, and work with ssd and with the original."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from kit import debian, namespace
from kit.debian import ORACLE

from ssd.service import Service
from ssd.service.generators import systemd, sysv
from ssd.service.sources.header import parse

from . import samples

Machine = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Service], Path]:
    """Return a function that writes the script of a service."""

    def write(service: Service) -> Path:
        path = tmp_path / "script"
        path.write_text(sysv.generate(service).text(), errors="surrogateescape")
        path.chmod(sysv.MODE)
        return path

    return write


@pytest.mark.parametrize("service", [samples.least(), samples.everything()], ids=["least", "all"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_shells_can_parse_the_script(service: Service, shell: str, write: Any, run: Run) -> None:
    """sh -n reports nothing."""
    done = run(shell, "-n", write(service))
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["plain", *samples.HOSTILE])
def test_shellcheck_reports_nothing(text: str, write: Any, run: Run) -> None:
    """Not even a note, for any text in the declaration."""
    environment = debian.environment(debian.unpack("shellcheck"))
    done = run("shellcheck", write(samples.everything(**samples.hostile(text))), env=environment)
    assert (0, "") == (done.returncode, done.stdout)


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_header_is_what_was_declared(text: str) -> None:
    """No value ends the header or adds a keyword to it."""
    service = samples.least(**samples.hostile(text))
    header = parse(sysv.generate(service).text())
    keywords = ["provides", "required-start", "required-stop", "should-start", "should-stop",
                "default-start", "default-stop", "short-description"]  # fmt: skip
    assert set() == set(header) - {*keywords}
    assert "2 3 4 5" == header["default-start"]


def test_header_has_what_is_required_and_comes_before() -> None:
    """LSB has the same words for a start and for a stop in the opposite order."""
    header = parse(sysv.generate(samples.least(requires=["db"], after=["cache"])).text())
    assert ["db", "db"] == [header["required-start"], header["required-stop"]]
    assert ["cache", "cache"] == [header["should-start"], header["should-stop"]]


def test_header_has_every_lsb_field() -> None:
    """Every LSB field can be read back."""
    service = samples.everything(requires=[], after=[])
    header = parse(sysv.generate(service).text())
    for keyword in ("required-start", "required-stop", "should-start", "should-stop", "provides"):
        assert getattr(service, keyword.replace("-", "_")) == header[keyword].split()
    assert ("5", "0 2") == (header["default-start"], header["default-stop"])
    assert "a short description" == header["short-description"]
    assert "a description" == header["description"]


GENERATOR = Path("/lib/systemd/system-generators/systemd-sysv-generator")

# Declaration -> the pidfile that systemd then knows.
KNOWN: list[tuple[dict[str, Any], str | None]] = [
    ({}, "/run/x.pid"),
    ({"background": False, "pidfile": "/var/run/a b/x.pid"}, "/run/a b/x.pid"),
    ({"pidfile": "none", "match_executable": True}, None),
    ({"task": True}, None),
    ({"pidfile": "/run/x.pid "}, None),
]


@pytest.mark.parametrize("case", range(len(KNOWN)))
def test_header_names_the_pidfile_for_systemd(case: int, tmp_path: Path, run: Run) -> None:
    """Without it systemd takes a service for active until it is stopped."""
    declared, path = KNOWN[case]
    text = sysv.generate(samples.least(**declared)).text()
    assert ([f"# pidfile: {path}"] if path else []) == [
        line for line in text.splitlines() if line.startswith("# pidfile")
    ]
    if not GENERATOR.exists():
        pytest.skip("systemd is not installed")
    for name in ("init.d", "normal", "early", "late", "rc"):
        (tmp_path / name).mkdir()
    script = tmp_path / "init.d" / "x"
    script.write_text(text)
    script.chmod(0o755)
    places = {
        "SYSTEMD_SYSVINIT_PATH": str(script.parent), "SYSTEMD_SYSVRCND_PATH": str(tmp_path / "rc"),
        "SYSTEMD_LOG_TARGET": "console", "SYSTEMD_UNIT_PATH": str(tmp_path / "late"),
    }  # fmt: skip
    directories = [tmp_path / name for name in ("normal", "early", "late")]
    done = run(GENERATOR, *directories, env=places)
    assert 0 == done.returncode, done.stderr
    unit = (tmp_path / "late" / "x.service").read_text().splitlines()
    assert f"RemainAfterExit={'no' if path else 'yes'}" in unit
    assert ([f"PIDFile={path}"] if path else []) == [
        line for line in unit if line.startswith("PIDFile")
    ]


# A real life ---------------------------------------------------------------------------

# The daemon: it writes down what it got, and keeps running.
DAEMON = """#!/bin/sh
{ for word; do printf '<%s>' "$word"; done; echo; pwd; umask; env | sort
  ulimit -n; id -u; id -g; cut -d' ' -f19 /proc/self/stat; } > /tmp/given.new
mv /tmp/given.new /tmp/given
exec sleep 1000
"""
PATIENT = 'n=0; until [ -e "$1" ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 9; sleep 0.1; done'


@pytest.fixture(params=["ssd", "original"])
def machine(request: pytest.FixtureRequest, run: Run, tmp_path: Path, ssd_path: Path) -> Machine:
    """Return a function that runs shell code with ``$S`` as the script; it returns the output.

    The script runs with ssd, and with start-stop-daemon.
    """
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if namespace.obstacle():
        pytest.skip(str(namespace.obstacle()))
    tool = str(ssd_path) if request.param == "ssd" else ORACLE
    if not os.access(tool, os.X_OK):
        pytest.skip(f"{tool} is missing")

    def machine(service: Service, commands: str) -> str:
        script = tmp_path / "script"
        script.write_text(sysv.generate(service).text(), errors="surrogateescape")
        script.chmod(0o755)
        (tmp_path / "daemon").write_text(DAEMON)
        (tmp_path / "daemon").chmod(0o755)
        # All users can execute it there, even if the test's own directory is closed to them.
        program = f'cp -p "{tmp_path}/daemon" /tmp/daemon; S={script}\n{commands}'
        inside = namespace.command(["sh", "-c", program], keep=[tmp_path])
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "START_STOP_DAEMON": tool}
        done = run(*inside, env=environment)
        assert "" == done.stderr
        return str(done.stdout)

    return machine


def daemon(**more: Any) -> Service:
    """Return a service that runs the daemon."""
    return Service(**{"name": "x", "executable": "/tmp/daemon", "description": "a daemon", **more})


LIFE = """
say() { "$S" "$1" > /tmp/said; echo "$1 $? $(cat /tmp/said)"; }
say status; say stop; say start; first=$(cat /run/x.pid); say start; say status
[ "$first" = "$(cat /run/x.pid)" ] && echo the same
say restart; [ "$first" != "$(cat /run/x.pid)" ] && echo another; say try-restart; say force-reload
say stop; [ -e /run/x.pid ] || echo no pidfile; say status; say try-restart; say status
"$S" frobnicate 2> /tmp/usage; echo $?; cut -d' ' -f1 /tmp/usage
"""


def test_whole_life_has_lsb_statuses(machine: Machine) -> None:
    """Start, start again, restart and stop, with status in between."""
    lines = machine(daemon(), LIFE).splitlines()
    assert [
        "status 3 x is not running.", "stop 0 Stopping a daemon: x.",
        "start 0 Starting a daemon: x.", "start 0 Starting a daemon: x.", "status 0 x is running.",
        "the same", "restart 0 Restarting a daemon: x.", "another",
        "try-restart 0 Restarting a daemon: x.", "force-reload 0 Restarting a daemon: x.",
        "stop 0 Stopping a daemon: x.", "no pidfile", "status 3 x is not running.",
        "try-restart 0 ", "status 3 x is not running.", "3", "Usage:",
    ] == lines  # fmt: skip


def test_program_gets_what_was_declared(machine: Machine) -> None:
    """Words, directory, mask, environment, limits, user and niceness."""
    service = daemon(
        arguments=["a b", "$x", "", "'", "\\", "line\nline"], working_directory="/usr/share",
        umask="027", environment={"VALUE": "a 'b' $c\nd"}, environment_files=["/tmp/defaults"],
        limits={"nofile": "64:128"}, user="daemon", group="nogroup", nice=3,
        directories=["/run/c", {"path": "/run/a b", "mode": "0750", "user": "daemon"}],
        before_start="touch '/tmp/before it'", after_start="touch /tmp/after",
    )  # fmt: skip
    commands = f"""
chmod 1777 /tmp; echo 'FROM_FILE="$((40 + 2))"' > /tmp/defaults
"$S" start > /dev/null; set -- /tmp/given; {PATIENT}; cat /tmp/given
stat -c '%a %U %G' '/run/a b' /run/c
[ -e '/tmp/before it' ] && [ -e /tmp/after ] && echo hooks; "$S" stop > /dev/null
"""
    text = machine(service, commands)
    assert text.startswith("<a b><$x><><'><\\><line\nline>\n/usr/share\n0027\n")
    assert text.endswith(
        f"\n64\n1\n65534\n{min(19, os.nice(0) + 3)}\n750 daemon daemon\n755 root root\nhooks\n"
    )
    assert "\nVALUE=a 'b' $c\nd\n" in text
    assert "\nFROM_FILE=42\n" in text


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_values_are_not_executed(text: str, machine: Machine) -> None:
    """Every value is data for the script."""
    path = "/tmp/" + text.replace("\n", " ").replace("/", "_")
    service = daemon(
        arguments=[text], environment={"V": text}, short_description="x", provides=[text],
        usage=text, documentation=[text], stop_on=text, directories=[path],
    )  # fmt: skip
    commands = f"""
"$S" start > /tmp/said || cat /tmp/said; set -- /tmp/given; {PATIENT}
head -c {len(text) + 2} /tmp/given; echo; "$S" stop > /dev/null; ls /tmp | grep -c ^broken-out$"""
    said = f"<{text}>\n0\n".replace("\r\n", "\n")  # as Python reads it
    assert said == machine(service, commands)


def test_failing_hook_fails_the_start(machine: Machine) -> None:
    """before_start is a condition."""
    service = daemon(before_start="exit 5")
    assert "Starting a daemon: x failed!\n1\n3\n" == machine(
        service, '"$S" start; echo $?; "$S" status > /tmp/said; echo $?'
    )


def test_failing_other_hook_is_only_reported(machine: Machine) -> None:
    """The start or stop continues, as with ssd-service."""
    hooks = dict.fromkeys(("after_start", "before_stop", "after_stop"), "exit 5")
    commands = """
for verb in start status stop; do "$S" $verb > /tmp/said 2>> /tmp/complaints; echo $?; done
[ -e /run/x.pid ] || echo no pidfile; cat /tmp/complaints"""
    told = "".join(f"x: {field} failed\n" for field in hooks)
    assert f"0\n0\n0\nno pidfile\n{told}" == machine(daemon(**hooks), commands)


def test_unknown_state_is_not_taken_for_stopped(machine: Machine) -> None:
    """Status 7, or 0, would be wrong."""
    commands = """
"$S" start > /tmp/said; chmod 666 /run/x.pid
for verb in try-restart reload; do "$S" $verb > /tmp/said 2> /tmp/complaints; echo $?; done"""
    assert "1\n1\n" == machine(daemon(reload_signal="USR1"), commands)


def test_start_waits_until_the_service_is_ready(machine: Machine) -> None:
    """It fails after the time limit."""
    ready = {"kind": "command", "command": ["test", "-e", "/tmp/given"], "timeout": 30}
    assert "0\n/tmp/given\n" == machine(
        daemon(readiness=ready), '"$S" start > /tmp/said; echo $?; ls /tmp/given; "$S" stop >/tmp/x'
    )
    never = {"kind": "command", "command": ["false"], "timeout": 0}
    assert "1\n" == machine(
        daemon(readiness=never), '"$S" start > /tmp/said; echo $?; "$S" stop >/tmp/x'
    )


def test_start_fails_if_the_service_does_not_stay(machine: Machine) -> None:
    """It is looked for once a second; the seconds are short here."""
    service = daemon(script="exit 3", readiness={"kind": "stays", "timeout": 10_000})
    commands = """
mkdir /tmp/bin; ln -s /bin/true /tmp/bin/sleep; PATH=/tmp/bin:$PATH
"$S" start > /tmp/said; echo $?; "$S" status > /tmp/said; echo $?"""
    assert "1\n1\n" == machine(service, commands)


def test_reload_sends_its_signal(machine: Machine) -> None:
    """To the running process; status 7 if nothing runs."""
    service = daemon(
        script="trap 'touch /tmp/reloaded' USR1; touch /tmp/given; while :; do sleep 0.1; done",
        reload_signal="USR1",
    )
    commands = f"""
"$S" reload; echo $?; "$S" start > /tmp/said; set -- /tmp/given; {PATIENT}
"$S" reload > /tmp/said; echo $?; set -- /tmp/reloaded; {PATIENT}; "$S" stop > /tmp/said; echo $?"""
    assert "7\n0\n0\n" == machine(service, commands)


def test_reload_is_missing_without_a_signal(machine: Machine) -> None:
    """Status 3, as from ssd-service; force-reload restarts the service."""
    commands = """
"$S" start > /tmp/said; first=$(cat /run/x.pid); "$S" reload 2> /tmp/usage; echo $?; cat /tmp/usage
[ "$first" = "$(cat /run/x.pid)" ] && echo the same; "$S" force-reload > /tmp/said; echo $?
[ "$first" = "$(cat /run/x.pid)" ] || echo another; "$S" stop > /tmp/said"""
    lines = machine(daemon(), commands).splitlines()
    words = "{start|stop|restart|force-reload|try-restart|status}"
    assert ["3", f"Usage: {lines[1].split()[1]} {words}", "the same", "0", "another"] == lines


def test_program_may_exist_only_in_the_new_root(machine: Machine) -> None:
    """It is found and matched by its path in that root."""
    commands = """
mkdir -p /tmp/r/usr /tmp/r/bin; mount --bind /usr /tmp/r/usr; cp -P /lib* /tmp/r 2> /dev/null
cp /bin/sleep /tmp/r/bin/napper; "$S" start > /tmp/said; echo $?
# The original does not wait until the program is executed.
n=0; until "$S" status > /tmp/said; do n=$((n + 1)); [ $n -lt 600 ] || exit 9; sleep 0.1; done
for verb in stop status; do "$S" $verb > /tmp/said; echo $?; done"""
    fields = {"executable": "/bin/napper", "arguments": ["1000"], "root": "/tmp/r"}
    service = daemon(**fields, match_executable=True)
    assert "0\n0\n3\n" == machine(service, commands)


def test_script_of_a_removed_package_does_nothing(machine: Machine) -> None:
    """Debian Policy 9.3.2: it succeeds."""
    assert "0\n" == machine(daemon(executable="/no/such/program"), '"$S" start; echo $?')


def test_mode_is_that_of_a_program() -> None:
    """The mode of a unit is that of a plain file."""
    assert stat.S_IXUSR & sysv.MODE and not stat.S_IXUSR & systemd.MODE
