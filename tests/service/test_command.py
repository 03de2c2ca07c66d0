"""The command ssd-service with real processes: lives, failures, hooks, readiness."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest
from support import ended

from ssd.service import toml_source
from ssd.service.command import main
from ssd.testing import FakeProcesses

FORKING = """
import os, sys, time
if os.fork(): os._exit(int(sys.argv[2]))
os.setsid()
for fd in 0, 1, 2: os.dup2(os.open("/dev/null", os.O_RDWR), fd)
with open(sys.argv[1] + ".new", "w") as file: file.write(f"{os.getpid()}\\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)
"""


def test_the_whole_life_has_lsb_statuses(place) -> None:
    """Start, start again, restart, death, start, stop."""
    place.declare('description = "A nap"\n')
    assert "nap is not running\n" == place.expect(3, "nap", "status")
    assert "Starting A nap: nap.\n" == place.expect(0, "nap", "start")
    first = place.pid
    assert "Starting A nap: nap is already running.\n" == place.expect(0, "nap", "start")
    assert first == place.pid
    with ended(first):
        assert "Restarting A nap: nap.\n" == place.expect(0, "nap", "restart")
    assert first != place.pid
    with ended(place.pid):
        pass
    place.expect(1, "nap", "status")
    place.expect(0, "nap", "start")
    place.expect(0, "nap", "--full-restart")
    shown = place.expect(0, "nap", "status")
    assert shown.startswith(f"nap is running (process {place.pid}), up 0 s, ")
    place.expect(0, "nap", "stop")
    assert not place.pidfile.exists()
    place.expect(0, "nap", "stop")


def test_json_tells_everything_that_is_known(place) -> None:
    """Of the process, and of its children."""
    place.declare('executable = "/bin/sh"\narguments = ["-c", "sleep 1000; :"]\n')
    place.expect(0, "nap", "start")
    told = json.loads(place.expect(0, "nap", "status", "--json"))
    assert ("nap", "running", 0) == (told["name"], told["state"], told["status"])
    (process,) = told["processes"]
    assert (place.pid, "sh") == (process["pid"], process["name"])
    assert process["memory_info"]["rss"] > 0
    assert [["sleep", "1000"]] == [each["cmdline"] for each in process["children"]] or not (
        process["children"]
    )
    place.expect(0, "nap", "stop")
    told = json.loads(place.expect(3, "nap", "status", "--json"))
    assert ("stopped", []) == (told["state"], told["processes"])


def test_the_environment_is_that_of_service(place) -> None:
    """Locale, PATH, TERM and what is declared; not what the caller happens to have."""
    place.declare(
        f'executable = "/usr/bin/env"\noutput = "{place.folder}/out"\n[environment]\nMINE = "yes"\n'
    )
    given = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SECRET": "x", "TERM": "dumb"}
    assert 0 == place("nap", "start", env=given).returncode
    place("nap", "stop")
    lines = dict(line.split("=", 1) for line in (place.folder / "out").read_text().splitlines())
    assert {"LANG": "C.UTF-8", "TERM": "dumb", "MINE": "yes"}.items() <= lines.items()
    assert "SECRET" not in lines
    assert lines["PATH"].startswith("/usr/bin:/bin:/usr/local/sbin:")


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ('executable = "/dev/null"\n', 0, "is not installed"),
        ('root = "/nonexistent"\n', 0, "nap: /nonexistent/bin/sleep is not installed"),
        ('user = "no-such-user"\n', 1, "user 'no-such-user' not found"),
        ('working_directory = "/nonexistent"\n', 1, "/nonexistent"),
        ('before_start = "echo no >&2; exit 3"\n', 1, "before_start ended with status 3"),
        ('umsk = "022"\n', 6, "nap.toml:4: umsk: there is no such field; did you mean umask?"),
        ('umask = 22\n', 6, "nap.toml:4: umask: it has to be octal digits"),
        ('environment_files = ["/nonexistent"]\n', 1, "/nonexistent"),
        ('limits = {nofile = 9223372036854775807}\n', 1, "resource limit nofile"),
    ],
)  # fmt: skip
def test_a_start_that_cannot_be_says_why(place, text, status, words) -> None:
    """On standard error, with a status of LSB, and nothing is left."""
    place.declare(text)
    done = place("nap", "start")
    assert (status, True) == (done.returncode, words in done.stderr), done.stderr
    assert not place.pidfile.exists()


@pytest.mark.parametrize(("verb", "status"), [("start", 6), ("stop", 6), ("status", 4)])
def test_what_a_service_cannot_be_known_by_is_named(place, verb, status) -> None:
    """The declaration makes no sense, and that of another service does."""
    (place.folder / "a.toml").write_text('script = "sleep 1000"\npidfile = "none"\n')
    done = place("a", verb)
    reason = f"ssd-service: {place.folder}/a.toml: executable: it is known by no pidfile"
    assert (status, True) == (done.returncode, done.stderr.startswith(reason)), done.stderr
    place.declare(name="b")
    done = place("all", verb)
    assert (True, True) == ("b" in done.stdout, reason in done.stderr)
    assert ["b"] == [each["name"] for each in json.loads(place("all", "status", "--json").stdout)]


def test_children_are_waited_for_whatever_the_caller_ignores(place) -> None:
    """A shell's, a hook's, a probe's and a program's that detaches itself."""
    lines = "DAEMON=/bin/true\nSERVICE_BACKGROUND=no\nSERVICE_BEFORE_START=true\n"
    probe = "SERVICE_READINESS='kind=command command=true'\n"
    (place.folder / "nap").write_text(f"{lines}PIDFILE={place.pidfile}\n{probe}")
    code = "from ssd.service.command import main; import os, sys; os._exit(main(sys.argv))"
    words = [sys.executable, "-c", code, f"--directory={place.folder}", "nap", "start"]
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, **ignore)
    assert (0, "Starting nap: nap.\n", "") == (done.returncode, done.stdout, done.stderr)


def test_hooks_and_directories_come_in_their_order(place) -> None:
    """Directories, before_start, the program, after_start; after_start does not undo a start."""
    log = place.folder / "log"
    place.declare(
        f'directories = [{{path = "{place.folder}/made/deep", mode = "0750"}}]\n'
        f'before_start = "test -d {place.folder}/made/deep; echo before >> {log}"\n'
        f'after_start = "test -s {place.pidfile}; echo after >> {log}; false"\n'
    )
    done = place("nap", "start")
    assert 0 == done.returncode
    assert "after_start ended with status 1" in done.stderr
    assert "before\nafter\n" == log.read_text()
    assert 0o750 == (place.folder / "made/deep").stat().st_mode & 0o777


def test_a_program_that_detaches_itself_is_waited_for(place) -> None:
    """Its first process's end is the start's; its own pidfile counts."""
    program = place.folder / "forking.py"
    program.write_text(FORKING)
    place.declare(
        f'executable = "{sys.executable}"\nbackground = false\n'
        f'arguments = ["{program}", "{place.pidfile}", "0"]\n[readiness]\nkind = "pidfile"\n'
    )
    place.expect(0, "nap", "start")
    first = place.pid
    assert first is not None
    place.expect(0, "nap", "start")
    assert first == place.pid
    place.expect(0, "nap", "stop")
    place.expect(3, "nap", "status")


def test_a_program_that_fails_instead_of_detaching_is_a_failure(place) -> None:
    """Its own status is told."""
    place.declare('executable = "/bin/sh"\narguments = ["-c", "exit 7"]\nbackground = false\n')
    done = place("nap", "start")
    assert 1 == done.returncode
    assert "status 7" in done.stderr


def test_a_restart_waits_until_the_new_one_is_ready(place) -> None:
    """A command that succeeds says so; it is asked until it does."""
    asked = place.folder / "asked"
    script = f"echo x >> {asked}; test $(wc -l < {asked}) -ge 3"
    place.declare(
        f'[readiness]\nkind = "command"\ntimeout = 20\ncommand = ["/bin/sh", "-c", "{script}"]\n'
    )
    place.expect(0, "nap", "restart")
    assert 3 == len(asked.read_text().splitlines())


def test_what_never_gets_ready_is_a_failure(place) -> None:
    """After the time that is declared, or as soon as the program has ended."""
    never = '[readiness]\nkind = "command"\ntimeout = {}\ncommand = ["/bin/false"]\n'
    place.declare(never.format(0.2))
    done = place("nap", "start")
    assert 1 == done.returncode
    assert "not ready after 0.2 seconds" in done.stderr
    place.expect(0, "nap", "stop")
    place.declare('executable = "/bin/true"\n' + never.format(50))
    done = place("nap", "start")
    assert 1 == done.returncode
    assert "ended before it was ready" in done.stderr


def test_a_probe_that_hangs_is_ended_with_the_time(place) -> None:
    """What is declared to tell of readiness has no more time than that."""
    pid = place.folder / "pid"
    hangs = f'["/bin/sh", "-c", "echo $$ > {pid}; exec sleep 1000"]'
    place.declare(f'[readiness]\nkind = "command"\ntimeout = 0.2\ncommand = {hangs}\n')
    done = place("nap", "start")
    assert 1 == done.returncode
    assert "not ready after 0.2 seconds" in done.stderr
    assert not os.path.exists(f"/proc/{pid.read_text().strip()}")
    place.expect(0, "nap", "stop")


def test_systemd_start_becomes_the_program(place) -> None:
    """With the environment of whoever called, NOTIFY_SOCKET for one."""
    place.declare('executable = "/usr/bin/printenv"\n' + 'arguments = ["NOTIFY_SOCKET"]\n')
    done = place("nap", "systemd-start", env={"NOTIFY_SOCKET": "@here", "PATH": "/bin"})
    assert (0, "@here\n", "") == (done.returncode, done.stdout, done.stderr)


def test_what_nobody_declared_is_unrecognized(place) -> None:
    """In the words and with the status of service(8)."""
    done = place("nosuch", "start")
    assert (1, "nosuch: unrecognized service\n") == (done.returncode, done.stderr)


def test_excess_words_are_an_error(place) -> None:
    """LSB: invalid or excess arguments."""
    place.declare()
    for words in (("start", "now"), ("status", "--json", "now"), ("start", "--json")):
        done = place("nap", *words)
        assert 2 == done.returncode
        assert "Usage:" in done.stderr


def test_a_relative_path_needs_a_working_directory(place, run) -> None:
    """It is named where that is gone."""
    gone = place.folder / "gone"
    ours = f"rmdir {gone}; exec {place.command}"
    for words, status in (("--directory=rel nap start", 1), ("./rel status", 4)):
        gone.mkdir()
        done = run("sh", "-c", f"cd {gone}; {ours} {words}")
        assert (status, True) == (done.returncode, "rel: the working" in done.stderr), done.stderr


@pytest.mark.parametrize(("verb", "status"), [("start", 4), ("status", 4), ("stop", 4)])
def test_a_declaration_that_the_caller_may_not_read_is_a_denial(
    tmp_path, monkeypatch, capfd, verb, status
) -> None:
    """Also where root runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "nap.toml").touch()

    def denied(path: str, *words: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(toml_source, "_content", denied)
    assert status == main(["ssd-service", f"--directory={tmp_path}", "nap", verb])
    assert f"ssd-service: {tmp_path}/nap.toml: Permission denied\n" == capfd.readouterr().err


@pytest.mark.parametrize("words", [(), ("--frob",), ("--directory",)])
def test_a_line_without_sense_is_shown_the_usage(ssd_path, run, words) -> None:
    """Status 3, and nothing on standard output."""
    done = run(ssd_path.with_name("ssd-service"), *words)
    assert (3, "", True) == (done.returncode, done.stdout, "Usage:" in done.stderr)


def test_help_and_version_are_printed(ssd_path, run) -> None:
    """On standard output."""
    command = ssd_path.with_name("ssd-service")
    assert "NAME VERB" in run(command, "--help").stdout
    assert run(command, "--version").stdout.startswith("ssd-service ")


def test_a_name_is_looked_up_before_any_file(place) -> None:
    """In whatever folder the command is called."""
    (place.folder / "nap").mkdir()
    done = place("nap", "status", cwd=place.folder)
    assert 1 == done.returncode
    assert os.path.isdir(place.folder / "nap")


def test_the_command_takes_a_table_of_processes(tmp_path, monkeypatch, capfd) -> None:
    """As ``ssd.command.main`` does, so that a program can be tested without real ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    table = FakeProcesses()
    table.add("sleep", pid=200)
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n')
    (tmp_path / "pid").write_text("200\n")
    argv = ["ssd-service", f"--directory={tmp_path}", "nap"]
    assert 0 == main([*argv, "status"], table)
    assert 0 == main([*argv, "stop"], table)
    assert 3 == main([*argv, "status"], table)
    shown = "nap is running (process 200)\nStopping nap: nap.\nnap is not running\n"
    assert shown == capfd.readouterr().out
    assert [signal.SIGTERM] == [sent.signum for sent in table.signals]


def test_facts_of_a_made_up_process_are_none_of_a_real_one(tmp_path, monkeypatch, capfd) -> None:
    """Its pid may be a real process's, of which nothing is told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    table = FakeProcesses(pid_max=2**22)
    table.add("sleep", pid=os.getpid())
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n')
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    argv = ["ssd-service", f"--directory={tmp_path}", "nap", "status", "--json"]
    assert 0 == main(argv, table)
    assert [{"pid": os.getpid()}] == json.loads(capfd.readouterr().out)["processes"]
