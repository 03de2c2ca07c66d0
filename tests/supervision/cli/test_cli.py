"""The command ssd-supervise, in namespaces of its own."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from kit import namespace
from kit.children import WAIT_TIMEOUT
from kit.supervise import NAP, declare, supervise
from kit.users import NOBODY, skip_without_nobody

pytestmark = pytest.mark.requires_namespaces

ALWAYS = NAP + '[respawn]\nwhen = "always"\n'


@pytest.fixture
def script(ssd_path: Path) -> Path:
    """Return the installed command."""
    return ssd_path.with_name("ssd-supervise")


def refused(
    script: Path, directory: Path, *words: str, keep: "Path | None" = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command where it ends by itself."""
    argv = [str(script), f"--directory={directory}", *words]
    argv = namespace.command(argv, keep=[keep or directory])
    return subprocess.run(argv, capture_output=True, text=True)


def test_services_run_until_term_and_are_restarted(script, tmp_path) -> None:
    """TERM stops them all; nothing is left, and the exit status is 0."""
    with supervise(script, tmp_path / "d", {"one": ALWAYS, "two": NAP}) as running:
        running.until("one runs as process", "two runs as process")
        first = running.pid_of("one")
        os.kill(running.outside(first), signal.SIGKILL)
        running.until("one was ended by SIGKILL")
        running.until("one runs as process")
        assert first != running.pid_of("one")
        assert 0 == running.stop()
    assert "one has stopped" in running.said[-1] or "two has stopped" in running.said[-1]


def test_signals_ignored_for_it_reach_its_services(script, tmp_path) -> None:
    """A shell ignores INT for ``ssd-supervise &``; a service may be stopped by INT all the same."""
    seen = tmp_path / "d" / "seen"
    command = f"grep SigIgn /proc/self/status > {seen}; exec sleep 1000"
    text = f'executable = "/bin/sh"\narguments = ["-c", "{command}"]\nstop_schedule = "INT/30"\n'
    declare(tmp_path / "d", {"one": text})
    words = f"{script} --directory={tmp_path}/d & "
    words += f"until [ -s {seen} ]; do sleep 0.05; done; kill -INT $!; kill $!; wait $!"
    done = subprocess.run(
        namespace.command(["sh", "-c", words], keep=[tmp_path / "d"]),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
    assert "one was ended by SIGINT" in done.stdout
    assert 0 == int(seen.read_text().split()[1], 16) & 0b110


def test_names_start_only_those_and_what_they_require(script, tmp_path) -> None:
    """A broken declaration of another service does not matter then."""
    services = {
        "app": f'requires = ["base"]\n{NAP}', "base": NAP, "other": NAP, "broken": "no = [",
    }  # fmt: skip
    with supervise(script, tmp_path / "d", services, "app") as running:
        running.until("app runs as process")
        assert "base runs as process" in running.said[-2]
        assert 0 == running.stop()
    assert not any("other" in line for line in running.said)


def test_manual_service_starts_only_by_its_name(script, tmp_path) -> None:
    """On the command line, too."""
    services = {"hand": f"manual = true\n{NAP}", "nap": NAP}
    with supervise(script, tmp_path / "d", services) as running:
        running.until("nap runs as process")
        assert 0 == running.stop()
    assert not any("hand" in line for line in running.said)
    with supervise(script, tmp_path / "d", services, "hand") as running:
        running.until("hand runs as process")
        assert 0 == running.stop()


def test_broken_declaration_starts_nothing(script, tmp_path) -> None:
    """It is named, with its line; the exit status is LSB's 6."""
    declare(tmp_path / "d", {"good": NAP, "bad": NAP + "unknown = 1\n"})
    done = refused(script, tmp_path / "d")
    assert (6, "") == (done.returncode, done.stdout)
    assert f"{tmp_path}/d/bad.toml:3: unknown: unknown field" in done.stderr


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"a": f'requires = ["b"]\n{NAP}', "b": f'requires = ["a"]\n{NAP}'}, "a -> b -> a"),
        ({"a": f'requires = ["c"]\n{NAP}'}, "a requires c, which is not declared"),
    ],
    ids=["circle", "missing"],
)
def test_order_that_cannot_be_is_an_error(script, tmp_path, services, said) -> None:
    """It names the services; the exit status is 6."""
    declare(tmp_path / "d", services)
    done = refused(script, tmp_path / "d")
    assert (6, True) == (done.returncode, said in done.stderr), done.stderr


def test_machine_without_proc_is_refused(script, tmp_path) -> None:
    """What was started there could not be stopped."""
    declare(tmp_path / "d", {"nap": NAP})
    shell = 'umount -l /proc; "$@"; echo "status $?"'
    argv = ["sh", "-c", shell, "sh", str(script), f"--directory={tmp_path}/d"]
    argv = namespace.command(argv, keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert "status 1\n" == done.stdout
    assert "ssd-supervise: unable to read the process table: /proc" in done.stderr


def test_removed_working_directory_is_no_matter(script, tmp_path) -> None:
    """A caller may have left it behind, as a deployment does."""
    declare(tmp_path / "d", {"nap": NAP})
    shell = 'mkdir /run/gone; cd /run/gone; rmdir /run/gone; exec "$@"'
    argv = ["sh", "-c", shell, "sh", str(script), f"--directory={tmp_path}/d", "--exit-with=nap"]
    (tmp_path / "d" / "nap.toml").write_text(NAP.replace("1000", "0"))
    argv = namespace.command(argv, keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert 0 == done.returncode, done


def test_directory_that_is_missing_is_an_error(script, tmp_path) -> None:
    """An empty one is not: services may come later."""
    (tmp_path / "kept").mkdir()
    done = refused(script, tmp_path / "kept" / "none", keep=tmp_path / "kept")
    assert (1, True) == (done.returncode, "No such file or directory" in done.stderr)
    with supervise(script, tmp_path / "empty", {}) as running:
        running.until("there is no service yet")
        declare(tmp_path / "empty", {"late": NAP})
        running.send(signal.SIGHUP)
        running.until("new: late", "late runs as process")
        assert 0 == running.stop()


def test_second_supervisor_is_refused(script, tmp_path) -> None:
    """With the pid of the first one, which is not disturbed."""
    nested = f"""
        {script} --directory={tmp_path}/d & first=$!
        until [ -s /run/nap.pid ]; do sleep 0.05; done
        {script} --directory={tmp_path}/d; echo "status $?, first is $first"
        kill $first; wait $first; echo "ended with $?"
    """
    declare(tmp_path / "d", {"nap": NAP})
    argv = namespace.command(["sh", "-c", nested], keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True)
    first = done.stdout.partition("first is ")[2].split()[0]
    assert f"process {first} supervises its services already" in done.stderr
    assert "status 1, " in done.stdout and "ended with 0" in done.stdout


START_UP = """
    {script} --directory={directory} > /run/said & supervisor=$!
    until [ -s /run/said ]; do :; done
    kill $supervisor; wait $supervisor; echo "ended with $?"
    for each in /proc/[0-9]*; do echo "left: $(cat $each/comm)"; done
    grep -c "runs as" /run/said; grep -c "has stopped" /run/said; ls /run
"""


def test_term_during_the_start_leaves_nothing(script, tmp_path) -> None:
    """What was started is stopped, the rest of a hundred services is not started any more."""
    declare(tmp_path, {f"s{number}": NAP for number in range(100)})
    shell = START_UP.format(script=script, directory=tmp_path)
    argv = namespace.command(["sh", "-c", shell], keep=[tmp_path])
    done = subprocess.run(argv, capture_output=True, text=True)
    assert "ended with 0\n" in done.stdout, done
    assert "left: sleep" not in done.stdout
    assert ".pid" not in done.stdout


USER = """
    mkdir -p /run/home/.config/ssd; chmod 755 /run/home
    printf '{nap}pidfile = "/run/home/pid"\\n' > /run/home/.config/ssd/nap.toml
    chown -R {uid}:{uid} /run/home
    as_user='setpriv --reuid {uid} --regid {uid} --clear-groups env HOME=/run/home'
    $as_user {script} > /run/said & supervisor=$!
    until grep -q "nap runs as" /run/said; do :; done
    stat -c '%U %u' /proc/$(cat /run/home/pid); find /run/home/.cache -type f -o -type s
    $as_user {script}; echo "second: $?"
    kill $supervisor; wait $supervisor; echo "ended with $?"
"""


def test_ordinary_user_has_a_supervisor_of_its_own(script) -> None:
    """With declarations in ~/.config/ssd; its socket, lock and logs are in its home, too."""
    skip_without_nobody()
    nap = NAP.replace("\n", "\\n")
    shell = USER.format(script=script, uid=NOBODY, nap=nap)
    done = subprocess.run(namespace.command(["sh", "-c", shell]), capture_output=True, text=True)
    assert f" {NOBODY}\n" in done.stdout, done
    place = "/run/home/.cache/ssd/supervise/run-home-.config-ssd"
    assert {f"{place}/socket", f"{place}/lock"} <= set(done.stdout.split("\n"))
    assert "second: 1\nended with 0\n" in done.stdout
    assert "supervises its services already" in done.stderr


def test_output_of_services_is_forwarded(script, tmp_path) -> None:
    """By --forward with the name in front, and without a file; by --logs there is one elsewhere."""
    talk = 'script = "echo I am here; exec /bin/sleep 1000"\n'
    with supervise(script, tmp_path / "d", {"talk": talk}, "--forward", "--quiet") as running:
        running.until("talk: I am here")
        assert not running.path("/var/log/ssd/talk.log").exists()
        assert 0 == running.stop()
    with supervise(script, tmp_path / "e", {"talk": talk}, "--logs", "/run/logs") as running:
        running.until("talk runs as process")
        file = running.path("/run/logs/talk.log")
        end = time.monotonic() + WAIT_TIMEOUT
        while not (file.exists() and file.read_text()):
            assert time.monotonic() < end
            os.sched_yield()
        assert "I am here\n" == file.read_text()
        assert 0 == running.stop()


def test_supervisor_above_is_told(script, tmp_path) -> None:
    """READY=1 when all is up, STOPPING=1; the services get another socket or none."""
    path = tmp_path / "d" / "notify.socket"
    declare(tmp_path / "d", {})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(WAIT_TIMEOUT)
        given = {**os.environ, "NOTIFY_SOCKET": str(path)}
        with supervise(script, tmp_path / "d", {"nap": NAP}, environment=given) as running:
            assert b"READY=1\nSTATUS=1 of 1 services are up" == manager.recv(1000)
            running.until("nap runs as process")
            variables = Path(f"/proc/{running.outside(running.pid_of('nap'))}/environ").read_bytes()
            assert b"NOTIFY_SOCKET=" not in variables
            assert 0 == running.stop()
        assert manager.recv(1000).startswith(b"STOPPING=1\n")
