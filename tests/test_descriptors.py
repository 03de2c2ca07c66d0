"""In a program without free descriptors, calls of ssd work or fail as documented."""

from pathlib import Path

import pytest
from kit.children import python

# Each call is made with 0, 1, 2 and so on free descriptors, until it works. It may raise only the
# documented exceptions, and may lose no descriptor.
STARVED = """
import gc, os, resource, sys
import lockfile, ssd

HERE = ssd.Match(pid=os.getppid())
PIDFILE = ssd.Match(pidfile=sys.argv[1] + "/pid")
NOBODY, TRUE = ssd.Match(name="no such"), ssd.Command(["/bin/true"])


def child(**options):
    with ssd.start(NOBODY, ssd.Command(["/bin/true"], **options), background=False) as started:
        started.wait()


def lock():
    with ssd.PIDLockFile(sys.argv[1] + "/own"):
        pass


CALLS = {
    "pid": lambda table: ssd.find(HERE, table=table),
    "name": lambda table: ssd.find(NOBODY, table=table),
    "exec": lambda table: ssd.find(ssd.Match(exec="/bin/sh"), table=table),
    "user": lambda table: ssd.find(ssd.Match(user=os.getuid()), table=table),
    "ppid": lambda table: ssd.status(ssd.Match(ppid=os.getpid()), table=table),
    "pidfile": lambda table: ssd.status(PIDFILE, table=table),
    "stop": lambda table: ssd.stop(HERE, ssd.Schedule.once(0), table=table),
    "daemon": lambda table: ssd.start(NOBODY, TRUE, table=table),
    "child": lambda table: child(),
    "dear child": lambda table: child(nice=1),
    "lock": lambda table: lock(),
}
call, table = CALLS[sys.argv[2]], ssd.table_named(sys.argv[3])
call(table)  # all modules are loaded
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
failed = set()
for room in range(40):
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        pass
    for _ in range(room):
        os.close(taken.pop())
    error = None
    try:
        call(table)
    except (ssd.Error, lockfile.LockFailed) as found:
        error = type(found).__name__
        failed.add(error)
        assert "oo many open files" in str(found) or "pidfile" in str(found), repr(found)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)
    gc.collect()
    assert before == len(os.listdir("/proc/self/fd")), (room, error)
    if error is None:
        break
print(*sorted(failed))
"""

# call -> the exceptions that it may raise
ASKED = {
    "pid": "ProcessTableError",
    "name": "ProcessTableError",
    "exec": "ProcessTableError",
    "user": "ProcessTableError",
    "ppid": "ProcessTableError",
    "pidfile": "PidfileUnreadable ProcessTableError",
    "stop": "ProcessTableError",
    "daemon": "StartFailed",
    "child": "ProcessTableError StartFailed",
    "dear child": "StartFailed",
    "lock": "LockFailed",
}


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
@pytest.mark.parametrize("asked", ASKED)
def test_lack_of_descriptors_is_a_documented_error(asked: str, kind: str, tmp_path: Path) -> None:
    """No bare OSError, and nothing stays open."""
    (tmp_path / "pid").write_text("1\n")
    done = python(STARVED, tmp_path, asked, kind)
    assert b"" == done.stderr
    told = set(done.stdout.decode().split())
    assert told
    assert told <= set(ASKED[asked].split())
