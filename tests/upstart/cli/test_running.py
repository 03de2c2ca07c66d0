"""A supervisor of jobs as a process: its first events, its signals, its end."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from .running import jobs, write

pytestmark = pytest.mark.requires_namespaces

NAP = "exec sleep 1000\n"
ON_STARTUP = f"start on startup\n{NAP}"


def job_that_says(directory: Path, event: str, text: str) -> str:
    """Return a task that appends a line to the file ``said`` on an event."""
    return f"start on {event}\ntask\nexec echo {text} >> {directory}/said\n"


def until_said(running, directory: Path, *wanted: str) -> "list[str]":
    """Read the supervisor's lines until a task has ended that writes the last of these lines."""
    said: list[str] = []
    while said[-len(wanted) :] != [*wanted]:
        running.until("has stopped")
        file = directory / "said"
        said = file.read_text().splitlines() if file.exists() else []
    return said


def test_jobs_run_from_startup_until_term(ssd_path: Path, tmp_path: Path) -> None:
    """What an event starts is told; TERM stops all, and the exit status is 0."""
    files = {"web.conf": ON_STARTUP, "after.conf": f"start on started web\n{NAP}", "no.conf": NAP}
    with jobs(ssd_path, tmp_path / "init", files) as running:
        running.until("web runs as process", "after runs as process")
        assert "sleep" in " ".join(running.processes().values())
        assert 0 == running.stop()
    assert {"web", "after"} == {line.split()[2] for line in running.said if "has stopped" in line}
    assert not any(" no " in line for line in running.said)


def test_runlevel_follows_the_first_event(ssd_path: Path, tmp_path: Path) -> None:
    """With the variables that an init gives; a job that is not for it stays down."""
    said = f"start on runlevel [2345]\ntask\nexec echo $RUNLEVEL $PREVLEVEL >> {tmp_path}/d/said\n"
    files = {
        "level.conf": said,
        "first.conf": ON_STARTUP,
        "other.conf": said.replace("2345", "016"),
    }
    with jobs(ssd_path, tmp_path / "d", files, "--runlevel=2") as running:
        assert ["2 N"] == until_said(running, tmp_path / "d", "2 N")
        assert any("first runs" in line for line in running.said)
        assert 0 == running.stop()


def test_machine_that_is_up_gets_no_startup(ssd_path: Path, tmp_path: Path) -> None:
    """Beside another init; a runlevel is entered all the same."""
    d = tmp_path / "d"
    files = {"a.conf": ON_STARTUP, "b.conf": job_that_says(d, "runlevel", "level")}
    with jobs(ssd_path, d, files, "--no-startup-event", "--runlevel", "S") as running:
        until_said(running, d, "level")
        assert 0 == running.stop()
    assert not any(line.split()[2] == "a" for line in running.said)


def test_first_event_may_have_another_name(ssd_path: Path, tmp_path: Path) -> None:
    """As with Upstart's init."""
    d = tmp_path / "d"
    files = {"a.conf": job_that_says(d, "dawn", "it dawns")}
    with jobs(ssd_path, d, files, "--startup-event=dawn") as running:
        until_said(running, d, "it dawns")


def test_faults_are_named_when_it_starts(ssd_path: Path, tmp_path: Path) -> None:
    """As Upstart did on the console; the other jobs run."""
    files = {"bad.conf": "nonsense\n", "good.conf": ON_STARTUP}
    with jobs(ssd_path, tmp_path / "init", files) as running:
        running.until("good runs as process")
        said = [line for line in running.said if "Unknown stanza" in line]
        assert 1 == len(said) and said[0].startswith(f"init:{tmp_path}/init/bad.conf:1: ")
        assert 0 == running.stop()


def test_end_runs_every_stage_and_what_waits_for_it(ssd_path: Path, tmp_path: Path) -> None:
    """A task on ``stopping`` still runs, nothing else starts any more."""
    d = tmp_path / "d"
    files = {
        "web.conf": f"{ON_STARTUP}pre-stop exec echo pre-stop >> {d}/said\n"
        f"post-stop exec echo post-stop >> {d}/said\n",
        "task.conf": job_that_says(d, "stopping web", "stopping"),
        "service.conf": f"start on stopping web or stopped web\n{NAP}",
    }
    with jobs(ssd_path, d, files) as running:
        running.until("web runs as process")
        assert 0 == running.stop()
    assert ["pre-stop", "stopping", "post-stop"] == (d / "said").read_text().split()
    assert not any("service runs" in line for line in running.said)


STUBBORN = """\
start on startup
kill timeout 1000
script
    trap '' TERM
    while :; do sleep 1; done
end script
"""


def test_second_term_kills(ssd_path: Path, tmp_path: Path) -> None:
    """What the first has asked in vain, long before its kill timeout."""
    with jobs(ssd_path, tmp_path / "init", {"web.conf": STUBBORN}) as running:
        running.until("web runs as process")
        running.send(signal.SIGTERM)
        running.until("web is stopping")
        assert 0 == running.stop()
    assert any("kills what has not stopped yet" in line for line in running.said)


def test_hangup_reads_the_files_anew(ssd_path: Path, tmp_path: Path) -> None:
    """It is told, if init says that much."""
    with jobs(ssd_path, tmp_path / "init", {"web.conf": ON_STARTUP}, "--verbose") as running:
        running.until("web runs as process")
        running.send(signal.SIGHUP)
        running.until("init: Reloading configuration")
        assert 0 == running.stop()


def test_update_names_what_has_changed(ssd_path: Path, tmp_path: Path) -> None:
    """``ssd-service update`` is told what it has read; the files were followed already."""
    d = tmp_path / "d"
    with jobs(ssd_path, d, {"web.conf": ON_STARTUP, "old.conf": NAP}) as running:
        running.until("web runs as process")
        update = [ssd_path.with_name("ssd-service"), f"--directory={d}", "update"]
        done = running.run(*update)
        assert (0, "unchanged: 2\n", "") == (done.returncode, done.stdout, done.stderr)
        assert 0 == running.stop()


def test_new_file_counts_at_once(ssd_path: Path, tmp_path: Path) -> None:
    """A broken one is named on standard error, without an end of anything."""
    d = tmp_path / "d"
    with jobs(ssd_path, d, {"web.conf": ON_STARTUP}) as running:
        running.until("web runs as process")
        write(d, {"bad.conf": "nonsense\n"})
        running.until(f"init: {d}/bad.conf:1: Unknown stanza")
        write(d, {"late.conf": job_that_says(d, "stopping web", "late")})
        write(d, {"last.conf": "exce x\n"})
        running.until("last.conf:1: Unknown stanza")
        assert 0 == running.stop()
    assert "late\n" == (d / "said").read_text()


def test_jobs_get_the_limits_that_it_was_started_with(ssd_path: Path, tmp_path: Path) -> None:
    """Though it raises its own; and the two variables of Upstart's process 1."""
    d = tmp_path / "d"
    script = f"start on startup\ntask\nscript\nulimit -Sn > {d}/said\nenv > {d}/env\nend script\n"
    environment = {**os.environ, "TERM": "linux", "MINE": "1"}
    before = "ulimit -Sn 200"
    with jobs(ssd_path, d, {"a.conf": script}, before=before, environment=environment) as running:
        until_said(running, d, "200")
        assert 0 == running.stop()
    found = dict(line.split("=", 1) for line in (d / "env").read_text().splitlines())
    path = found.pop("PATH")
    assert path.endswith("/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin")
    assert {"TERM", "UPSTART_JOB", "UPSTART_INSTANCE", "UPSTART_EVENTS", "PWD"} == set(found)


def test_logs_have_their_directory(ssd_path: Path, tmp_path: Path) -> None:
    """It is made when it is missing; another one if that is asked for; none with --no-log."""
    d, mine = tmp_path / "d", tmp_path / "d" / "logs"
    files = {
        "a.conf": f"start on startup\ntask\nscript\necho hello\necho x >> {d}/said\nend script\n"
    }
    with jobs(ssd_path, d, files) as running:
        until_said(running, d, "x")
        log = running.path("/var/log/upstart/a.log")
        assert "hello\r\n" == log.read_bytes().decode()
        assert 0o755 == log.parent.stat().st_mode & 0o777
        assert 0 == running.stop()
    with jobs(ssd_path, d, files, f"--logdir={mine}") as running:
        until_said(running, d, "x", "x")
        assert "hello\r\n" == (mine / "a.log").read_bytes().decode()
        assert not running.path("/var/log/upstart").exists()
    with jobs(ssd_path, d, files, "--no-log") as running:
        until_said(running, d, "x", "x", "x")
        assert not running.path("/var/log/upstart").exists()


FAILING = [sys.executable, "-P", str(Path(__file__).with_name("failing.py"))]


def test_unforeseen_error_ends_no_job(ssd_path: Path, tmp_path: Path) -> None:
    """It is told; one that comes again at once ends the supervisor."""
    d = tmp_path / "d"
    with jobs(ssd_path, d, {"web.conf": ON_STARTUP}, init=True, command=FAILING) as running:
        running.until("web runs as process")
        running.send(signal.SIGHUP)
        running.until("init: unforeseen error: RuntimeError: nobody foresaw this")
        assert 1 == sum(name.endswith(" sleep") for name in running.processes().values())
        running.send(signal.SIGHUP)
        assert 1 == running.end()
    assert "it ends: nobody foresaw this" in running.said


def test_console_of_jobs_without_the_stanza_can_be_told(ssd_path: Path, tmp_path: Path) -> None:
    """One that has it keeps what it says."""
    d = tmp_path / "d"
    files = {
        "a.conf": "start on startup\ntask\nexec echo a\n",
        "b.conf": "start on stopped a\nconsole log\ntask\nexec echo b\n",
    }
    with jobs(ssd_path, d, files, f"--logs={d}/logs", "--default-console=none") as running:
        running.until("a has stopped", "b has stopped")
        assert ["b.log"] == os.listdir(d / "logs")
        assert 0 == running.stop()


def test_verbose_init_tells_each_step(ssd_path: Path, tmp_path: Path) -> None:
    """In Upstart's words: goals, states, processes, events and clients."""
    files = {"web.conf": "start on startup\ntask\nexec true\n"}
    with jobs(ssd_path, tmp_path / "d", files, "--verbose") as running:
        running.until("web has stopped")
        running.run(ssd_path.with_name("ssd-initctl"), "list")
        running.until("init: Connection from private client")
        assert 0 == running.stop()
    told = [line.partition(" init: ")[2] for line in running.said if " init: " in line]
    process = next(text for text in told if text.startswith("web main process ("))
    before = told.index(process)
    assert ["Handling startup event", "web goal changed from stop to start"] == told[:2]
    assert "web state changed from pre-start to spawned" == told[before - 1]
    assert f"{process} exited normally" in told[before:]
    assert "web state changed from post-stop to waiting" in told[before:]


def test_root_of_a_rootless_container_runs_jobs(ssd_path: Path, tmp_path: Path) -> None:
    """It may not set its groups; a job of another user fails, so that it has none of root's."""
    d = tmp_path / "d"
    files = {"web.conf": ON_STARTUP, "other.conf": f"start on started web\nsetuid nobody\n{NAP}"}
    with jobs(ssd_path, d, files, rootless=True) as running:
        running.until("web runs as process")
        running.until("Failed to spawn other main process: unable to initgroups: ")
        running.until("other is given up")
        assert 0 == running.stop()


def test_failure_is_told_with_the_last_lines_of_output(ssd_path: Path, tmp_path: Path) -> None:
    """An operator need not look for the log first; ssd-service shows them, too."""
    script = "pre-start script\necho one\necho cannot read it >&2\nexit 1\nend script\n"
    with jobs(ssd_path, tmp_path / "d", {"web.conf": f"start on startup\n{script}"}) as running:
        running.until("web is given up: its pre-start process exited with status 1")
        assert ["its last lines:", "    one", "    cannot read it"] == [
            running.until(text).rstrip("\n")
            for text in ("its last lines:", "one", "cannot read it")
        ]
        assert 0 == running.stop()


def test_own_supervisor_is_told_that_it_listens(ssd_path: Path, tmp_path: Path) -> None:
    """systemd, or a tool like it; a job that does not come up holds nothing up."""
    d = tmp_path / "d"
    d.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(d / "n"))
        told.settimeout(30)
        environment = {**os.environ, "NOTIFY_SOCKET": str(d / "n")}
        files = {"web.conf": "start on startup\npre-start exec sleep 1000\n"}
        with jobs(ssd_path, d, files, environment=environment) as running:
            assert told.recv(4096).startswith(b"READY=1\n")
            running.find()
            running.send(signal.SIGTERM)
            while b"STOPPING=1" not in told.recv(4096):
                pass
            running.send(signal.SIGTERM)
            assert 0 == running.end()
