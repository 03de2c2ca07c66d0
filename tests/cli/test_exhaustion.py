"""The command when something is exhausted: the disk, descriptors, a directory, a number."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import Run
from kit.children import WAIT_TIMEOUT, child, ended, python, stubborn
from kit.leaks import listing
from kit.namespace import in_mounts
from kit.users import as_nobody, shared, skip_without_nobody

import ssd

SLEEP = ["--startas", "/bin/sleep", "--", "1000"]

FULL = 'mount -t tmpfs -o size=4k none "$1"; echo full > "$1/full"; shift; "$@" || echo "$?"'


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
@pytest.mark.parametrize("way", [["--background"], []], ids=["background", "foreground"])
def test_full_disk_under_the_pidfile_starts_nothing(
    way: list[str], tmp_path: Path, ssd_path: Path, run: Run
) -> None:
    """Row 5: status 2, and neither a daemon nor a pidfile nor a lock is left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = FULL + f'; ls -A "{disk}"'
    words = [ssd_path, "--start", *way, "--make-pidfile", "--pidfile", disk / "pid"]
    words += ["--startas", "/usr/bin/touch", "--", tmp_path / "started"]
    done = run(*in_mounts(script, disk, *words))
    assert ("2\nfull\n", ["disk"]) == (done.stdout, listing(tmp_path)), done.stderr
    assert f"{disk}/pid" in done.stderr
    assert "No space left on device" in done.stderr


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_start_without_pidfile_works_in_a_read_only_directory(
    tmp_path: Path, ssd_path: Path, run: Run
) -> None:
    """Its lock is in another directory, and the start succeeds, as with the original."""
    script = 'mount -t tmpfs -o ro none "$1"; shift; "$@"'
    words = [ssd_path, "--start", "--pidfile", tmp_path / "pid", "--startas", "/bin/echo", "--"]
    done = run(*in_mounts(script, tmp_path, *words, "started"))
    assert (0, "started\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("way", [["--background"], []], ids=["background", "foreground"])
@pytest.mark.parametrize("most", [0, 1])
def test_limit_on_the_size_of_files_starts_nothing(
    most: int, way: list[str], tmp_path: Path, ssd_path: Path
) -> None:
    """A pidfile that cannot be written, or only in part, is an error."""
    words = [ssd_path, "--start", *way, "--make-pidfile", "--pidfile", tmp_path / "pid", *SLEEP]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: E731
    done = subprocess.run(
        words, capture_output=True, text=True, preexec_fn=limit, timeout=WAIT_TIMEOUT
    )
    assert (2, []) == (done.returncode, listing(tmp_path)), done.stderr


# question -> its exit status if no descriptor is left
STARVED = {"--status --pid {pid}": 4, "--pidof --name x": 4, "--stop --pid {pid}": 2}
# The interpreter itself needs more at its start, so the limit is set later.
STARVE = f"""
import resource, sys
sys.path[:0] = [{str(Path(str(ssd.__file__)).parent.parent)!r}]
from ssd.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
sys.exit(main(["ssd", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("line", STARVED)
def test_running_out_of_descriptors_is_an_error_and_no_answer(line: str) -> None:
    """Status 1 would mean that the daemon is dead, or that there was nothing to do."""
    with child() as process:
        words = line.format(pid=process.pid).split()
        done = python(STARVE, *words, flags=("-I", "-S"))
        assert process.poll() is None
    assert (STARVED[line], b"") == (done.returncode, done.stdout), done.stderr
    assert done.stderr.startswith(b"ssd: ")
    assert os.strerror(errno.EMFILE).encode() in done.stderr


UNREAD = """
import resource
from ssd.finding import _uid
from ssd.accounts import Account
import grp, pwd
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
for ask in (lambda: Account("root", None), lambda: Account(None, "root"), lambda: _uid("root")):
    try:
        ask()
    except Exception as error:
        print(type(error).__name__, error.args[0])
"""


def test_user_is_not_unknown_where_the_accounts_cannot_be_read() -> None:
    """getpwnam(3) needs a descriptor, and Python reports the lack as an unknown name."""
    assert b"OSError 24\n" * 3 == python(UNREAD).stdout


def test_more_processes_than_descriptors_are_stopped_all(ssd_path: Path) -> None:
    """A thousand workers of one daemon can be stopped with the usual limit of a thousand."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # noqa: E731
    words = [ssd_path, "--stop", "--retry=TERM/60", "--exec", "/bin/sleep", "--ppid", os.getpid()]
    with ExitStack() as stack:
        workers = [stack.enter_context(child()) for _ in range(100)]
        done = subprocess.run(list(map(str, words)), capture_output=True, preexec_fn=limit)
        assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
        assert {-15} == {worker.wait() for worker in workers}


@pytest.mark.parametrize(
    ("directory", "reason"),
    [("{path}/none", "No such file or directory"), ("{path}", "AF_UNIX path too long")],
)
def test_directory_without_a_notification_socket_is_named(
    directory: str, reason: str, tmp_path: Path, ssd_path: Path
) -> None:
    """The path in the message shows that it comes from TMPDIR."""
    skip_without_nobody()
    long = tmp_path / ("x" * 100)
    long.mkdir()
    place = directory.format(path=long)
    words = [ssd_path, "--start", "--background", "--notify-await", "--name", "nobody", *SLEEP]
    with shared(long, 0o777):
        options = {**as_nobody(), "env": {**os.environ, "TMPDIR": place}}
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=WAIT_TIMEOUT, **options
        )
        assert [] == listing(long)
    assert (2, "") == (done.returncode, done.stdout)
    assert f" {place}/.ssd-notify." in done.stderr and f"({reason})" in done.stderr


GONE = 'mkdir "$1"; cd "$1"; rmdir "$1"; shift; exec "$@"'


def test_lost_working_directory_matters_to_relative_paths_only(
    tmp_path: Path, ssd_path: Path
) -> None:
    """An absolute pidfile works; a relative one is missing, or cannot be created."""
    unwritable = "ssd: unable to write or remove pidfile 'pid' (No such file or directory)\n"
    true = ["--startas", "/bin/true"]
    cases: dict[tuple[str, ...], tuple[int, str]] = {
        ("--status", "--pidfile", str(tmp_path / "pid")): (3, ""),
        ("--status", "--pidfile", "pid"): (3, ""),
        ("--start", "--pidfile", str(tmp_path / "pid"), *true): (0, ""),
        ("--start", "--pidfile", "pid", *true): (0, ""),
        ("--start", "--pidfile", "pid", "--make-pidfile", "--startas", "/bin/true"): (
            2,
            unwritable,
        ),
    }
    for words, (status, said) in cases.items():
        argv = ["sh", "-ec", GONE, "sh", tmp_path / "gone", ssd_path, *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
        assert (status, "", said) == (done.returncode, done.stdout, done.stderr)


ELSEWHERE = """
import ssd
match = ssd.Match(pidfile="pid")
true = ssd.Command(["/bin/true"], output="out")
print(ssd.start(ssd.Match(name="nobody"), ssd.Command(["/bin/true"]), background=False).wait())
for make_pidfile in (True, False):
    try:
        ssd.start(match, true, make_pidfile=make_pidfile)
    except ssd.Error as error:
        print(type(error).__name__)
"""


def test_program_without_working_directory_can_start_others(tmp_path: Path) -> None:
    """Only a relative path fails, with an error of the family."""
    argv = ["sh", "-ec", GONE, "sh", tmp_path / "gone", sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert "0\nPidfileUnwritable\nStartFailed\n" == done.stdout, done.stderr


# A long wait ----------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["2147483647", "CONT/2147483647", "forever/CONT/2147483647"])
def test_wait_of_a_lifetime_ends_with_the_process(schedule: str, ssd_path: Path) -> None:
    """poll(2) takes milliseconds as an int; a longer wait is not an error."""
    with stubborn() as process:
        words = [ssd_path, "--stop", "--signal", "KILL", "--pid", str(process.pid)]
        done = subprocess.run(
            [*words, "--retry", schedule.replace("CONT", "KILL")], timeout=WAIT_TIMEOUT
        )
        assert (0, -signal.SIGKILL) == (done.returncode, process.wait())


def test_longest_timeout_of_a_notification_is_no_error(tmp_path: Path, ssd_path: Path) -> None:
    """A program that ends is noticed long before."""
    words = ["--start", "-b", "-m", "--pidfile", tmp_path / "pid", "--notify-await"]
    words += ["--notify-timeout", "2147483647", "--startas", "/bin/true"]
    done = subprocess.run([ssd_path, *words], capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert (2, []) == (done.returncode, listing(tmp_path)), done.stderr
    assert "ended before it was ready" in done.stderr


NOTIFY = """
import os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    for message in (b"EXTEND_TIMEOUT_USEC=" + b"9" * 18, b"STATUS=\\xff\\n\\xc3", b"READY=1"):
        notify.sendto(message, os.environ["NOTIFY_SOCKET"])
sys.stdin.close()
import time; time.sleep(1000)
"""


def test_notification_of_any_bytes_and_any_time_is_taken(tmp_path: Path, ssd_path: Path) -> None:
    """Whatever the locale."""
    words = ["--start", "-b", "-m", "-v", "--pidfile", tmp_path / "pid", "--notify-await"]
    words += ["--startas", sys.executable, "--", "-c", NOTIFY]
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([ssd_path, *words], capture_output=True, env=plain, timeout=WAIT_TIMEOUT)
    assert (0, b"") == (done.returncode, done.stderr)
    with ended(int((tmp_path / "pid").read_text())):
        assert not stat.S_ISLNK((tmp_path / "pid").lstat().st_mode)
