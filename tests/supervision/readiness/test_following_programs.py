"""Programs that go to the background by themselves, under ssd-supervise in a namespace."""

import os
import signal
import sys
from pathlib import Path

import pytest
from kit.supervise import Supervise, supervise

from supervision.family import SPEAKER

pytestmark = pytest.mark.requires_namespaces

# Each leaves a process that naps; ``pidfile`` is written where a path is given.
PROGRAMS = {
    "sh": "/bin/sleep 1000 & exit 0",
    "fork": "os.fork() and os._exit(0); nap()",
    "daemon": "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); nap()",
    "slow": """
os.fork() and os._exit(0)
os.setsid()
if os.fork():
    time.sleep(0.05)
    os._exit(0)
nap()
""",
    "stop": "os.kill(os.getpid(), _signal.SIGSTOP); nap()",
    "pidfile": """
os.fork() and os._exit(0)
os.setsid()
os.fork() and os._exit(0)
time.sleep(0.05)
with open("/run/web.pid", "w") as file:
    file.write(f"{os.getpid()}\\n")
nap()
""",
}


@pytest.fixture
def command(ssd_path: Path) -> Path:
    """Return the command."""
    return ssd_path.with_name("ssd-supervise")


def declaration(program: str, *more: str) -> str:
    """Return a declaration in TOML of one of the programs."""
    script = PROGRAMS[program]
    words = ["/bin/sh", "-c", script]
    if program != "sh":
        code = f"{SPEAKER}\ndef nap(): _signal.sigwait([_signal.SIGUSR2])\n{script}"
        words = [sys.executable, "-I", "-S", "-c", code]
    executable, *arguments = [repr_toml(each) for each in words]
    pidfile = "/run/web.pid" if program == "pidfile" else "none"
    return "\n".join(
        [
            f"executable = {executable}",
            f"arguments = [{', '.join(arguments)}]",
            f'pidfile = "{pidfile}"',
            'stop_schedule = "KILL/60"',
            *more,
            "",
        ]
    )


def repr_toml(text: str) -> str:
    """Return a text as a basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def followed(running: Supervise) -> int:
    """Return the process that is said to be the main one, as seen in the namespace."""
    said = [line for line in running.said if "runs as process" in line]
    return int(said[-1].split()[-1])


@pytest.mark.parametrize(
    ("program", "more"),
    [
        ("sh", "background = false"),
        ("fork", 'expect = "fork"'),
        ("daemon", 'expect = "daemon"'),
        ("daemon", "background = false"),
        ("slow", "background = false"),
        ("pidfile", "background = false"),
    ],
)
def test_daemon_is_followed_to_its_end(
    command: Path, tmp_path: Path, program: str, more: str
) -> None:
    """Its end is seen at once and with its status, and it comes back; a stop ends it."""
    services = {"web": declaration(program, more, "[respawn]", 'when = "always"')}
    with supervise(command, tmp_path / "d", services) as running:
        running.until("web is ready")
        daemon = followed(running)
        os.kill(running.outside(daemon), signal.SIGKILL)
        running.until(f"was ended by SIGKILL (process {daemon})")
        running.until("web is ready")
        again = followed(running)
        assert daemon != again
        assert 0 == running.stop()
    assert any(f"was ended by SIGKILL (process {again})" in line for line in running.said)


def test_process_that_stops_itself_is_continued(command: Path, tmp_path: Path) -> None:
    """``expect`` stop: ready once it has."""
    with supervise(command, tmp_path / "d", {"web": declaration("stop", 'expect = "stop"')}) as (
        running
    ):
        running.until("web is ready")
        assert running.processes()[followed(running)].split()[0] in ("R", "S")  # not T
        assert 0 == running.stop()


def test_failed_program_is_named_with_its_status(command: Path, tmp_path: Path) -> None:
    """It has never gone to the background."""
    text = 'executable = "/bin/false"\npidfile = "none"\nbackground = false\n'
    with supervise(command, tmp_path / "d", {"web": text}) as running:
        running.until("web is given up: it exited with status 1 before it went to the background")


def test_daemon_that_is_not_found_does_not_stay(command: Path, tmp_path: Path) -> None:
    """Nothing is left of a start that has failed, though its first process has ended long ago."""
    lost = declaration("sh", "background = false", "[readiness]", "timeout = 0.3")
    services = {"web": lost.replace('"none"', '"/run/never.pid"')}
    with supervise(command, tmp_path / "d", services) as running:
        running.until("web is given up: it was not ready within 0.3 seconds")
        assert [] == [each for each in running.processes().values() if "sleep" in each]


def test_socket_reaches_a_service_of_another_user(command: Path, tmp_path: Path) -> None:
    """It may pass to the socket, though not to the directory of the supervisor."""
    code = repr_toml(f'{SPEAKER}\nsay("STATUS=at work"); say("READY=1"); stay()')
    text = (
        f"executable = {repr_toml(sys.executable)}\n"
        f'arguments = ["-I", "-S", "-c", {code}]\nuser = "nobody"\n'
        '[readiness]\nkind = "notify"\ntimeout = 20\n'
    )
    with supervise(command, tmp_path / "d", {"web": text}) as running:
        running.until("web reports: at work", "web is ready")
        assert 0 == running.stop()


def test_successor_hears_what_a_service_says(command: Path, tmp_path: Path) -> None:
    """The socket is where it was, though its first supervisor was killed."""
    code = repr_toml(f'{SPEAKER}\nsay("READY=1"); stay()')
    text = (
        f"executable = {repr_toml(sys.executable)}\n"
        f'arguments = ["-I", "-S", "-c", {code}]\nstop_schedule = "KILL/60"\n'
        '[readiness]\nkind = "notify"\ntimeout = 20\n'
    )
    place = tmp_path / "d"
    place.mkdir()
    twice = place / ".twice"
    twice.write_text(f'#!/bin/sh\n{command} "$@"\n{command} "$@"\n')
    twice.chmod(0o755)
    with supervise(twice, place, {"web": text}) as running:
        running.until("web is ready")
        service = running.outside(followed(running))
        os.kill(running.pid, signal.SIGKILL)
        running.until("web is taken over")
        os.kill(service, signal.SIGUSR1)
        running.until("web reports: truth")


def test_connection_to_the_socket_outlives_an_upgrade(command: Path, tmp_path: Path) -> None:
    """A service may connect once and send for ever."""
    body = """
connected = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
connected.connect(os.environ["NOTIFY_SOCKET"])
_signal.signal(_signal.SIGUSR1, lambda *taken: connected.send(b"STATUS=truth"))
say("READY=1")
stay()
"""
    text = (
        f"executable = {repr_toml(sys.executable)}\n"
        f'arguments = ["-I", "-S", "-c", {repr_toml(SPEAKER + body)}]\nstop_schedule = "KILL/60"\n'
        '[readiness]\nkind = "notify"\ntimeout = 20\n'
    )
    with supervise(command, tmp_path / "d", {"web": text}) as running:
        running.until("web is ready")
        service = running.outside(followed(running))
        running.send(signal.SIGUSR2)
        running.until("the program of the supervisor was replaced")
        os.kill(service, signal.SIGUSR1)
        running.until("web reports: truth")
        assert 0 == running.stop()
