"""A real systemd runs generated units: start, status, reload, stop, and their results."""

import json
import os
import pwd
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ssd
from ssd.service import Service
from ssd.service.generators import systemd
from ssd.service.sources import toml
from ssd.service.sources.upstart import parse
from ssd.service.sources.upstart.translating import translate

from .machine import Machine, Reporter, boot

pytestmark = [pytest.mark.slow, pytest.mark.requires_root, pytest.mark.requires_namespaces]

DAEMON = pwd.getpwnam("daemon")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine with systemd as its process 1."""
    with boot(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


def installed(machine: Machine, name: str, *options: str, **more: Any) -> Reporter:
    """Install the unit of a service whose program is a reporter; return the reporter."""
    reporter = Reporter(machine, name, *options)
    fields = {"executable": reporter.words[0], "arguments": reporter.words[1:], **more}
    machine.install(name, systemd.generate(Service(name=name, **fields)).text())
    return reporter


def test_systemd_leads_a_service_through_its_life(machine: Machine) -> None:
    """Start, status, reload, restart and stop send the declared signals."""
    reporter = installed(machine, "plain", reload_signal="HUP")
    machine.run("systemctl", "status", "plain", status=3)
    machine.run("systemctl", "start", "plain")
    first = reporter.told()["pid"]
    assert [str(first), "active"] == machine.show("plain", "MainPID", "ActiveState")
    machine.run("systemctl", "status", "plain")
    machine.run("systemctl", "reload", "plain")
    assert "HUP" == reporter.told()
    machine.run("systemctl", "restart", "plain")
    assert "TERM" == reporter.told()
    assert first != reporter.told()["pid"]
    machine.run("systemctl", "stop", "plain")
    assert "TERM" == reporter.told()
    assert ["inactive", "success"] == machine.show("plain", "ActiveState", "Result")


def test_systemd_follows_a_program_that_detaches_itself(machine: Machine) -> None:
    """By its pidfile, whose directory is created first."""
    pidfile = "/run/forks/pid"
    directory = {"path": "/run/forks", "mode": "0750"}
    fields = {"background": False, "pidfile": pidfile, "directories": [directory]}
    reporter = installed(machine, "forks", "--fork", pidfile, reload_signal="USR1", **fields)
    machine.run("systemctl", "start", "forks")
    pid = str(reporter.told()["pid"])
    assert [pid, "running"] == machine.show("forks", "MainPID", "SubState")
    machine.run("systemctl", "reload", "forks")
    assert "USR1" == reporter.told()
    machine.run("systemctl", "stop", "forks")
    assert "TERM" == reporter.told()
    assert ["dead", "success"] == machine.show("forks", "SubState", "Result")


JOB = """
start on runlevel [2345]
kill signal INT
chdir /usr/share
env VALUE="100% $HOME"
setuid daemon
pre-start script
    [ "$VALUE" = '100% $HOME' ]
    echo "pre-start $(id -un) $(pwd) $UPSTART_JOB" >> /srv/hooks-of-job
end script
post-stop exec echo post-stop $(id -un) $(pwd) >> /srv/hooks-of-job
exec start-stop-daemon --start --chuid daemon:nogroup --umask 027 --exec {} -- {}
"""


def test_systemd_runs_a_translated_job(machine: Machine) -> None:
    """The program behind start-stop-daemon, and hooks with directory and user of the job."""
    reporter = Reporter(machine, "job")
    said = machine.shared / "hooks-of-job"
    said.touch()
    said.chmod(0o666)
    program, *words = reporter.words
    job = parse(JOB.format(program, " ".join(words)), "job")
    machine.install("job", systemd.generate(translate(job, "systemd")).text())
    machine.run("systemctl", "start", "job")
    told = reporter.told()
    expected = {"uid": DAEMON.pw_uid, "gid": 65534, "umask": "027", "directory": "/"}
    assert expected == {key: told[key] for key in expected}
    assert "100% $HOME" == told["environment"]["VALUE"]
    machine.run("systemctl", "stop", "job")
    assert "INT" == reporter.told()
    assert "pre-start daemon /usr/share job\npost-stop daemon /usr/share\n" == said.read_text()


def test_systemd_waits_until_a_service_says_that_it_is_ready(machine: Machine) -> None:
    """The start returns then, and fails after the declared time."""
    ready = {"kind": "notify", "timeout": 30}
    reporter = installed(machine, "ready", "--notify", "READY=1\nSTATUS=works", readiness=ready)
    machine.run("systemctl", "start", "ready")
    assert ["running", "works"] == machine.show("ready", "SubState", "StatusText")
    reporter.told()
    machine.run("systemctl", "stop", "ready")
    late = {"kind": "notify", "timeout": 0.2}
    installed(machine, "late", "--notify", "STATUS=never", readiness=late)
    machine.run("systemctl", "start", "late", status=1)
    assert ["failed", "timeout"] == machine.show("late", "ActiveState", "Result")


def test_systemd_waits_for_a_pidfile_only_if_needed(machine: Machine) -> None:
    """systemd writes none itself, and knows the process."""
    reporter = installed(machine, "known", readiness={"kind": "pidfile", "timeout": 20})
    machine.run("systemctl", "start", "known")
    reporter.told()
    machine.run("systemctl", "stop", "known")
    pidfile = "/run/forks-late.pid"
    fields = {"background": False, "pidfile": pidfile, "readiness": {"kind": "pidfile"}}
    reporter = installed(machine, "late-pidfile", "--fork", pidfile, **fields)
    machine.run("systemctl", "start", "late-pidfile")
    assert [str(reporter.told()["pid"])] == machine.show("late-pidfile", "MainPID")
    machine.run("systemctl", "stop", "late-pidfile")


def test_systemd_waits_until_a_command_succeeds(machine: Machine) -> None:
    """Until the command succeeds."""
    script = "echo asked >> /srv/asked; test $(wc -l < /srv/asked) -ge 2"
    command = {"kind": "command", "command": ["/bin/sh", "-c", script]}
    installed(machine, "probed", readiness=command)
    machine.run("systemctl", "start", "probed")
    assert "asked\nasked\n" == (machine.shared / "asked").read_text()
    machine.run("systemctl", "stop", "probed")


def test_systemd_checks_that_a_service_stays(machine: Machine) -> None:
    """The start of one that does not has failed."""
    stays = {"kind": "stays", "timeout": 1}
    installed(machine, "staying", readiness=stays)
    installed(machine, "ending", readiness=stays, script="exit 3")
    machine.run("systemctl", "start", "staying", "ending", status=1)
    assert ["active"] == machine.show("staying", "ActiveState")
    assert ["failed"] == machine.show("ending", "ActiveState")
    machine.run("systemctl", "stop", "staying")


def test_systemd_gives_a_service_its_surroundings(machine: Machine) -> None:
    """User, group, limits, umask, niceness, environment and directory."""
    (machine.shared / "settings").write_text("FILE='from a file'\n")
    fields = {
        "user": "daemon",
        "group": "nogroup",
        "umask": "027",
        "limits": {"nofile": "100:200"},
        "nice": 3,
        "environment": {"WORDS": '100% $HOME "x" \'\\\\'},
        "environment_files": ["/srv/settings"],
        "directories": [{"path": "/var/lib/placed", "user": "daemon", "group": "nogroup"}],
        "working_directory": "/var/lib/placed",
    }
    reporter = installed(machine, "placed", reload_signal="HUP", **fields)
    machine.run("systemctl", "start", "placed")
    told = reporter.told()
    variables = told.pop("environment")
    expected = {
        "pid": int(machine.show("placed", "MainPID")[0]), "uid": DAEMON.pw_uid, "gid": 65534,
        "umask": "027", "nofile": [100, 200], "nice": 3, "directory": "/var/lib/placed",
    }  # fmt: skip
    assert expected == {key: told[key] for key in expected}
    assert fields["environment"] == {"WORDS": variables["WORDS"]}
    assert "from a file" == variables["FILE"]
    machine.run("systemctl", "reload", "placed")
    assert "HUP" == reporter.told()
    machine.run("systemctl", "stop", "placed")
    assert "TERM" == reporter.told()


def test_systemd_runs_the_hooks_as_root_and_in_their_order(machine: Machine) -> None:
    """Before and after the start, before and after the stop."""
    hooks = {
        hook: f"echo {hook} $(id -u) >> /srv/hooks"
        for hook in ("before_start", "after_start", "before_stop", "after_stop")
    }
    reporter = installed(machine, "hooked", user="daemon", **hooks)
    machine.run("systemctl", "start", "hooked")
    reporter.told()
    machine.run("systemctl", "stop", "hooked")
    expected = "".join(f"{hook} 0\n" for hook in hooks)
    assert expected == (machine.shared / "hooks").read_text()


def test_systemd_ignores_failures_of_other_hooks(machine: Machine) -> None:
    """Only a failure of before_start fails the start."""
    hooks = dict.fromkeys(("after_start", "before_stop", "after_stop"), "exit 5")
    reporter = installed(machine, "limps", **hooks)
    machine.run("systemctl", "start", "limps")
    reporter.told()
    machine.run("systemctl", "stop", "limps")
    assert "TERM" == reporter.told()
    assert ["inactive", "success"] == machine.show("limps", "ActiveState", "Result")
    installed(machine, "fails", before_start="exit 5")
    machine.run("systemctl", "start", "fails", status=1)


def test_systemd_keeps_to_the_schedule_of_a_stop(machine: Machine) -> None:
    """A process that ignores the first signal gets the last."""
    reporter = installed(machine, "stubborn", "--ignore", "TERM", stop_schedule="TERM/1/KILL/5")
    machine.run("systemctl", "start", "stubborn")
    reporter.told()
    machine.run("systemctl", "stop", "stubborn")
    expected = ["failed", "timeout", "9"]  # it may have had no time to report the first
    assert expected == machine.show("stubborn", "ActiveState", "Result", "ExecMainStatus")


def test_systemd_restarts_a_service(machine: Machine) -> None:
    """According to its policy, but not after a normal exit."""
    policy = {"when": "failure", "normal_exit": ["USR1"]}
    reporter = installed(machine, "back", respawn=policy)
    machine.run("systemctl", "start", "back")
    first = reporter.told()["pid"]
    machine.run("systemctl", "kill", "--signal=KILL", "back")
    assert first != reporter.told()["pid"]
    machine.run("systemctl", "stop", "back")


def test_systemd_uses_the_root_for_the_program_only(machine: Machine) -> None:
    """Hooks, a probe and a reload use the machine's root, as at every entry point."""
    inside = machine.root / "srv/root"
    inside.mkdir()
    (inside / "only-inside").touch()
    machine.run("sh", "-ec", "cd /srv/root; mkdir usr srv; mount --bind /usr usr")
    machine.run("sh", "-ec", "cp -P /lib* /srv/root; mount --bind /srv /srv/root/srv")
    outside = "test ! -e /only-inside; cd /srv/root"
    probe = {"kind": "command", "command": ["/bin/sh", "-ec", outside], "timeout": 20}
    fields = {"root": "/srv/root", "working_directory": "/srv", "readiness": probe}
    hooks = {"before_start": outside, "after_start": outside, "before_stop": outside}
    reporter = installed(machine, "rooted", reload_signal="HUP", **fields, **hooks)
    machine.run("systemctl", "start", "rooted")
    told = reporter.told()
    assert ("/srv", True) == (told["directory"], "only-inside" in told["root"])
    machine.run("systemctl", "reload", "rooted")
    assert "HUP" == reporter.told()
    machine.run("systemctl", "stop", "rooted")
    assert ["inactive", "success"] == machine.show("rooted", "ActiveState", "Result")


# ssd-service inside, from a copy of the package.
OURS = """
import sys; sys.path.insert(0, "/srv/packages")
from ssd.service.cli import main; sys.exit(main(["ssd-service", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def ours(machine: Machine) -> list[str]:
    """Return the command on the machine, with a directory of declarations."""
    installed = Path(ssd.__file__).parent.parent
    for package in ("ssd", "daemon", "lockfile"):
        shutil.copytree(installed / package, machine.shared / "packages" / package)
    (machine.shared / "declared").mkdir()
    return [os.path.realpath(sys.executable), "-IS", "-c", OURS, "--directory=/srv/declared"]


def declare(machine: Machine, name: str, **fields: Any) -> Service:
    """Declare a service on the machine."""
    service = Service(name=name, **fields)
    (machine.shared / "declared" / f"{name}.toml").write_text(toml.write(service))
    return service


def test_unit_of_a_declaration_obeys_the_verbs(machine: Machine, ours: list[str]) -> None:
    """While systemd runs it there is one process, and both systemctl and the verbs stop it."""
    reporter = Reporter(machine, "verbs")
    words = {"executable": reporter.words[0], "arguments": reporter.words[1:]}
    service = declare(machine, "verbs", pidfile="/run/verbs.pid", **words)
    machine.install("verbs", systemd.generate(service).text())
    assert "verbs is not running\n" == machine.run(*ours, "verbs", "status", status=3)
    machine.run("systemctl", "start", "verbs")
    pid = reporter.told()["pid"]
    assert f"Main PID: {pid}" in machine.run(*ours, "verbs", "status")
    assert "verbs is running under systemd\n" in machine.run(*ours, "all", "status")
    machine.run(*ours, "verbs", "start")
    assert [str(pid), "active"] == machine.show("verbs", "MainPID", "ActiveState")
    machine.run(*ours, "verbs", "stop")
    assert "TERM" == reporter.told()
    assert ["inactive", "success"] == machine.show("verbs", "ActiveState", "Result")
    assert "verbs is not running\n" == machine.run(*ours, "verbs", "status", status=3)


def test_unit_of_a_declaration_has_answers_in_json(machine: Machine, ours: list[str]) -> None:
    """By systemd's main process; systemd does the verb, and a plan only looks."""
    reporter = Reporter(machine, "told")
    words = {"executable": reporter.words[0], "arguments": reporter.words[1:]}
    service = declare(machine, "told", pidfile="/run/told.pid", **words)
    machine.install("told", systemd.generate(service).text())
    machine.run("systemctl", "start", "told")
    first = reporter.told()["pid"]

    def ask(*words: str) -> Any:
        return json.loads(machine.run(*ours, "told", *words, "--json"))

    assert [first] == [each["pid"] for each in ask("status")["processes"]]
    assert ["stop", "start"] == ask("restart", "--plan")["actions"]
    assert [str(first)] == machine.show("told", "MainPID")
    done = ask("restart")
    assert "TERM" == reporter.told()
    second = reporter.told()["pid"]
    assert ([first], [second]) == tuple(
        [each["pid"] for each in done[look]["processes"]] for look in ("before", "after")
    )
    assert (True, ["stop", "start"], "systemd") == (
        done["changed"], done["actions"], done["after"]["processes"][0]["matched_by"],
    )  # fmt: skip
    assert ("running", 0) == (done["supervision"]["state"], done["supervision"]["restarts"])
    stopped = ask("stop")
    assert "TERM" == reporter.told()
    assert ("stopped", ["stop"], "done") == tuple(
        stopped[key] for key in ("state", "actions", "outcome")
    )


def test_unit_may_call_the_verbs_itself(machine: Machine, ours: list[str]) -> None:
    """A unit made for an init script does so, and no verb waits for itself."""
    reporter = Reporter(machine, "caller")
    words = {"executable": reporter.words[0], "arguments": reporter.words[1:]}
    declare(machine, "caller", pidfile="/run/caller.pid", **words)
    (machine.shared / "ours").write_text(
        "#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in ours) + ' "$@"\n'
    )
    (machine.shared / "ours").chmod(0o755)
    unit = "[Service]\nType=forking\nPIDFile=/run/caller.pid\n"
    unit += "".join(f"Exec{v.title()}=/srv/ours caller {v}\n" for v in ("start", "stop"))
    machine.install("caller", unit)
    machine.run(
        *ours, "caller", "start"
    )  # the unit does not run yet, so ssd-service starts it itself
    assert "TERM" != reporter.told()
    machine.run(*ours, "caller", "stop")
    assert "TERM" == reporter.told()
    machine.run("systemctl", "start", "caller")
    pid = reporter.told()["pid"]
    assert [str(pid), "running"] == machine.show("caller", "MainPID", "SubState")
    machine.run(*ours, "caller", "stop")
    assert "TERM" == reporter.told()
    assert ["dead", "success"] == machine.show("caller", "SubState", "Result")


def test_systemd_gives_the_declared_rights(machine: Machine) -> None:
    """Capabilities of a user, securebits, no new privileges, and the variables of a login."""
    reporter = installed(
        machine, "rights", user="daemon", login=True, no_new_privs=True, oom_score=100,
        capabilities="^cap_net_bind_service,!cap_sys_admin", securebits="noroot",
    )  # fmt: skip
    machine.run("systemctl", "start", "rights")
    process = machine.root / f"proc/{reporter.told()['pid']}"
    lines = (line.split() for line in (process / "status").read_text().splitlines())
    found = {words[0]: words[1] for words in lines if words[0].startswith(("Cap", "NoNew"))}
    assert {1 << 10} == {int(found[f"Cap{name}:"], 16) for name in ("Inh", "Prm", "Eff", "Amb")}
    assert (0, "1") == (int(found["CapBnd:"], 16) >> 21 & 1, found["NoNewPrivs:"])
    assert "100\n" == (process / "oom_score_adj").read_text()
    words = (process / "environ").read_text().split("\0")
    variables = dict(word.split("=", 1) for word in words if word)
    expected = ("daemon", "daemon", DAEMON.pw_dir)
    assert expected == (variables["USER"], variables["LOGNAME"], variables["HOME"])
    machine.run("systemctl", "stop", "rights")
