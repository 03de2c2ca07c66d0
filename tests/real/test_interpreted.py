"""Scripts by --exec, where nothing can be read, and containers: real processes, alone in there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ssd import Match, ProcessUnreadable, find, status
from ssd.finding import resolve
from ssd.matched_by import matched_by
from ssd.processes import table_named

from .alone import alone, open_ways
from .programs import Tool, spawn
from .test_hidepid import TABLES, USER, as_user

STAGE = "/run/stage"
NAME = "food-daemon-of-a-long-name"
FOOD = f"{STAGE}/{NAME}"
PYTHON = "import sys\nprint('ready', flush=True)\nsys.stdin.read()\n"
SHELL = "echo ready; read x\n"
PERL = "$| = 1; print qq(ready\\n); <STDIN>;\n"
Child = subprocess.Popen[str]


def script(path: str, first: str, text: str) -> str:
    """Write a script whose first line is ``first``; return its path."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    Path(path).write_text(f"{first}\n{text}")
    os.chmod(path, 0o755)
    return path


def run(*words: str, **options: Any) -> Child:
    """Start a process that says "ready"."""
    process = spawn(*words, **{"stdin": subprocess.PIPE, **options})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(*processes: Child) -> None:
    """End and reap processes."""
    for process in processes:
        process.kill()
        process.communicate()


def found(match: Match) -> dict[int, str]:
    """Return what both tables find, alike, with the evidence."""
    answers = []
    for kind in TABLES:
        table = table_named(kind)
        criteria = resolve(match, table)
        processes = find(match, table=table)
        answers.append({each.pid: matched_by(match, criteria, each, table) for each in processes})
    assert answers[0] == answers[1]
    return answers[0]


@alone
def test_scripts_are_found_however_they_were_started(ssd: Tool) -> None:
    """Both tables find them all, no reader of the file, and the command stops them alone."""
    os.makedirs(f"{STAGE}/bin")
    os.symlink(sys.executable, f"{STAGE}/bin/python3")
    shutil.copy("/bin/sh", f"{STAGE}/oursh")
    path = {**os.environ, "PATH": f"{STAGE}/bin:{os.environ['PATH']}"}
    food = script(FOOD, "#!/usr/bin/env python3", PYTHON)
    os.symlink(food, f"{STAGE}/link")
    moved = "import os\nos.chdir('/')\n" + PYTHON
    daemons = [
        run(food, env=path),
        run(f"./{NAME}", cwd=STAGE, env=path),
        run(f"{STAGE}/link", env=path),
        run(sys.executable, "-u", "-W", "error", "-X", "dev", NAME, "-c", cwd=STAGE),
        run(sys.executable, "-IS", f"../stage/{NAME}", cwd=STAGE),
    ]
    readers = [spawn("tail", "-f", food), run("sh", "-c", SHELL, food),
               run(sys.executable, "-c", PYTHON, food)]  # fmt: skip
    match = Match(exec=food, interpreted=True)
    assert dict.fromkeys([each.pid for each in daemons], "script") == found(match)
    assert {} == found(Match(exec=food))
    named = Match(name=NAME, interpreted=True)
    by_name = [each.pid for each in daemons if each is not daemons[2]]  # that has the link's name
    assert dict.fromkeys(by_name, "command line") == found(named)
    others = {
        script(f"{STAGE}/sh", f"#!{STAGE}/oursh", SHELL): [f"{STAGE}/sh"],  # renamed
        script(f"{STAGE}/bash", "#!/bin/bash -eu", SHELL): ["/bin/bash", "-euo", "pipefail"],
        script(f"{STAGE}/pl", "#!/usr/bin/perl -w", PERL): [f"{STAGE}/pl"],
        script(f"{STAGE}/moved", "#!/none", moved): [sys.executable],
    }
    for other, words in others.items():
        if not os.path.exists(words[0]) or other.endswith("pl") and not shutil.which("perl"):
            continue
        relative = [os.path.basename(other)] if words[0] != other else []
        more = run(*words, *relative, cwd=STAGE, env={**path, "PWD": STAGE})
        assert {more.pid: "script"} == found(Match(exec=other, interpreted=True))
        readers.append(more)
    done = ssd("--stop", "--retry=TERM/60", "--exec", food, "--interpreted")
    assert (0, "") == (done.returncode, done.stderr)
    assert [-15] * len(daemons) == [each.wait() for each in daemons]
    assert [None] * len(readers) == [each.poll() for each in readers]
    end(*daemons, *readers)


@alone
def test_script_is_started_once_and_stopped(ssd: Tool) -> None:
    """By the command, which finds it at once, and by a declaration that has no pidfile."""
    food = script(FOOD, "#!/usr/bin/env -S sh -e", "read x < /run/stage/fifo\n")
    os.mkfifo(f"{STAGE}/fifo")
    asked = ["--exec", food, "--interpreted"]
    codes = [
        ssd(*words, *asked).returncode
        for words in (("--start", "-b"), ("--start", "-b"), ("--status",), ("--stop", "-R", "9"))
    ]
    assert ([0, 1, 0, 0], {}) == (codes, found(Match(exec=food, interpreted=True)))
    declared = Path("/run/declared/food.toml")
    declared.parent.mkdir()
    declared.write_text(f'executable = "{food}"\npidfile = "none"\nmatch_interpreted = true\n')
    service = Tool(f"{ssd.path}-service", False)
    verbs = ("start", "start", "status", "stop", "status")
    codes = [service("--directory=/run/declared", "food", verb).returncode for verb in verbs]
    assert [0, 0, 0, 0, 3] == codes


@alone
def test_script_is_found_where_its_executable_cannot_be_read(ssd: Tool) -> None:
    """By its command line: as another user, and as root without CAP_SYS_PTRACE."""
    food = script(FOOD, "#!/bin/sh", SHELL)
    clear, vague = run(food), run("sh", f"./{NAME}", cwd=STAGE)
    native = spawn("/bin/cat", stdin=subprocess.PIPE)
    match = Match(exec=food, interpreted=True)
    assert {clear.pid: "script", vague.pid: "script"} == found(match)
    open_ways()

    def body() -> None:
        assert {clear.pid: "command line"} == found(match)
        cats = found(Match(exec="/bin/cat", interpreted=True))  # also one of the test itself
        assert "command line" == cats[native.pid]
        assert {} == found(Match(exec="/bin/cat"))
        named = Match(name=NAME, interpreted=True)
        assert {clear.pid, vague.pid} == {*found(named)}
        for kind in TABLES:
            unclear = Match(pid=vague.pid, exec=food, interpreted=True)
            with pytest.raises(ProcessUnreadable):
                status(unclear, table=table_named(kind))

    as_user(body)
    theirs = run(food, user=USER, group=USER, extra_groups=[])
    asked = ["--status", "--verbose", "--exec", food, "--interpreted", "--user", str(USER)]
    if shutil.which("setpriv") is not None:
        done = spawn("setpriv", "--bounding-set=-sys_ptrace", ssd.path, *asked)
        said, wrong = done.communicate()
        line = f"{food} (pid {theirs.pid}) matched by its command line\n"
        assert (0, line, "") == (done.returncode, said, wrong)
    end(clear, vague, native, theirs)


@alone
def test_processes_of_a_container_are_left_alone(ssd: Tool) -> None:
    """In another PID namespace: a stop by --exec hits them only without --same-namespace.

    In another root directory the same path is another file, also behind an absolute link.
    """
    food = script(FOOD, "#!/bin/sh", SHELL)
    root = "/run/root"
    os.mkdir(root)
    enter = (
        f"mount --bind / {root}; mount -t tmpfs x {root}/run; mkdir {root}{STAGE}; "
        f"cp {food} {root}{STAGE}/; ln -s {food} {root}{STAGE}/link; "
        f"exec chroot {root} /bin/sh {STAGE}/link"
    )
    inside = run("unshare", "--pid", "--fork", "--kill-child", "sh", food)
    strangers = [run("unshare", "--mount", "sh", "-ec", enter), spawn("tail", "-f", food)]
    ours = run(food)
    both = found(Match(exec=food, interpreted=True))
    one = found(Match(exec=food, interpreted=True, same_namespace=True))
    assert ({ours.pid: "script"}, 2) == (one, len(both))
    (theirs,) = {*both} - {ours.pid}
    assert {} == found(Match(pid=theirs, same_namespace=True))
    asked = ["--stop", "--retry=TERM/60", "--exec", food, "--interpreted"]
    assert 0 == ssd(*asked, "--same-namespace").returncode
    assert (-15, None) == (ours.wait(), inside.poll())
    assert 1 == ssd(*asked, "--same-namespace").returncode
    done = ssd("--stop", "--pid", theirs, "--same-namespace")
    assert (1, None) == (done.returncode, inside.poll())
    assert 0 == ssd("--stop", "--retry=KILL/60", *asked[2:]).returncode
    inside.wait()
    assert [None, None] == [each.poll() for each in strangers]
    end(ours, inside, *strangers)
