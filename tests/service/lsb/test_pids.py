"""pidofproc as Python, and which processes a program's name means."""

import os
from pathlib import Path

import pytest
from kit.children import child, unused_pid, zombie
from kit.users import NOBODY

from ssd import errors
from ssd.service import lsb
from ssd.service.lsb.pids import comm_of, means

SLEEP = "/bin/sleep"

# program, command line -> whether the process runs it (the comm matches already)
DECISIONS = {
    ("nap", ("nap",)): True,
    ("nap", ("/usr/bin/nap", "-d")): True,
    ("/usr/bin/nap", ("/usr/bin/nap",)): True,
    ("/usr/bin/nap", ("nap",)): True,
    ("/usr/bin/nap", ("/opt/nap",)): False,
    ("bin/nap", ("/usr/bin/nap",)): False,
    ("bin/nap", ("bin/nap",)): True,
    ("nap", ("/bin/sh", "/usr/bin/nap")): True,
    ("/usr/bin/nap", ("/usr/bin/python3", "/usr/bin/nap")): True,
    ("/usr/bin/nap", ("/usr/bin/python3", "-E", "/usr/bin/nap")): False,
    ("nap", ("other",)): False,
    ("nap", ()): False,
    ("nap", ("nap: worker process",)): True,
    ("/usr/bin/nap", ("nap: worker process",)): True,
    ("name-of-more-than-fifteen", ("name-of-more-than-fifteen",)): True,
    ("name-of-more-than-fifteen", ("name-of-more-than-others",)): False,
    ("name-of-more-than-fifteen", ("name-of-more: worker",)): False,
}


@pytest.mark.parametrize("case", DECISIONS, ids=str)
def test_command_line_confirms_the_name(case: tuple) -> None:
    """Its first word, or the second of a script; a title only for a short name."""
    program, argv = case
    assert DECISIONS[case] == means(program.encode(), [word.encode() for word in argv])


@pytest.mark.parametrize(
    ("path", "comm"),
    [
        ("/usr/bin/nap", "nap"),
        ("nap", "nap"),
        ("/usr/bin/name-of-more-than-fifteen", "name-of-more-th"),
        ("/usr/bin/", ""),
    ],
)
def test_kernel_keeps_15_bytes_of_the_last_part(path: str, comm: str) -> None:
    """TASK_COMM_LEN without its NUL."""
    assert comm.encode() == comm_of(path.encode())


@pytest.mark.requires_namespaces
@pytest.mark.requires_root
def test_process_in_another_root_directory_is_ignored(in_namespace, ssd_path) -> None:
    """As pidof -c does for root."""
    script = """
    mkdir -p /run/root/usr
    mount --rbind /usr /run/root/usr
    for name in bin lib lib64; do ln -s usr/$name /run/root/$name; done
    cp /bin/sleep /run/nap && cp /bin/sleep /run/root/nap
    mkfifo /run/ready
    chroot /run/root /bin/sh -c 'echo >&3; exec /nap 100' 3>/run/ready &
    read line </run/ready
    until grep -q ^/nap /proc/$!/cmdline; do :; done  # set last when a program is executed
    "$1" lsb pidofproc nap; echo "status $?"
    /run/nap 100 &
    until grep -q ^/run/nap /proc/$!/cmdline; do :; done
    [ "$("$1" lsb pidofproc nap)" = $! ] && echo ours
    """
    done = in_namespace("sh", "-c", script, "sh", ssd_path.with_name("ssd-service"))
    assert ("status 3\nours\n", "") == (done.stdout, done.stderr)


@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """Return the path of a missing pidfile."""
    return tmp_path / "pid"


def test_pidfile_tells_the_pid(pidfile: Path) -> None:
    """The name of the process does not matter."""
    pidfile.write_text(f"{os.getpid()}\n")
    found = lsb.pidofproc("/usr/sbin/other", str(pidfile))
    assert (0, [os.getpid()]) == (found.status, found.pids)


def test_dead_process_leaves_a_pidfile(pidfile: Path) -> None:
    """Status 1; a zombie is dead."""
    pidfile.write_text(f"{unused_pid()}\n")
    assert 1 == lsb.pidofproc(SLEEP, str(pidfile)).status
    with zombie() as pid:
        pidfile.write_text(f"{pid}\n")
        assert 1 == lsb.pidofproc(SLEEP, str(pidfile)).status


def test_pidfile_that_others_can_write_is_an_error(pidfile: Path) -> None:
    """The exception names the file and the reason."""
    pidfile.write_text("1\n")
    pidfile.chmod(0o666)
    with pytest.raises(errors.PidfileUnsafe, match="world-writable"):
        lsb.pidofproc(SLEEP, str(pidfile))


@pytest.mark.requires_root
def test_pidfile_may_belong_to_another_user(pidfile: Path) -> None:
    """Daemons write pidfiles as their own user."""
    pidfile.write_text(f"{os.getpid()}\n")
    os.chown(pidfile, NOBODY, NOBODY)
    assert 0 == lsb.pidofproc(SLEEP, str(pidfile)).status


def test_pids_without_a_pidfile_begin_with_the_newest() -> None:
    """All processes that run the file are found."""
    with child() as first, child() as second:
        found = lsb.pidofproc(SLEEP)
    ours = [pid for pid in found.pids if pid in (first.pid, second.pid)]
    assert (0, sorted([first.pid, second.pid], reverse=True)) == (found.status, ours)
    assert sorted(found.pids, reverse=True) == found.pids


def test_pids_can_be_omitted() -> None:
    """For example that of the calling shell."""
    with child() as process:
        assert process.pid not in lsb.pidofproc(SLEEP, omit=[process.pid]).pids
