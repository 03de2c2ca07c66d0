"""The hosts themselves: reached by ssh, apart from the machine, and gone with their test."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import ssh_hosts
from kit.ssh_hosts import BARE, SSD, Fleet, Kind

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]
TESTS = Path(__file__).resolve().parent.parent

# A test run of its own: it says the first processes of its host, and waits to be killed.
KEPT = """
import sys
from pathlib import Path
from kit import ssh_hosts

with ssh_hosts.fleet(Path(sys.argv[1]), 1) as fleet:
    host = fleet["h1"]
    host.run("setsid sleep 1000 > /dev/null 2>&1 &", check=True)
    kept = fleet.begin("sleep", "1000")
    print(host.pid, kept.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Yield two hosts with ssd and one without."""
    kinds = {"h1": SSD, "h2": SSD, "bare": BARE}
    with ssh_hosts.fleet(tmp_path_factory.mktemp("fleet"), kinds) as made:
        yield made


def network() -> str:
    """Return the machine's interfaces, addresses and routes."""
    words = ["sh", "-c", "ip -brief address; ip route; ip -6 route"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_hosts_are_reached_by_ssh(fleet: Fleet) -> None:
    """Each under its own name, with a real sshd and its own key."""
    for host in fleet:
        done = fleet.ssh(host.name, 'hostname; id -un; echo "$SSH_CONNECTION"')
        assert (0, "") == (done.returncode, done.stderr)
        name, user, connection = done.stdout.splitlines()
        assert (host.name, "root") == (name, user)
        assert [ssh_hosts.CONTROLLER, host.address] == connection.split()[::2]


def test_hosts_reach_each_other(fleet: Fleet) -> None:
    """By the bridge."""
    greet = "import socket, sys; print(socket.create_connection((sys.argv[1], 22)).recv(4))"
    done = fleet["h1"].run("python3", "-c", greet, fleet["h2"].address)
    assert ("b'SSH-'\n", "") == (done.stdout, done.stderr)


def test_host_has_ssd_or_only_python(fleet: Fleet) -> None:
    """Nothing of the checkout is left where there is no ssd."""
    asked = "command -v ssd-service; python3 -c 'import ssd'; test -e $0; echo $?"
    with_ssd = fleet["h1"].run("ssd-service --version")
    assert (0, "") == (with_ssd.returncode, with_ssd.stderr)
    bare = fleet["bare"].run("sh", "-c", asked, TESTS)
    assert "1\n" == bare.stdout
    assert "No module named 'ssd'" in bare.stderr


def test_host_is_apart_from_the_machine(fleet: Fleet, tmp_path: Path) -> None:
    """What root writes, removes and kills in there is its own, also in /dev, /etc and /usr."""
    before = {name: sorted(os.listdir(name)) for name in ("/dev", "/etc", "/usr/bin")}
    mine = subprocess.Popen(["sleep", "1000"])
    try:
        with ssh_hosts.fleet(tmp_path, 1) as other:
            done = other["h1"].run("touch /usr/bin/new; rm -r /dev/null /dev/zero /etc; ls /etc")
            assert 2 == done.returncode
            other["h1"].run("kill -9 -1")
        assert mine.poll() is None
    finally:
        mine.kill()
        mine.wait()
    assert before == {name: sorted(os.listdir(name)) for name in before}
    assert fleet["h1"].path("/etc/hosts").exists()
    assert not fleet["h1"].path(tmp_path).exists()


def test_processes_are_those_of_the_host_alone(fleet: Fleet) -> None:
    """By their pids in there, and without sshd."""
    host = fleet["h1"]
    assert {} == host.processes()
    before = host.processor_time()
    done = fleet.ssh("h1", "setsid sleep 1001 < /dev/null > /dev/null 2>&1 & echo $!")
    pid = int(done.stdout)
    assert [pid] == list(host.processes())
    assert host.processor_time() >= before
    host.run(f"kill {pid}", check=True)


def test_link_that_is_down_makes_a_host_unreachable(fleet: Fleet) -> None:
    """Others are not concerned, the host lives on, and the link can come back."""
    fleet["h1"].link("down")
    try:
        done = fleet.ssh("h1", "true")
        assert 255 == done.returncode
        assert "ssh: connect to host" in done.stderr
        assert 0 == fleet.ssh("bare", "true").returncode
        assert "h1\n" == fleet["h1"].run("hostname").stdout
    finally:
        fleet["h1"].link("up")
    assert 0 == fleet.ssh("h1", "true").returncode


def test_operator_becomes_root_by_sudo(fleet: Fleet) -> None:
    """An ordinary user, for become."""
    done = fleet.ssh("h1", "id -un; sudo id -un", user="operator")
    assert "operator\nroot\n" == done.stdout, done.stderr


def test_machine_keeps_its_addresses_and_routes(tmp_path: Path) -> None:
    """While hosts are up, and after."""
    before = network()
    with ssh_hosts.fleet(tmp_path, 1):
        assert before == network()
    assert before == network()


def test_fleets_live_beside_each_other(fleet: Fleet, tmp_path: Path) -> None:
    """With the same names and addresses, as two runs of the tests have them."""
    with ssh_hosts.fleet(tmp_path, 1) as other:
        other["h1"].path("/root/mark").write_text("other")
        assert "other" == other.ssh("h1", "cat mark").stdout
        assert 1 == fleet.ssh("h1", "cat mark").returncode
    assert 0 == fleet.ssh("h1", "true").returncode


def test_fleet_leaves_no_process_and_no_mount(tmp_path: Path) -> None:
    """Also what has left its session, and the master connections of ssh."""
    with ssh_hosts.fleet(tmp_path, 1) as fleet:
        fleet["h1"].run("setsid sleep 1000 > /dev/null 2>&1 &", check=True)
        held = os.pidfd_open(fleet["h1"].pid)
    assert [held] == select.select([held], [], [], 0)[0]
    os.close(held)
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_fleet_ends_when_its_test_is_killed(signum: int, tmp_path: Path) -> None:
    """The kernel closes a pipe, and all follows."""
    words = [sys.executable, "-c", KEPT, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=environment, **pipes) as run:
        assert run.stdout
        held = [os.pidfd_open(int(pid)) for pid in run.stdout.readline().split()]
        os.kill(run.pid, signum)
    for descriptor in held:
        select.select([descriptor], [], [])
        os.close(descriptor)


def test_host_that_cannot_come_up_is_an_error(tmp_path: Path) -> None:
    """With the reason, and nothing is left of the others."""
    kinds = {"h1": SSD, "h2": Kind(keep=(tmp_path / "missing",))}
    with pytest.raises(AssertionError, match="missing"), ssh_hosts.fleet(tmp_path, kinds):
        pass


def test_host_may_have_another_python(tmp_path: Path) -> None:
    """Its /usr/bin/python3 is that one, and the machine's stays what it is."""
    python = tmp_path / "tree/bin/python3"
    python.parent.mkdir(parents=True)
    python.symlink_to("/usr/bin/env")
    with ssh_hosts.fleet(tmp_path, {"h1": Kind(ssd=False, python=python)}) as fleet:
        assert "env\n" == fleet.ssh("h1", "/usr/bin/python3 echo env").stdout
    assert "/usr/bin/env" != os.path.realpath("/usr/bin/python3")


def test_ordinary_user_is_told_what_hosts_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason of a skipped test."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ssh_hosts.obstacle.cache_clear()
    try:
        assert "hosts need root" == ssh_hosts.obstacle()
    finally:
        ssh_hosts.obstacle.cache_clear()
