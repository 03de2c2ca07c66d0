"""What a process of a job has, on a machine of its own. Expected are the answers of Upstart."""

import os
from typing import Any

import pytest
from conftest import Run

from upstart.processes.scene import play

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="requires root")
NO_LIMIT = ["unlimited", "unlimited"]
CLEAR = "0000000000000000"


def test_process_has_what_upstart_gives(in_namespace: Run) -> None:
    """A session without a terminal, three descriptors, the job's environment and nothing else."""
    program = "s = Scene(); show(facts(s.start(Job(exec='sleep 300')).pid))"
    found = play(in_namespace, program)
    limits = found.pop("limits")
    assert found == {
        "argv": ["sleep", "300"], "cwd": "/", "root": "/", "umask": "0022", "nice": 0,
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin", "TERM=linux",
                "UPSTART_INSTANCE=", "UPSTART_JOB=foo"],
        "fds": {"0": "/dev/null", "1": "PTY", "2": "PTY"}, "session": [True, True, 0],
        "uid": ["0"] * 4, "gid": ["0"] * 4, "groups": ["0"], "signals": [CLEAR, CLEAR],
        "oom": "0\n",
    }  # fmt: skip
    assert NO_LIMIT == limits["Max cpu time"]


def test_nothing_of_the_supervisor_leaks(in_namespace: Run) -> None:
    """Its raised limit, its blocked and ignored signals, umask, directory and descriptors."""
    program = """
import resource, signal
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
Effects.descriptors = (soft // 2, hard)
for number in (signal.SIGHUP, signal.SIGUSR1): signal.signal(number, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *taken: None)
s = Scene()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
os.umask(0o077); os.chdir('/tmp')
null = os.open('/dev/null', os.O_RDONLY)
for number in (7, 9, 40): os.dup2(null, number, inheritable=True)
found = facts(s.start(Job(exec='sleep 300')).pid, 'signals', 'umask', 'cwd', 'fds', 'limits')
show([found.pop('limits')['Max open files'] == [str(soft // 2), str(hard)], found])
"""
    fds = {"0": "/dev/null", "1": "PTY", "2": "PTY"}
    expected = {"signals": [CLEAR, CLEAR], "umask": "0022", "cwd": "/", "fds": fds}
    assert [True, expected] == play(in_namespace, program)


@pytest.mark.parametrize("values", ["exec='sleep 300'", "script='sleep 300\\n:\\n'"])
def test_descriptors_of_the_supervisor_leave_room(in_namespace: Run, values: str) -> None:
    """A supervisor of many jobs has more than the soft limit of each job lets it open."""
    program = f"""
Effects.close_fds = False
s = Scene()
held = [os.open('/dev/null', os.O_RDONLY) for _ in range(200)]
Effects.descriptors, found = (100, 1000), []
for turn in range(12):  # there are more and more free ones, which the parent fills first
    jobs = [Job({values}), Job({values}, limits={{'nofile': (30, 30)}})]
    found += [facts(s.start(job).pid, 'limits')['limits']['Max open files'][0] for job in jobs]
    for _ in range(5): os.close(held.pop(0))
show(found)
"""
    assert ["100", "30"] * 12 == play(in_namespace, program)


def test_shell_of_a_script_has_no_more_descriptors(in_namespace: Run) -> None:
    """But the pipe, at 10, which its commands do not have."""
    program = """
s = Scene()
c = s.start(Job(script='echo hello\\nsleep 300\\necho never\\n'))
s.until(lambda: s.log() == 'hello\\r\\n')
below = Path(f'/proc/{c.pid}/task/{c.pid}/children')
s.until(below.read_text)
child = int(below.read_text())
s.until(lambda: facts(child, 'argv') == {'argv': ['sleep', '300']})
show([facts(c.pid, 'argv', 'fds'), facts(child, 'fds')])
"""
    fds = {"0": "/dev/null", "1": "PTY", "2": "PTY"}
    shell = {"argv": ["/bin/sh", "-e", "/proc/self/fd/9"], "fds": {**fds, "10": "pipe"}}
    assert [shell, {"fds": fds}] == play(in_namespace, program)


USERS = [
    ({"setuid": "nova"}, False, ["990", "990", ["990", "991"]]),
    ({"setuid": "nova"}, True, ["990", "990", ["0", "991"]]),
    ({"setgid": "nova"}, False, ["0", "990", ["990"]]),
    ({"setuid": "nova", "setgid": "root"}, False, ["990", "0", ["0", "991"]]),
]


@pytest.mark.parametrize("values, strict, expected", USERS)
def test_user_and_groups(
    in_namespace: Run, values: "dict[str, str]", strict: bool, expected: Any
) -> None:
    """setuid gives the user's own groups; with --strict Upstart's, which have group 0."""
    program = f"""
s = Scene()
s.processes.strict = {strict}
found = facts(s.start(Job(script='sleep 300; true\\ntrue', **{values})).pid, 'uid', 'gid', 'groups')
show([found['uid'][0], found['gid'][0], found['groups']])
"""
    assert expected == play(in_namespace, program)


SETTINGS = [
    ({"umask": 0o77, "nice": 5, "oom": 300}, ["0077", 5, "300\n"]),
    ({"nice": -5, "oom": 1000}, ["0022", -5, "1000\n"]),
    ({"nice": 19, "oom": 1}, ["0022", 19, "1\n"]),
]


@pytest.mark.parametrize("values, expected", SETTINGS)
def test_umask_niceness_and_oom_score(
    in_namespace: Run, values: "dict[str, int]", expected: Any
) -> None:
    """The niceness is absolute: the supervisor's own does not count."""
    program = f"""
os.nice(3)
s = Scene()
job = Job(exec='sleep 300', **{{'nice': 0, **{values}}})
show([*facts(s.start(job).pid, 'umask', 'nice', 'oom').values()])
"""
    assert expected == play(in_namespace, program)


def test_limits_are_set(in_namespace: Run) -> None:
    """Soft and hard, "unlimited" too."""
    program = """
s = Scene()
limits = {'nofile': (100, 200), 'core': (-1, -1), 'as': (10**10, -1), 'cpu': (5, 6)}
found = facts(s.start(Job(exec='sleep 300', limits=limits)).pid, 'limits')['limits']
names = ('open files', 'core file size', 'address space', 'cpu time')
show([found[f'Max {each}'] for each in names])
"""
    expected = [["100", "200"], NO_LIMIT, ["10000000000", "unlimited"], ["5", "6"]]
    assert expected == play(in_namespace, program)


def test_root_and_directory(in_namespace: Run) -> None:
    """The directory is inside the new root, and so are user and group names.

    The C library is not asked for them: it might load code of the new root.
    """
    program = """
from ssd.upstart.processes import identities
s = Scene()
root = Path('/run/root')
for each in ('bin', 'lib', 'lib64', 'usr', 'etc', 'srv'):
    (root / each).mkdir(parents=True)
    if each not in ('etc', 'srv'): subprocess.run(['mount', '--bind', f'/{each}', root / each])
(root / 'etc/passwd').write_text('root:x:0:0:::\\nother:x:1234:77:::\\n')
(root / 'etc/group').write_text('root:x:0:\\nown:x:77:\\n')
for name in ('getpwnam', 'getpwuid', 'getgrnam', 'getgrgid', 'getgrouplist'):
    for module in (identities.pwd, identities.grp, os):
        if hasattr(module, name): setattr(module, name, None)
job = Job(exec='sleep 300', chroot=str(root), chdir='/srv', setuid='other')
show(facts(s.start(job).pid, 'root', 'cwd', 'uid', 'gid', 'groups'))
"""
    assert play(in_namespace, program) == {
        "root": "/run/root", "cwd": "/run/root/srv", "uid": ["1234"] * 4, "gid": ["77"] * 4,
        "groups": ["77"],
    }  # fmt: skip


MISSING = "No such file or directory"
FAILING = [
    ({"exec": "/nonexistent"}, "unable to execute: No such file or directory"),
    ({"exec": "nosuchprogram a b"}, "unable to execute: No such file or directory"),
    ({"exec": "/etc/passwd"}, "unable to execute: Permission denied"),
    ({"exec": "/run"}, "unable to execute: Permission denied"),
    ({"exec": ""}, "unable to execute: No such file or directory"),
    ({"exec": "true", "chdir": "/no"}, f"unable to change working directory: {MISSING}"),
    ({"exec": "true", "chroot": "/no"}, f"unable to change root directory: {MISSING}"),
    ({"exec": "true", "chroot": "/run"}, "unable to getpwuid: No such file or directory"),
    ({"exec": "true", "setuid": "no"}, "unable to find setuid user"),
    ({"exec": "true", "setgid": "no"}, "unable to find setgid group"),
    ({"exec": "true", "limits": {"nofile": (20, 10)}},
     'unable to set "nofile" resource limit: Invalid argument'),
    ({"exec": "true", "oom": 2000}, "unable to set oom adjustment: Invalid argument"),
    ({"exec": "true", "console": "owner"}, "unable to open console: No such file or directory"),
    ({"script": "a\nb", "chdir": "/no"}, f"unable to change working directory: {MISSING}"),
]  # fmt: skip


def test_failing_step_is_named_and_leaves_nothing(in_namespace: Run) -> None:
    """Upstart's words; no process, no descriptor and no log remains."""
    program = f"""
from ssd.upstart.processes import StageFailed
s = Scene()
said = []
for values in {[values for values, _ in FAILING]}:
    before = len(os.listdir('/proc/self/fd'))
    try:
        s.start(Job(**values))
    except StageFailed as failure:
        assert (failure.job, failure.stage) == ('foo', 'main')
        said.append(failure.reason)
    assert before == len(os.listdir('/proc/self/fd')), values
assert [] == os.listdir('/var/log/upstart')
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    show(said)
"""
    assert [reason for _, reason in FAILING] == play(in_namespace, program)


def test_step_that_takes_long_keeps_nobody_waiting(in_namespace: Run) -> None:
    """A cgroup file that blocks stands for the directory of a dead file server."""
    program = """
from ssd.upstart.processes import forking
forking.PATIENCE = 0.1
s = Scene()
os.mkfifo('/run/dead')
type(s.processes._cgroups).prepare = lambda self, job, environment: ['/run/dead']
job = Job(exec='echo alive', cgroups=['memory'])
c = s.start(job)
told = [[level, text.replace(str(c.pid), 'N')] for level, text in s.told]
fifo = os.open('/run/dead', os.O_RDWR)
show([told, s.end(job, c), s.log()])
"""
    told = ["warn", "Process N takes long to execute its program: nobody waits for that"]
    assert [[told], 0, "alive\r\n"] == play(in_namespace, program)


def test_failure_after_a_long_step_is_that_of_the_job(in_namespace: Run) -> None:
    """It ends with status 255, as nobody takes its report."""
    program = """
from ssd.upstart.processes import forking
forking.PATIENCE = 0.1
s = Scene()
os.mkfifo('/run/dead')
type(s.processes._cgroups).prepare = lambda self, job, environment: ['/run/dead']
job = Job(exec='true', chdir='/no', cgroups=['memory'])
c = s.start(job)
fifo = os.open('/run/dead', os.O_RDWR)
show(s.end(job, c))
"""
    assert 255 == play(in_namespace, program)


def test_program_without_an_interpreter_is_the_shells(in_namespace: Run) -> None:
    """As execvp(3) has it; a file that may not be executed is passed over in the search."""
    program = """
s = Scene()
for place in ('a', 'b'): Path('/run', place).mkdir()
Path('/run/a/mine').write_text('echo wrong\\n')
Path('/run/b/mine').write_text('echo "$0 $1"\\n')
os.chmod('/run/b/mine', 0o755)
s.run(Job(exec='mine 1'), PATH='/run/none:/run/a:/run/b')
show(s.log())
"""
    assert "/run/b/mine 1\r\n" == play(in_namespace, program)


def test_variable_without_a_name_arrives(in_namespace: Run) -> None:
    """`start foo =x` gives it to the job; a failure of execve(2) is told as any other."""
    program = """
from ssd.upstart.processes import StageFailed
s = Scene()
def start(job): return s.processes.start(job, 'main', {'': 'x=y', 'PATH': '/none:/usr/bin:/bin'})
found = facts(start(Job(exec='sleep 300')).pid, 'env', 'argv')
try:
    start(Job(exec='nosuch'))
except StageFailed as failure:
    show([found, failure.reason])
"""
    found = {"env": ["=x=y", "PATH=/none:/usr/bin:/bin"], "argv": ["sleep", "300"]}
    assert [found, f"unable to execute: {MISSING}"] == play(in_namespace, program)


CONSOLES = """
s = Scene()
os.mkfifo('/dev/console')
console = os.open('/dev/console', os.O_RDWR)
"""


@pytest.mark.parametrize("console", ["output", "owner"])
def test_console_is_the_standard_descriptors(in_namespace: Run, console: str) -> None:
    """All three; there is no log."""
    program = f"""{CONSOLES}
c = s.start(Job(script='echo to console; exec sleep 300', console='{console}'))
said = os.read(console, 100).decode()
show([said, facts(c.pid, 'fds'), os.listdir('/var/log/upstart')])
"""
    fds = {str(number): "/dev/console" for number in range(3)}
    assert ["to console\n", {"fds": fds}, []] == play(in_namespace, program)


@pytest.mark.parametrize(
    "console, said",
    [("none", []),
     ("output", [["warn", "Failed to open system console: No such file or directory"]])],
)  # fmt: skip
def test_output_to_no_console_is_dropped(in_namespace: Run, console: str, said: Any) -> None:
    """With "none", and where "output" finds none: the job runs all the same."""
    program = f"""
s = Scene()
c = s.start(Job(exec='sleep 300', console='{console}'))
show([facts(c.pid, 'fds')['fds'], s.told])
"""
    fds = {str(number): "/dev/null" for number in range(3)}
    assert [fds, said] == play(in_namespace, program)


def test_owner_gets_a_console_as_its_terminal(in_namespace: Run) -> None:
    """If it is one: a pseudo terminal stands in for it."""
    program = """
s = Scene()
master, slave = os.openpty()
Path('/dev/console').touch()
subprocess.run(['mount', '--bind', os.ttyname(slave), '/dev/console'], check=True)
c = s.start(Job(exec='sleep 300', console='owner'))
show(facts(c.pid, 'session')['session'][2] == os.fstat(slave).st_rdev)
"""
    assert play(in_namespace, program) is True


def test_debug_stops_the_process_before_its_program(in_namespace: Run) -> None:
    """The start is over for the supervisor; SIGCONT lets it go on."""
    program = """
s = Scene()
j = Job(exec='true', debug=True)
c = s.start(j)
os.waitid(os.P_PID, c.pid, os.WSTOPPED)
c.signal(18)
show(s.end(j, c))
"""
    assert 0 == play(in_namespace, program)


def test_stage_security_keeps_the_supervisors_settings(in_namespace: Run) -> None:
    """It gets descriptors and a session, and nothing else of the job."""
    program = """
s = Scene()
os.umask(0o027)
job = Job(security='sleep 300; true', umask=0, setuid='nova', chdir='/no')
show(facts(s.start(job, 'security').pid, 'umask', 'uid'))
"""
    assert {"umask": "0027", "uid": ["0"] * 4} == play(in_namespace, program)
