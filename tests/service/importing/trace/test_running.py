"""A script in its sandbox: what it sees, what it cannot do, and how long it may take."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from select import select
from typing import Any

import pytest
from kit import namespace

from ssd.service import DeclarationError
from ssd.service.importing.trace import running, tracer
from ssd.service.importing.trace.running import Work, trace

Record = dict[str, Any]
Tell = Callable[..., Record]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root could do such things")

# All that a script as root might do to a machine; each line says what went well.
NASTY = """
try() { "$@" > /dev/null 2>&1 && echo "$*"; }
try kill -9 -1
try umount -l /usr
try pathchk -o remount,rw / # a copy of mount(8), whose own name would do nothing
try pathchk -o remount,rw,bind /usr
try pathchk -t tmpfs none /mnt
try mknod /tmp/disk b 8 0
try sh -c "read -r now < /proc/sys/vm/swappiness; echo \\$now > /proc/sys/vm/swappiness"
try sh -c "echo h > /proc/sysrq-trigger"
try sh -c "echo +1 > /sys/fs/cgroup/cgroup.subtree_control"
try date -s "$(date '+%F %T.%N')" # the time that it is: it would be the machine's
try hostname changed
try perl -e 'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); \
    connect(S, pack_sockaddr_un("\\0$ENV{WITNESS}")) or exit 1'
try perl -e 'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); \
    connect(S, pack_sockaddr_un("/srv/witness")) or exit 1'
try test -e /run/witness
try test -e /dev/kmsg
try tty
try sh -c "echo leaked >&9"
echo written > /etc/witness
rm -rf /srv/tree
mkdir -m 700 /var/lib/made-by-test
mkdir /var/run/made-by-test
chmod 000 /tmp
seen=$(ps ax -o comm=)
echo processes: $seen
"""
# The machine of the test, with witnesses; it prints what they saw, and the record.
MACHINE = """
import json, os, socket, subprocess, sys
os.makedirs("/srv/tree/deep")
os.unlink("/var/run")
os.mkdir("/var/run")  # as where it is no link
subprocess.run("cp $(command -v mount) /usr/bin/pathchk", shell=True, check=True)
open("/run/witness", "w").close()
abstract, named = (socket.socket(socket.AF_UNIX) for _ in range(2))
abstract.bind(""); abstract.listen(9)
named.bind("/srv/witness"); named.listen(9)
witness = subprocess.Popen(["sleep", "1000"])
state = lambda: [
    sorted(os.listdir("/etc")), sorted(os.listdir("/srv")), os.listdir("/var/lib"),
    os.stat("/tmp").st_mode, open("/proc/sys/vm/swappiness").read(), os.uname().nodename,
    open("/proc/self/mountinfo").read(), witness.poll(), sorted(os.listdir("/run")),
]
os.dup2(os.open("/srv/leak", os.O_CREAT | os.O_WRONLY), 9)
before = state()
from ssd.service.importing.trace.running import Work, trace
environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
environment["WITNESS"] = abstract.getsockname()[1:].decode()
record = trace(Work("/opt/script", ["start"], environment, {}, []))
record["same"] = before == state()
print(json.dumps(record))
"""


@pytest.fixture
def traced(tmp_path: Path) -> Tell:
    """Return a function that runs verbs of the text of a script."""
    if namespace.obstacle() is not None:
        pytest.skip(str(namespace.obstacle()))
    file = tmp_path / "script"

    def tell(text: str, *verbs: str) -> Record:
        file.write_text(f"#!/bin/sh\n{text}")
        file.chmod(0o755)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return trace(Work(str(file), verbs or ("start",), environment, {}, []))

    return tell


@as_root
def test_script_changes_nothing_outside(tmp_path: Path) -> None:
    """No file, process, mount, socket or setting of the machine; it runs in one of its own."""
    if namespace.obstacle() is not None:
        pytest.skip(str(namespace.obstacle()))
    (tmp_path / "script").write_text(f"#!/bin/sh\n{NASTY}")
    (tmp_path / "script").chmod(0o755)
    # Overlays of the test's own keep the machine safe from a sandbox that fails.
    enter = (
        "for d in etc srv opt var usr; do mkdir -p /run/o/$d/u /run/o/$d/w; mount -t overlay -o "
    )
    enter += "lowerdir=/$d,upperdir=/run/o/$d/u,workdir=/run/o/$d/w o /$d; done; "
    enter += f'cp {tmp_path}/script /opt/script; exec "$@"'
    inner = [sys.executable, "-c", MACHINE]
    words = namespace.command(["sh", "-c", enter, "sh", *inner], keep=[tmp_path])
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "" == done.stderr
    record = json.loads(done.stdout)
    assert record["same"]
    said = record["output"]["start"].split("\n")
    assert ["umount -l /usr", "processes: script ps", ""] == said
    changes = {each["path"]: each["kind"] for each in record["changes"]}
    assert {
        "/etc/witness": "file",
        "/srv/tree": "removed",
        "/var/lib/made-by-test": "directory",
        "/var/run/made-by-test": "directory",
        "/run/mount": "directory",  # made by mount(8)
        "/tmp": "given",
    } == changes
    assert ["/usr/bin/umount"] == [event["program"] for event in record["events"]]


def test_verbs_share_what_they_wrote(traced: Tell, tmp_path: Path) -> None:
    """A stop finds the files of the start; none of it is on the disk."""
    record = traced(
        'if [ "$1" = stop ]; then cat /srv/x; else echo 5 > /srv/x; fi', "start", "stop"
    )
    assert {"start": "", "stop": "5\n"} == record["output"]
    record = traced(f"rm {tmp_path}/script; echo $0; pwd; umask; id -u; exit 3")
    assert f"{tmp_path}/script\n/\n0022\n0\n" == record["output"]["start"]
    assert {"start": 3} == record["statuses"]
    assert (tmp_path / "script").exists()


def test_script_that_hangs_is_ended(traced: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it did until then is recorded, and the next verb runs if there is a daemon to stop."""
    monkeypatch.setattr(running, "VERB_TIMEOUT", 0.3)
    text = 'mkdir /run/x; [ "$1" = start ] && while :; do :; done; echo bye'
    record = traced(text, "start", "stop")
    assert {"start": None} == record["statuses"]
    assert ["/run/x"] == [each["path"] for each in record["changes"]]
    record = traced(f"start-stop-daemon -Sbx /usr/bin/perl; {text}", "start", "stop")
    assert {"start": None, "stop": 0} == record["statuses"]
    assert "bye\n" in record["output"]["stop"]


@pytest.mark.parametrize("moment", [1, 2], ids=["early", "before the last dies with its parent"])
def test_trace_ends_with_its_caller(moment: int, tmp_path: Path) -> None:
    """Nothing of it goes on when the import is killed."""
    if namespace.obstacle() is not None:
        pytest.skip(str(namespace.obstacle()))
    file = tmp_path / "script"
    file.write_text("#!/bin/sh\necho ready\nwhile :; do :; done\n")
    file.chmod(0o755)
    code = (
        "import os\nfrom ssd.service.importing.trace import running\n"
        "die, moments = running.kernel.die_with_parent, []\n"
        "def late():\n moments.append(1)\n"
        f" if len(moments) == {moment}: print(1, flush=True); os.read(0, 1)\n"
        " die()\n"
        "running.kernel.die_with_parent = late\n"
        f"running.trace(running.Work({str(file)!r}, ['start'], {{}}, {{}}, []))"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as caller:
        assert caller.stdin is not None and caller.stdout is not None
        assert b"1\n" == caller.stdout.readline()
        caller.kill()
        # The first process inside ends with the caller, if it has asked for that.
        caller.wait()
        caller.stdin.close()
        assert select([caller.stdout], [], [], 9)[0]  # the last that has it open ends


def test_rest_of_a_script_is_ended(traced: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A subshell in the background that goes on for ever; a sleep is short."""
    monkeypatch.setattr(tracer, "GRACE", 0.1)
    record = traced("(while read x < /dev/zero; do :; done) & sleep 3600")
    assert {"start": 0} == record["statuses"]
    assert [["sleep", ["3600"]]] == [[e["role"], e["words"][1:]] for e in record["events"]]


def test_signals_are_recorded_once_sent(traced: Tell, tmp_path: Path) -> None:
    """Also one that the script does not wait for, as its last act."""
    daemon = tmp_path / "daemon"
    daemon.write_text("#!/usr/bin/perl\ndie;\n")
    daemon.chmod(0o755)
    text = f"""case $1 in
    start) {daemon} & echo $! > /run/pid ;;
    reload) kill -HUP $(cat /run/pid) ;;
    stop) kill -9 $(cat /run/pid) ;;
    esac"""
    record = traced(text, "start", "reload", "stop")
    sent = [(e["verb"], e["signal"]) for e in record["events"] if e["kind"] == "signal"]
    assert [("reload", signal.SIGHUP), ("stop", signal.SIGKILL)] == sent


def test_trace_that_ends_or_hangs_is_an_error(traced: Tell, monkeypatch) -> None:
    """Nothing is left of it."""
    monkeypatch.setattr(running, "_traced", lambda work, root: os._exit(9))
    with pytest.raises(DeclarationError, match="was ended, or took too long"):
        traced("")
    monkeypatch.setattr(running, "_traced", lambda work, root: signal.pause())
    monkeypatch.setattr(running, "SETUP_TIMEOUT", 0.0)
    monkeypatch.setattr(running, "VERB_TIMEOUT", -2.0)
    with pytest.raises(DeclarationError, match="was ended, or took too long"):
        traced("")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_fault_of_the_tracer_is_told(traced: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the process that asked; and no child of it goes on."""
    monkeypatch.setattr(running, "_traced", lambda work, root: {}["x"])
    with pytest.raises(RuntimeError, match="the tracer failed: KeyError: 'x'"):
        traced("")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_programs_without_end_are_an_error(traced: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would need a try of its own."""
    monkeypatch.setattr(running, "MOST_TRIES", 1)
    with pytest.raises(DeclarationError, match="starts more than 1 programs"):
        traced("/usr/bin/perl x")
