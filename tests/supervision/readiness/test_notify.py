"""The notification socket of a supervisor, and whom it believes, with real processes."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from kit import users
from kit.children import until_executed

from ssd.supervision.readiness.notify import MOST, Notify
from supervision.family import SPEAKER, Family, speaker

NOTIFY = {"readiness": {"kind": "notify", "timeout": 60}, "stop_schedule": "KILL/60"}
TALKS = 'say("READY=1"); stay()'


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """Return a supervisor of real processes."""
    made = Family(tmp_path)
    yield made
    made.close()


def variables_of(pid: int) -> dict[str, str]:
    """Return the environment of a process."""
    until_executed(pid)
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def socket_of(family: Family) -> str:
    """Return the path of the notification socket."""
    notify = family.supervisor.effects.notify
    assert notify is not None
    return os.fsdecode(notify.path)


def send(family: Family, text: str) -> None:
    """Send a message as the test's own process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaking:
        speaking.connect(socket_of(family))
        speaking.send(text.encode())


def until_it_has_told_the_truth(family: Family) -> None:
    """Have the service send a message, after which all before it have been received."""
    os.kill(family.pid("web"), signal.SIGUSR1)
    family.until_said("web reports: truth")


def test_main_process_is_believed(family: Family) -> None:
    """Its READY=1 makes it ready."""
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.until_said("web is ready")
    until_it_has_told_the_truth(family)
    assert "truth" == family.supervisor.units["web"].status_text


@pytest.mark.parametrize(
    "body",
    [
        # In its session.
        'os.fork() or say("READY=1"); stay()',
        # Below it, in a session of its own.
        'os.fork() or (os.setsid(), say("READY=1")); stay()',
        # With its marker alone.
        """
reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(writing)
        os.read(reading, 1)  # until the one in the middle has ended
        say("READY=1")
        stay()
    os._exit(0)
os.close(writing)
stay()
""",
    ],
    ids=["session", "descendant", "marker"],
)
def test_processes_of_the_service_are_believed(family: Family, body: str) -> None:
    """Whatever they have done to leave it."""
    family.start("web", **NOTIFY, **speaker(body))
    family.until_said("web is ready")
    for pid in _members(family):
        os.kill(pid, signal.SIGKILL)


def _members(family: Family) -> list[int]:
    """Return the processes that have the marker of the service, but its main process."""
    marker = family.supervisor.effects.marker(family.supervisor.units["web"])
    table = family.supervisor.table
    return [
        pid
        for pid in table.pids()
        if marker in table.kin.environment(pid) and pid != family.pid("web")
    ]


def test_stranger_is_not_believed(family: Family) -> None:
    """A process of the same user that is not of the service."""
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.until_said("web is ready")
    send(family, "STATUS=lie\nSTOPPING=1\nMAINPID=1")
    until_it_has_told_the_truth(family)
    assert [] == [each for each in family.said if "lie" in each or "MAINPID" in each]


@pytest.mark.parametrize("uid", [0, users.NOBODY], ids=["root", "another user"])
def test_copied_marker_is_believed_of_some(family: Family, uid: int) -> None:
    """Of root, who can do all, and of the service's user; not of others."""
    users.skip_without_nobody()
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.until_said("web is ready")
    copied = variables_of(family.pid("web"))
    body = 'say("STATUS=copied"); sys.stdout.write("sent\\n"); sys.stdout.flush(); sys.stdin.read()'
    command = [sys.executable, "-I", "-S", "-c", SPEAKER + body]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    liar = subprocess.Popen(command, env=copied, cwd="/", user=uid, extra_groups=[], **pipes)  # type: ignore[call-overload]
    with liar:
        assert "sent\n" == liar.stdout.readline()
        until_it_has_told_the_truth(family)
        _end(liar.stdin)
    assert (uid == 0) == ("web reports: copied" in family.said)


def _end(stream: "IO[str] | None") -> None:
    assert stream is not None
    stream.close()


def test_main_process_is_followed_to_its_child(family: Family) -> None:
    """MAINPID of its own process; the first one is reaped, and the service goes on."""
    body = """
reading, writing = os.pipe()
child = os.fork()
if child:
    os.read(reading, 1)  # Python forgets a signal that comes before its fork has returned
    say(f"MAINPID={child}\\nREADY=1")
    os._exit(0)
os.write(writing, b"x")
stay()
"""
    family.start("web", **NOTIFY, **speaker(body))
    family.until_said("web is ready")
    first, second = [int(each.split()[-1]) for each in family.said if "runs as process" in each]
    assert second == family.pid("web") != first
    family.until(lambda: not Path(f"/proc/{first}").exists())
    until_it_has_told_the_truth(family)


def test_main_process_of_another_service_is_refused(family: Family) -> None:
    """A service cannot have the supervisor stop, or restart, what is not its own."""
    family.start("other", executable="/bin/sleep", arguments=["1000"])
    family.until_said("other is ready")
    body = f'say("MAINPID={family.pid("other")}\\nREADY=1"); stay()'
    family.start("web", **NOTIFY, **speaker(body))
    family.until_said("web is ready")
    assert family.pid("other") != family.pid("web")
    refusal = (
        f"web reports: MAINPID={family.pid('other')} is not a process of this service: ignored"
    )
    assert refusal in family.said


def test_barrier_is_released(family: Family) -> None:
    """BARRIER=1: its descriptor is closed once all messages before it were taken."""
    body = """
reading, writing = os.pipe()
say("STATUS=before")
say("BARRIER=1", writing)
os.close(writing)
os.read(reading, 1)
say("READY=1")
stay()
"""
    family.start("web", **NOTIFY, **speaker(body))
    family.until_said("web is ready")
    assert "web reports: before" in family.said


def test_flood_is_taken_in_parts(family: Family) -> None:
    """One turn reads so many messages, and then all else has its turn."""
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.until_said("web is ready")
    notify = family.supervisor.effects.notify
    assert notify is not None
    flood, real = Flood(), notify._socket
    notify._socket = flood  # type: ignore[assignment]
    notify.hear()
    notify._socket = real
    assert MOST == flood.read


class Flood:
    """A socket on which there is always one more message."""

    read = 0

    def recvmsg(self, *sizes: int) -> tuple[bytes, list[object], int, None]:
        """Return one more message, of nobody."""
        self.read += 1
        return b"STATUS=more", [], 0, None


def test_only_those_that_declare_it_get_the_address(family: Family) -> None:
    """And the time of the watchdog if they have one."""
    family.start("plain", executable="/bin/sleep", arguments=["1000"])
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.start("dog", executable="/bin/sleep", arguments=["1000"], watchdog=30)
    family.until_said("plain is ready", "web is ready", "dog is ready")
    given = {name: variables_of(family.pid(name)) for name in ("plain", "web", "dog")}
    assert {"plain": None, "web": socket_of(family), "dog": socket_of(family)} == {
        name: each.get("NOTIFY_SOCKET") for name, each in given.items()
    }
    assert {"dog": "30000000"} == {
        name: each["WATCHDOG_USEC"] for name, each in given.items() if "WATCHDOG_USEC" in each
    }


def test_socket_is_made_and_removed(tmp_path: Path) -> None:
    """Also over that of a supervisor that was killed; root's is for services of any user."""
    family = Family(tmp_path)
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(path))
    notify = Notify(family.supervisor.table, family.supervisor.watch, str(path))
    family.start("web", **NOTIFY, **speaker(TALKS))
    notify.variables(family.supervisor.units["web"].service)
    mode = 0o666 if os.geteuid() == 0 else 0o600
    assert mode == stat.S_IMODE(path.stat().st_mode)
    notify.close()
    assert not path.exists()
    family.close()


def test_socket_is_left_to_the_next_program(family: Family, tmp_path: Path) -> None:
    """An upgrade keeps it open: a service may be connected to it, and send on."""
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.until_said("web is ready")
    effects, former = family.supervisor.effects, family.supervisor.effects.notify
    assert former is not None and former._socket is not None and former._directory is not None
    left, path = os.dup(former.fileno()), socket_of(family)
    family.supervisor.watch.remove(former.fileno())
    former._socket.close()
    effects.notify = Notify(effects.table, family.supervisor.watch, path, left)
    effects.notify.listen(family.supervisor.units["web"])
    assert left == effects.notify.fileno()
    until_it_has_told_the_truth(family)
    former._directory.remove()


def test_socket_without_a_place_has_its_own(family: Family) -> None:
    """A directory that goes with it."""
    family.start("web", **NOTIFY, **speaker(TALKS))
    family.until_said("web is ready")
    directory = Path(socket_of(family)).parent
    assert directory.name.startswith(".ssd-notify.")
    family.supervisor.effects.close()
    assert not directory.exists()
