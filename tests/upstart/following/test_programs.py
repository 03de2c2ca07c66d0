"""Programs that fork, with real processes in a namespace: who is the main process of a job."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upstart.following.followed import follow

Run = Callable[..., Any]
pytestmark = [pytest.mark.requires_namespaces, pytest.mark.requires_root]

LOST = "stop/waiting"
# expect, what the program does, and which of its processes is the main one: 0 is the first
FOLLOWED = [
    ("", "stays", 0),
    ("fork", "fork", 1),
    ("fork", "fork-session", 1),
    ("fork", "fork-linger", 1),
    ("fork", "fork-workers", 1),
    ("fork", "fork-fails", 1),
    ("fork", "fork-helper", 1),
    ("fork", "fork-twice", LOST),
    ("fork", "fork-thrice", LOST),
    ("fork", "daemon", LOST),
    ("fork", "fails", LOST),
    ("daemon", "daemon", 2),
    ("daemon", "daemon-twins", 2),
    ("daemon", "daemon-slow", 2),
    ("daemon", "daemon-waited", 2),
    ("daemon", "daemon-helper", 2),
    ("daemon", "workers", 2),
    ("daemon", "cleared", 2),
    ("daemon", "daemon-executes", 1),
    ("daemon", "daemon-thrice", LOST),
    ("daemon", "daemon-gone", LOST),  # reaped as a stranger before the first process has ended
    ("daemon", "fails", LOST),
]


def test_main_process_is_the_fork_that_is_expected(in_namespace: Run) -> None:
    """All of them at the same moment, so none may be taken for another's."""
    rows = [(f"job-{number}", *row) for number, row in enumerate(FOLLOWED)]
    program = f"""
rows = {rows!r}
for name, expect, kind, _ in rows: s.define(name, expect, kind)
for name, *_ in rows: s.start(name)
s.until(lambda: len(s.done) == len(rows) and all(
    s.state(name) in ('start/running', 'stop/waiting') for name, *_ in rows))
s.until(lambda: all(s.state(name) == place if place == {LOST!r} else len(s.truth(name)) > place
    for name, _, _, place in rows))
show([s.place(name) for name, *_ in rows])
"""
    found = follow(in_namespace, program)
    assert FOLLOWED == [(*row[:2], place) for row, place in zip(FOLLOWED, found, strict=True)]


@pytest.mark.parametrize("limits", ["", "limit sigpending 50 50"])
def test_family_is_known_without_a_mark(in_namespace: Run, limits: str) -> None:
    """By session and environment, where a limit is too low for a mark, or the kernel has none."""
    kinds = [("fork", "fork", 1), ("fork", "fork-session", 1), ("daemon", "daemon", 2)]
    program = f"""
from ssd.upstart.following import marks
if not {limits!r}: marks.SPAN = 1 << 40
rows = {[(f"job-{number}", *row) for number, row in enumerate(kinds)]!r}
for name, expect, kind, _ in rows: s.define(name, expect, kind, {limits!r})
for name, *_ in rows: s.start(name)
s.until(lambda: all(s.state(name) == 'start/running' for name, *_ in rows))
s.until(lambda: all(len(s.truth(name)) > place for name, _, _, place in rows))
show([s.place(name) for name, *_ in rows])
"""
    assert [place for *_, place in kinds] == follow(in_namespace, program)


BELOW = {
    "user": """
os.chmod(TRUTH, 0o777); os.setgroups([]); os.setgid(12345); os.setuid(12345)
""",
    "no reaper": """
import _ctypes
prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
assert 0 == _ctypes.call_function(prctl, (36, 0, 0, 0, 0))
s.jobs.effects.reaps = False
""",
}


@pytest.mark.parametrize("place", BELOW)
def test_supervisor_with_fewer_rights_follows(in_namespace: Run, place: str) -> None:
    """Another user's, and one whose orphans become the children of init."""
    kinds = [("fork", "fork-session", 1), ("daemon", "daemon", 2), ("daemon", "daemon-slow", 2)]
    program = f"""
{BELOW[place]}
rows = {[(f"job-{number}", *row) for number, row in enumerate(kinds)]!r}
for name, expect, kind, _ in rows: s.define(name, expect, kind)
for name, *_ in rows: s.start(name)
s.until(lambda: all(s.state(name) == 'start/running' for name, *_ in rows))
s.until(lambda: all(len(s.truth(name)) > place for name, _, _, place in rows))
show([s.place(name) for name, *_ in rows])
"""
    assert [place for *_, place in kinds] == follow(in_namespace, program)


def test_second_fork_that_never_comes_leaves_the_first_one(in_namespace: Run) -> None:
    """The job stays spawned with it as its process, and a stop ends it."""
    program = """
s.define('foo', 'daemon', 'daemon-once')
s.start('foo')
s.until(lambda: s.place('foo') == 1)
states = [s.state('foo')]
s.jobs.stop_job('foo')
s.until(lambda: s.state('foo') == 'stop/waiting')
import pathlib
show([states, [pathlib.Path(f'/proc/{pid}').exists() for pid in s.truth('foo')]])
"""
    assert [["start/spawned"], [False, False]] == follow(in_namespace, program)


def test_fork_that_has_ended_is_told_with_its_own_status(in_namespace: Run) -> None:
    """What init says names the process that would have stayed."""
    program = """
s.define('foo', 'fork', 'ends')
s.start('foo')
s.until(lambda: s.state('foo') == 'stop/waiting')
show([text.replace(str(s.truth('foo')[1]), 'PID') for text in s.told])
"""
    assert ["foo main process (PID) terminated with status 5"] == follow(in_namespace, program)


def test_daemon_that_dies_is_respawned_and_followed_again(in_namespace: Run) -> None:
    """Each time anew."""
    program = """
s.define('foo', 'daemon', 'daemon', 'respawn')
s.start('foo')
found = []
for _ in range(5):
    s.until(lambda: s.state('foo') == 'start/running' and len(s.truth('foo')) == 3)
    found.append(s.main('foo') == s.truth('foo')[-1])
    gone = s.main('foo')
    (TRUTH / 'foo').unlink()
    os.kill(gone, signal.SIGKILL)
    s.until(lambda: s.main('foo') not in (0, gone))
show(found)
"""
    assert [True] * 5 == follow(in_namespace, program)


def test_stop_of_itself_is_seen_without_looking_for_it(in_namespace: Run) -> None:
    """SIGCHLD tells; the process is continued, and no timer but the limit runs before."""
    program = """
from ssd.service.sources.upstart import parse
code = "import os,signal; os.kill(os.getpid(), signal.SIGSTOP); signal.pause()"
s.jobs.define(parse(f"expect stop\\nexec {sys.executable} -I -S -c '{code}'", 'foo'))
s.start('foo')
s.jobs.advance(); s.jobs.advance()
until = s.jobs.until  # None if it has stopped itself already
wait = 60 if until is None else until - s.jobs.table.now()
s.until(lambda: s.state('foo') == 'start/running')
stat = open(f"/proc/{s.main('foo')}/stat").read().rpartition(')')[2].split()[0]
show([wait > 50, stat])
"""
    assert [True, "S"] == [each if each is True else "S" for each in follow(in_namespace, program)]


def test_mark_is_taken_off_the_process_that_stays(in_namespace: Run) -> None:
    """Its limit for pending signals is the supervisor's."""
    program = """
from ssd.upstart.following import marks
s.define('foo', 'daemon', 'daemon')
s.start('foo')
s.until(lambda: s.state('foo') == 'start/running')
show(marks.of(s.main('foo')) == marks.of(os.getpid()))
"""
    assert follow(in_namespace, program) is True


def test_start_stop_daemon_in_the_background_is_followed(in_namespace: Run, ssd_path: Path) -> None:
    """That of dpkg forks twice; ours may stand in its place."""
    program = (
        f"ours = {str(ssd_path)!r}"
        + """
import shutil
from ssd.service.sources.upstart import parse
found = []
for number, command in enumerate([shutil.which('start-stop-daemon'), ours]):
    if command is None: continue
    pidfile = f'/run/foo-{number}.pid'
    words = f'--start --background --make-pidfile --pidfile {pidfile} --startas /bin/sleep'
    s.jobs.define(parse(f'expect daemon\\nexec {command} {words} -- 30{number}', f'foo-{number}'))
    s.start(f'foo-{number}')
    s.until(lambda: s.state(f'foo-{number}') in ('start/running', 'stop/waiting'))
    s.until(lambda: os.path.exists(pidfile) and open(pidfile).read().strip())
    found.append(int(open(pidfile).read()) == s.main(f'foo-{number}'))
show(found)
"""
    )
    assert {True} == set(follow(in_namespace, program))


@pytest.mark.races
@pytest.mark.slow
def test_races_of_many_jobs_have_no_wrong_answer(in_namespace: Run) -> None:
    """Two hundred times eight programs that begin at the same moment, on the processors here."""
    rows = [
        ("fork-1", "fork", "fork-session", 1),
        ("fork-2", "fork", "fork-twice", LOST),
        ("fork-3", "fork", "fork-thrice", LOST),
        ("fork-w", "fork", "fork-workers", 1),
        ("daemon-1", "daemon", "daemon", 2),
        ("daemon-2", "daemon", "daemon-twins", 2),
        ("daemon-3", "daemon", "daemon-thrice", LOST),
        ("daemon-4", "daemon", "workers", 2),
    ]
    program = f"""
rows = {rows!r}
for name, expect, kind, _ in rows: s.define(name, expect, kind)
wrong = Counter()
for turn in range(200):
    for name, *_ in rows: s.start(name)
    s.until(lambda: len(s.done) == len(rows) and all(
        s.state(name) in ('start/running', 'stop/waiting') for name, *_ in rows))
    for name, _, _, place in rows:
        if place == {LOST!r}:  # it may run for the moment until it has forked once more
            s.until(lambda: s.state(name) == place and s.done)
        else:
            s.until(lambda: len(s.truth(name)) > place)
        found = s.place(name)
        if found != place: wrong[f'{{name}} {{found}}'] += 1
    for name, *_ in rows: s.stop(name)
    s.done.clear()
show(wrong)
"""
    assert {} == follow(in_namespace, program)
