"""ssd-service where a supervisor runs: the same words and statuses, whoever does the work."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from kit import namespace
from kit.supervise import NAP, declare, supervise

from supervision.asked import Asked

pytestmark = pytest.mark.requires_namespaces


def test_life_of_a_service_has_the_usual_words(asked: Asked) -> None:
    """And the statuses of the LSB; there is one process at most."""
    assert "Starting A nap: nap is already running.\n" == asked.expect(0, "nap", "start")
    first = asked.running.pid_of("nap")
    assert f"nap is running (process {first}), up " in asked.expect(0, "nap", "status")
    assert "Restarting A nap: nap.\n" == asked.expect(0, "nap", "restart")
    assert first != asked.running.pid_of("nap")
    assert "Restarting A nap: nap.\n" == asked.expect(0, "nap", "--full-restart")
    assert "Trying to restart A nap: nap.\n" == asked.expect(0, "nap", "try-restart")
    assert "Reloading A nap: nap.\n" == asked.expect(0, "nap", "reload")
    assert "Reloading A nap: nap.\n" == asked.expect(0, "nap", "force-reload")
    assert 2 == len(asked.pids())
    assert "Stopping A nap: nap.\n" == asked.expect(0, "nap", "stop")
    assert "Stopping A nap: nap is not running.\n" == asked.expect(0, "nap", "stop")
    assert "nap is not running\n" == asked.expect(3, "nap", "status")
    assert "Reloading A nap: nap is not running failed!\n" == asked.expect(7, "nap", "reload")
    said = asked.expect(0, "nap", "try-restart")
    assert "Trying to restart A nap: nap is not running.\n" == said
    assert "Starting A nap: nap.\n" == asked.expect(0, "nap", "start")
    assert 2 == len(asked.pids())


def test_failure_says_why(asked: Asked) -> None:
    """With the last lines of output, and in the status later on."""
    done = asked("bad", "start")
    assert (1, "Starting bad: bad failed!\n") == (done.returncode, done.stdout)
    reason = "before_start exited with status 3"
    output = "its last lines:\n    one\n    two\n"
    assert f"ssd-service: bad: {reason}\n{output}" == done.stderr
    assert f"bad is not running: given up: {reason}\n" == asked.expect(1, "bad", "status")
    done = asked("loop", "start")
    assert (1, "Starting loop: loop failed!\n") == (done.returncode, done.stdout)
    assert "ssd-service: loop: it is started again in 10" in done.stderr
    shown = asked.expect(1, "loop", "status")
    assert shown.startswith("loop is not running: its start failed, next attempt in 1")
    assert shown.endswith(" s, restarted once\n")
    assert "Stopping loop: loop.\n" == asked.expect(0, "loop", "stop")
    asked.expect(3, "loop", "status")


def test_program_that_is_not_installed_succeeds(asked: Asked) -> None:
    """As without a supervisor (Debian Policy 9.3.2)."""
    done = asked("gone", "start")
    expected = (0, "", "gone: /bin/nosuch is not installed\n")
    assert expected == (done.returncode, done.stdout, done.stderr)


def test_other_verbs_need_no_supervisor(asked: Asked) -> None:
    """The declaration says what a service can do."""
    assert "/bin/sleep 1000\n" == asked.expect(0, "nap", "show-args")
    done = asked("bad", "reload")
    assert (3, True) == (done.returncode, done.stderr.startswith("Usage: ssd-service bad {start|"))
    assert 3 == asked("nap", "frob").returncode
    assert 2 == asked("nap", "start", "now").returncode
    assert 1 == asked("nosuch", "start").returncode


def test_service_of_the_supervisor_alone_is_asked_for(asked: Asked) -> None:
    """Others of the directory are done here; the file's name is the user's name for it."""
    declare(asked.directory, {"late": NAP})
    assert "late is not running\n" == asked.expect(3, "late", "status")
    assert "Starting late: late.\n" == asked.expect(0, "late", "start")
    late = asked.running.pid_of("late")
    assert "named is running (process " in asked.expect(0, "file", "status")
    shown = asked.expect(3, "all", "status").splitlines()
    assert ["bad", "gone", "late", "loop", "named", "nap"] == [line.split()[0] for line in shown]
    asked.expect(0, "late", "stop")
    assert late not in asked.pids()


def test_script_asks_the_supervisor_that_has_it(asked: Asked) -> None:
    """Whoever calls it; the same declaration elsewhere is another service."""
    first = asked.running.pid_of("nap")
    path = str(asked.directory / "nap.toml")
    assert f"nap is running (process {first}), up" in asked.expect(0, path, "status")
    assert "Restarting A nap: nap.\n" == asked.expect(0, path, "restart")
    second = asked.running.pid_of("nap")
    asked.running.until(f"nap runs as process {second}")


def test_json_is_one_schema(asked: Asked) -> None:
    """With what only a supervisor knows; null for a service that has none."""
    declare(asked.directory, {"late": NAP})
    supervised = json.loads(asked.expect(0, "nap", "status", "--json"))
    alone = json.loads(asked.expect(3, "late", "status", "--json"))
    assert [*supervised] == [*alone]
    assert None is alone["supervision"]
    told = supervised["supervision"]
    assert ("running", "start", 0, True) == tuple(
        told[key] for key in ("state", "goal", "restarts", "healthy")
    )
    assert asked.running.pid_of("nap") == supervised["processes"][0]["pid"]
    assert ("running", 0, "A nap") == tuple(
        supervised[key] for key in ("state", "status", "description")
    )
    every = json.loads(asked.expect(3, "all", "status", "--json"))
    assert ["bad", "gone", "late", "loop", "named", "nap"] == [each["name"] for each in every]
    assert [None] == [each["supervision"] for each in every if each["name"] == "late"]


def test_all_is_what_the_supervisor_has_and_the_rest(asked: Asked) -> None:
    """One that has no supervisor stops first and starts last."""
    for name in ("bad", "loop"):
        (asked.directory / f"{name}.toml").unlink()
    assert "stopped: bad loop\nunchanged: 3\n" == asked.expect(0, "update")
    declare(asked.directory, {"late": NAP})
    done = asked("all", "start")
    assert (0, "gone: /bin/nosuch is not installed\n") == (
        done.returncode, done.stderr.removeprefix("ssd-service: "),
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert "Starting late: late." == lines[-1]
    assert "Starting A nap: nap is already running." in lines
    stopped = asked.expect(0, "all", "stop").splitlines()
    assert "Stopping late: late." == stopped[0]
    assert {"Stopping A nap: nap.", "Stopping named: named."} <= {*stopped}
    assert [] == asked.pids()
    done = asked("all", "reload")
    assert 7 == done.returncode
    assert "Reloading A nap: nap is not running failed!" in done.stdout
    assert "ssd-service: named: it declares no reload_signal" in done.stderr


KILLED = """
mkfifo /tmp/said; exec 3<> /tmp/said
{supervise} --directory={d} >&3 3>&- & supervisor=$!
until case $line in *"nap runs as"*) ;; *) false ;; esac; do read -r line <&3; done
nap=$(cat /run/nap.pid)
kill -9 $supervisor; wait $supervisor
{service} --directory={d} nap status | grep "process $nap" > /dev/null; echo "status $?"
{service} --directory={d} nap start
{service} --directory={d} nap stop
{service} --directory={d} events; echo "status $?"
kill -0 $nap
"""


def test_dead_supervisor_is_no_supervisor(command: Path, tmp_path: Path) -> None:
    """Its services live on, and ssd-service finds them by their pidfiles."""
    declare(tmp_path / "d", {"nap": NAP})
    supervisor = command.with_name("ssd-supervise")
    text = KILLED.format(supervise=supervisor, service=command, d=tmp_path / "d")
    argv = namespace.command(["sh", "-c", text], keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True)
    first, *lines = done.stdout.splitlines()
    assert "status 0" == first
    assert ["Starting nap: nap is already running.", "Stopping nap: nap.", "status 7"] == lines
    assert "No such process" in done.stderr


def test_ordinary_user_may_not_use_roots_socket(asked: Asked) -> None:
    """A status needs no right; an action is refused with LSB's status 4."""
    if os.geteuid() != 0:
        pytest.skip("requires root, to become another user")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    argv = [*words, str(asked.argv[0]), str(asked.argv[1]), "nap"]
    for directory in (asked.directory, *asked.directory.parents):
        if directory != Path("/"):
            asked.running.run("chmod", "o+rx", directory)
    done = asked.running.run(*argv, "stop")
    if "cannot be asked" not in done.stderr and done.returncode in (126, 127):
        pytest.skip("user 65534 may not execute ssd-service")
    assert (4, True) == (done.returncode, "Permission denied" in done.stderr), done.stderr
    assert "nap is running" in asked.running.run(*argv, "status").stdout
    assert 2 == len(asked.pids())


def test_group_may_do_everything(command: Path, tmp_path: Path) -> None:
    """Its members by a supplementary group, too; nobody else."""
    if os.geteuid() != 0:
        pytest.skip("requires root, to become another user")
    supervisor = command.with_name("ssd-supervise")
    with supervise(supervisor, tmp_path / "d", {"nap": NAP}, "--group=12345") as running:
        running.until("nap runs as process")
        first = running.pid_of("nap")
        running.run("chmod", "o+rx", tmp_path, *tmp_path.parents[:-1])
        words = ["setpriv", "--reuid=65534", "--regid=65534"]
        ask = [str(command), f"--directory={tmp_path}/d", "nap"]
        done = running.run(*words, "--groups=12345", *ask, "restart")
        if done.returncode in (126, 127):
            pytest.skip("user 65534 may not execute ssd-service")
        assert (0, "Restarting nap: nap.\n") == (done.returncode, done.stdout), done.stderr
        second = running.pid_of("nap")
        assert first != second
        done = running.run(*words, "--groups=54321", *ask, "stop")
        assert (4, True) == (done.returncode, "Permission denied" in done.stderr), done.stderr
        assert second == running.pid_of("nap")
