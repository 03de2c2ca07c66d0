"""The init script scripts/nova-compute: its verbs, under ssd and under start-stop-daemon.

Each case runs in a scratch directory, and touches no processes but its own.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys

import pytest
from kit.children import WAIT_TIMEOUT
from kit.users import NOBODY, as_nobody, shared, skip_unless_nobody_reads, skip_without_nobody

from .machine import Machine

VERBS = ("start", "stop", "status", "restart", "force-reload", "systemd-start")


def live(machine: Machine) -> None:
    """Lead the whole life that the init script looks after."""
    assert "nova-compute is not running\n" == machine.expect(3, "status")
    machine.expect(0, "start")
    first = machine.pid
    assert machine.says_running(first)
    machine.expect(0, "start")
    assert first == machine.pid
    for verb in ("restart", "force-reload"):
        machine.expect(0, verb)
        assert first != machine.pid
        first = machine.pid
    machine.kill(first)
    assert "pidfile" in machine.expect(1, "status")
    machine.expect(0, "start")
    assert first != machine.pid
    machine.expect(0, "stop")
    assert not machine.pidfile.exists()
    machine.expect(3, "status")
    machine.expect(0, "stop")


# The life ------------------------------------------------------------------------------


def test_output_of_the_script_is_what_the_page_shows(ssd_machine, checkout) -> None:
    """docs/reference/compute.md: it proves the steps before the service has a log."""
    page = (checkout / "docs" / "reference" / "compute.md").read_text()
    ssd_machine.install()
    started = ssd_machine.expect(0, "start").rstrip("\n")
    assert 2 == page.count(f"| printed: `{started}` |")
    assert 2 == page.count("prints `nova-compute is running (process PID)`")
    assert ssd_machine.says_running(ssd_machine.pid)


def test_life_has_lsb_statuses(machine) -> None:
    """Start, start again, restart, death, start, stop: each status is true."""
    machine.install()
    live(machine)


def test_life_is_the_same_for_an_ordinary_user(request, machine, script) -> None:
    """As an ordinary user there is no --chuid."""
    if "original" not in request.node.callspec.params.values():
        skip_without_nobody()
    skip_unless_nobody_reads(script)
    machine.install()
    machine.environment.pop("SYSTEM_USER")  # nova, which need not exist
    machine.options = {**as_nobody(), "extra_groups": []}
    with shared(machine.root, 0o755, NOBODY, NOBODY):
        live(machine)


def test_embedded_service_is_started_where_there_is_no_nova(machine, ssd_path) -> None:
    """It notifies when it is ready, counts its reports in its state file, and writes its log."""
    if importlib.util.find_spec("cotyledon") is None:
        pytest.skip("the extra compute is not installed")
    assert (ssd_path.parent / "ssd-compute").is_file(), "the extra's command is missing"
    machine.environment["PATH"] = f"{ssd_path.parent}:/usr/bin:/bin"
    machine.environment["START_ARGS"] = "--notify-await --notify-timeout=60"
    machine.write("etc/nova/nova.conf", "[DEFAULT]\nhost = node1\n")
    live(machine)
    state = json.loads((machine.root / "var/lib/nova/node1.state.json").read_text())
    # Four starts and three ends in good order, one report each.
    assert ("down", 7) == (state["state"], state["report_count"])
    assert 4 == machine.log.read_text().count("RPC server answers")


def test_restart_starts_what_was_not_running(machine) -> None:
    """As LSB demands; so does force-reload."""
    machine.install()
    machine.expect(0, "restart")
    machine.expect(0, "status")


def test_service_that_ignores_term_is_killed(machine) -> None:
    """The schedule is TERM/30/KILL/5 unless RETRY says otherwise."""
    machine.install("#!/bin/sh\ntrap '' TERM\n: > {root}/deaf\nexec sleep 1000\n")
    os.mkfifo(machine.root / "deaf")
    machine.expect(0, "start")
    assert "" == (machine.root / "deaf").read_text()
    machine.expect(0, "stop", RETRY="TERM/1/KILL/60")
    machine.expect(3, "status")


def test_stop_needs_no_executable(machine) -> None:
    """An upgrade may have removed it while the service runs."""
    machine.install()
    machine.started()  # the original does not wait for the exec
    machine.daemon.unlink()
    machine.expect(0, "status")
    machine.expect(0, "stop")
    machine.expect(3, "status")


def test_unreadable_pidfile_gives_status_4(machine) -> None:
    """The service is in an unknown state."""
    machine.pidfile.mkdir(parents=True)
    assert "cannot tell" in machine.expect(4, "status")


def test_systemd_start_becomes_the_service(machine) -> None:
    """No daemon is made: the started process becomes the service, with its arguments."""
    machine.install()
    pipe = machine.root / "arguments"
    os.mkfifo(pipe)
    process = subprocess.Popen([machine.script, "systemd-start"], env=machine.environment)
    try:
        assert f"--log-file={machine.log}\n" == pipe.read_text()
        assert not machine.pidfile.exists()
        process.terminate()
        assert -signal.SIGTERM == process.wait(60)
    finally:
        process.kill()
        process.wait()


# A proof of life -----------------------------------------------------------------------

# Handles HUP, as nova does when it is about to serve, once the pipe is written to.
SERVING = """#!{python}
import signal
open("{{root}}/go").read()
signal.signal(signal.SIGHUP, lambda *_: None)
signal.pause()
"""


def test_start_is_over_when_the_program_handles_its_signals(machine) -> None:
    """nova-compute does not notify, and Python itself has no handler for HUP."""
    machine.install(SERVING.format(python=sys.executable))
    go = machine.root / "go"
    os.mkfifo(go)
    go.chmod(0o666)
    for settings in ({}, {"READY_SIGNAL": ""}):
        process = subprocess.Popen(
            [machine.script, "start"], env={**machine.environment, **settings}
        )
        if settings:  # without a wait
            assert 0 == process.wait(WAIT_TIMEOUT)
        with go.open("w"):  # it is there, and reads
            if not settings:
                assert process.poll() is None
        assert 0 == process.wait(WAIT_TIMEOUT)
        machine.expect(0, "status")
        machine.expect(0, "stop")


def test_service_that_ends_before_it_serves_is_a_failure(machine) -> None:
    """It leaves no pidfile; for example after an error in its configuration."""
    machine.install(f"#!{sys.executable}\nraise SystemExit(6)\n")
    for verb in ("start", "restart"):
        assert "failed!" in machine.expect(1, verb)
        assert not machine.pidfile.exists()
        machine.expect(3, "status")


def stand_in(machine: Machine, text: str) -> None:
    """Replace ssd-compute by a program, and remove nova-compute."""
    directory = machine.root / "bin"
    directory.mkdir()
    (directory / "ssd-compute").write_text(f"#!/bin/sh\n{text}")
    (directory / "ssd-compute").chmod(0o755)
    machine.environment["PATH"] = f"{directory}:{machine.environment['PATH']}"


LACKS = "ssd-compute: futurist not found; pip install 'start-stop-daemon[compute]' brings it"


@pytest.mark.parametrize(
    ("verb", "status"), [("start", 5), ("restart", 5), ("systemd-start", 5), ("stop", 0)]
)
def test_stand_in_without_its_libraries_is_not_started(machine, verb, status) -> None:
    """LSB's 5, with the command that installs them: it would end after its start."""
    stand_in(machine, f'[ "$*" = --installed ] && echo "{LACKS}" >&2\nexit 5\n')
    done = machine(verb)
    assert (status, status == 5) == (done.returncode, LACKS in done.stderr)
    assert ("tarting" in done.stdout, machine.pidfile.exists()) == (False, False)
    machine.expect(3, "status")


def test_stand_in_that_ends_at_once_is_a_failure(ssd_machine) -> None:
    """It must say when it is ready. The original waits for that in vain."""
    stand_in(ssd_machine, '[ "$*" = --installed ] || exit 6\n')
    assert "failed!" in ssd_machine.expect(1, "start")
    assert not ssd_machine.pidfile.exists()
    ssd_machine.expect(3, "status")


# Failures ------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("frobnicate",), ("reload",), ("--help",)], ids=str)
def test_unknown_verb_is_shown_the_usage(ssd_machine, words) -> None:
    """Status 3, on standard error, and nothing is made."""
    ssd_machine.install()
    done = ssd_machine(*words)
    assert (3, "") == (done.returncode, done.stdout)
    assert all(verb in done.stderr for verb in ("Usage:", str(ssd_machine.script), *VERBS))
    assert not (ssd_machine.root / "var").exists()


@pytest.mark.parametrize(
    ("verb", "status"),
    [
        ("start", 0),
        ("stop", 0),
        ("restart", 0),
        ("force-reload", 0),
        ("status", 3),
        ("systemd-start", 5),
        ("frobnicate", 3),
    ],
)
def test_removed_package_is_no_failure(machine, verb, status) -> None:
    """Debian Policy 9.3.2; but status is true, and systemd gets the name of the missing file."""
    machine.expect(status, verb)
    assert not machine.pidfile.exists()


def test_missing_user_is_a_failure(machine) -> None:
    """For the Debian script every failure of its --test means "already running"."""
    if os.geteuid() != 0:
        pytest.skip("requires root: others do not change users")
    machine.install()
    done = machine("start", SYSTEM_USER="no-such-user")
    assert 1 == done.returncode
    assert "no-such-user" in done.stderr
    machine.expect(3, "status")


def test_daemon_that_cannot_be_executed_is_a_failure(ssd_machine) -> None:
    """The original reports success and leaves the pidfile of a dead process."""
    ssd_machine.install("#!/nonexistent/interpreter\n")
    done = ssd_machine("start")
    assert 1 == done.returncode
    assert "nova-compute" in done.stderr
    ssd_machine.expect(3, "status")


def test_missing_start_stop_daemon_is_a_failure(shell_machine) -> None:
    """It is not mistaken for a status of start-stop-daemon."""
    shell_machine.install()
    gone = {"START_STOP_DAEMON": "/nonexistent/ssd"}
    shell_machine.expect(1, "start", **gone)
    shell_machine.expect(1, "stop", **gone)
    shell_machine.expect(4, "status", **gone)
