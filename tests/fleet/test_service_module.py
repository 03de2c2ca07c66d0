"""The module ssd.daemon.service: each state from each other one, in check mode and for real."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.managed import BIN, PLACES, USUAL, Managed

import ssd

pytestmark = [pytest.mark.fleet, pytest.mark.requires_namespaces]
RELOADS = """\
executable = "/bin/sh"
arguments = [
    "-c",
    "trap 'echo > {0}/told' HUP; echo > {0}/set; while :; do /bin/sleep 1000 & wait $!; done",
]
reload_signal = "HUP"
[readiness]
kind = "command"
command = ["/bin/ls", "{0}/set"]
"""
ALWAYS = {
    "changed", "name", "state", "before", "after", "rc", "msg", "ssd", "steps", "outcome",
    "seconds", "messages",
}  # fmt: skip


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Managed]:
    """Yield a machine with ssd-service, which manages nap."""
    with Managed(tmp_path) as made:
        yield made


def bring(host: Managed, before: str) -> None:
    """Bring nap into a state."""
    if before in ("running", "dead"):
        assert 0 == host.ssd("nap", "start").status
    if before == "dead":
        assert 0 == host.run("/bin/sh", "-c", f"kill -KILL {host.pid()}").status
        wait = "while grep -q '^State:.[RSD]' /proc/$1/status 2> /dev/null; do :; done"
        assert 0 == host.run("/bin/sh", "-c", wait, "sh", str(host.pid())).status
    if before == "unknown":
        (host.directory / "nap.pid").write_text("nothing that is a pid\n")


# state asked for, before, whether it changes, after, rc, whether it fails
TABLE = [
    ("started", "stopped", True, "running", 0, False),
    ("started", "dead", True, "running", 0, False),
    ("started", "running", False, "running", 0, False),
    ("started", "unknown", True, "running", 0, False),
    ("stopped", "stopped", False, "stopped", 0, False),
    ("stopped", "dead", False, "stopped", 0, False),
    ("stopped", "running", True, "stopped", 0, False),
    ("stopped", "unknown", False, "stopped", 0, False),
    ("restarted", "stopped", True, "running", 0, False),
    ("restarted", "dead", True, "running", 0, False),
    ("restarted", "running", True, "running", 0, False),
    ("restarted", "unknown", True, "running", 0, False),
    ("reloaded", "stopped", False, "stopped", 7, True),
    ("reloaded", "dead", False, "dead", 7, True),
    ("reloaded", "running", True, "running", 0, False),
    ("reloaded", "unknown", False, "unknown", 1, True),
]


@pytest.mark.parametrize(
    ("state", "before", "changed", "after", "rc", "fails"), TABLE, ids=lambda each: str(each)
)
def test_row_of_the_contract(
    host: Managed, state: str, before: str, changed: bool, after: str, rc: int, fails: bool
) -> None:
    """Check mode predicts what the real run does then, and changes nothing."""
    host.declare(RELOADS.format(host.directory))
    bring(host, before)
    pidfile = host.directory / "nap.pid"
    there = pidfile.read_text() if pidfile.exists() else None
    planned = host.module("service", name="nap", state=state, check=True, diff=True)
    assert there == (pidfile.read_text() if pidfile.exists() else None)
    assert not (host.directory / "told").exists()
    done = host.module("service", name="nap", state=state, diff=True)
    for told in (planned, done):
        assert ALWAYS <= set(told)
        assert ("nap", state) == (told["name"], told["state"])
        seen = told.get("failed", False), told["changed"], told["rc"]
        assert (fails, changed, rc) == seen, told
        assert (before, after) == (told["before"]["state"], told["after"]["state"]), told
        assert changed == ("diff" in told)
        assert "nap" in told["msg"]
    old = [each["pid"] for each in done["before"]["processes"]]
    assert old == [each["pid"] for each in planned["before"]["processes"]]
    assert old == ([int(str(there))] if before == "running" else [])
    new = [each["pid"] for each in done["after"]["processes"]]
    assert new == ([host.pid()] if after == "running" else [])
    kept = changed and state == "reloaded" or not changed
    assert (old == new) == (kept or old == new == [])
    would = [each["pid"] for each in planned["after"]["processes"]]
    assert would == (new if kept else [])


def test_diff_shows_state_and_processes(host: Managed) -> None:
    """Before and after, without what differs for no reason."""
    host.declare()
    told = host.module("service", name="nap", state="started", diff=True)
    (process,) = told["after"]["processes"]
    shown = {"pid": host.pid(), "name": "sleep", "started_at": process["started_at"]}
    assert {"state": "stopped", "processes": []} == told["diff"]["before"]
    assert {"state": "running", "processes": [shown]} == told["diff"]["after"]
    assert "diff" not in host.module("service", name="nap", state="stopped")


def test_process_is_told_with_its_facts(host: Managed) -> None:
    """Among them its command line, and when it was started."""
    host.declare()
    (process,) = host.module("service", name="nap", state="started")["after"]["processes"]
    assert ["/bin/sleep", "1000"] == process["cmdline"]
    assert abs(process["started_at"] - os.stat(host.directory / "nap.pid").st_mtime) < 60


def test_message_says_what_was_done(host: Managed) -> None:
    """In a few words, and in check mode what would be done."""
    host.declare()

    def said(state: str, **options: Any) -> str:
        told: str = host.module("service", name="nap", state=state, **options)["msg"]
        return told

    assert "nap: would be started" == said("started", check=True)
    assert said("started") == f"nap: started, pid {host.pid()}"
    assert "nap: nothing to do, it is running" == said("started")
    assert "nap: would be restarted" == said("restarted", check=True)
    assert said("restarted") == f"nap: restarted, pid {host.pid()}"
    assert "nap: stopped" == said("stopped")


def test_word_without_effect_is_a_warning(host: Managed) -> None:
    """As the command warns of it on standard error; in check mode, too."""
    shell = (
        f"DAEMON=/bin/sleep\nDAEMON_ARGS=1000\nPIDFILE={host.directory}/nap.pid\nRUN_AS=nobody\n"
    )
    (host.declarations / "nap").write_text(shell)
    for check in (True, False):
        told = host.module("service", name="nap", state="started", check=check)
        assert any("RUN_AS has no effect" in str(each) for each in told["warnings"]), told


def test_alias_service_is_the_name(host: Managed) -> None:
    """As in ansible.builtin.service."""
    host.declare()
    assert "nap" == host.module("service", service="nap", state="started")["name"]


def test_kill_is_among_the_steps(host: Managed) -> None:
    """A role can tell whether a process had to be killed, and how long it took."""
    deaf = "trap '' TERM; echo > {0}/deaf; while :; do /bin/sleep 1000 & wait $!; done"
    host.declare(
        f'executable = "/bin/sh"\narguments = ["-c", "{deaf.format(host.directory)}"]\n'
        'stop_schedule = "TERM/1/KILL/30"\n'
        f'[readiness]\nkind = "command"\ncommand = ["/bin/ls", "{host.directory}/deaf"]\n'
    )
    host.module("service", name="nap", state="started")
    told = host.module("service", name="nap", state="restarted")
    signals = [step["signal"] for step in told["steps"] if step["event"] == "signal"]
    assert ["TERM", "KILL"] == signals, told
    assert told["seconds"] >= 1
    assert "done" == told["outcome"]


def test_ssd_of_the_host_is_named(host: Managed) -> None:
    """PATH comes first, then the usual places."""
    host.declare()
    told = host.module("service", name="nap", state="started")["ssd"]
    version = ssd.__version__
    assert ("host", version, None) == (told["source"], told["version"], told["error"])
    assert str(BIN / "ssd-service") == told["path"]
    place = PLACES[-1]
    script = f"mkdir -p {place} && ln -s {BIN}/ssd-service {place}/ssd-service"
    if os.path.isdir("/opt"):
        host.run("/bin/sh", "-ec", f"mount -t tmpfs tmpfs /opt; {script}")
        told = host.module("service", name="nap", state="started", path=USUAL)["ssd"]
        assert ("host", f"{place}/ssd-service") == (told["source"], told["path"])


# What cannot work ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["started", "stopped", "restarted", "reloaded"])
def test_unknown_service_fails_also_in_check_mode(host: Managed, state: str) -> None:
    """No name is accepted silently."""
    for check in (True, False):
        told = host.module("service", name="nape", state=state, check=check)
        assert (True, False) == (told["failed"], told["changed"])
        assert "nape" in told["msg"]
        assert told["rc"] != 0
        assert {"state": "unknown", "processes": []} == told["before"] == told["after"]


@pytest.mark.parametrize("state", ["started", "restarted"])
def test_program_that_is_not_installed_fails(host: Managed, state: str) -> None:
    """Its status 0 is Debian's, for packages; in check mode, too."""
    host.declare('executable = "/no/such/program"\n')
    for check in (True, False):
        told = host.module("service", name="nap", state=state, check=check)
        assert (True, False, 5, "absent") == (
            told["failed"], told["changed"], told["rc"], told["outcome"],
        )  # fmt: skip
        assert "/no/such/program" in told["msg"]


def test_program_that_is_not_installed_is_stopped(host: Managed) -> None:
    """A play that removes a service can be repeated."""
    host.declare('executable = "/no/such/program"\n')
    for check in (True, False):
        told = host.module("service", name="nap", state="stopped", check=check)
        assert (False, 0) == (told.get("failed", False), told["rc"]), told
        assert not told["changed"]


@pytest.mark.parametrize("state", ["started", "stopped", "restarted", "reloaded"])
def test_declaration_that_makes_no_sense_fails(host: Managed, state: str) -> None:
    """The message names file and key; in check mode, too."""
    file = host.declare('exekutable = "/bin/sleep"\n')
    for check in (True, False):
        told = host.module("service", name="nap", state=state, check=check)
        assert (True, False, 6) == (told["failed"], told["changed"], told["rc"]), told
        assert str(file) in told["msg"] and "exekutable" in told["msg"]


def test_reload_that_is_not_declared_fails(host: Managed) -> None:
    """Of a service that runs, which goes on; in check mode, too."""
    host.declare()
    bring(host, "running")
    pid = host.pid()
    for check in (True, False):
        told = host.module("service", name="nap", state="reloaded", check=check)
        assert (True, False, 3) == (told["failed"], told["changed"], told["rc"]), told
        assert "reload" in told["msg"]
        assert [pid] == [each["pid"] for each in told["after"]["processes"]]


def test_service_that_dies_is_not_started(host: Managed) -> None:
    """A start whose process has ended by its end fails, whatever the exit status."""
    wait = "while grep -q '^State:.[RSD]' /proc/$pid/status 2> /dev/null; do :; done"
    pidfile = host.directory / "nap.pid"
    host.declare(f'after_start = """pid=$(cat {pidfile}); kill -KILL $pid; {wait}"""\n')
    told = host.module("service", name="nap", state="started")
    assert (True, True) == (told["failed"], told["changed"]), told
    assert told["rc"] != 0
    assert "does not run any more" in told["msg"]


def test_task_of_a_supervisor_may_end(host: Managed) -> None:
    """One that has succeeded is no service that died."""
    host.declare('executable = "/bin/true"\ntask = true\n', name="job")
    host.declare('respawn = { when = "always" }\n')
    script = (
        f'ssd-supervise --directory={host.declarations} > "$1" 2>&1 & '
        f"until ssd-service --directory={host.declarations} nap status > /dev/null; do :; done"
    )
    done = host.run("/bin/sh", "-c", script, "sh", host.directory / "supervise")
    assert 0 == done.status, done
    told = host.module("service", name="job", state="restarted")
    assert (False, True, 0) == (told.get("failed", False), told["changed"], told["rc"]), told
    assert "stopped" == told["after"]["state"]


def test_service_that_is_not_ready_fails(host: Managed) -> None:
    """With the status of the verb; it has changed something."""
    host.declare('[readiness]\nkind = "command"\ncommand = ["/bin/false"]\ntimeout = 0.1\n')
    told = host.module("service", name="nap", state="started")
    assert (True, True, 1) == (told["failed"], told["changed"], told["rc"]), told
    assert "nap" in told["msg"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"state": "started"}, "missing required arguments: name"),
        ({"name": "nap"}, "missing required arguments: state"),
        ({"name": "nap", "state": "present"}, "must be one of: started, stopped, restarted"),
        ({"name": "nap", "state": "started", "enabled": True}, "enabled"),
        ({"name": "all", "state": "started"}, "name: 'all': it stands for several"),
        ({"name": "nap@", "state": "started"}, "it stands for several"),
        ({"name": "/etc/init.d/nap", "state": "started"}, "it is a path"),
        ({"name": "--version", "state": "started"}, "it is not the name of a declaration"),
        ({"name": " ", "state": "started"}, "it is not the name of a declaration"),
        ({"name": "nap", "state": "started", "directory": "ssd"}, "not an absolute path"),
        ({"name": "nap", "state": "started", "directory": "/no/such"}, "/no/such"),
        (
            {"name": "nap", "state": "started", "if_older_than": [1]},
            "if_older_than needs state: restarted",
        ),
    ],
    ids=lambda each: str(each)[-40:] if isinstance(each, str) else "",
)
def test_wrong_parameter_is_refused(
    host: Managed, arguments: dict[str, Any], complaint: str
) -> None:
    """Before anything is done, and the message names it."""
    host.declare()
    for check in (True, False):
        told = host.module("service", check=check, **arguments)
        assert told["failed"] and not told.get("changed")
        assert complaint in told["msg"]
    assert not (host.directory / "nap.pid").exists()


# What users of such modules complain about -------------------------------------------------------


def test_child_that_keeps_the_output_does_not_hold_the_task(host: Managed) -> None:
    """A hook's program has inherited it, and goes on."""
    host.declare('after_start = "/bin/sleep 1000 &"\n')
    assert host.module("service", name="nap", state="started")["changed"]


def test_output_of_a_hook_does_not_hide_the_answer(host: Managed) -> None:
    """Also if it looks like one."""
    host.declare("before_start = \"echo '{'; echo '{}'; echo noise\"\n")
    assert "running" == host.module("service", name="nap", state="started")["after"]["state"]


def test_verb_is_done_to_its_end_without_the_module(host: Managed) -> None:
    """A restart whose connection breaks in the middle does not leave the service stopped."""
    begun, go, over = (host.directory / name for name in ("begun", "go", "over"))
    for fifo in (begun, go, over):
        os.mkfifo(fifo)
    host.declare()
    bring(host, "running")
    old = host.pid()
    host.declare(f'after_stop = "echo > {begun}; cat {go}"\nafter_start = "echo > {over}"\n')
    words = host.words("service", {"name": "nap", "state": "restarted"}, {})
    script = f'"$@" & cat {begun}; kill -s KILL $!; wait $!; echo > {go}; cat {over}'
    done = host.run("/bin/sh", "-c", script, "sh", *words, PYTHONPATH=str(host.collections))
    assert 0 == done.status, done.err
    assert "" == done.out.strip()
    told = host.module("service", name="nap", state="started")
    assert (False, "running") == (told["changed"], told["after"]["state"])
    assert old != host.pid()
