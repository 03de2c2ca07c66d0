"""--logger, --stdout and --stderr on real daemons, alone on a machine."""

import json
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path

from .alone import alone
from .processes import LONG, bury, end, lasts, name, pids, reap, wait_end
from .programs import Program, Tool, recorded, run, spawn

PIDFILE = "/run/stage/d.pid"
LOG = "/run/stage/d.log"
# Speaks at TERM, after its own end as a daemon would be thought of.
POLITE = "trap 'echo bye; exit' TERM; echo hello; echo error >&2; say $$; stay"


def words(program: Program, *options: str, script: str = "") -> list[str]:
    """Return the words of a background start."""
    arguments = program.script(script) if script else program.words
    return ["--start", "--background", "--make-pidfile", "--pidfile", PIDFILE, *options,
            "--startas", program.path, "--", *arguments]  # fmt: skip


def loggers() -> list[int]:
    """Return the living loggers."""
    return [pid for pid in pids() if name(pid) == "ssd-logger"]


@alone
def test_logger_of_a_daemon_outlives_it_by_its_last_lines(ssd: Tool) -> None:
    """Of another user, who can open its output anew. A stop of the whole tree spares the logger.

    The start returns although its output is a pipe, twice: the logger has not got that.
    """
    program, others = Program(), pids()
    script = f"echo again > /dev/stdout; {POLITE}"
    line = words(program, "--logger", LOG, "--chuid", "nobody", script=script)
    done = run("sh", "-c", 'exec "$@" 3>&1', "sh", ssd.path, *line, timeout=10)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    daemon = program.started()
    (logger,) = loggers()
    assert sorted([*others, daemon, logger]) == pids()
    assert 0o640 == stat.S_IMODE(os.stat(LOG).st_mode)
    done = ssd("--stop", "--pidfile", PIDFILE, "--tree", "--retry", "TERM/60")
    assert 0 == done.returncode
    reap(logger)
    assert ("again\nhello\nerror\nbye\n", others) == (Path(LOG).read_text(), pids())


@alone
def test_logger_stays_for_what_a_daemon_has_left(ssd: Tool) -> None:
    """And after a restart both of them write."""
    program = Program()
    child = program.script("say $$; read x < /run/stage/go; echo from before")[0]
    os.mkfifo("/run/stage/go")
    line = words(program, "--logger", LOG, script=f"again {child}; echo one; say $$; stay")
    assert 0 == ssd(*line).returncode
    both = {program.started(), program.started()}
    (left,) = both - {recorded(PIDFILE)}
    ssd("--stop", "--pidfile", PIDFILE, "--retry", "KILL/60")
    (old,) = loggers()
    assert 0 == ssd(*words(program, "--logger", LOG, script="echo two; say $$; stay")).returncode
    daemon = program.started()
    assert 2 == len(loggers())
    Path("/run/stage/go").write_text("go\n")
    wait_end(left)
    (new,) = set(loggers()) - {old}
    end(daemon)
    for logger in (old, new):
        reap(logger)
    assert ["from before", "one", "two"] == sorted(Path(LOG).read_text().splitlines())


@alone
def test_start_that_is_killed_leaves_both_or_neither(ssd: Tool) -> None:
    """At any moment; a daemon that runs has all its lines in the log."""
    program, others = Program(), pids()
    line = words(program, "--logger", LOG, script="echo hello; say $$; stay")
    begin = time.monotonic()
    assert 0 == ssd(*line).returncode
    whole = time.monotonic() - begin
    end(program.started())
    for logger in loggers():
        reap(logger)
    outcomes = set()
    for part in range(12):
        Path(LOG).write_text("")
        start = spawn(ssd.path, *line)
        lasts(start.pid, whole * part / 12)
        start.kill()
        start.communicate()
        outcomes.add(settled(program, others))
    assert outcomes <= {True, False}
    assert False in outcomes


def settled(program: Program, others: list[int]) -> bool:
    """Wait until a start has come to an end; end its daemon. Tell whether there was one."""
    until = time.monotonic() + LONG
    while True:
        daemons, there = program.running(), loggers()
        strangers = [pid for pid in pids() if pid not in (*others, *daemons, *there)]
        if not strangers and len(daemons) == len(there):
            break
        assert time.monotonic() < until, f"{daemons} {there} {strangers}"
        os.sched_yield()
    for daemon in daemons:
        program.started()
        end(daemon)
    for logger in there:
        reap(logger)
    assert ("hello\n" if daemons else "") == Path(LOG).read_text()
    left_alone(others)
    return bool(daemons)


def left_alone(others: list[int]) -> None:
    """Wait until no process but these lives, and reap the orphans."""
    for pid in [pid for pid in pids() if pid not in others]:
        wait_end(pid)
    assert others == pids()
    bury()


@alone
def test_start_without_its_log_or_files_starts_nothing(ssd: Tool) -> None:
    """Status 2, and the option and the reason; the logger goes when the program cannot start."""
    program, others = Program(), pids()
    for option, said in (
        ("--logger", "unable to log to '/no such/file'"),
        ("--stdout", "unable to open --stdout file '/no such/file'"),
        ("--stderr", "unable to open --stderr file '/no such/file'"),
    ):
        done = ssd(*words(program, option, "/no such/file"))
        assert (2, f"ssd: {said} (No such file or directory)\n") == (done.returncode, done.stderr)
    os.mkdir("/run/stage/loose")
    os.chmod("/run/stage/loose", 0o777)
    os.symlink("/run/stage/planted", "/run/stage/loose/log")
    for option in ("--logger", "--stdout", "--stderr"):
        done = ssd(*words(program, option, "/run/stage/loose/log"))
        assert (2, True) == (done.returncode, "others can write the directory" in done.stderr)
    line = words(program, "--logger", LOG)
    line[line.index(program.path)] = "/no such program"
    assert 2 == ssd(*line).returncode
    left_alone(others)
    assert recorded(PIDFILE) is None
    assert not os.path.exists("/run/stage/planted")


@alone
def test_streams_have_files_of_their_own(ssd: Tool) -> None:
    """Each goes before --output and --logger, which have the other one, and before --no-close."""
    program = Program()
    for number, options in enumerate((
        ["--stdout", "/run/stage/o", "--stderr", "/run/stage/e"],
        ["--stdout", "/run/stage/o", "--output", "/run/stage/e"],
        ["--stderr", "/run/stage/e", "--logger", "/run/stage/o"],
        ["--stderr", "/run/stage/e", "--stdout", "/run/stage/o", "--no-close"],
    )):  # fmt: skip
        done = ssd(*words(program, *options, script=f"echo {number}; echo !{number} >&2; say $$"))
        assert 0 == done.returncode, done.stderr
        wait_end(program.started())
        for logger in loggers():
            reap(logger)
    assert "0\n1\n2\n3\n" == Path("/run/stage/o").read_text()
    assert "!0\n!1\n!2\n!3\n" == Path("/run/stage/e").read_text()


@alone
def test_logger_sends_lines_to_syslog(ssd: Tool) -> None:
    """With the name of the program, facility daemon, severity info; no file is written."""
    program = Program()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind("/dev/log")
        syslog.settimeout(LONG)
        assert 0 == ssd(*words(program, "--logger", "syslog", script=POLITE)).returncode
        daemon = program.started()
        told = [syslog.recv(1000).decode() for _ in range(2)]
    assert [True, True] == [line.startswith("<30>") for line in told]
    assert ["daemon: hello", "daemon: error"] == [line[20:] for line in told]
    end(daemon)
    for logger in loggers():
        reap(logger)


@alone
def test_wait_tells_the_last_lines_of_a_log(ssd: Tool) -> None:
    """Of a program that ends within --wait: its logger has the time to write them."""
    program, others = Program(), pids()
    for number in range(5):  # the end of the program and that of the logger are a race
        script = f"echo before; echo cause {number} >&2; exit 3"
        done = ssd(*words(program, "--logger", LOG, "--wait", "50", script=script))
        assert 2 == done.returncode
        assert done.stderr.endswith(f"last lines in {LOG}:\n  before\n  cause {number}\n")
        for logger in loggers():
            reap(logger)
    assert ([*others], None) == (pids(), recorded(PIDFILE))


@alone
def test_library_starts_a_logger_from_a_program_that_is_killed(tmp_path: Path) -> None:
    """In a child; the log goes on when the caller is gone, and has the settings."""
    program = Program()
    code = (
        "import os, ssd, sys\n"
        "command = ssd.Command(sys.argv[1:], logger={'path': 'd.log', 'form': 'json'})\n"
        "ssd.start(ssd.Match(pidfile='d.pid'), command, make_pidfile=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    script = program.script("say $$; read x < /run/stage/go; echo late; exit")
    os.mkfifo("/run/stage/go")
    done = run(sys.executable, "-c", code, program.path, *script, cwd="/run/stage")
    assert -signal.SIGKILL == done.returncode, done.stderr
    daemon = program.started()
    Path("/run/stage/go").write_text("go\n")
    reap(daemon)
    for logger in loggers():
        reap(logger)
    told = json.loads(Path(LOG).read_text())
    assert ("daemon", "output", "late") == (told["name"], told["stream"], told["text"])


@alone
def test_declared_log_counts_in_a_plain_start(tmp_path: Path) -> None:
    """ssd-service starts a logger, and shows the log; a stop ends both."""
    program = Program()
    words = json.dumps(program.script(POLITE))
    text = f'executable = "{program.path}"\narguments = {words}\npidfile = "{PIDFILE}"\n'
    Path("/run/stage/web.toml").write_text(f'{text}log = {{ path = "{LOG}", form = "json" }}\n')
    service = [sys.executable.rpartition("/")[0] + "/ssd-service", "--directory=/run/stage"]
    done = run(*service, "web", "start")
    assert (0, "") == (done.returncode, done.stderr), done.stderr
    daemon = program.started()
    (logger,) = loggers()
    assert 0 == run(*service, "web", "stop").returncode
    reap(daemon)
    reap(logger)
    told = [json.loads(line) for line in run(*service, "log", "web").stdout.splitlines()]
    assert ["web"] * 3 == [line["name"] for line in told]
    assert ["hello", "error", "bye"] == [line["text"] for line in told]
