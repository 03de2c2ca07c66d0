"""Stops of whole trees of real processes, in namespaces: setsid, double forks, fork storms."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import ssd
from ssd import cgroups
from ssd.matching import Match
from ssd.processes import default_table, table_named
from ssd.trees import Tree, left_behind

from .alone import alone
from .processes import bury, pids, reap, until_words
from .programs import run
from .test_pid_reuse import crowd

TABLES = ["kernel", "psutil"]
MARKER = "SSD_SUPERVISED=key:web:1"
HARD = "TERM/0/KILL/60"  # no time for TERM, which all processes here ignore

# "hold NAME" says its name and pid and stays; "lead NAME" does so in a session of its own.
SHELL = """
trap '' TERM
hold() { exec sh -c 'echo "$0" $$; exec sleep 1000' "$1"; }
lead() { exec setsid sh -c 'echo "$0" $$; exec sleep 1000' "$1"; }
"""


@contextmanager
def grown(script: str, count: int, *by: Any, **options: Any) -> Iterator[dict[str, int]]:
    """Run a script that leads a session; yield the pids of the ``count`` processes that spoke.

    ``by``: the words before those of a shell: of a command that starts one.
    """
    settings = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True, **options}
    main = subprocess.Popen([*map(str, by or ["sh"]), "-c", SHELL + script], **settings)
    assert main.stdout is not None
    words = [main.stdout.readline().split() for _ in range(count)]
    yield {name: int(pid) for name, pid in words}
    main.kill()
    main.wait()
    main.stdout.close()
    bury()


# rule -> a script, and the names of the processes that a stop of the tree ends
TREES = {
    "a child with a session of its own": ("lead child & hold main", "main child"),
    "a grandchild": ("(hold below & hold middle) & hold main", "main middle below"),
    "an orphan in the session": ("(hold orphan & exit) & hold main", "main orphan"),
    "a daemon of a daemon": (
        "setsid sh -c 'setsid sh -c \"echo last \\$\\$; exec sleep 1000\" & echo first $$; wait' & "
        "hold main",
        "main first last",
    ),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("rule", TREES)
@alone
def test_tree_is_stopped_whole(rule: str, kind: str) -> None:
    """All ignore TERM, and all are killed: nobody is left."""
    script, names = TREES[rule]
    before = pids()
    with grown(script, len(names.split())) as found:
        expected = {found[name] for name in names.split()}
        table = table_named(kind)
        stopped = ssd.stop(Match(pid=found["main"]), HARD, tree=True, table=table)
        assert expected == {each.pid for each in stopped}
        assert found["main"] == stopped[0].pid
        assert before == pids()


@alone
def test_grandchild_outlives_its_parents_and_not_the_stop() -> None:
    """Main process and child end by TERM; the grandchild, with its own session, ignores it."""
    script = "trap - TERM; ((trap '' TERM; lead below) & hold middle) & hold main"
    with grown(script, 3) as found:
        stopped = ssd.stop(Match(pid=found["main"]), HARD, tree=True)
        assert set(found.values()) == {each.pid for each in stopped}
        ends = {name: reap(found[name]) for name in ("middle", "below")}
        assert {"middle": -signal.SIGTERM, "below": -signal.SIGKILL} == ends


@alone
def test_stranger_in_the_same_session_is_not_hit() -> None:
    """A daemon that was started by hand leads neither its session nor its group."""
    with grown("hold stranger & (hold below & hold daemon) & hold shell", 4) as found:
        stopped = ssd.stop(Match(pid=found["daemon"]), HARD, tree=True)
        assert {found["daemon"], found["below"]} == {each.pid for each in stopped}
        living = pids()
        assert found["stranger"] in living and found["shell"] in living


@alone
def test_escaped_daemon_is_found_by_the_marker_alone() -> None:
    """Its parent has ended and its session is its own; among all, or a subreaper's children."""
    environment = dict(os.environ, **dict([MARKER.split("=", 1)]))
    kin = default_table().kin
    with (
        grown("(lead daemon &) ; hold main", 2, env=environment) as found,
        grown("(lead daemon &) ; hold main", 2) as other,
    ):
        for pid in (*found.values(), *other.values()):
            until_words(pid, "sleep")
        main = default_table().process(found["main"])
        assert main is not None
        known = {found["main"], other["main"]}
        assert set(other.values()) | set(found.values()) == set(kin.children(os.getpid()))
        for among in (None, lambda: set(kin.children(os.getpid())) - known):
            tree = Tree(marker=MARKER.encode(), among=among)
            look = tree.look([main], default_table())
            assert [found["main"], found["daemon"]] == [each.pid for each in look]
        ssd.run(stop := ssd.Stop(Match(pid=main.pid), HARD, tree=tree))
        assert ("stopped", set(found.values())) == (
            stop.outcome, {each.pid for each in stop.signalled},
        )  # fmt: skip
        assert set(other.values()) <= set(pids())


@alone
def test_left_behind_is_found_once_the_main_process_is_reaped() -> None:
    """In its group, and by the marker; afterwards nothing is left."""
    environment = dict(os.environ, **dict([MARKER.split("=", 1)]))
    script = "(lead daemon &) ; hold child & hold main"
    with grown(script, 3, env=environment) as found:
        for pid in found.values():
            until_words(pid, "sleep")  # the marker is in none that is just being executed
        table = default_table()
        main = table.process(found["main"])
        assert main is not None
        os.kill(main.pid, signal.SIGKILL)
        reap(main.pid)
        left = left_behind(main, table, marker=MARKER.encode())
        assert {found["daemon"], found["child"]} == {each.pid for each in left}
        for each in left:
            os.kill(each.pid, signal.SIGKILL)
            reap(each.pid)
        assert [] == left_behind(main, table, marker=MARKER.encode())


@alone
def test_restarting_main_process_starts_no_worker_after_term() -> None:
    """It gets the signal first, and knows that it must end."""
    script = "trap - TERM; while :; do sh -c 'echo worker $$; exec sleep 1000'; done"
    with grown(script, 1) as found:
        worker = default_table().kin.of(found["worker"])
        assert worker is not None
        stopped = ssd.stop(Match(pid=worker.ppid), "TERM/60", tree=True)
        assert [worker.ppid, found["worker"]] == [each.pid for each in stopped]


STORMS = {
    "in its group": "storm() { storm & storm & sleep 1000; }; storm & hold main",
    "of a chain": "chain() { (chain &) ; exit; }; chain & hold main",
}


@pytest.mark.parametrize("storm", STORMS)
@alone
def test_fork_storm_is_ended(storm: str) -> None:
    """It has as many processes as there are pids, and more as soon as one is free."""
    crowd()
    before = pids()
    with grown(f"exec 2> /dev/null; {STORMS[storm]}", 1) as found:
        ssd.stop(Match(pid=found["main"]), HARD, tree=True)
        assert before == pids()


# Each process makes one with a session of its own, and ends.
CHAIN = """
chain() { exec setsid sh -c "$chain"; }
export chain='setsid sh -c "$chain" & exit'
exec 2> /dev/null
"""


@alone
def test_storm_of_sessions_is_ended_by_its_marker() -> None:
    """Its processes leave session and parent at once, and become a subreaper's children."""
    environment = dict(os.environ, **dict([MARKER.split("=", 1)]))
    before, kin = pids(), default_table().kin
    with grown(f"{CHAIN} chain & hold main", 1, env=environment) as found:
        known = {found["main"]}
        among = lambda: set(kin.children(os.getpid())) - known  # noqa: E731
        tree = Tree(marker=MARKER.encode(), among=among)
        ssd.run(stop := ssd.Stop(Match(pid=found["main"]), HARD, tree=tree))
        assert ("stopped", before) == (stop.outcome, pids())


@alone
def test_storm_of_sessions_is_ended_by_its_cgroup() -> None:
    """Each of its processes leaves session and parent at once; none can leave the cgroup."""
    cgroup = cgroups.make(f"ssd-test-{os.getpid()}-storm")
    if cgroup is None:
        pytest.skip("no cgroup of version 2 can be made here")
    before = pids()
    reading, writing = os.pipe()
    with grown(f"{CHAIN} echo main $$; read go; chain & hold storm", 1, stdin=reading) as found:
        main = default_table().process(found["main"])
        assert main is not None and cgroup.add(main.pid)
        os.write(writing, b"go\n")
        while len(cgroup.members() or ()) < 2:
            os.sched_yield()
        tree = Tree(cgroup=cgroup)
        ssd.run(stop := ssd.Stop(Match(pid=main.pid), HARD, tree=tree))
        assert ("stopped", False, before) == (stop.outcome, cgroup.populated(), pids())
    assert cgroup.remove()


@alone
def test_command_ends_a_tree(ssd_path: Path) -> None:
    """``ssd --stop --tree``, in a process of its own, is no ancestor of anybody."""
    with grown("lead child & (hold orphan & exit) & hold main", 3) as found:
        done = run(ssd_path, "--stop", "--tree", "--pid", found["main"], "--retry", HARD)
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
        assert set() == set(found.values()) & set(pids())


@alone
def test_start_with_a_tree_lets_a_stop_find_orphans(ssd_path: Path) -> None:
    """A storm of sessions, too; what has inherited the marker does not lead to the others."""
    before = pids()
    start = f"{ssd_path} --start --name none --background --no-close --startas /bin/sh"
    own = "(setsid sh -c 'echo below $$; exec sleep 1000' &) ; echo own $$; exec sleep 1000"
    script = f"""{CHAIN}
    (lead orphan &)
    {start} -- -c 'echo heir $$; exec sleep 1000'
    {start} --tree --env SSD_TREE=1 -- -c "{own.replace("$", chr(92) + "$")}"
    chain & hold main"""
    by = [ssd_path, "--start", "--tree", "--clear-env", "--env", f"PATH={os.environ['PATH']}",
          "--name", "none", "--startas", "/bin/sh", "--"]  # fmt: skip
    stranger = {**os.environ, "SSD_TREE": "1:0"}
    with grown("hold stranger", 1, env=stranger) as other, grown(script, 5, *by) as found:
        stops = {
            name: run(ssd_path, "--stop", "--tree", "--pid", found[name], "--retry", HARD)
            and {each for each in found if found[each] in pids()}
            for name in ("heir", "main", "own")
        }
        assert {
            "heir": {"orphan", "own", "below", "main"}, "main": {"own", "below"}, "own": set(),
        } == stops  # fmt: skip
        assert sorted([*before, other["stranger"]]) == pids()


@alone
def test_daemon_that_forks_by_itself_keeps_its_marker(ssd_path: Path) -> None:
    """It is what was started, under another pid; a program that it has executed is not."""
    by = [ssd_path, "--start", "--tree", "--name", "none", "--startas", "/bin/sh", "--"]
    script = """(lead orphan &) ; (lead other &)
    (sh -c 'echo main $PPID'; sleep 1000; :) &
    echo start $$"""
    before = pids()
    with grown(script, 4, *by) as found:
        reap(found.pop("start"))
        for name, left in (("other", {"orphan", "main"}), ("main", set())):
            run(ssd_path, "--stop", "--tree", "--pid", found[name], "--retry", HARD)
            assert left == {each for each in found if found[each] in pids()}
        assert before == pids()
