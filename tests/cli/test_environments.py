"""The command with closed descriptors, odd names, user namespaces and a hidden /proc."""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from kit.children import WAIT_TIMEOUT, child, ended
from kit.debian import ORACLE, skip_without_oracle
from kit.locks import take
from kit.namespace import in_mounts
from kit.seccomp import KERNELS, kernel
from kit.users import NOBODY, shared, skip_without_nobody

SLEEP = ["--startas", "/bin/sleep", "--", "1000"]
MISSING = ["--startas", "/nonexistent/program"]

# Closed standard descriptors ------------------------------------------------------------

CLOSED = [closed for count in (1, 2, 3) for closed in combinations((0, 1, 2), count)]
NAMES = {0: "in", 1: "out", 2: "err"}

# A program that prints its standard descriptors, and whether another one is open.
SHOW = """
( for fd in 0 1 2; do readlink /proc/$$/fd/$fd || echo closed; done; echo end ) 2> /dev/null > "$0"
"""


def closing(closed: tuple[int, ...], tmp_path: Path, *argv: object) -> int:
    """Run a command with some standard descriptors closed, the others files; return its status."""
    files = {fd: open(tmp_path / name, "a+") for fd, name in NAMES.items()}
    redirections = " ".join(f"{fd}>&-" for fd in closed)
    words = ["sh", "-c", f'exec "$@" {redirections}', "sh", *map(os.fspath, argv)]  # type: ignore[call-overload]
    try:
        return subprocess.call(
            words, stdin=files[0], stdout=files[1], stderr=files[2], timeout=WAIT_TIMEOUT
        )
    finally:
        for file in files.values():
            file.close()


@contextmanager
def pipe(path: Path) -> Iterator[Callable[[], str]]:
    """Make a named pipe; give a function that reads what a program writes to it."""
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR)

    def read() -> str:
        text = b""
        while not text.endswith(b"end\n"):
            assert select.select([fd], [], [], WAIT_TIMEOUT)[0], "the program says nothing"
            text += os.read(fd, 4096)
        return text.decode().removesuffix("end\n")

    try:
        yield read
    finally:
        os.close(fd)


def shown(closed: tuple[int, ...], tmp_path: Path, tool: object, *options: str) -> list[str]:
    """Start the program that shows its descriptors; return them, files by their names."""
    (tmp_path / "show").unlink(missing_ok=True)
    with pipe(tmp_path / "show") as read:
        status = closing(
            closed, tmp_path, tool, "--start", "--verbose", "--make-pidfile",
            "--pidfile", tmp_path / "pid", "--startas", "/bin/sh", *options,
            "--", "-c", SHOW, tmp_path / "show",
        )  # fmt: skip
        assert 0 == status
        return [line.removeprefix(f"{tmp_path}/") for line in read().splitlines()]


AS_GIVEN = {
    closed: ["closed" if fd in closed else name for fd, name in NAMES.items()] for closed in CLOSED
}
STARTS = {
    "foreground": ((), AS_GIVEN),
    "background": (("--background",), dict.fromkeys(CLOSED, ["/dev/null"] * 3)),
}


@pytest.mark.parametrize("closed", CLOSED, ids=str)
@pytest.mark.parametrize("way", STARTS)
def test_program_gets_the_descriptors_of_the_original(
    way: str, closed: tuple[int, ...], tmp_path: Path, ssd_path: Path
) -> None:
    """Closed ones stay closed in the foreground: no descriptor of ssd replaces them."""
    options, expected = STARTS[way]
    assert expected[closed] == shown(closed, tmp_path, ssd_path, *options)
    pid = (tmp_path / "pid").read_text()
    assert f"{int(pid)}\n" == pid
    assert not (tmp_path / ".pid.tmp").exists()
    lock = take(tmp_path / "pid")  # a start in the foreground leaves its file
    assert 0 == os.fstat(lock.fileno()).st_size
    lock.release()


@pytest.mark.parametrize("closed", CLOSED, ids=str)
@pytest.mark.parametrize("way", STARTS)
def test_table_of_descriptors_is_the_originals(
    way: str, closed: tuple[int, ...], tmp_path: Path
) -> None:
    """The expected result is what start-stop-daemon does."""
    skip_without_oracle()
    options, expected = STARTS[way]
    assert expected[closed] == shown(closed, tmp_path, ORACLE, *options)


@pytest.mark.parametrize("closed", CLOSED, ids=str)
def test_no_close_leaves_the_descriptors_as_they_are(
    closed: tuple[int, ...], tmp_path: Path, ssd_path: Path
) -> None:
    """In the background too, closed ones included."""
    found = shown(closed, tmp_path, ssd_path, "--background", "--no-close")
    assert AS_GIVEN[closed] == found


@pytest.mark.parametrize("closed", CLOSED, ids=str)
def test_status_and_stop_work_with_closed_descriptors(
    closed: tuple[int, ...], tmp_path: Path, ssd_path: Path
) -> None:
    """The pidfile, opened first, is not taken for standard output."""
    with child() as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        match = ["--verbose", "--pidfile", tmp_path / "pid"]
        asked = closing(closed, tmp_path, ssd_path, "--status", *match)
        stopped = closing(closed, tmp_path, ssd_path, "--stop", "--retry=60", *match)
        assert (0, 0, -signal.SIGTERM) == (asked, stopped, process.wait())
        assert f"{process.pid}\n" == (tmp_path / "pid").read_text()


# Bytes ----------------------------------------------------------------------------------

ODD = b"\xff \xc3("  # no UTF-8, and a space in it


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a directory with a copy of sleep(1); both names are not UTF-8."""
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + ODD))
    directory.mkdir()
    program = directory / os.fsdecode(ODD)
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    return directory


def test_names_that_are_not_utf_8_go_through_byte_for_byte(odd: Path, ssd_path: Path) -> None:
    """Pidfile, executable, name, directory and output file, in start, status and stop."""
    program, pidfile = odd / os.fsdecode(ODD), odd / "pid\udcfe"

    def ssd(*words: object) -> tuple[int, bytes, bytes]:
        argv = [os.fsencode(word) for word in (ssd_path, *words)]  # type: ignore[arg-type]
        done = subprocess.run(argv, capture_output=True, timeout=WAIT_TIMEOUT)
        return done.returncode, done.stdout, done.stderr

    start = ["-S", "-bm", "-p", pidfile, "-x", program, "-d", odd, "-O", odd / "log\udcfd"]
    assert (0, b"", b"") == ssd(*start, "--", "1000")
    pid = int(pidfile.read_text())
    with ended(pid):
        proc = Path(f"/proc/{pid}")
        while not (proc / "cmdline").read_bytes():
            os.sched_yield()  # it is set after the end that ssd waits for: children.until_executed
        assert os.fsencode(program) + b"\x001000\x00" == (proc / "cmdline").read_bytes()
        assert os.fsencode(odd) == os.readlink(os.fsencode(proc / "cwd"))
        assert sorted([ODD, b"pid\xfe", b"log\xfd"]) == sorted(os.listdir(os.fsencode(odd)))
        running = os.fsencode(program) + b" already running.\n"
        assert (1, running, b"") == ssd(*start)
        assert (0, b"%d\n" % pid, b"") == ssd("--pidof", "--name", os.fsdecode(ODD), "-p", pidfile)
        stopped = b"Stopped " + ODD + b" (pid %d).\n" % pid
        stop = ["--stop", "--verbose", "--retry=60", "-p", pidfile, "--remove-pidfile"]
        assert (0, stopped, b"") == ssd(*stop, "-n", os.fsdecode(ODD))
    assert not pidfile.exists()


def test_arguments_that_are_not_utf_8_reach_the_program(ssd_path: Path, tmp_path: Path) -> None:
    """In the foreground, byte for byte, and so does the environment."""
    argv = [ssd_path, "-S", "-p", tmp_path / "none", "-a", "/bin/sh", "--", "-c"]
    argv += ['printf "%s|%s" "$1" "$ODD"', "sh", ODD]
    done = subprocess.run(argv, capture_output=True, env={**os.environb, b"ODD": b"\xfe="})
    assert (ODD + b"|\xfe=", b"") == (done.stdout, done.stderr)


@pytest.mark.parametrize("way", ["--pidfile", "--exec", "--user", "--chdir"])
def test_name_that_is_not_utf_8_is_named_byte_for_byte(
    way: str, ssd_path: Path, tmp_path: Path
) -> None:
    """Also in a locale that has only ASCII."""
    argv: list[Any] = [ssd_path, "-S", "-p", tmp_path / "none", "-a", "/bin/true"]
    value = b"/etc/passwd/" + ODD if way in ("--pidfile", "--chdir") else b"/none/" + ODD
    environments: list[dict[str, str]] = [
        {**os.environ},
        {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ]
    for environment in environments:
        done = subprocess.run([*argv, way, value], capture_output=True, env=environment)
        assert (2, b"") == (done.returncode, done.stdout)
        assert ODD in done.stderr
        assert done.stderr.startswith(b"ssd: ")


# A user namespace without a mapping --------------------------------------------------------

UNMAPPED = """
"$1" -S -b -m -p "$2" -c "$(id -u):$(id -g)" -a /bin/sleep -- 1000 || exit 10
"$1" --status -p "$2" || exit 11
"$1" -K -q -p "$2" --remove-pidfile -R 60
"""


@pytest.mark.parametrize("mapped", [[], ["--map-user=1"]])
def test_daemon_is_recorded_where_no_group_is_mapped(
    mapped: list[str], tmp_path: Path, ssd_path: Path
) -> None:
    """There chown(2) fails for every owner: the caller's own group is invalid."""
    unshare = ["unshare", "--user", *mapped]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no user namespace can be made here")
    words = [*unshare, "sh", "-c", UNMAPPED, "sh", ssd_path, tmp_path / "pid"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert (0, "", False) == (done.returncode, done.stderr, (tmp_path / "pid").exists())


# A hidden /proc -------------------------------------------------------------------------

HIDDEN = """
mount -t proc -o hidepid=2 proc /proc
shift; exec "$@"
"""


def hidden(tool: object, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a tool as an ordinary user who sees only their own processes."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    words = in_mounts(HIDDEN, "", *drop, tool, *arguments)
    return subprocess.run(
        words, capture_output=True, text=True, timeout=WAIT_TIMEOUT, cwd="/", **options
    )


@pytest.mark.requires_namespaces
def test_user_manages_own_daemons_with_a_hidden_proc(tmp_path: Path, ssd_path: Path) -> None:
    """Start, status and stop see that user's processes."""
    skip_without_nobody()
    pidfile = tmp_path / "pid"
    match = ["--pidfile", pidfile]
    with shared(tmp_path, 0o700, NOBODY, NOBODY):
        started = hidden(ssd_path, "--start", "-b", "-m", *match, *SLEEP)
        assert (0, "", "") == (started.returncode, started.stdout, started.stderr)
        with ended(int(pidfile.read_text())):
            assert 0 == hidden(ssd_path, "--status", *match).returncode
            assert 1 == hidden(ssd_path, "--start", "-b", "-m", *match, *SLEEP).returncode
            assert 0 == hidden(ssd_path, "--stop", "--retry=60", *match).returncode
            assert 1 == hidden(ssd_path, "--status", *match).returncode


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("version", KERNELS)
@pytest.mark.parametrize("command", [["--status"], ["--start", *MISSING]])
def test_hidden_daemon_of_root_is_not_taken_for_dead(
    command: list[str], version: str, tmp_path: Path, ssd_path: Path
) -> None:
    """kill(2) shows that the pid in root's pidfile is in use; the original sees it too."""
    skip_without_nobody()
    skip_without_oracle()
    with child() as process, shared(tmp_path, 0o755):
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        words = [command[0], "--pidfile", tmp_path / "pid", *command[1:]]
        hinder = kernel(version)
        expected, found = (hidden(tool, *words, **hinder).returncode for tool in (ORACLE, ssd_path))
    assert (expected, {"--status": 0, "--start": 1}[command[0]]) == (found, expected)


def test_program_that_makes_its_pidfile_directory_is_started(
    ssd_path: Path, tmp_path: Path
) -> None:
    """As by the original; there is a lock all the same (pidfile/test_locking.py)."""
    words = [ssd_path, "--start", "--quiet", "--pidfile", tmp_path / "none" / "x.pid"]
    done = subprocess.run(
        [*words, "--exec", "/bin/true"], capture_output=True, timeout=WAIT_TIMEOUT
    )
    assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)
