"""``ssd.start`` inside a program's own process, and what the started program gets."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kit.children import ENVIRONMENT, SLEEP, WAIT_TIMEOUT, child, ended, python, shell, told
from kit.leaks import listing, nothing_left
from kit.libc import Watch
from kit.users import NOBODY

import ssd
from ssd import Command, Match

# A daemon's life ------------------------------------------------------------------------


def test_daemon_is_started_found_and_stopped(tmp_path: Path) -> None:
    """The whole life, from one process; nothing is left in the caller."""
    match = Match(pidfile=tmp_path / "pid", exec="/bin/sleep")
    with nothing_left():
        assert 3 == ssd.status(match)
        process = ssd.start(match, SLEEP, make_pidfile=True)
        with ended(process.pid):
            assert f"{process.pid}\n" == (tmp_path / "pid").read_text()
            assert (0, [process]) == (ssd.status(match), ssd.find(match))
            assert [process] == ssd.stop(match)
        assert (1, []) == (ssd.status(match), ssd.stop(match))
    assert ["pid"] == listing(tmp_path)


def test_running_daemon_is_not_started_again(tmp_path: Path) -> None:
    """AlreadyRunning carries the processes, in the background and as a child."""
    with child() as running, nothing_left():
        for background in (True, False):
            with pytest.raises(ssd.AlreadyRunning) as caught:
                ssd.start(Match(pid=running.pid), SLEEP, background=background)
            assert ssd.find(Match(pid=running.pid)) == caught.value.processes


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
def test_start_can_look_by_any_table(kind: str, tmp_path: Path) -> None:
    """The same table finds and starts it, so that start times are comparable."""
    table = ssd.table_named(kind)
    match = Match(pidfile=tmp_path / "pid")
    process = ssd.start(match, SLEEP, make_pidfile=True, table=table)
    with ended(process.pid):
        assert [process] == ssd.find(match, table=table)


# The caller -----------------------------------------------------------------------------


def test_threads_start_and_stop_at_once(tmp_path: Path) -> None:
    """Each thread has a daemon of its own."""
    failures: list[BaseException] = []

    def live(number: int) -> None:
        match = Match(pidfile=tmp_path / str(number))
        try:
            process = ssd.start(match, SLEEP, make_pidfile=True)
            assert (0, [process]) == (ssd.status(match), ssd.stop(match))
        except BaseException as error:  # noqa: BLE001 - it is the test's to report
            failures.append(error)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(8)]
    with nothing_left():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_TIMEOUT)
    assert [] == failures


def test_threads_that_start_the_same_get_one_daemon(tmp_path: Path) -> None:
    """One thread starts it; the others learn that it runs."""
    match, results = Match(pidfile=tmp_path / "pid"), []

    def start() -> None:
        try:
            results.append(ssd.start(match, SLEEP, make_pidfile=True))
        except ssd.AlreadyRunning as error:
            results.append(*error.processes)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_TIMEOUT)
    assert ssd.stop(match) * 6 == results


def state() -> dict[str, object]:
    """Return what a library must leave alone."""
    umask = os.umask(0o022)
    os.umask(umask)
    numbers = sorted(signal.valid_signals())
    return {
        "umask": umask,
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "handlers": [signal.getsignal(number) for number in numbers],
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "streams": [sys.stdin, sys.stdout, sys.stderr],
        "identity": (os.getresuid(), os.getresgid(), os.getgroups(), os.getsid(0), os.nice(0)),
    }


def test_caller_is_left_as_it_was(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing global changes and nothing is printed, whether calls succeed or fail."""
    before = state()
    match = Match(pidfile=tmp_path / "pid")
    command = Command(["/bin/sleep", "1000"], umask=0o077, nice=1, directory="/tmp")
    ssd.start(match, command, make_pidfile=True)
    ssd.stop(match)
    for failing in (Command(["/none"]), Command(["/bin/true"], user="no such user")):
        for background in (True, False):
            with pytest.raises(ssd.Error):
                ssd.start(Match(name="no such"), failing, background=background)
    assert before == state()
    assert ("", "") == tuple(capfd.readouterr())


CLOSED = """
import os, sys, ssd
for fd in map(int, sys.argv[2:]):
    os.close(fd)
match = ssd.Match(pidfile=sys.argv[1] + "/pid")
command = ssd.Command(["/bin/sleep", "1000"])
ssd.start(match, command, make_pidfile=True)
ssd.stop(match)
script = "for fd in 0 1 2; do test -e /proc/$$/fd/$fd || n=$n$fd; done; exit ${n:-9}"
with ssd.start(match, ssd.Command(["/bin/sh", "-c", script]), background=False) as process:
    os._exit(process.wait())
"""


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_caller_with_closed_descriptors_can_start(closed: str, tmp_path: Path) -> None:
    """A daemon, for example; the descriptors are closed in its child, too."""
    with open(os.devnull) as nothing:
        done = python(CLOSED, tmp_path, *closed, stdin=nothing)
    assert int(closed) == done.returncode, done.stderr


IGNORING = """
import signal, sys, ssd
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
match = ssd.Match(pidfile=sys.argv[1] + "/pid")
process = ssd.start(match, ssd.Command(["/bin/sleep", "1000"]), make_pidfile=True)
assert [process] == ssd.stop(match)
"""


def test_caller_that_ignores_its_childrens_end_can_start(tmp_path: Path) -> None:
    """With SIGCHLD ignored the kernel reaps, and waitpid(2) finds no child."""
    done = python(IGNORING, tmp_path)
    assert (0, b"") == (done.returncode, done.stderr)


def test_checkout_that_is_not_installed_can_start(tmp_path: Path) -> None:
    """The helper imports from the caller's path, also from the working directory."""
    base = getattr(sys, "_base_executable", sys.executable)
    where = Path(str(ssd.__file__)).parent.parent
    done = subprocess.run(
        [base, "-c", ENVIRONMENT, tmp_path],
        cwd=where,
        env={},
        capture_output=True,
        timeout=WAIT_TIMEOUT,
    )
    assert (0, b"") == (done.returncode, done.stderr)


# The names ------------------------------------------------------------------------------


ODD = b"\xff \xc3("


# Starts from a directory that it has entered, with another in its path, and prints what is done.
ASTRAY = """
import os, sys
import ssd, ssd.children
os.chdir(sys.argv[1])
sys.path.append(sys.argv[2])
true = ssd.Command(["/bin/true"])
print(ssd.start(ssd.Match(name="nobody"), true, background=False).wait())
print(ssd.start(ssd.Match(name="nobody"), true).pid > 0)
"""


@pytest.mark.parametrize("first", ["", ".", "relative"], ids=repr)
def test_modules_in_the_callers_directory_are_not_imported(first: str, tmp_path: Path) -> None:
    """A start imports no module from there, nor the caller's modules of the same names."""
    for package in ("ssd", "relative/ssd", "app"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('a stranger')\n")
    for name in ("daemon", "marshal", "fcntl", "resource", "lockfile"):
        for directory in (".", "relative", "app"):
            (tmp_path / directory / f"{name}.py").write_text("raise SystemExit('a stranger')\n")
    code = f"import sys; sys.path.insert(0, {first!r}){ASTRAY}"
    done = python(code, tmp_path, tmp_path / "app", cwd="/")
    assert (b"0\nTrue\n", b"") == (done.stdout, done.stderr)


def test_arguments_and_names_go_through_byte_for_byte(tmp_path: Path) -> None:
    """Neither need be UTF-8."""
    odd = os.fsencode(tmp_path) + b"/" + ODD
    os.mkdir(odd)
    command = shell('printf "%s|%s|" "$1" "$PWD"', ODD, directory=odd)
    assert ODD + b"|" + odd + b"|" == told(command, tmp_path)


def test_environment_goes_through_byte_for_byte(tmp_path: Path) -> None:
    """A given environment is complete, in bytes or text; HOME is added only for a user."""
    given = {"NAME": "\udcff", b"BYTES": ODD, "EMPTY": ""}
    command = Command(["/usr/bin/env", "-0"], environment=given)  # type: ignore[arg-type]
    assert {b"NAME=\xff", b"BYTES=" + ODD, b"EMPTY="} == variables(told(command, tmp_path))


def variables(text: bytes) -> set[bytes]:
    """Split what env(1) prints."""
    return set(text.removesuffix(b"\0").split(b"\0"))


def test_inherited_environment_holds_the_callers_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the caller's changes of os.environ, and nothing else is new."""
    monkeypatch.setenv("SSD_TEST", "\udcff")
    monkeypatch.setenv("LC_CTYPE", "POSIX")  # in the C locale Python has put one there
    found = variables(told(Command(["/usr/bin/env", "-0"]), tmp_path))
    assert {name + b"=" + value for name, value in os.environb.items()} == found


@pytest.mark.parametrize(
    "given",
    [{b"LANG": b"C"}, {}, {b"LC_CTYPE": b"C.UTF-8"}, {b"LC_ALL": b"C"}, {b"ODD\xff": b"\xfe"}],
    ids=repr,
)
def test_environment_has_nothing_that_python_adds(
    given: dict[bytes, bytes], tmp_path: Path
) -> None:
    """In the C locale Python sets LC_CTYPE for itself; the program gets what the caller got."""
    done = python(ENVIRONMENT, tmp_path, env=given)
    assert {name + b"=" + value for name, value in given.items()} == (
        variables(done.stdout) - {b""}
    ), done.stderr


def test_ignored_signals_of_python_do_not_reach_the_program(tmp_path: Path) -> None:
    """SIGPIPE and SIGXFSZ, which CPython ignores, have their default action."""
    command = shell("grep SigIgn /proc/self/status")
    ignored = int(told(command, tmp_path).split()[1], 16)
    assert [] == [n for n in (signal.SIGPIPE, signal.SIGXFSZ) if ignored >> (n - 1) & 1]


def test_descriptors_of_the_caller_do_not_reach_the_program(tmp_path: Path) -> None:
    """Not even inheritable ones; a child has only its three standard ones."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    found = told(shell("ls /proc/$$/fd"), tmp_path).split()
    os.close(reading)
    os.close(writing)
    assert [b"0", b"1", b"2"] == [fd for fd in found if int(fd) < 10]


@pytest.mark.requires_root
def test_program_below_another_root_starts(tmp_path: Path) -> None:
    """The new root has no file of ours: all is loaded before."""
    with pytest.raises(ssd.StartFailed) as caught:
        ssd.start(Match(pidfile=tmp_path / "pid"), Command(["/bin/x"], root=str(tmp_path)))
    assert ("exec", "/bin/x", errno.ENOENT) == (
        caught.value.stage,
        caught.value.detail,
        caught.value.errno,
    )
    assert [] == listing(tmp_path)


@pytest.mark.requires_root
def test_daemon_of_another_user_is_that_users_for_good(tmp_path: Path) -> None:
    """All its ids and its groups are changed."""
    command = Command(["/bin/sleep", "1000"], user="nobody")
    match = Match(pidfile=tmp_path / "pid")
    process = ssd.start(match, command, make_pidfile=True)
    with ended(process.pid):
        text = Path(f"/proc/{process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in text.splitlines())
        assert [str(NOBODY)] * 4 == fields["Uid"].split() == fields["Gid"].split()
        assert [str(NOBODY)] == fields["Groups"].split()


@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
def test_program_blocks_no_signal(background: bool, tmp_path: Path) -> None:
    """Although its helper blocks all until it becomes the program."""
    command = shell(
        f"grep SigBlk /proc/self/status > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/said"
    )
    with Watch(tmp_path, Watch.MOVED) as watch:
        process = ssd.start(Match(pidfile=tmp_path / "none"), command, background=background)
        watch.until("said")
    assert 0 == int((tmp_path / "said").read_text().split()[1], 16)
    if not background:
        with process as started:  # type: ignore[attr-defined]
            assert 0 == started.wait()
