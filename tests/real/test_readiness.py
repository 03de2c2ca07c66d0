"""--notify-await: which processes may notify, and what ends the wait."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from kit.seccomp import KERNELS, kernel
from kit.users import skip_without_nobody

from ssd import Command, Match, NotReady
from ssd.sentences import progress
from ssd.starting import Start

from .alone import alone, open_ways
from .notifier import Notifier, Stranger, helper
from .processes import LONG, end, reap
from .programs import Tool, recorded, spawn
from .tracing import Traced

PIDFILE = "/run/notifier/d.pid"
FOREVER = "1000"  # seconds; a test that waits this long fails


def words(program: Notifier, *more: str, timeout: str = FOREVER) -> list[str]:
    """Return the words of a start that waits for readiness."""
    return ["--start", "--background", "--notify-await", "--notify-timeout", timeout,
            "--make-pidfile", "--pidfile", PIDFILE, "--startas", program.path, *more]  # fmt: skip


def sockets() -> list[str]:
    """Return the names in /run and /tmp, without those that the tests put there."""
    usual = {"notifier", "mount", "ssd"}
    return sorted({*os.listdir("/run"), *os.listdir("/tmp")} - usual)


@alone
def test_program_that_says_ready_is_started(ssd: Tool) -> None:
    """READY=1 ends the wait with success; the pidfile is there, the socket is removed."""
    program = Notifier("STATUS=nearly&READY=1")
    before = sockets()
    done = ssd(*words(program))
    daemon, address = program.began()
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert daemon == recorded(PIDFILE)
    assert address and not os.path.exists(address) and not os.path.exists(os.path.dirname(address))
    assert before == sockets()
    end(daemon)


@alone
@pytest.mark.parametrize("where", [["--background"], []], ids=["background", "foreground"])
def test_environment_names_no_socket_without_the_option(ssd: Tool, where: list[str]) -> None:
    """Only --notify-await sets NOTIFY_SOCKET."""
    program = Notifier()
    start = spawn(ssd.path, "--start", *where, "--pidfile", PIDFILE, "--startas", program.path)
    daemon, address = program.began()
    assert address is None
    os.kill(daemon, signal.SIGKILL)
    start.communicate(timeout=LONG)


@alone
def test_reported_error_ends_the_wait(ssd: Tool) -> None:
    """ERRNO=13 fails the start with the text for that number; the program continues."""
    program = Notifier("ERRNO=13")
    done = ssd(*words(program))
    daemon, _ = program.began()
    assert 2 == done.returncode
    said = f"ssd: program (pid {daemon}) failed to initialize (Permission denied)\n"
    assert said == done.stderr
    assert [daemon, daemon] == [recorded(PIDFILE), *program.alive()]


@alone
@pytest.mark.parametrize("line", ["ERRNO=many", "EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-1"])
def test_notification_that_cannot_be_read_ends_the_wait(ssd: Tool, line: str) -> None:
    """An invalid number fails the start, and the message shows the line."""
    program = Notifier(line)
    done = ssd(*words(program))
    assert (2, f"ssd: cannot parse notification {line}\n") == (done.returncode, done.stderr)


@alone
def test_notification_that_cannot_be_read_is_reported() -> None:
    """As with the original, --verbose reports it before the start fails."""
    program = Notifier("STATUS=on it&ERRNO=many")
    told: list[tuple[str, ...]] = []
    start = Start(
        Match(pidfile=PIDFILE), Command([program.path]), background=True, make_pidfile=True,
        notify_timeout=float(FOREVER), warn=lambda *warning: None,
        say=lambda event, *values: told.append((event, *values)),
    )  # fmt: skip
    with pytest.raises(NotReady):
        start.run()
    kinds = [
        (each[1], progress(*each[:1], "", *each[1:])) for each in told if each[0] == "notified"
    ]
    assert [
        ("line", "Child sent some notification...\n-> Notification line 'STATUS=on it' received\n"),
        ("invalid", "Child sent some notification...\n"),
    ] == kinds


@alone
def test_program_can_extend_its_time(ssd: Tool) -> None:
    """EXTEND_TIMEOUT_USEC counts from its arrival; the program is ready within that."""
    program = Notifier("EXTEND_TIMEOUT_USEC=900000000")
    program.order(f"!echo sent > {program.ear.path}")
    start = Traced(ssd.path, *words(program, timeout="60"))
    assert 60 >= (start.until_sleep() or 0) > 0
    program.began()
    assert "sent" == program.ear.line()
    assert 900 >= (start.until_sleep() or 0) > 60
    program.order("READY=1")
    assert 0 == start.finish()


@alone
def test_program_that_is_late_runs_on(ssd: Tool) -> None:
    """At the end of the time the start fails; the daemon runs and stays recorded."""
    program = Notifier()
    before = sockets()
    done = ssd(*words(program, timeout="1"))
    daemon, _ = program.began()
    assert 2 == done.returncode
    said = f"ssd: program (pid {daemon}) is not ready after 1 seconds (see --notify-timeout "
    assert done.stderr.startswith(said)
    assert [daemon, daemon] == [recorded(PIDFILE), *program.alive()]
    assert before == sockets()


@alone
def test_program_that_ends_is_not_waited_for(ssd: Tool) -> None:
    """Its end ends the wait at once; neither pidfile nor socket is left."""
    program = Notifier("STATUS=trying", "exit")
    before = sockets()
    done = ssd(*words(program))
    daemon, _ = program.began()
    assert (2, f"ssd: program (pid {daemon}) ended before it was ready\n") == (
        done.returncode,
        done.stderr,
    )
    assert 3 == reap(daemon)
    assert recorded(PIDFILE) is None
    assert before == sockets()


@alone
@pytest.mark.parametrize("version", KERNELS)
def test_end_is_noticed_without_pidfds_too(ssd: Tool, version: str) -> None:
    """Without a pidfd ssd polls."""
    program = Notifier()
    start = spawn(ssd.path, *words(program), **kernel(version))
    daemon, _ = program.began()
    program.order("exit")
    said = f"ssd: program (pid {daemon}) ended before it was ready\n"
    assert ("", said) == start.communicate(timeout=LONG)


@alone
def test_directory_of_a_killed_wait_is_cleared_by_the_next(ssd: Tool) -> None:
    """The directory of a start that still waits is kept, and so are other programs' files."""
    skip_without_nobody()
    os.mkdir("/run/.ssd-notify.full")
    os.mkdir("/run/.ssd-notify.full/kept")
    os.mkdir("/run/.ssd-notify.never-bound")
    os.symlink("/run", "/run/.ssd-notify.link")
    before = sockets()
    others = [Notifier(directory=f"/run/notifier/{number}") for number in range(2)]
    starts = [
        spawn(ssd.path, *words(each, "--pidfile", f"{each.path}.pid", "--chuid", "nobody"))
        for each in others
    ]
    (first, left), (second, held) = [each.began() for each in others]
    starts[0].kill()
    starts[0].communicate()
    assert left and held and os.path.exists(left)
    program = Notifier("READY=1")
    done = ssd(*words(program))
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert (False, True) == (os.path.exists(os.path.dirname(left)), os.path.exists(held))
    others[1].order("READY=1")
    assert ("", "") == starts[1].communicate(timeout=LONG)
    kept = [name for name in before if name != ".ssd-notify.never-bound"]
    assert kept == sockets()
    end(first, second, program.began()[0])


@alone
def test_stranger_can_neither_lose_a_directory_nor_plant_one(ssd: Tool) -> None:
    """An ordinary user's directories are in /tmp, where those of others are kept."""
    open_ways()
    os.mkdir("/tmp/.ssd-notify.roots")
    os.mkdir("/tmp/.ssd-notify.own")
    os.chown("/tmp/.ssd-notify.own", 65534, 65534)
    program = Notifier("READY=1")
    os.chmod("/run/notifier", 0o777)
    start = spawn(ssd.path, *words(program), user="nobody", group="nogroup")
    daemon, _ = program.began()
    assert ("", "") == start.communicate(timeout=LONG)
    assert [".ssd-notify.roots"] == [name for name in os.listdir("/tmp") if "notify" in name]
    end(daemon)


@alone
def test_program_may_be_ready_and_end(ssd: Tool) -> None:
    """READY=1 counts even if the program ends before it is read."""
    program = Notifier()
    start = spawn(ssd.path, *words(program))
    daemon, _ = program.began()
    start.send_signal(signal.SIGSTOP)
    program.order("READY=1")
    program.order("exit")
    assert 3 == reap(daemon)
    start.send_signal(signal.SIGCONT)
    assert 0 == start.wait(LONG)


@alone
def test_process_of_another_user_is_not_heard(ssd: Tool) -> None:
    """A process of another user does not reach the socket."""
    open_ways()
    program = Notifier()
    start = spawn(ssd.path, *words(program, "--chuid", "nobody"))
    _, address = program.began()
    assert address is not None
    with Stranger(address, "READY=1", user="daemon") as stranger:
        assert "refused" == stranger.answer
    os.chmod(os.path.dirname(address), 0o777)
    os.chmod(address, 0o777)
    with Stranger(address, "READY=1", user="daemon") as stranger:
        assert "sent" == stranger.answer
        program.order("ERRNO=5")
        assert 2 == start.wait(LONG)


@alone
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_process_of_another_session_is_not_heard(ssd: Tool, user: str) -> None:
    """A process of the same user that the program did not start is not heard."""
    open_ways()
    program = Notifier()
    start = spawn(ssd.path, *words(program, "--chuid", user))
    _, address = program.began()
    with Stranger(address, "READY=1", user=user) as stranger:
        assert "sent" == stranger.answer
        program.order("ERRNO=5")
        assert 2 == start.wait(LONG)


@alone
@pytest.mark.parametrize("user", ["root", "nobody"])
@pytest.mark.parametrize("message", ["READY=1", "ERRNO=13", "EXTEND_TIMEOUT_USEC=1", "ERRNO=x"])
def test_sender_that_has_ended_is_not_heard(ssd: Tool, message: str, user: str) -> None:
    """A sender that has ended cannot be identified, so its message does not count."""
    open_ways()
    program = Notifier()
    start = spawn(ssd.path, *words(program, "--chuid", user))
    daemon, address = program.began()
    start.send_signal(signal.SIGSTOP)
    with Stranger(address, message, user=user, ends=True) as stranger:
        assert "sent" == stranger.answer
    program.order("ERRNO=5" if message == "READY=1" else "READY=1")
    program.order(f"!echo sent > {program.ear.path}")
    assert "sent" == program.ear.line()
    start.send_signal(signal.SIGCONT)
    said = f"ssd: program (pid {daemon}) failed to initialize ({os.strerror(5)})\n"
    expected = (2, "", said) if message == "READY=1" else (0, "", "")
    assert expected == (start.wait(LONG), *start.communicate())


@alone
def test_flood_of_a_stranger_does_not_stop_the_time(ssd: Tool) -> None:
    """Between messages that do not count, the time is checked."""
    program = Notifier()
    start = spawn(ssd.path, *words(program, timeout="1"))
    _, address = program.began()
    flood = "import _socket, sys\ns = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)\n"
    flood += "s.connect(sys.argv[1])\nwhile True: s.send(b'STATUS=x')"
    words_ = [sys.executable, "-IS", "-c", flood, address]
    strangers = [spawn(*words_, start_new_session=True) for _ in range(2)]
    assert 2 == start.wait(LONG)
    for stranger in strangers:
        stranger.kill()
        stranger.communicate()


@alone
@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("message", ["READY=1", "STATUS=nearly"])
def test_helper_of_the_program_may_speak(ssd: Tool, message: str, late: bool) -> None:
    """A child such as systemd-notify counts: it waits until its message was handled."""
    program = Notifier()
    start = spawn(ssd.path, *words(program))
    program.began()
    if late:
        start.send_signal(signal.SIGSTOP)
    program.order(f"!{helper(message, program.ear)}")
    assert "sent" == program.ear.line()
    start.send_signal(signal.SIGCONT)
    assert "dealt with" == program.ear.line()
    if message != "READY=1":
        program.order("READY=1")
    assert 0 == start.wait(LONG)


@alone
def test_helper_that_is_a_zombie_may_speak(ssd: Tool) -> None:
    """Until it is reaped it is in the program's session."""
    program = Notifier()
    start = spawn(ssd.path, *words(program))
    program.began()
    start.send_signal(signal.SIGSTOP)
    send = "import os, sys, _socket as s; s.socket(s.AF_UNIX, s.SOCK_DGRAM).sendto(b'READY=1', a)"
    fork = f"import os; a = os.environ['NOTIFY_SOCKET']; child = os.fork()\nif not child: {send}"
    tell = f"open('{program.ear.path}', 'w').write('sent\\n')"
    wait = f"os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT); {tell}; os.read(os.pipe()[0], 1)"
    Path("/run/notifier/parent").write_text(f"{fork}; os._exit(0)\n{wait}\n")
    program.order(f"!{sys.executable} -IS /run/notifier/parent &")
    assert "sent" == program.ear.line()
    start.send_signal(signal.SIGCONT)
    assert 0 == start.wait(LONG)


@alone
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_program_may_make_a_session_of_its_own(ssd: Tool, before: bool) -> None:
    """Processes of the session that it was started in, and of its present one, may notify."""
    program = Notifier()
    start = spawn(ssd.path, *words(program))
    program.began()
    speak = helper("READY=1", program.ear)
    if before:
        program.order(f"!{{ read x < /run/notifier/go; {speak}; }} &")
        os.mkfifo("/run/notifier/go")
        program.order("setsid")
        Path("/run/notifier/go").write_text("go\n")
    else:
        program.order("setsid")
        program.order(f"!{speak}")
    assert "sent" == program.ear.line()
    assert 0 == start.wait(LONG)


@alone
def test_systemds_own_helper_may_speak(ssd: Tool) -> None:
    """systemd-notify --ready, from a script."""
    if not shutil.which("systemd-notify"):
        pytest.skip("systemd-notify is not installed")
    program = Notifier()
    start = spawn(ssd.path, *words(program))
    program.began()
    program.order("!systemd-notify --status=nearly; systemd-notify --ready")
    assert 0 == start.wait(LONG)


@alone
def test_socket_is_removed_when_ssd_is_interrupted(ssd: Tool) -> None:
    """TERM to an ssd that waits for readiness leaves no socket behind; the daemon runs on."""
    program = Notifier()
    before = sockets()
    start = spawn(ssd.path, *words(program))
    daemon, _ = program.began()
    start.terminate()
    start.wait(LONG)
    assert before == sockets()
    assert [daemon] == program.alive()


@alone
def test_next_start_does_not_wait_for_readiness(ssd: Tool) -> None:
    """While one start waits, a second one reports at once that the program runs."""
    program = Notifier()
    first = spawn(ssd.path, *words(program))
    program.began()
    second = ssd(*words(program))
    assert (1, "process already running.\n") == (second.returncode, second.stdout)
    program.order("READY=1")
    assert 0 == first.wait(LONG)
