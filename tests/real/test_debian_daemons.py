"""Unmodified init scripts of Debian, with ssd where start-stop-daemon stood.

Each daemon lives the same life twice, at the same time in two sets of namespaces: once under
the original, once under ssd. Nothing is installed: the unpacked packages are laid over the
namespace's view of the system (overlayfs), and ssd is mounted over start-stop-daemon.
"""

import fcntl
import os
import re
import socket
import struct
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from kit import debian

from .alone import MS_BIND, PR_SET_CHILD_SUBREAPER, Visit, checked, libc, mount
from .processes import LONG, ready, state, wait_end
from .programs import ORACLE, run

CLONE_NEWNET = 0x40000000  # sched.h
SIOCSIFFLAGS, IFF_UP = 0x8914, 1  # netdevice(7)
IN_CHANGES = 0x2 | 0x8 | 0x80 | 0x100  # inotify(7): modified, written, moved here, created

SERVICE = "ssd-service"
# As service(8) has it.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb", "LANG": "C.UTF-8"}

# The steps of a life: verb, exit status, and the process in the pidfile afterwards, compared
# with the one before.
LIFE = [
    ("status", 3, "none"),
    ("start", 0, "new"),
    ("status", 0, "same"),
    ("start", 0, "same"),
    ("restart", 0, "new"),
    ("status", 0, "same"),
    ("stop", 0, "none"),
    ("stop", 0, "none"),
    ("status", 3, "none"),
]


class Daemon:
    """One of Debian's daemons.

    package: its package; other: more packages that it needs. script: its init script. pidfile: its
    pidfile. prepare: shell commands that its maintainer script, or an administrator, would have
    run. users: those that it runs as.
    """

    def __init__(
        self, package: str, script: str, pidfile: str, prepare: str = "", users: str = ""
    ) -> None:
        self.package = package
        self.script = script
        self.pidfile = pidfile
        self.prepare = prepare
        self.users = users.split()


# How they call it: by LSB's start_daemon and killproc (cron); with --test first, --name and a
# schedule (nginx); with --chuid, --umask and "forever" (redis); with --background,
# --make-pidfile and --nicelevel (rsync); with --chuid 0:0, --oknodo and --exec (ssh); and
# through init-d-script(5), with TERM/0/CONT/30/KILL/5 (atd, by three lines of our own).
DAEMONS = [
    Daemon("cron", "cron", "/run/crond.pid"),
    Daemon("nginx-light", "nginx", "/run/nginx.pid", "mkdir -p /var/log/nginx /var/lib/nginx"),
    Daemon(
        "redis-server",
        "redis-server",
        "/run/redis/redis-server.pid",
        "mkdir -p /var/lib/redis /var/log/redis\n"
        "chown -R redis:redis /var/lib/redis /var/log/redis /etc/redis\n",
        users="redis",
    ),
    Daemon(
        "rsync",
        "rsync",
        "/run/rsync.pid",
        "echo '[all]' > /etc/rsyncd.conf\n"
        "printf 'RSYNC_ENABLE=true\\nRSYNC_NICE=5\\n' > /etc/default/rsync\n",
    ),
    Daemon(
        "openssh-server",
        "ssh",
        "/run/sshd.pid",
        "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key\n"
        "echo 'HostKey /etc/ssh/ssh_host_ed25519_key' > /etc/ssh/sshd_config\n",
        users="sshd",
    ),
    Daemon(
        "at",
        "scheduler",
        "/run/atd.pid",
        "mkdir -p /var/spool/cron/atjobs /var/spool/cron/atspool\n"
        "chown -R daemon:daemon /var/spool/cron/at*\n"
        "printf '%s\\n' '#!/usr/bin/env /lib/init/init-d-script' DAEMON=/usr/sbin/atd"
        " > /etc/init.d/scheduler; chmod 755 /etc/init.d/scheduler\n",
    ),
]


@pytest.mark.slow
@pytest.mark.requires_root
@pytest.mark.requires_namespaces
@pytest.mark.parametrize("daemon", DAEMONS, ids=lambda daemon: daemon.package)
def test_init_script_of_debian_cannot_tell_the_difference(daemon: Daemon, ssd_path: Path) -> None:
    """Every verb gives the same status, words and process under ssd as under the original.

    Also with the original in its place, but broken, and the script under ``--with-ssd``.
    """
    if not os.path.exists("/lib/init/init-d-script"):
        pytest.skip("/lib/init/init-d-script is missing: apt-get install sysvinit-utils")
    root = debian.unpack(daemon.package)
    launchers = [
        ssd_path,
        ssd_path.with_name(SERVICE),
        *([Path(ORACLE)] if os.access(ORACLE, os.X_OK) else []),
    ]
    with ExitStack() as stack:
        visits = [
            stack.enter_context(Visit(partial(live, daemon, root, launcher), [root]))
            for launcher in launchers
        ]
        lives = [visit.result() for visit in visits]
    assert LIFE == [(verb, status, process) for verb, status, process, *_ in lives[0]]
    for life in lives[1:]:
        assert lives[0] == life


def live(daemon: Daemon, root: Path, launcher: Path) -> list[tuple[str, int, str, str, str]]:
    """Lead a daemon through its life; return the result of each verb."""
    # The first process of the namespace reaps orphans, as on every machine.
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0))
    furnish(daemon, root, launcher)
    under = [str(launcher), "--with-ssd", daemon.script]
    command = under if launcher.name == SERVICE else [f"/etc/init.d/{daemon.script}"]
    life = []
    main = None
    for verb, _, expected in LIFE:
        before = main
        done = run(*command, verb, env=ENVIRONMENT, timeout=10 * LONG)
        if expected == "none" and before is not None:
            wait_end(before)
        if expected == "new":
            await_newcomer(daemon.pidfile, before)
        main = living(daemon.pidfile)
        process = "none" if main is None else "same" if main == before else "new"
        said = [re.sub(r"\d+", "N", text) for text in (done.stdout, done.stderr)]
        life.append((verb, done.returncode, process, *said))
    return life


def furnish(daemon: Daemon, root: Path, launcher: Path) -> None:
    """Make a machine with the daemon, the tool and a network of its own."""
    checked(libc.unshare(CLONE_NEWNET))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
    for name in ("etc", "usr", "var"):
        layers = f"/run/layers/{name}"
        os.makedirs(f"{layers}/upper")
        os.mkdir(f"{layers}/work")
        below = f"{root}/{name}:/{name}" if (root / name).is_dir() else f"/{name}"
        options = f"lowerdir={below},upperdir={layers}/upper,workdir={layers}/work"
        try:
            mount("overlay", f"/{name}", "overlay", data=options)
        except OSError as error:
            pytest.skip(f"this kernel lays no packages over the system: {error}")
    for user in daemon.users:
        uid = 700 + daemon.users.index(user)
        append("/etc/group", f"{user}:x:{uid}:")
        append("/etc/passwd", f"{user}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin")
    run("sh", "-e", "-c", daemon.prepare, check=True)
    if launcher.name == SERVICE:
        launcher = Path("/run/broken")
        launcher.write_text("#!/bin/sh\necho the original was called >&2\nexit 99\n")
        launcher.chmod(0o755)
    if str(launcher) != ORACLE:
        mount(str(launcher), os.path.realpath(ORACLE), flags=MS_BIND)
    assert os.path.samefile("/sbin/start-stop-daemon", launcher)  # by the path that LSB's use


def append(path: str, line: str) -> None:
    """Append a line to a file."""
    with open(path, "a") as file:
        print(line, file=file)


def living(pidfile: str) -> int | None:
    """Return the living process that a pidfile names."""
    try:
        pid = int(Path(pidfile).read_text())
    except (FileNotFoundError, ValueError):
        return None  # not written yet, or not completely
    return pid if state(pid) not in (None, "Z", "X") else None


def await_newcomer(pidfile: str, before: int | None) -> None:
    """Wait until a pidfile names a new process, which may be after the end of the script."""
    until = time.monotonic() + LONG
    watch = checked(libc.inotify_init1(os.O_CLOEXEC))
    checked(libc.inotify_add_watch(watch, os.path.dirname(pidfile).encode(), IN_CHANGES))
    while living(pidfile) in (None, before) and ready([watch], until):
        os.read(watch, 4096)
    os.close(watch)
