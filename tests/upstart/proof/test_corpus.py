"""Job files of well-known packages in one machine: a boot, and a shutdown, with stubs for programs.

Each stub writes its name and its arguments into /srv/calls. The events are those that the kernel,
mountall and ifupdown emitted on a real machine.
"""

import re
from collections.abc import Iterator

import pytest
from service.sources.upstart.corpus import CORPUS

from . import world
from .world import Machine, stub

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(world.obstacle()), reason=world.obstacle() or "it can be made"),
]

STAYS = "exec /bin/sleep 1000"
FORKS = "/bin/sleep 1000 &"
FORKS_TWICE = "(/bin/sleep 1000 &) &"
ENDS = "exit 0"
STOPS = f"kill -STOP $$\n{STAYS}"
USERS = ("cinder", "jenkins", "messagebus", "mongodb", "mysql", "neutron")
PROGRAMS = {
    ENDS: ["bin/dbus-uuidgen", "bin/hostname", "bin/logger", "bin/mysqladmin", "bin/plymouth",
           "bin/neutron-ovs-cleanup", "lib/init/apparmor-profile-load", "lib/ufw/ufw-init",
           "sbin/ifup", "sbin/ifdown", "sbin/modprobe", "sbin/shutdown",
           "share/openvswitch/scripts/ovs-ctl"],
    STAYS: ["bin/cinder-volume", "bin/docker", "bin/java", "bin/mongod", "bin/nova-api",
            "bin/nova-compute", "bin/neutron-openvswitch-agent", "bin/salt-minion",
            "sbin/avahi-daemon", "sbin/getty", "sbin/lightdm", "sbin/mysqld", "sbin/squid3"],
    FORKS: ["bin/dbus-daemon", "bin/whoopsie", "lib/systemd/systemd-udevd", "sbin/acpid",
            "sbin/atd", "sbin/cron", "sbin/plymouthd", "sbin/rsyslogd", "sbin/ureadahead"],
    FORKS_TWICE: ["sbin/upstart-udev-bridge"],
    STOPS: ["sbin/sshd"],
    f": > /run/cups/cups.sock\n{STAYS}": ["sbin/cupsd"],
    "exec cat > /srv/sysctl": ["sbin/sysctl"],
}  # fmt: skip
# They run in the background before they do what is said.
DAEMONS = {
    "/usr/sbin/mountall": "\n".join(
        f"initctl emit -n {name}"
        for name in ("virtual-filesystems", "local-filesystems", "filesystem")
    ),
    "/usr/sbin/libvirtd": "exec python3 -c 'import socket, time; "
    's = socket.socket(socket.AF_UNIX); s.bind("/run/libvirt/libvirt-sock"); time.sleep(1000)\'',
}
SCRIPT_OF_RUNLEVELS = """case $1 in 0)
initctl emit deconfiguring-networking
initctl emit unmounted-remote-filesystems
esac"""
FILES = {
    **{f"/usr/{path}": stub(kind) for kind, paths in PROGRAMS.items() for path in paths},
    **{path: stub(f"(({action}) &) &") for path, action in DAEMONS.items()},
    "/etc/init.d/rc": stub(SCRIPT_OF_RUNLEVELS),
    "/etc/default/rsyslog": "RSYSLOGD_OPTIONS=-c5\n",
}
# A container may not raise these as far as some packages do.
JOBS = {
    name: re.sub(r"^limit (nofile|nproc) .*", r"limit \1 1024 4096", text, flags=re.MULTILINE)
    for name, text in CORPUS.items()
}
PREPARE = f"""
id=900
for user in {" ".join(USERS)}; do
    echo "$user:x:$id:$id::/var/lib/$user:/bin/false" >> /etc/passwd
    echo "$user:x:$id:" >> /etc/group
    id=$((id + 1))
done
mkdir -p /var/lib/jenkins /var/lib/ureadahead /etc/apparmor.d
"""

# What a boot is: each event, and who has come up or gone down by it. Instances in parentheses.
BOOT = [
    ("startup", "avahi-daemon cups dbus neutron-ovs-cleanup openvswitch-switch plymouth rsyslog"
                " udev upstart-udev-bridge ureadahead"),
    ("-n net-device-added INTERFACE=lo", "+failsafe network-interface|(lo) ufw"),
    ("-n net-device-added INTERFACE=eth0", "network-interface|(eth0)"),
    ("-n net-device-up IFACE=eth0", "docker jenkins"),
    ("-n container CONTAINER=lxc", "networking"),
    ("-n plymouth-ready", ""),
    ("-n static-network-up", "-failsafe -plymouth -ureadahead acpid atd cinder-volume cron"
                             " libvirt-bin lightdm mongodb mysql nova-api nova-compute"
                             " neutron-plugin-openvswitch-agent salt-minion squid3 ssh tty1"
                             " whoopsie"),
    ("starting JOB=lxc INSTANCE=", "lxc-net"),
    ("control-alt-delete", ""),
]  # fmt: skip
SHUTDOWN = [
    ("stopped JOB=lxc INSTANCE=", {"lxc-net"}),
    ("net-device-removed INTERFACE=eth0", {"network-interface (eth0)"}),
]
LEFT = {"network-interface (lo)", "plymouth", "ufw"}


def running(machine: Machine) -> set[str]:
    """Return the jobs that run: each with its instance."""
    lines = machine.out("initctl list").splitlines()
    return {line.partition(" start/running")[0] for line in lines if " start/running" in line}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine that has booted."""
    place = tmp_path_factory.mktemp("corpus")
    with world.machine(place, JOBS, FILES, "--no-startup-event") as machine:
        machine.out(PREPARE)
        yield machine


def test_boot_starts_the_jobs_of_all_packages(machine: Machine) -> None:
    """One event after the other, and each job when its condition is true."""
    up: set[str] = set()
    for event, changes in BOOT:
        machine.out(f"initctl emit {event}")
        for change in changes.split():
            name = change.lstrip("+-").replace("|", " ")
            up = up - {name} if change.startswith("-") else up | {name}
        machine.until(lambda up=up: up == running(machine))
    stopped = {line.partition(" ")[0] for line in machine.out("initctl list").splitlines()}
    assert {*CORPUS} == stopped


def test_programs_are_called_as_their_packages_say(machine: Machine) -> None:
    """With the words of the job files, and the variables in them."""
    calls = set(machine.text("/srv/calls").splitlines())
    expected = {
        "acpid -c /etc/acpi/events -s /var/run/acpid.socket",
        "cinder-volume --config-file=/etc/cinder/cinder.conf"
        " --log-file=/var/log/cinder/cinder-volume.log",
        "dbus-daemon --system --fork",
        "docker -d",
        "getty -8 38400 tty1",
        "hostname -b -F /etc/hostname",
        "ifup --allow auto eth0",
        "ifup --allow auto lo",
        "ifup -a",
        "java -jar /usr/share/jenkins/jenkins.war --httpPort=8080 --ajp13Port=-1",
        "libvirtd -d",
        "mongod --config /etc/mongodb.conf",
        "mountall --daemon",
        "mysqladmin --defaults-file=/etc/mysql/debian.cnf ping",
        "plymouthd --mode=boot --attach-to-session",
        "rc 2",
        "rsyslogd -c5",
        "shutdown -r now Control-Alt-Delete pressed",
        "squid3 -N -YC -f /etc/squid3/squid.conf",
        "sshd -D",
        "ufw-init start quiet",
    }
    assert set() == expected - calls


def test_shutdown_stops_them(machine: Machine) -> None:
    """But for those that have no condition for it, and those that it starts."""
    for event, gone in SHUTDOWN:
        assert gone <= running(machine)
        machine.out(f"initctl emit {event}")
        machine.until(lambda gone=gone: not gone & running(machine))
    machine.out("initctl emit runlevel RUNLEVEL=0 PREVLEVEL=2")
    machine.until(lambda: running(machine) == LEFT)
    calls = set(machine.text("/srv/calls").splitlines())
    assert {"rc 0", "plymouthd --mode=shutdown --attach-to-session", "ifdown -a --exclude=lo",
            "ovs-ctl stop", "ifdown --allow auto eth0"} <= calls  # fmt: skip
