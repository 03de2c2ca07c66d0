"""Verbs of a service that another init runs, in JSON: that init does them, and we look."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Run
from kit.schema import answer

pytestmark = [pytest.mark.requires_namespaces]

# A machine with a systemd, or an OpenRC, that runs one sleep for the service nap.
SETTING = """
mkdir -p /tmp/bin /tmp/declared
printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\ndescription = "A nap"\\n' \
    > /tmp/declared/nap.toml
cat > /tmp/bin/begin << 'END'
sleep 1000 & echo $! > /tmp/main
END
cat > /tmp/bin/end << 'END'
read -r pid < /tmp/main; kill $pid; rm /tmp/main
while [ -e /proc/$pid ] && ! grep -qs '^State:.Z' /proc/$pid/status; do :; done
END
cat > /tmp/bin/systemctl << 'END'
#!/bin/sh
verb=$1
case $* in
*list-units*) [ ! -e /tmp/main ] || echo nap.service loaded active running A nap ;;
show\\ *MainPID*)
    [ -e /tmp/main ] && state=active || state=inactive
    echo "MainPID=$(cat /tmp/main || echo 0)"; echo "ActiveState=$state"; echo SubState=running
    echo NRestarts=2; echo CanReload=no; cat /tmp/invocation ;;
*CanReload*) echo CanReload=no ;;
list-unit-files*) echo nap.socket; echo 1 unit files listed. ;;
*Triggers*) echo Triggers=nap.service ;;
*nap.socket) echo about a socket ;;
*) echo "does $verb"; echo complains >&2; [ ! -e /tmp/broken ] || exit 5
    case $verb in
    start) [ -e /tmp/main ] || . /tmp/bin/begin ;;
    stop) . /tmp/bin/end ;;
    restart | try-restart) . /tmp/bin/end; . /tmp/bin/begin ;;
    esac ;;
esac
END
cat > /tmp/bin/rc-service << 'END'
#!/bin/sh
[ "$1" != --ifstarted ] || shift
echo "does $2"
case $2 in
stop) . /tmp/bin/end; rm /run/openrc/started/nap ;;
restart) . /tmp/bin/end; . /tmp/bin/begin; cp /tmp/main /run/nap.pid ;;
status) [ ! -e /tmp/crashed ] || exit 32 ;;
esac
END
chmod 755 /tmp/bin/*; PATH=/tmp/bin:$PATH; sleep 1000 & echo $! > /tmp/main; : > /tmp/invocation
systemd() { mkdir -p /run/systemd/system; : > /run/systemd/system/nap.service; }
openrc() { mkdir -p /run/openrc/started; ln -s /etc/init.d/nap /run/openrc/started/nap
    cp /tmp/main /run/nap.pid; }
"""

Tell = Callable[..., Any]


@pytest.fixture
def tell(in_namespace: Run, ssd_path) -> Tell:
    """Return a function that gives the object of a verb on such a machine."""

    def tell(machine: str, words: str, status: int = 0) -> Any:
        ours = f'S="{ssd_path.with_name("ssd-service")} --directory=/tmp/declared"'
        done = in_namespace("sh", "-c", f"{SETTING}\n{ours}\n{machine}; $S {words}")
        assert status == done.returncode, done.stderr
        if words.startswith("all"):
            return json.loads(done.stdout)
        return answer(done.stdout)

    return tell


SAID = {
    (): "nap is already running {}: nothing would be done",
    ("stop",): "nap would be stopped {}",
    ("stop", "start"): "nap would be stopped {} and started again",
}


def pids(look: dict[str, Any]) -> list[int]:
    """Return the pids of a look."""
    return [each["pid"] for each in look["processes"]]


@pytest.mark.parametrize("machine", ["systemd", "openrc"])
def test_status_has_the_process_that_the_init_runs(tell: Tell, machine: str) -> None:
    """And how often systemd has restarted it."""
    for words in ("nap status --json", "all status --json"):
        told = tell(machine, words)
        told = told[0] if words.startswith("all") else told
        assert ("running", 0, "nothing", None) == tuple(
            told[key] for key in ("state", "status", "outcome", "error")
        )
        (process,) = told["processes"]
        assert (["sleep", "1000"], False) == (process["cmdline"], process["ended"])
        assert {"systemd": "systemd", "openrc": "OpenRC"}[machine] == process["matched_by"]
        restarts = told["supervision"]["restarts"] if machine == "systemd" else None
        assert (2 if machine == "systemd" else None) == restarts
        assert "A nap" == told["description"]
    (planned,) = tell(machine, "all status --json --plan")
    assert [f"nap is running (process {pids(planned['before'])[0]})"] == planned["messages"]


@pytest.mark.parametrize("machine", ["systemd", "openrc"])
@pytest.mark.parametrize(
    ("verb", "actions", "after"),
    [
        ("start", [], "running"), ("stop", ["stop"], "stopped"),
        ("restart", ["stop", "start"], "running"), ("try-restart", ["stop", "start"], "running"),
        ("force-reload", ["stop", "start"], "running"),
    ],
)  # fmt: skip
def test_verb_is_done_by_the_init(
    tell: Tell, machine: str, verb: str, actions: list[str], after: str
) -> None:
    """What is there before and after is seen by ourselves; a plan says the same, and does nothing.

    Its output does not spoil the object.
    """
    planned = tell(machine, f"nap {verb} --json --plan")
    told = tell(machine, f"nap {verb} --json")
    assert (True, False) == (planned["planned"], told["planned"])
    for each in (planned, told):
        assert actions == each["actions"]
        assert bool(actions) == each["changed"]
        assert ("done" if actions else "nothing") == each["outcome"]
        assert ("running", after, 0) == (
            each["before"]["state"], each["after"]["state"], each["status"],
        )  # fmt: skip
    assert 1 == len(pids(told["before"]))
    said = SAID[tuple(actions)].format(f"(process {pids(planned['before'])[0]})")
    assert [said] == planned["messages"]
    assert (
        pids(told["after"]) != pids(told["before"]) if actions else told["before"] == told["after"]
    )
    assert pids(planned["after"]) == ([] if actions else pids(planned["before"]))
    assert [bool(actions)] == [each["ended"] for each in told["before"]["processes"]]
    assert any(line.startswith("does ") for line in told["messages"])
    assert machine == "openrc" or "complains" in told["messages"]


def test_failure_of_the_init_has_its_words(tell: Tell) -> None:
    """And its status; nothing has changed."""
    told = tell("systemd; : > /tmp/broken", "nap restart --json", 5)
    assert ("failed", 5, False) == tuple(told[key] for key in ("outcome", "status", "changed"))
    assert (
        "does restart; complains; systemctl restart nap.service ended with status 5"
        == (told["error"])
    )


def test_reload_that_the_unit_lacks_is_unsupported(tell: Tell) -> None:
    """Also in a plan."""
    for option in ("", " --plan"):
        told = tell("systemd", f"nap reload --json{option}", 3)
        assert "nap: systemd runs it and has no verb 'reload'" == told["error"]
        assert ("unsupported", False) == (told["outcome"], told["changed"])


def test_unit_without_a_process_is_restarted(tell: Tell) -> None:
    """Each run of it has another name."""
    no_process = "sed -i 's/MainPID=$(.*)/MainPID=0/' /tmp/bin/systemctl"
    name = "sed -i '1i date +InvocationID=%N > /tmp/invocation' /tmp/bin/begin"
    told = tell(f"systemd; {no_process}; {name}", "nap restart --json")
    assert (["stop", "start"], [], "running") == (
        told["actions"], told["processes"], told["state"],
    )  # fmt: skip


def test_process_that_cannot_be_found_prevents_the_verb(tell: Tell) -> None:
    """OpenRC counts the service as started, and nothing of the declaration matches."""
    for verb, status in (("status", 4), ("restart", 1)):
        told = tell("openrc; rm /run/nap.pid", f"nap {verb} --json", status)
        assert ("other-init", "unknown") == (told["error_kind"], told["state"])
        assert (
            "nap: OpenRC runs it: its processes cannot be found by its declaration"
            == (told["error"])
        )


def test_crashed_service_of_openrc_is_dead(tell: Tell) -> None:
    """It counts as started, and OpenRC says that it has crashed."""
    told = tell("openrc; rm /run/nap.pid; : > /tmp/crashed", "nap status --json", 32)
    assert ("dead", []) == (told["state"], told["processes"])


def test_child_of_supervise_daemon_is_the_service(tell: Tell) -> None:
    """The pidfile has the pid of supervise-daemon(8)."""
    copied = "cp /bin/sh /tmp/bin/supervise-daemon"
    run = "supervise-daemon -c 'sleep 1000 & echo $$ > /run/nap.pid; echo $! > /tmp/main; wait' &"
    there = "until [ -s /run/nap.pid ] && [ -s /tmp/main ]; do :; done"
    told = tell(f"openrc; {copied}; rm /run/nap.pid /tmp/main; {run} {there}", "nap status --json")
    assert [["sleep", "1000"]] == [each["cmdline"] for each in told["processes"]]


def test_systemd_that_does_not_answer_is_an_error(tell: Tell) -> None:
    """Its words are in the object."""
    told = tell("systemd; sed -i 's/^show/no/' /tmp/bin/systemctl", "nap stop --json", 1)
    assert "other-init" == told["error_kind"]
    assert "'systemctl show nap.service' ended with status 0" in told["error"]
