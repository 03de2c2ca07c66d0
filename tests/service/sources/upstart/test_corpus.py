"""Job files in the shapes that well-known packages shipped."""

import pytest

from service.sources.upstart.corpus import CORPUS
from ssd.service.sources.upstart import JobFile, parse

LEVELS, OTHERS = "runlevel [2345]", "runlevel [!2345]"
PRE, MAIN, POST = "pre-start script", "main exec", "post-stop exec"

# Name -> stages, start on, stop on, and other stanzas but env
EXPECTED: dict[str, tuple[list[str], str, str, dict[str, object]]] = {
    "rc": (["main script"], "runlevel [0123456]", "runlevel [!$RUNLEVEL]", {
        "export": ["RUNLEVEL", "PREVLEVEL"], "task": True, "console": "output",
        "emits": ["deconfiguring-networking", "unmounted-remote-filesystems"],
    }),
    "rc-sysinit": (
        ["main script"], "((filesystem and static-network-up) or failsafe-boot)", "runlevel",
        {"emits": ["runlevel"], "task": True, "console": "output"},
    ),
    "tty1": (
        [MAIN], "(stopped rc RUNLEVEL=[2345] and ((not-container or container CONTAINER=lxc) "
        "or container CONTAINER=lxc-libvirt))", OTHERS, {"respawn": True},
    ),
    "mountall": (["main script", "post-stop script"], "startup", "starting rcS", {
        "emits": ["virtual-filesystems", "local-filesystems", "remote-filesystems", "all-swaps",
                  "filesystem", "mounting", "mounted"],
        "expect": "daemon", "task": True,
    }),
    "udev": ([MAIN], "virtual-filesystems", "runlevel [06]", {"respawn": True, "expect": "fork"}),
    "upstart-udev-bridge": ([MAIN], "starting udev", "stopped udev", {
        "emits": ["*-device-added", "*-device-removed", "*-device-changed"],
        "respawn": True, "expect": "daemon",
    }),
    "dbus": (
        [PRE, MAIN, "post-start script", POST], "local-filesystems", "deconfiguring-networking",
        {"respawn": True, "expect": "fork"},
    ),
    "rsyslog": (
        [PRE, "main script"], "filesystem", "runlevel [06]", {"respawn": True, "expect": "fork"},
    ),
    "networking": (
        [PRE, "post-stop script"],
        "(((local-filesystems and (stopped udevtrigger or container)) or runlevel [2345]) "
        "or stopped networking RESULT=failed PROCESS=post-stop EXIT_STATUS=100)",
        "unmounted-remote-filesystems", {"emits": ["static-network-up", "net-device-up"]},
    ),
    "network-interface": (
        [PRE, "post-stop script"], "net-device-added", "net-device-removed INTERFACE=$INTERFACE",
        {"export": ["INTERFACE"], "instance": "$INTERFACE",
         "emits": ["net-device-up", "net-device-down", "static-network-up"]},
    ),
    "hostname": ([MAIN], "startup", "None", {"task": True}),
    "procps": (
        ["main script"], "(virtual-filesystems or static-network-up)", "None",
        {"instance": "$UPSTART_EVENTS", "task": True},
    ),
    "control-alt-delete": ([MAIN], "control-alt-delete", "None", {"task": True}),
    "failsafe": (
        ["main script", "post-start exec"], "(filesystem and net-device-up IFACE=lo)",
        "(static-network-up or starting rc-sysinit)",
        {"emits": ["failsafe-boot"], "console": "output"},
    ),
    "ureadahead": (
        [MAIN, POST], "starting mountall", "stopped rc",
        {"normal_exit": {0, 4, 5}, "expect": "fork"},
    ),
    "plymouth": (
        ["main script", "post-start exec", "pre-stop exec"],
        "(starting mountall or (runlevel [016] and ((stopped gdm or stopped kdm) "
        "or stopped lightdm)))", "(stopped rc RUNLEVEL=[2345] or starting mountall-shell)",
        {"kill_timeout": 60.0, "expect": "fork", "console": "output"},
    ),
    "ssh": (
        [PRE, MAIN], LEVELS, OTHERS,
        {"respawn": True, "expect": "stop", "console": "none", "umask": 0o22},
    ),
    "cron": ([MAIN], LEVELS, OTHERS, {"respawn": True, "expect": "fork"}),
    "atd": ([MAIN], LEVELS, OTHERS, {"respawn": True, "expect": "fork"}),
    "mysql": (
        [PRE, MAIN, "post-start script"], LEVELS, "starting rc RUNLEVEL=[016]",
        {"kill_timeout": 300.0, "respawn": True, "respawn_limit": 2, "umask": 7},
    ),
    "mongodb": ([PRE, "main script"], LEVELS, "runlevel [06]", {
        "kill_timeout": 300.0,
        "limits": {"fsize": (-1, -1), "cpu": (-1, -1), "as": (-1, -1), "nofile": (64000, 64000),
                   "nproc": (64000, 64000)},
    }),
    "cups": (
        ["security exec", PRE, MAIN, "post-start script"],
        "(filesystem and (started dbus or runlevel [2345]))", "runlevel [016]",
        {"respawn": True, "respawn_limit": 3, "respawn_interval": 240,
         "apparmor_load": "/etc/apparmor.d/usr.sbin.cupsd"},
    ),
    "docker": (
        [PRE, "main script"], "(local-filesystems and net-device-up IFACE!=lo)", OTHERS,
        {"kill_timeout": 20.0, "respawn": True,
         "limits": {"nofile": (524288, 1048576), "nproc": (524288, 1048576)}},
    ),
    "lxc-net": ([PRE, "post-stop script"], "starting lxc", "stopped lxc", {}),
    "whoopsie": (["main script"], LEVELS, OTHERS, {"respawn": True, "expect": "fork"}),
    "ufw": (
        ["pre-start exec", POST],
        "((starting network-interface or starting network-manager) or starting networking)",
        "runlevel [!023456]", {"console": "output"},
    ),
    "acpid": (["main script"], LEVELS, OTHERS, {"respawn": True, "expect": "fork"}),
    "avahi-daemon": (
        ["main script"], "(filesystem and started dbus)", "stopping dbus", {"respawn": True},
    ),
    "lightdm": (
        ["main script", "post-stop script"],
        "((((filesystem and runlevel [!06]) and started dbus) and plymouth-ready) "
        "or runlevel PREVLEVEL=S)", "runlevel [016]",
        {"emits": ["login-session-start", "desktop-session-start", "desktop-shutdown"]},
    ),
    "jenkins": (
        ["main script"], "(local-filesystems and net-device-up IFACE!=lo)", OTHERS,
        {"respawn": True, "umask": 0o22, "nice": 5, "oom": 200, "limits": {"nofile": (8192, 8192)},
         "chdir": "/var/lib/jenkins", "setuid": "jenkins", "setgid": "jenkins"},
    ),
    "salt-minion": (
        ["main script"], "((net-device-up and local-filesystems) and runlevel [2345])", OTHERS,
        {"respawn": True, "limits": {"nofile": (100000, 100000)}},
    ),
    "squid3": (
        [PRE, MAIN], LEVELS, OTHERS,
        {"kill_signal": 2, "kill_timeout": 40.0, "respawn": True, "normal_exit": {0}},
    ),
    "libvirt-bin": (
        [PRE, "main script", "post-start script"], LEVELS, "starting rc RUNLEVEL=[016]",
        {"respawn": True, "expect": "daemon"},
    ),
    "nova-api": ([PRE, MAIN], LEVELS, OTHERS, {"chdir": "/var/run"}),
    "nova-compute": ([PRE, MAIN], LEVELS, OTHERS, {"chdir": "/var/run"}),
    "neutron-ovs-cleanup": ([PRE], "started openvswitch-switch", OTHERS, {}),
    "neutron-plugin-openvswitch-agent": (
        [PRE, MAIN], "(runlevel [2345] and started neutron-ovs-cleanup)", OTHERS,
        {"respawn": True, "chdir": "/var/run"},
    ),
    "cinder-volume": ([PRE, MAIN], LEVELS, OTHERS, {"respawn": True, "chdir": "/var/run"}),
    "openvswitch-switch": (
        [PRE, POST], "((local-filesystems and not-container) or virtual-filesystems)",
        "runlevel [06]", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_jobs_of_packages_are_read(name: str) -> None:
    """All that their stanzas say, and nothing else."""
    empty, job = JobFile(name), parse(CORPUS[name], name)
    stages = [f"{each} {'script' if s.is_script else 'exec'}" for each, s in job.stages.items()]
    apart = {"stages", "start_on", "stop_on", "description", "author", "environment", "_service"}
    other = {
        field: getattr(job, field)
        for field in sorted({*JobFile.__slots__} - apart)
        if getattr(job, field) != getattr(empty, field)
    }
    stages.sort(key=lambda text: text.split()[0] != "security")  # wherever its stanza is
    assert EXPECTED[name] == (stages, str(job.start_on), str(job.stop_on), other)


@pytest.mark.parametrize("name", CORPUS)
def test_jobs_of_packages_are_declarations(name: str) -> None:
    """With the description, the first line of each stage and the variables."""
    job = parse(CORPUS[name], name)
    service = job.service
    assert (job.description, "none") == (service.description, service.pidfile)
    hooks = [service.before_start, service.after_start, service.before_stop, service.after_stop]
    main = service.script or service.executable
    assert len({*job.stages} - {"security"}) == sum(map(bool, [main, *hooks]))
    names = {*service.environment, *service.pass_environment}
    assert {word.partition("=")[0] for word in job.environment} == names


def test_variables_of_a_job_are_unquoted() -> None:
    """As nothing but Upstart's own rules says: these are no lines of shell."""
    assert "true" == parse(CORPUS["lxc-net"], "x").service.environment["USE_LXC_BRIDGE"]
    assert ["RUNLEVEL=", "PREVLEVEL="] == parse(CORPUS["rc-sysinit"], "x").environment[1:3]
