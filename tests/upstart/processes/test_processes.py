"""Starts of stages, on fakes and on the machine."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from ssd.processes import default_table
from ssd.service.sources.upstart import parse
from ssd.supervision.watch import EpollWatch, HandleWatch
from ssd.testing import FakeProcesses
from ssd.testing.reactions import exits, ignores
from ssd.upstart import Jobs
from ssd.upstart.processes import Processes, StageFailed
from upstart.processes.scene import ENVIRONMENT, Job, play

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="requires root")


def on_fakes(table: FakeProcesses) -> Processes:
    """Return the processes of jobs on a fake machine."""
    return Processes(table, HandleWatch(True), lambda *said: None, "/var/log/upstart")


def start(table: FakeProcesses, job: Any, stage: str = "main") -> Any:
    """Start a stage."""
    return on_fakes(table).start(job, stage, dict(ENVIRONMENT))


def test_fake_has_words_and_environment(fake_processes: FakeProcesses) -> None:
    """Those that the kernel's process would have."""
    fake_processes.register("/sbin/webd")
    found = fake_processes[start(fake_processes, Job(exec="/sbin/webd -x")).pid]
    assert ["/sbin/webd", "-x"] == found.argv
    assert ENVIRONMENT == found.environment
    assert found.pid == found.session


def test_fake_of_one_program_runs_twice(fake_processes: FakeProcesses) -> None:
    """Two jobs may have the same one."""
    fake_processes.register("sleep")
    pids = {start(fake_processes, Job(name, exec="sleep 300")).pid for name in ("a", "b")}
    assert 2 == len(pids)


def test_fake_ends_as_it_was_declared(fake_processes: FakeProcesses) -> None:
    """In the time of the clock."""
    fake_processes.register("/bin/sh", runs=exits(3, after=60))
    child = start(fake_processes, Job(exec="true", pre_start="a\nb"), "pre-start")
    fake_processes.wait([child], None)
    assert (60, 3) == (fake_processes.now(), child.poll())


def test_fake_that_cannot_be_executed_has_upstarts_text(fake_processes: FakeProcesses) -> None:
    """As the kernel's process."""
    fake_processes.register("/sbin/webd", fails=errno.EACCES)
    with pytest.raises(StageFailed) as caught:
        start(fake_processes, Job("web", "1", exec="/sbin/webd"))
    failure = caught.value
    assert ("web (1)", "main", "unable to execute: Permission denied") == (
        failure.job, failure.stage, failure.reason,
    )  # fmt: skip


def test_engine_runs_on_fakes(fake_processes: FakeProcesses) -> None:
    """Where time jumps: a start with a long pre-start, and a stop that must kill."""
    fake_processes.register("prepare", runs=exits(0, after=50))
    fake_processes.register("webd", reactions={15: ignores()})
    text = "pre-start exec prepare\nexec webd\nkill timeout 30\n"
    jobs, done = Jobs([parse(text, "web")], table=fake_processes), list[object]()
    for wish, time in ((jobs.start_job, 50), (jobs.stop_job, 80)):
        wish("web", (), done.append)
        jobs.advance()
        while not done:
            fake_processes.wait(jobs.handles, jobs.until)
            jobs.advance()
        assert ([None], time) == (done, fake_processes.now())
        done.clear()
    jobs.close()


def test_full_process_table_fails_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Upstart tries again for ever, and does nothing else."""

    def full() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    before = {*os.listdir("/proc/self/fd")}
    processes = Processes(default_table(), EpollWatch(), print, str(tmp_path))
    monkeypatch.setattr(os, "fork", full)
    with pytest.raises(StageFailed) as caught:
        processes.start(Job(script="a\nb"), "main", {})  # type: ignore[arg-type]
    assert "unable to fork: Resource temporarily unavailable" == caught.value.reason
    processes.watch.close()
    assert before >= {*os.listdir("/proc/self/fd")}


@needs_root
def test_stages_of_a_job_share_a_log(in_namespace: Run) -> None:
    """Each with a terminal of its own; nothing remains open."""
    program = """
s = Scene()
stages = {'pre_start': 'echo $UPSTART_JOB; true\\n', 'post_stop': 'echo post >&2'}
j = Job(script='echo main\\nexit 3', **stages)
before = len(os.listdir('/proc/self/fd'))
statuses = [s.run(j, stage) for stage in ('pre-start', 'main', 'post-stop')]
show([statuses, s.log(), len(os.listdir('/proc/self/fd')) - before])
"""
    assert [[0, 3, 0], "foo\r\nmain\r\npost\r\n", 0] == play(in_namespace, program)


@needs_root
def test_script_larger_than_a_pipe_is_run(in_namespace: Run) -> None:
    """The start does not wait for the shell to read it."""
    program = """
s = Scene()
script = '\\n'.join(f': {"x" * 90}' for _ in range(5000)) + '\\necho end\\n'
j = Job(script=script, setuid='nova')
c = s.start(j)
show([len(script), s.end(j, c), s.log(), s.processes._scripts._left])
"""
    assert [465009, 0, "end\r\n", {}] == play(in_namespace, program)


@needs_root
def test_line_of_an_error_is_as_upstart_has_it(in_namespace: Run) -> None:
    """One more than in the script, as a line before it closes the pipe's first descriptor."""
    program = "s = Scene(); s.run(Job(script='true\\nnosuch\\ntrue')); show(s.log())"
    assert "/proc/self/fd/9: 3: nosuch: not found\r\n" == play(in_namespace, program)


@needs_root
def test_children_that_stay_do_not_keep_the_log(in_namespace: Run) -> None:
    """What they write after the end of the stage is lost."""
    program = """
s = Scene()
os.mkfifo('/run/go')
j = Job(script='(read line < /run/go; echo late || echo gone > /run/srv/out) &\\necho early\\n')
status = s.run(j)
go = os.open('/run/go', os.O_RDWR)
os.write(go, b'\\n')
s.until(lambda: os.path.exists('/run/srv/out'))
show([status, s.log()])
"""
    assert [0, "early\r\n"] == play(in_namespace, program)


ENGINE = """
from ssd.service.sources.upstart import parse
from ssd.upstart import Jobs
s = Scene()
text = 'setuid nova\\nscript\\necho $UPSTART_JOB/$N\\nexec sleep 300\\nend script\\ninstance $N\\n'
jobs = Jobs([parse(text, 'net/foo')], logs='/var/log/upstart', strict=STRICT)
done = []
jobs.start_job('net/foo', ['N=c d'], done.append)
while not done or s.log('net_foo-c d.log') == 'none':
    jobs.table.wait(jobs.handles, jobs.until)
    jobs.advance()
unit = jobs.units['net/foo (c d)']
groups = facts(unit.main.pid, 'groups')['groups']
show([str(done), groups, jobs.outputs.path_of(unit), jobs.outputs.last_lines(unit, 5)])
jobs.close()
"""


@needs_root
@pytest.mark.parametrize("strict, groups", [(False, ["990", "991"]), (True, ["0", "991"])])
def test_engine_starts_its_jobs_by_them(
    in_namespace: Run, strict: bool, groups: "list[str]"
) -> None:
    """With logs, and strict if it is."""
    path = "/var/log/upstart/net_foo-c d.log"
    expected = ["[None]", groups, path, ["net/foo/c d"]]
    assert expected == play(in_namespace, ENGINE.replace("STRICT", str(strict)))


@needs_root
def test_jobs_of_an_ordinary_user_begin_as_their_supervisor(in_namespace: Run) -> None:
    """With its umask, directory and groups; what only root may do fails by name."""
    program = """
from ssd.processes import default_table
from ssd.service.sources.upstart import parse
from ssd.upstart.processes import Processes, StageFailed
s = Scene()
os.mkdir('/run/logs'); os.chown('/run/logs', 990, 990)
os.setgroups([991]); os.setgid(990); os.setuid(990)
os.umask(0o027); os.chdir('/run/srv')
s.processes = Processes(default_table(), s.watch, s.processes.tell, '/run/logs')
s.run(Job(script='umask; pwd\\nid -u; id -G\\n'))
log = Path('/run/logs/foo.log')
said = []
for values in ({'setuid': 'root'}, {'setgid': 'root'}, {'nice': -5}, {'chroot': '/run'}):
    try:
        s.start(Job(exec='true', **values))
    except StageFailed as failure:
        said.append(failure.reason)
show([log.read_text().split(), oct(log.stat().st_mode), log.stat().st_uid, said])
"""
    found, mode, owner, said = play(in_namespace, program)
    assert ["0027", "/run/srv", "990", "990", "991"] == found
    assert ("0o100640", 990) == (mode, owner)
    denied = "Operation not permitted"
    assert said == [
        f"unable to setgid: {denied}", f"unable to setgid: {denied}",
        "unable to set priority: Permission denied", f"unable to change root directory: {denied}",
    ]  # fmt: skip


def test_path_of_a_log_is_known_before_there_is_one(fake_processes: FakeProcesses) -> None:
    """None with a console of another kind."""
    processes = on_fakes(fake_processes)
    paths = [
        processes.log_path(Job("a/b", "c d", exec="true", console=console))  # type: ignore[arg-type]
        for console in ("log", "none", "output")
    ]
    assert ["/var/log/upstart/a_b-c d.log", None, None] == paths


@needs_root
def test_missing_terminals_cost_the_carriage_returns_only(in_namespace: Run) -> None:
    """A pipe takes the place of each, and init says so once."""
    program = """
s = Scene()
os.unlink('/dev/ptmx')
for text in ('one', 'two'):
    s.run(Job(script=f'echo {text}; echo {text} >&2'))
c = s.start(Job('bar', exec='sleep 300'))
show([facts(c.pid, 'fds')['fds'], s.log(), s.told])
"""
    fds = {"0": "/dev/null", "1": "pipe", "2": "pipe"}
    told = ["warn", "Failed to create pty: No such file or directory; jobs write to pipes"]
    assert [fds, "one\none\ntwo\ntwo\n", [told]] == play(in_namespace, program)


@needs_root
def test_missing_descriptors_cost_the_log_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job runs, and init says so."""

    def none() -> "tuple[int, int]":
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    told: list[tuple[str, str]] = []
    processes = Processes(
        default_table(), EpollWatch(), lambda *said: told.append(said), str(tmp_path)
    )
    job = Job(exec="sleep 300")
    monkeypatch.setattr(os, "openpty", none)
    with monkeypatch.context() as patched:
        pipe, calls = os.pipe, [none]
        patched.setattr(os, "pipe", lambda: (calls.pop() if calls else pipe)())
        child = processes.start(job, "main", {"PATH": os.environ["PATH"]})  # type: ignore[arg-type]
    assert "/dev/null" == os.readlink(f"/proc/{child.pid}/fd/1")
    child.signal(9)
    default_table().wait([child], None)
    assert -9 == child.poll()
    child.close()
    processes.watch.close()
    assert [("error", "Failed to create pty - disabling logging for job")] == told


@needs_root
def test_close_writes_what_is_there_and_lets_go(in_namespace: Run) -> None:
    """A log is written if it can be by then; the process runs on without its terminal."""
    program = """
s = Scene()
before = len(os.listdir('/proc/self/fd'))
c = s.start(Job('bar', script='echo bar; exec sleep 300'))
c.close()
s.until(lambda: s.log('bar.log') == 'bar\\r\\n')
os.rename('/var/log/upstart', '/var/log/other')
s.run(Job(exec='echo kept'))
os.rename('/var/log/other', '/var/log/upstart')
s.processes.close()
show([s.log(), len(os.listdir('/proc/self/fd')) - before])
"""
    assert ["kept\r\n", 0] == play(in_namespace, program)
