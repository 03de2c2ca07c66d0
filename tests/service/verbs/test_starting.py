"""What a start by ssd-service does besides the program: hooks, directories, readiness."""

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kit.children import let_go, until_executed

from ssd.service import Service
from ssd.service.addresses import answers
from ssd.service.verbs.performing import perform
from ssd.testing import FakeProcess, FakeProcesses, daemonizes, exits

FORKING = """
import os, sys, time
if os.fork(): os._exit(int(sys.argv[2]))
os.setsid()
for fd in 0, 1, 2: os.dup2(os.open("/dev/null", os.O_RDWR), fd)
with open(sys.argv[1] + ".new", "w") as file: file.write(f"{os.getpid()}\\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ('executable = "/dev/null"\n', 0, "is not installed"),
        ('root = "/nonexistent"\n', 0, "nap: /nonexistent/bin/sleep is not installed"),
        ('user = "no-such-user"\n', 1, "user 'no-such-user' not found"),
        ('working_directory = "/nonexistent"\n', 1, "/nonexistent"),
        ('before_start = "echo no >&2; exit 3"\n', 1, "before_start ended with status 3"),
        ('umsk = "022"\n', 6, "nap.toml:4: umsk: unknown field; did you mean umask?"),
        ('umask = 22\n', 6, "nap.toml:4: umask: must be octal digits"),
        ('environment_files = ["/nonexistent"]\n', 1, "/nonexistent"),
        ('limits = {nofile = 9223372036854775807}\n', 1, "resource limit nofile"),
    ],
)  # fmt: skip
def test_start_that_fails_gives_the_reason(services, text, status, words) -> None:
    """On standard error, with a status of LSB; no pidfile is left."""
    services.declare(text)
    done = services("nap", "start")
    assert (status, True) == (done.returncode, words in done.stderr), done.stderr
    assert not services.pidfile.exists()


def test_start_waits_for_children_if_sigchld_is_ignored(services) -> None:
    """A shell, a hook, a check of readiness, and a program that detaches itself."""
    lines = "DAEMON=/bin/true\nSERVICE_BACKGROUND=no\nSERVICE_BEFORE_START=true\n"
    probe = "SERVICE_READINESS='kind=command command=true'\n"
    (services.directory / "nap").write_text(f"{lines}PIDFILE={services.pidfile}\n{probe}")
    code = "from ssd.service.cli import main; import os, sys; os._exit(main(sys.argv))"
    words = [sys.executable, "-c", code, f"--directory={services.directory}", "nap", "start"]
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, **ignore)
    assert (0, "Starting nap: nap.\n", "") == (done.returncode, done.stdout, done.stderr)


def test_start_runs_its_steps_in_order(services) -> None:
    """Directories, before_start, the program, after_start; the last may fail."""
    log = services.directory / "log"
    services.declare(
        f'directories = [{{path = "{services.directory}/made/deep", mode = "0750"}}]\n'
        f'before_start = "test -d {services.directory}/made/deep; echo before >> {log}"\n'
        f'after_start = "test -s {services.pidfile}; echo after >> {log}; false"\n'
    )
    done = services("nap", "start")
    assert 0 == done.returncode
    assert "after_start ended with status 1" in done.stderr
    assert "before\nafter\n" == log.read_text()
    assert 0o750 == (services.directory / "made/deep").stat().st_mode & 0o777


def test_start_waits_until_a_program_has_detached_itself(services) -> None:
    """Until its first process ends; its own pidfile counts."""
    program = services.directory / "forking.py"
    program.write_text(FORKING)
    services.declare(
        f'executable = "{sys.executable}"\nbackground = false\n'
        f'arguments = ["{program}", "{services.pidfile}", "0"]\n[readiness]\nkind = "pidfile"\n'
    )
    services.expect(0, "nap", "start")
    first = services.pid
    assert first is not None
    services.expect(0, "nap", "start")
    assert first == services.pid
    services.expect(0, "nap", "stop")
    services.expect(3, "nap", "status")


def test_start_of_a_program_that_fails_to_detach_fails(services) -> None:
    """The program's status is reported."""
    services.declare('executable = "/bin/sh"\narguments = ["-c", "exit 7"]\nbackground = false\n')
    done = services("nap", "start")
    assert 1 == done.returncode
    assert "status 7" in done.stderr


def test_detached_x_is_not_ready(services) -> None:
    """Its process is not known."""
    services.declare(
        'executable = "/bin/true"\nbackground = false\n'
        '[readiness]\nkind = "pidfile"\ntimeout = 0.2\n'
    )
    done = services("nap", "start")
    expected = "ssd-service: program is not ready after 0.2 seconds"
    expected += " (see --notify-timeout or readiness.timeout)\n"
    assert (1, expected) == (done.returncode, done.stderr)


def test_restart_waits_until_the_command_succeeds(services) -> None:
    """The command is run until it does."""
    asked = services.directory / "asked"
    script = f"echo x >> {asked}; test $(wc -l < {asked}) -ge 3"
    services.declare(
        f'[readiness]\nkind = "command"\ntimeout = 60\ncommand = ["/bin/sh", "-c", "{script}"]\n'
    )
    services.expect(0, "nap", "restart")
    assert 3 == len(asked.read_text().splitlines())


SERVER = """
import socket, sys, time
time.sleep(0.3)
family, where = (socket.AF_UNIX, sys.argv[1]) if "/" in sys.argv[1] else (
    socket.AF_INET, ("127.0.0.1", int(sys.argv[1])))
listening = socket.socket(family)
listening.bind(where)
listening.listen()
time.sleep(1000)
"""


@pytest.mark.parametrize("kind", ["port", "socket"])
def test_start_waits_until_an_address_answers(services, kind: str) -> None:
    """A port of this machine, or a Unix socket."""
    path = services.directory / "x.sock"
    address = str(path) if kind == "socket" else str(free_port())
    services.declare(
        f'executable = "{sys.executable}"\narguments = ["-c", {json.dumps(SERVER)}, "{address}"]\n'
        f'readiness = {{kind = "{kind}", address = "{address}", timeout = 60}}\n'
    )
    services.expect(0, "nap", "start")
    assert answers(address, 5)
    services.expect(0, "nap", "stop")


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def test_start_fails_if_no_address_answers(services) -> None:
    """After the declared time; the service goes on."""
    services.declare(f'readiness = {{kind = "port", address = "{free_port()}", timeout = 0.2}}\n')
    done = services("nap", "start")
    assert (1, True) == (done.returncode, "not ready after 0.2 seconds" in done.stderr)


def test_start_names_the_fields_that_need_a_supervisor(services) -> None:
    """They have no effect without it, which a user must not find out by chance."""
    services.declare('watchdog = 5\nhealth = {kind = "command", command = ["/bin/true"]}\n')
    done = services("nap", "start")
    expected = "ssd-service: nap: no effect without ssd-supervise: health, watchdog\n"
    assert (0, expected) == (done.returncode, done.stderr)


def test_start_names_what_of_a_log_has_no_effect(services) -> None:
    """The lines for a supervisor's output, and all of it if the program detaches itself."""
    services.declare('log = {kind = "none", forward = true}\n')
    done = services("nap", "start")
    expected = "ssd-service: nap: no effect without ssd-supervise: log.forward\n"
    assert (0, expected) == (done.returncode, done.stderr)
    services.expect(0, "nap", "stop")
    services.declare('executable = "/bin/true"\nbackground = false\nlog = {keep = 1}\n')
    assert "no effect without ssd-supervise: log\n" in services("nap", "start").stderr
    both = 'output = "/none/a"\nstderr = "/none/b"\nlog = {forward = true}\n'
    services.declare(f'executable = "/bin/true"\nbackground = false\n{both}')
    said = services("nap", "start").stderr
    assert "no effect without ssd-supervise: output, stderr, log\n" in said


def test_start_fails_if_the_service_does_not_get_ready(services) -> None:
    """After the declared time, or as soon as the program ends."""
    never = '[readiness]\nkind = "command"\ntimeout = {}\ncommand = ["/bin/false"]\n'
    services.declare(never.format(0.2))
    done = services("nap", "start")
    assert 1 == done.returncode
    assert "not ready after 0.2 seconds" in done.stderr
    services.expect(0, "nap", "stop")
    services.declare('executable = "/bin/true"\n' + never.format(50))
    done = services("nap", "start")
    assert 1 == done.returncode
    assert "ended before it was ready" in done.stderr


EARLY = {
    "notify": 'kind = "notify"\n',
    "command": 'kind = "command"\ncommand = ["/bin/false"]\n',
    "a command that succeeds": 'kind = "command"\ncommand = ["/bin/sh", "-c", "{until_dead}"]\n',
}


@pytest.mark.parametrize("kind", EARLY)
def test_program_that_ends_too_early_leaves_no_pidfile(kind, services) -> None:
    """The start fails and the status is 3, also if another process makes the command succeed."""
    ssd = services.command.with_name("ssd")
    until_dead = f"while {ssd} --status --pidfile {services.pidfile}; do :; done"
    readiness = EARLY[kind].format(until_dead=until_dead)
    services.declare(
        'executable = "/bin/sh"\narguments = ["-c", "exit 78"]\n'
        f"[readiness]\n{readiness}timeout = 60\n"
    )
    done = services("nap", "start")
    assert (1, True) == (done.returncode, "ended before it was ready" in done.stderr), done.stderr
    assert not services.pidfile.exists()
    services.expect(3, "nap", "status")


def test_readiness_command_that_hangs_is_killed(services) -> None:
    """When the time for readiness is over."""
    services.declare(
        '[readiness]\nkind = "command"\ntimeout = 0.2\ncommand = ["/bin/sleep", "1000"]\n'
    )
    with let_go() as held:  # by the command; the service inherits no descriptor
        done = services("nap", "start", pass_fds=[held])
    assert 1 == done.returncode
    assert "not ready after 0.2 seconds" in done.stderr
    services.expect(0, "nap", "stop")


def test_daemon_has_its_login_and_its_rights(services) -> None:
    """From a start without a supervisor, with the score that a declaration may have long had."""
    score = int(Path("/proc/self/oom_score_adj").read_text()) + 1
    services.declare(
        f"login = true\nclear_environment = true\nno_new_privs = true\noom_score = {score}\n"
        'environment = {SHELL = "/declared"}\n'
    )
    assert 0 == services("nap", "start").returncode
    until_executed(services.pid)
    proc = Path(f"/proc/{services.pid}")
    words = proc.joinpath("environ").read_bytes().decode().strip("\0").split("\0")
    variables = dict(word.split("=", 1) for word in words)
    assert {"HOME", "USER", "LOGNAME", "SHELL"} == variables.keys()
    own = pwd.getpwuid(os.getuid()).pw_name
    assert ("/declared", own) == (variables["SHELL"], variables["USER"])
    assert f"{score}\n" == (proc / "oom_score_adj").read_text()
    assert "\nNoNewPrivs:\t1\n" in (proc / "status").read_text()


def test_start_fails_if_the_program_does_not_stay(services) -> None:
    """With what it has printed; one that stays for the time is started."""
    log = services.directory / "log"
    program = f'executable = "/bin/sh"\noutput = "{log}"\n'
    stays = 'readiness = {{kind = "stays", timeout = {}}}\n'
    services.declare(program + 'arguments = ["-c", "echo no; exit 4"]\n' + stays.format(60))
    done = services("nap", "start")
    assert (1, True) == (done.returncode, " with status 4 (of 60 " in done.stderr), done.stderr
    assert done.stderr.endswith(f"; its last lines in {log}:\n  no\n")
    assert not services.pidfile.exists()
    services.declare(program + 'arguments = ["-c", "exec sleep 1000"]\n' + stays.format(0.1))
    services.expect(0, "nap", "start")
    services.expect(0, "nap", "stop")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_daemon_of_a_program_must_stay(services) -> None:
    """That goes to the background by itself: its pidfile tells, also once it has ended."""
    program = services.directory / "forking.py"
    ends = FORKING.replace("time.sleep(1000)", "os._exit(6)")
    fields = (
        f'executable = "{sys.executable}"\nbackground = false\n'
        f'arguments = ["{program}", "{services.pidfile}", "0"]\n'
    )
    stays = 'readiness = {{kind = "stays", timeout = {}}}\n'
    program.write_text(ends)
    services.declare(fields + stays.format(60))
    done = services("nap", "start")
    assert (1, True) == (done.returncode, " with status 6 (of 60 " in done.stderr), done.stderr
    assert done.stderr.endswith("asks for)\n")  # its output came here
    program.write_text(FORKING)
    services.declare(fields + stays.format(0.1))
    services.expect(0, "nap", "start")
    services.expect(0, "nap", "stop")
    services.declare(f'executable = "/bin/true"\nbackground = false\n{stays.format(0.1)}')
    assert "not ready after 0.1 seconds" in services("nap", "start").stderr


@pytest.mark.parametrize(("after", "status"), [(2, 1), (9, 0)])
def test_fake_daemon_must_stay(tmp_path, fake_processes, after, status) -> None:
    """Whether ssd sends it to the background or it goes there itself; the clock jumps."""
    pidfile = tmp_path / "d.pid"
    ends = lambda process: process.after(after, exits(3))  # noqa: E731 - of the daemon
    forks = lambda process: daemonizes(pidfile)(process) or ends(daemon(fake_processes))  # noqa: E731
    slow = lambda process: process.after(3, forks)  # noqa: E731 - its time is not the daemon's
    for background, runs, before in ((True, ends, 0), (False, forks, 0), (False, slow, 3)):
        fake_processes.register("/bin/d", runs=runs)
        service = Service(
            name="d", executable="/bin/d", pidfile=str(pidfile), background=background,
            readiness={"kind": "stays"},
        )  # fmt: skip
        began = fake_processes.now()
        assert status == perform(service, "start", program="s", script="d", table=fake_processes)
        assert before + min(after, 5) == fake_processes.now() - began
        fake_processes.clock.advance(10)
        pidfile.unlink(missing_ok=True)


def daemon(table: FakeProcesses) -> FakeProcess:
    """Return the youngest process."""
    return table.inhabitants()[-1]
