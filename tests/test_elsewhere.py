"""Starts and stops work through psutil without the features that macOS and BSD lack.

This is an emulation on Linux, not a test on a real kernel of those systems. The starts are made by
``Start``, because a fresh interpreter, as of a helper, would have all of Linux's features.
"""

import errno
import os
from pathlib import Path

from kit.children import python

# In an interpreter of its own, before ssd is imported. There is no kqueue either, so that
# processes are held by pid and start time, which every system offers.
POORER = """
import os, select, signal, sys, _signal
import psutil, subprocess, asyncio  # those know which system it is

for module, names in {
    os: (
        "pidfd_open", "P_PIDFD", "waitid", "O_PATH", "sched_setscheduler", "sched_param",
        "sched_get_priority_min", "sched_get_priority_max", "SCHED_OTHER", "SCHED_FIFO",
        "SCHED_RR", "setxattr", "getxattr", "listxattr", "removexattr", "getresuid", "getresgid",
    ),
    signal: ("pidfd_send_signal",), _signal: ("pidfd_send_signal",),
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
uname = os.uname()


class FakeName:
    sysname, machine, nodename = "FreeBSD", uname.machine, uname.nodename


os.uname = FakeName
sys.platform = "freebsd14"
"""

LIFE = """
import ssd
from ssd import loops
from ssd.starting import Start

directory = sys.argv[1]
table = ssd.default_table()
print(type(table).__name__)
match, nap = ssd.Match(pidfile=directory + "/pid"), ssd.Command(["/bin/sleep", "1000"])
told = dict(warn=lambda *words: None, say=lambda *words: None)
daemon = Start(match, nap, background=True, make_pidfile=True, **told).run()
print(ssd.status(match), ssd.find(match) == [daemon])
try:
    Start(match, nap, background=True, make_pidfile=True, **told).run()
except ssd.AlreadyRunning as error:
    print(error.processes == [daemon])
print(ssd.stop(match, "TERM/30/KILL/5") == [daemon], ssd.status(match))
again = Start(match, nap, background=True, make_pidfile=True, **told).run()
print(asyncio.run(loops.stop(match)) == [again])
with ssd.PIDLockFile(directory + "/own") as lock:
    print(lock.i_am_locking())
"""

CHILD = """
import ssd
from ssd import loops
from ssd.children.child import Child

table = ssd.default_table()


def begin(*argv):
    started = subprocess.Popen(argv)
    started.returncode = 0  # reaped here
    return Child(started.pid, table.process(started.pid).start_time, [])


with begin("/bin/sleep", "1000") as child:
    print(child.fileno(), child.poll())
    try:
        child.wait(0.05)
    except TimeoutError:
        print("runs")
    print(ssd.stop(ssd.Match(pid=child.pid)) == [child], child.wait())
with begin("/bin/sleep", "1000") as child:
    child.signal(15)
    print(asyncio.run(loops.wait(child, 60)))
with begin("/bin/sleep", "1000") as child:
    child.signal(15)
    table.wait([child], None)
    print(child.wait())
"""

COMMAND = """
from ssd.cli import main
sys.exit(main(["ssd", *sys.argv[1:]]))
"""


def test_daemon_is_managed_without_pidfd_and_attributes(tmp_path: Path) -> None:
    """Started, queried, not started twice, and stopped by either loop."""
    done = python(POORER + LIFE, tmp_path)
    expected = b"PortableTable\n0 True\nTrue\nTrue 1\nTrue\nTrue\n"
    assert (expected, b"") == (done.stdout, done.stderr)


def test_child_without_a_descriptor_can_be_waited_for() -> None:
    """By itself, in an asyncio loop and by the table, all of which then poll."""
    done = python(POORER + CHILD)
    assert (b"-1 None\nruns\nTrue -15\n-15\n-15\n", b"") == (done.stdout, done.stderr)


def test_system_without_process_scheduling_says_so(tmp_path: Path) -> None:
    """Row 32: --procsched is an error there; --iosched gives a warning, as for any failure."""
    words = ["--start", "--pidfile", tmp_path / "pid", "--startas", "/bin/echo"]
    done = python(POORER + COMMAND, *words, "--procsched", "fifo:1", "--", "started")
    reason = os.strerror(errno.ENOSYS)
    said = f"ssd: --procsched is not supported on this system ({reason})\n"
    assert (2, b"", said) == (done.returncode, done.stdout, done.stderr.decode())
    done = python(POORER + COMMAND, *words, "--iosched", "idle", "--", "started")
    assert (0, b"started\n") == (done.returncode, done.stdout)
    assert f"unable to alter IO priority to mask 24583 ({reason})\n" in done.stderr.decode()
