"""Inits, man, scripts and shells find the files that the README installs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import inits, namespace
from kit.debian import LIFE, ORACLE

pytestmark = pytest.mark.slow

# The steps of an operator for a service. The program stands for nova-compute, and stays.
SERVICE = f"""
cat > /usr/bin/nova-compute << 'END'
#!/bin/sh
exec sleep 1000
END
chmod 755 /usr/bin/nova-compute
echo 'nova:x:64060:64060::/:/bin/false' >> /etc/passwd; echo 'nova:x:64060:' >> /etc/group
cp {inits.CHECKOUT}/scripts/nova-compute-declared /etc/init.d/nova-compute
enable nova-compute
"""


@pytest.fixture(scope="module", params=inits.INITS)
def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[inits.Machine]:
    """Return a machine that an init has booted after the README's commands."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if namespace.obstacle():
        pytest.skip(str(namespace.obstacle()))
    with inits.boot(tmp_path_factory.mktemp(request.param), request.param, SERVICE) as machine:
        yield machine


def test_declared_script_is_started_at_boot(machine: inits.Machine) -> None:
    """With the PATH of an init, which has nothing below /usr/local."""
    status, said = machine.run("service nova-compute status")
    assert 0 == status and said.startswith("nova-compute is running"), said + machine.log


def test_commands_are_found_where_init_looks(machine: inits.Machine) -> None:
    """With the PATH of sysvinit's rc, which is the shortest."""
    found = machine.run(
        "command -v ssd ssd-service ssd-supervise ssd-initctl", path="/sbin:/usr/sbin:/bin:/usr/bin"
    )
    assert 0 == found[0], found
    assert machine.run("ssd --version | head -1")[1].startswith("ssd ")


VARIABLES = """
mkdir -p /tmp/evil/encodings; echo 'print("obeyed")' > /tmp/evil/sitecustomize.py
echo 'print("obeyed")' > /tmp/evil/encodings/__init__.py; cd /tmp/evil
export PYTHONPATH=:/tmp/evil PYTHONHOME=/tmp/evil PYTHONINSPECT=1
ssd --status --pidfile /tmp/evil/none; echo $?
ssd --start --pidfile /tmp/evil/none --startas /usr/bin/env
"""


def test_variables_of_pythons_are_the_programs_alone(machine: inits.Machine) -> None:
    """The interpreter itself obeys none, not even one with a missing path."""
    status, said = machine.run(VARIABLES)
    first, *given = said.splitlines()
    assert (0, "3") == (status, first)
    wanted = {"PYTHONPATH=:/tmp/evil", "PYTHONHOME=/tmp/evil", "PYTHONINSPECT=1"}
    assert wanted <= set(given)


def test_manual_is_found(machine: inits.Machine) -> None:
    """By man(1), without a path."""
    if not Path("/usr/bin/man").exists():
        pytest.skip("man is missing: apt-get install man-db")
    for page in ("ssd", "ssd-service", "ssd-supervise", "ssd-initctl"):
        assert (0, f"/opt/ssd/share/man/man8/{page}.8\n") == machine.run(f"man -w {page}")


LSB = """
. /usr/local/share/ssd/init-functions
log_daemon_msg "Starting a nap" nap
pidofproc -p /no/such/file /bin/true || [ $? -eq 3 ]
log_end_msg $?
"""
SOURCED = """
. "$(dirname "$(readlink -f "$(command -v ssd-service)")")/../share/ssd/init-functions"
log_success_msg done
"""


def test_lsb_functions_are_found(machine: inits.Machine) -> None:
    """Under the path of docs/reference/lsb.md, and beside the command; also with a short PATH."""
    page = (inits.CHECKOUT / "docs" / "reference" / "lsb.md").read_text()
    assert SOURCED.splitlines()[1] in page and LSB.splitlines()[1].split()[1] in page
    for path in ("/usr/sbin:/usr/bin", "/bin"):
        assert (0, "Starting a nap: nap.\n") == machine.run(LSB, path=path)
    assert 0 == machine.run(SOURCED)[0]


def test_completions_lie_where_shells_look(machine: inits.Machine) -> None:
    """In the directories of bash-completion and zsh for unpackaged files."""
    for file in ("bash-completion/completions/ssd-service", "zsh/site-functions/_ssd"):
        assert 0 == machine.run(f"head -1 /usr/local/share/{file}")[0]


NAP = """
mkdir -p /etc/ssd
printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\n' > /etc/ssd/nap.toml
ssd-service generate openrc nap --install && rc-service nap start > /dev/null
"""


def test_service_that_openrc_has_started_is_left_to_it(machine: inits.Machine) -> None:
    """By its generated script: OpenRC learns of a stop, and no second process starts."""
    if machine.run("test -d /run/openrc/started")[0]:
        pytest.skip("this init is not OpenRC")
    assert 0 == machine.run(NAP)[0], machine.log
    pid = machine.run("cat /run/nap.pid")
    assert (0, " * status: started\n") == machine.run("ssd-service nap status")
    assert 0 == machine.run("ssd-service nap start")[0]
    assert pid == machine.run("cat /run/nap.pid")
    assert "nap is running under OpenRC\n" in machine.run("ssd-service all status")[1]
    assert 0 == machine.run("ssd-service nap stop")[0]
    assert (3, " * status: stopped\n") == machine.run("rc-service nap status")
    status, said = machine.run("ssd-service nap status")
    assert status in (1, 3) and said.startswith("nap is not running"), said


# The records that dpkg needs for a diversion.
RECORDS = "mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates; touch /var/lib/dpkg/status"
# An upgrade of Debian may remove the interpreter, or the version that the packages are for.
LOSSES = {
    "interpreter": "mv -T /opt/ssd/bin/python3 /opt/ssd/bin/lost",
    "packages": "mv -T /opt/ssd/lib /opt/ssd/lost",
    "all": "mv -T /opt/ssd /opt/lost",
}
FOUND = {
    "interpreter": "mv -T /opt/ssd/bin/lost /opt/ssd/bin/python3",
    "packages": "mv -T /opt/ssd/lost /opt/ssd/lib",
    "all": "mv -T /opt/lost /opt/ssd",
}


def test_replacement_falls_back_to_the_original(machine: inits.Machine) -> None:
    """By the lines of the page; if the original is missing too, the status is a failure."""
    if not os.access("/usr/bin/dpkg-divert", os.X_OK) or not os.access(ORACLE, os.X_OK):
        pytest.skip("dpkg is missing")
    before = machine.run("start-stop-daemon --version")[1]
    diverted = machine.run("\n".join(["set -e", RECORDS, *2 * inits.pages()[1]]))
    assert 0 == diverted[0], diverted[1]
    ours = machine.run("start-stop-daemon --version; start-stop-daemon")
    assert ours[1].startswith("ssd "), ours[1]
    assert "\nstart-stop-daemon: " in ours[1] and 3 == ours[0], ours
    assert (0, "") == machine.run(LIFE)
    machine.run(
        "cd /opt/ssd/lib/python3*/site-packages/ssd; cp finding.py /; echo 1/0 > finding.py"
    )
    for words, expected in (("--stop --name x", 2), ("--status --name x", 4)):
        status, said = machine.run(f"start-stop-daemon {words}")
        assert expected == status and said.startswith("start-stop-daemon: unforeseen error: "), said
    machine.run("cp /finding.py /opt/ssd/lib/python3*/site-packages/ssd/")
    for lost, command in LOSSES.items():
        machine.run(command)
        status, said = machine.run("/sbin/start-stop-daemon --version")
        warning, _, rest = said.partition("\n")
        assert warning.startswith("start-stop-daemon: warning: ssd cannot run ("), lost
        assert warning.endswith("start-stop-daemon.distrib does this"), lost
        assert (0, before) == (status, rest)
        machine.run("mv /usr/sbin/start-stop-daemon.distrib /aside")
        for words, expected in (("--stop --name x", 2), ("--status --name x", 4), ("-T -n x", 4)):
            status, said = machine.run(f"start-stop-daemon {words}")
            assert (expected, 1) == (status, said.count("\n")), said
        # An upgrade of Debian 12's dpkg puts the original here.
        machine.run("cp -a /aside /sbin/start-stop-daemon.distrib-sbin")
        status, said = machine.run("start-stop-daemon --version")
        assert (0, before) == (status, said.partition("\n")[2])
        machine.run("rm /sbin/start-stop-daemon.distrib-sbin")
        machine.run("mv /aside /usr/sbin/start-stop-daemon.distrib")
        machine.run(FOUND[lost])
    kept = machine.run("find /usr/sbin /usr/local/share ! -type d ! -lname '/opt/ssd/*'")
    assert (0, 1) == (kept[0], kept[1].count(".distrib"))
    taken = machine.run("\n".join(["set -e", *inits.pages()[2]]))
    assert 0 == taken[0], taken[1]
    assert (0, before) == machine.run("start-stop-daemon --version")
    assert (0, "") == machine.run("dpkg-divert --list '*start-stop-daemon*'")
    left = machine.run("find /usr/sbin /usr/local/share ! -type d")
    wanted = [line for line in kept[1].splitlines() if not line.endswith(".distrib")]
    assert sorted(wanted) == sorted(left[1].splitlines())


def test_uninstalling_keeps_the_original(machine: inits.Machine) -> None:
    """If its place was empty, no file is moved there."""
    before = machine.run("start-stop-daemon --version")
    assert machine.run(inits.pages()[2][0])[0] and before[0] == 0
    assert before == machine.run("start-stop-daemon --version")
