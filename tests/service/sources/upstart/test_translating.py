"""The declaration from which files for other init systems are made."""

import pytest

from ssd.service.generators import openrc, systemd, sysv
from ssd.service.sources.upstart import JobFile, parse
from ssd.service.sources.upstart.translating import translate

from .corpus import CORPUS

GENERATORS = {"systemd": systemd, "sysv": sysv, "openrc": openrc}
EXEC = "exec /bin/a\n"
KEPT = {"kill_mode": "group", "stop_schedule": "TERM/5/KILL/5", "reload_signal": "HUP"}
# Stanzas -> the fields beside name, executable and those above
SAID: dict[str, dict[str, object]] = {
    "start on runlevel [2345]\nstop on runlevel [!2345]\n": {
        "default_start": ["2", "3", "4", "5"], "default_stop": ["0", "1", "6"],
    },
    "start on runlevel RUNLEVEL=3\nstop on runlevel RUNLEVEL!=3\n": {
        "default_start": ["3"], "default_stop": ["0", "1", "2", "4", "5", "6"],
    },
    "start on startup\nstop on runlevel $X\n": {"start_on": "startup", "stop_on": "runlevel $X"},
    "start on runlevel\n": {"start_on": "runlevel"},
    "start on runlevel [23] PREVLEVEL=N\n": {"start_on": "runlevel [23] PREVLEVEL=N"},
    "start on runlevel [23] and started a\n": {
        "default_start": ["2", "3"], "start_on": "runlevel [23] and started a", "after": ["a"],
    },
    "start on stopped JOB=a or started b or started $C or starting d or started JOB!=e\n": {
        "start_on": "stopped JOB=a or started b or started $C or starting d or started JOB!=e",
        "after": ["a", "b"],
    },
    "start on filesystem and (net-device-up I!=lo or local-filesystems)\n": {
        "start_on": "filesystem and (net-device-up I!=lo or local-filesystems)",
        "should_start": ["$remote_fs", "$network", "$local_fs"],
    },
    "start on net-device-up IFACE=lo and virtual-filesystems\n": {
        "start_on": "net-device-up IFACE=lo and virtual-filesystems",
        "should_start": ["$local_fs"],
    },
    "": {"manual": True},
    "start on a\nmanual\n": {"manual": True},
    "chdir /d\n": {"manual": True, "working_directory": "/d"},
    "chdir /d\npre-start exec b\npost-stop script\n c\nend script\n": {
        "manual": True, "working_directory": "/d", "before_start": "cd /d\nexec b",
        "after_stop": "cd /d\nc\n",
    },
    "instance $N\npre-start exec b $UPSTART_JOB\npost-start exec b $UPSTART_INSTANCE\n": {
        "manual": True, "instance": "$N", "before_start": "exec b $UPSTART_JOB",
        "after_start": "exec b $UPSTART_INSTANCE",
        "environment": {"UPSTART_JOB": "x", "UPSTART_INSTANCE": "$N"},
    },
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_events_become_runlevels_and_an_order(text: str) -> None:
    """The condition stays if they do not say all of it, so that the loss is reported."""
    service = translate(parse(EXEC + text, "x"), "systemd")
    assert {"name": "x", "executable": "/bin/a", **KEPT, **SAID[text]} == service.to_dict()
    assert () == service.doubts


def test_start_stop_daemon_is_seen_through() -> None:
    """Its user and its directory are those of the service, its program is the program."""
    text = CORPUS["nova-compute"]
    service = translate(parse(text, "nova-compute"), "systemd")
    config = ["--config-file=/etc/nova/nova.conf", "--config-file=/etc/nova/nova-compute.conf"]
    assert ("/usr/bin/nova-compute", config) == (service.executable, service.arguments)
    assert ("nova", "/", "") == (service.user, service.working_directory, service.script)
    assert service.before_start.startswith("cd /var/run\n  mkdir")


def test_hooks_have_the_variables_of_the_job() -> None:
    """And those of Upstart that they use; systemd gives them to hooks by itself."""
    text = "env A='1 2'\nenv B=3\nchdir /d\npre-start exec a $A $UPSTART_JOB\n"
    job = parse(EXEC + text, "x")
    told = "export A='1 2'\nexport B=3\nexport UPSTART_JOB=x\ncd /d\nexec a $A $UPSTART_JOB"
    assert told == translate(job, "sysv").before_start == translate(job, "openrc").before_start
    assert "cd /d\nexec a $A $UPSTART_JOB" == translate(job, "systemd").before_start


@pytest.mark.parametrize(
    "stanzas, words",
    [
        ("setuid u\n", '--reuid u --regid "$(id -g u)" --init-groups'),
        ("setgid g\n", "--regid g --clear-groups"),
        ("setuid u\nsetgid g\n", "--reuid u --regid g --init-groups"),
    ],
)
def test_hooks_run_as_the_user_of_the_job(stanzas: str, words: str) -> None:
    """Hooks of other init systems are root's, so they change the user themselves."""
    job = parse(f"{EXEC}{stanzas}chdir /d\npost-stop exec a b\n", "x")
    told = f"cd /d\nexec setpriv {words} -- /bin/sh -e -c 'exec a b' x"
    assert told == translate(job, "systemd").after_stop


DOUBTS = {
    "pre-start script\n test -x /a || { stop; exit 0; }\nend script\n": [
        "before_start: it calls stop of Upstart",
    ],
    "pre-start script\n if status a; then\n A=1 initctl emit b&&exec start c\n fi\nend script\n": [
        "before_start: it calls initctl and start and status of Upstart",
    ],
    "pre-start script\n echo start; a --stop; /etc/init.d/b restart\nend script\n": [],
    'post-stop script\n [ "$UPSTART_STOP_EVENTS" = a ]\nend script\n': [
        "after_stop: only Upstart sets UPSTART_STOP_EVENTS",
    ],
    "chdir d\n": ["working_directory: must be an absolute path, not 'd'"],
    "env 2=\nenv =1\n": ["environment: must be a valid variable name"],
}  # fmt: skip


@pytest.mark.parametrize("text", DOUBTS)
def test_doubts_say_what_only_upstart_can_do(text: str) -> None:
    """With the file, for each hook."""
    service = translate(parse(EXEC + text, "x", file="/etc/init/x.conf"), "systemd")
    assert [f"/etc/init/x.conf: {doubt}" for doubt in DOUBTS[text]] == list(service.doubts)


def test_fault_of_an_override_is_said() -> None:
    """The job acts as Upstart runs it, without the rest of the override."""
    job = parse(EXEC, "x", override="task\nbogus\n", override_file="/x.override")
    told = ["x: the override acts only up to a fault: /x.override:2: Unknown stanza"]
    assert told == list(translate(job, "sysv").doubts)


def test_state_without_a_process_gets_one() -> None:
    """So that it has a start and a stop everywhere."""
    service = translate(parse("pre-start exec a\npost-stop exec b\n", "x"), "systemd")
    assert ("/bin/sleep", ["infinity"]) == (service.executable, service.arguments)
    assert ("x: it has no main process; /bin/sleep stands for one",) == service.doubts


@pytest.mark.parametrize(
    "kind, text, pidfile, doubts",
    [
        ("systemd", "expect fork\nexec a\n", "none", 0),
        ("systemd", "exec a\n", "/run/x.pid", 0),
        ("sysv", "exec a\n", "/run/x.pid", 0),
        ("sysv", "expect daemon\nexec /bin/a\n", "none", 0),
        ("sysv", "expect daemon\nexec a\n", "/run/x.pid", 1),
        ("openrc", "expect fork\nexec a\n", "/run/x.pid", 1),
    ],
)
def test_process_is_found_by_a_pidfile_or_its_program(
    kind: str, text: str, pidfile: str, doubts: int
) -> None:
    """That of a daemon is a guess if nothing else tells it, and the user is told."""
    service = translate(parse(text, "x"), kind)
    assert (pidfile, doubts) == (service.pidfile, len(service.doubts))


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("name", CORPUS)
def test_jobs_of_packages_can_be_translated(kind: str, name: str) -> None:
    """What is lost has a reason, and events are never lost in silence."""
    job = parse(CORPUS[name], name)
    sheet = GENERATORS[kind].generate(translate(job, kind))
    lost = {field for field, _ in sheet.losses}
    assert all(f"# Not in this file: {field} (" in sheet.text() for field in lost)
    service = sheet.service
    assert lost >= {field for field in ("emits", "export", "instance") if getattr(job, field)}
    assert lost >= {field for field in ("start_on", "stop_on") if getattr(service, field)}
    levels = {"start_on": service.default_start, "stop_on": service.default_stop}
    assert all(levels[field] for field in levels if getattr(job, field) and field not in lost)


# Stanza -> the field that is lost, by the kinds that lose it
LOST = {
    "start on a\n": ("start_on", "systemd sysv openrc"),
    "stop on a\n": ("stop_on", "systemd sysv openrc"),
    "emits a\n": ("emits", "systemd sysv openrc"),
    "export A\n": ("export", "systemd sysv openrc"),
    "instance $A\n": ("instance", "systemd sysv openrc"),
    "expect stop\n": ("expect", "systemd sysv openrc"),
    "console output\n": ("console", "sysv openrc"),
    "env A\n": ("pass_environment", "sysv openrc"),
    "apparmor load /a\n": ("apparmor_load", "systemd sysv openrc"),
    "apparmor switch a\n": ("apparmor_profile", "sysv openrc"),
    "cgroup cpu\n": ("cgroups", "systemd sysv openrc"),
    "debug\n": ("debug", "systemd sysv openrc"),
    "respawn\n": ("respawn", "sysv"),
    "manual\n": ("manual", "openrc"),
}


@pytest.mark.parametrize("text", LOST)
def test_stanza_without_a_counterpart_is_reported(text: str) -> None:
    """Every other stanza of init(5) has a field that all three can express."""
    field, kinds = LOST[text]
    found = {kind for kind in GENERATORS if field in _lost(parse(EXEC + text, "x"), kind)}
    assert set(kinds.split()) == found


def test_other_stanzas_lose_nothing_of_their_own() -> None:
    """Only the process group that a stop signals, which no init script has."""
    text = (
        "start on runlevel [2345]\nstop on runlevel [016]\nexpect none\ntask\nusage u\n"
        "description d\nauthor a\nversion v\nenv A=1\numask 7\nnice 5\noom score 5\n"
        "limit nofile 1 2\nsetuid u\nsetgid g\nchdir /d\nchroot /r\nkill signal INT\n"
        "kill timeout 9\nreload signal USR1\nnormal exit 3\nrespawn limit 3 4\n"
    )
    job = parse(EXEC + text, "x")
    assert set() == _lost(job, "systemd")
    assert {"kill_mode", "respawn"} == _lost(job, "sysv")
    assert {"kill_mode", "default_start", "default_stop"} == _lost(job, "openrc")


def _lost(job: JobFile, kind: str) -> set[str]:
    return {field for field, _ in GENERATORS[kind].generate(translate(job, kind)).losses}
