"""A service that another init runs: that init does the verb, and no second one starts."""

import subprocess

import pytest
from conftest import Run
from kit.schema import answer

from ssd.service.verbs import inits

pytestmark = [pytest.mark.requires_namespaces]

# A machine with systemd, which runs the unit, or OpenRC, which has started the service.
SETTING = """
mkdir -p /tmp/bin /tmp/declared /tmp/empty
printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\nreload_signal = "HUP"\\n' \
    > /tmp/declared/nap.toml
sed /reload/d /tmp/declared/nap.toml > /tmp/declared/own.toml
cat > /tmp/bin/systemctl << 'END'
#!/bin/sh
case $* in
*list-units*own.service*nap.service* | *list-units*nap.service*) cat /tmp/active ;;
*list-units*) ;;
*CanReload*) echo CanReload=no ;;
*list-unit-files* | *is-system-running*) ;;
*) echo "systemctl $*"; exit 7 ;;
esac
END
printf '#!/bin/sh\\necho "rc-service $*"; exit 5\\n' > /tmp/bin/rc-service
chmod 755 /tmp/bin/*; PATH=/tmp/bin:$PATH
systemd() { mkdir -p /run/systemd/system; : > /run/systemd/system/nap.service
    echo "nap.service loaded active running A nap" > /tmp/active; }
openrc() { mkdir -p /run/openrc/started; ln -s /etc/init.d/nap /run/openrc/started/nap; }
"""


@pytest.fixture
def tell(in_namespace: Run, ssd_path):
    """Return a function that runs shell code on such a machine, with ``$S`` for the command."""

    def tell(code: str) -> subprocess.CompletedProcess[str]:
        ours = f'S="{ssd_path.with_name("ssd-service")} --directory=/tmp/declared"'
        return in_namespace("sh", "-c", f"{SETTING}\n{ours}\n{code}")

    return tell


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("start", "start nap.service"), ("stop", "stop nap.service"),
        ("status", "status nap.service"), ("restart", "restart nap.service"),
        ("try-restart", "try-restart nap.service"), ("force-reload", "restart nap.service"),
        ("--full-restart", "restart nap.service"),
    ],
)  # fmt: skip
def test_systemd_does_the_verb_for_a_unit_that_it_runs(tell, verb: str, asked: str) -> None:
    """Its output and its status are the verb's, by name and by path."""
    for name in ("nap", "/tmp/declared/nap.toml"):
        if verb == "--full-restart" and "/" in name:
            continue
        done = tell(f"systemd; $S {name} {verb}; s=$?; [ ! -e /run/nap.pid ] && exit $s")
        assert (7, f"systemctl {asked}\n", "") == (done.returncode, done.stdout, done.stderr)


def test_systemd_runs_instances_of_a_template_unit(tell) -> None:
    """The unit of an instance has no file; that of the template tells of it."""
    code = "systemd; cd /tmp/declared; mv nap.toml nap@.toml; cd /run/systemd/system;"
    code += " mv nap.service nap@.service; sed -i s/nap/nap@1/g /tmp/active /tmp/bin/systemctl;"
    done = tell(f"{code} $S nap@1 start; s=$?; [ ! -e /run/nap@1.pid ] && exit $s")
    assert (7, "systemctl start nap@1.service\n") == (done.returncode, done.stdout), done.stderr


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("start", "nap start"), ("stop", "nap stop"), ("status", "nap status"),
        ("restart", "nap restart"), ("try-restart", "--ifstarted nap restart"),
        ("reload", "nap reload"), ("force-reload", "nap reload"),
        ("--full-restart", "nap restart"),
    ],
)  # fmt: skip
def test_openrc_does_the_verb_for_a_service_that_it_started(tell, verb: str, asked: str) -> None:
    """By rc-service(8)."""
    done = tell(f"openrc; $S nap {verb}; s=$?; [ ! -e /run/nap.pid ] && exit $s")
    assert (5, f"rc-service {asked}\n", "") == (done.returncode, done.stdout, done.stderr)


def test_systemd_without_the_verb_is_reported(tell) -> None:
    """A unit without a reload."""
    done = tell("systemd; $S nap reload")
    reason = "ssd-service: nap: systemd runs it and has no verb 'reload'\n"
    assert (3, reason) == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "machine",
    [
        "systemd; : > /tmp/active",  # there is a unit, and it does not run
        "systemd; rm /run/systemd/system/nap.service",
        "mkdir -p /run/systemd/system /run/openrc/started",
        # Called by the script of the service itself.
        "openrc; export RC_SVCNAME=nap",
        # An init script of ours, which OpenRC runs and service(8) notes.
        "openrc; mkdir /tmp/d; mount --bind /tmp/d /etc/init.d;"
        " echo '#!/usr/bin/env ssd-service' > /etc/init.d/nap",
    ],
)  # fmt: skip
def test_service_that_no_other_init_runs_stays_ours(tell, machine: str) -> None:
    """All verbs work as without another init."""
    done = tell(f"{machine}; $S nap start; $S nap status > /dev/null && $S nap stop")
    assert (0, "Starting nap: nap.\nStopping nap: nap.\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("machine", ["systemd", "openrc"])
def test_verbs_for_supervisors_are_not_handed_over(tell, machine: str) -> None:
    """systemd-start becomes the program, show-args prints."""
    done = tell(f"{machine}; sed -i s/sleep/echo/ /tmp/declared/nap.toml; $S nap systemd-start")
    assert (0, "1000\n") == (done.returncode, done.stdout)
    assert "/bin/sleep 1000\n" == tell(f"{machine}; $S nap show-args").stdout


@pytest.mark.parametrize(("verb", "status"), [("start", 1), ("stop", 1), ("status", 4)])
def test_systemd_that_does_not_answer_prevents_the_verb(tell, verb: str, status: int) -> None:
    """Without a bus, or the right to ask: systemd may run the unit."""
    for words in (f"nap {verb}", f"all {verb}"):
        done = tell(f"systemd; rm /tmp/active; $S {words}; s=$?; [ ! -e /run/nap.pid ] && exit $s")
        assert (status, False) == (done.returncode, "nap" in done.stdout)
        assert "ssd-service: " in done.stderr
        assert "'systemctl list-units" in done.stderr
        assert "nap.service' ended with status 1" in done.stderr
    done = tell(f"systemd; rm /tmp/active; $S nap {verb} --json")
    assert (status, "other-init") == (done.returncode, answer(done.stdout)["error_kind"])


def test_call_from_within_a_unit_is_not_handed_over() -> None:
    """Its control group, or one above that, is the unit's."""
    text = "0::/system.slice/nap.service/control\n1:name=systemd:/user.slice\n"
    assert {"nap.service", "control", "system.slice"} <= inits.parts(text)


@pytest.mark.parametrize(
    ("machine", "runs", "asked"),
    [("systemd", "systemd", "systemctl {} nap.service"), ("openrc", "OpenRC", "rc-service nap {}")],
)
def test_all_hands_over_what_another_init_runs(tell, machine: str, runs: str, asked: str) -> None:
    """ssd-service does the verb to the others itself."""
    done = tell(f"{machine}; $S all start; $S all status; $S all stop")
    start, stop = asked.format("start"), asked.format("stop")
    lines = done.stdout.splitlines()
    assert [start, "Starting own: own.", f"nap is running under {runs}"] == lines[:3]
    assert lines[3].startswith("own is running (process ")
    assert {stop, "Stopping own: own."} == set(lines[4:6])
    hidden = "mount --bind /tmp/empty /etc/init.d"
    assert " [ + ]  nap\n" in tell(f"{machine}; {hidden}; $S --status-all").stdout
