"""Processes are found by the marker that they were started with."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from kit.children import child, until_executed, zombie

from ssd.supervision.effects import MARKER
from ssd.supervision.succession.survivors import Survivors, find

KEY = f"test-{os.getpid()}"


def marked(name: str = "web", token: str = "abc", key: str = KEY) -> dict[str, str]:
    """Return the environment of a program with a marker."""
    return {**os.environ, os.fsdecode(MARKER): f"{key}:{name}:{token}"}


@pytest.fixture
def found() -> Callable[..., Survivors]:
    """Return a function that looks for survivors."""
    return lambda **pipes: find(KEY, pipes.get("pipes", {}))


def test_process_is_found_by_its_marker(found: Callable[..., Survivors]) -> None:
    """With its service, its start, and what tells whether it is a main process."""
    with child(env=marked(), start_new_session=True) as process:
        (one,) = found().of("web")
        assert (process.pid, "web", "abc") == (one.process.pid, one.name, one.token)
        assert (os.getpid(), os.geteuid(), True) == (one.ppid, one.uid, one.leads)
        assert found().has(one.process)
        assert [one.process] == [each.process for each in found().mains("web", "abc")]
    assert [] == found().names()


def test_other_markers_are_passed_over(found: Callable[..., Survivors]) -> None:
    """Of another supervisor, another service, another start; and the word in another variable."""
    other = {**os.environ, "X": f"{os.fsdecode(MARKER)}={KEY}:web:abc"}
    with child(env=marked(key=f"{KEY}-more")), child(env=other):
        assert [] == found().names()
    with child(env=marked("db", "new")):
        assert [] == found().of("web")
        assert [] == found().of("db", "old")


def test_name_may_have_any_character(found: Callable[..., Survivors]) -> None:
    """The token has no colon."""
    with child(env=marked("a:b")):
        assert ["a:b"] == found().names()


@pytest.fixture
def family() -> Iterator[tuple[int, int]]:
    """Yield the pids of a shell that is marked, and of its child, which has its own session."""
    with subprocess.Popen(
        ["sh", "-c", "setsid sleep 1000 & echo $!; wait"], env=marked(), stdout=subprocess.PIPE,
        start_new_session=True,
    ) as shell:  # fmt: skip
        assert shell.stdout is not None
        inner = int(shell.stdout.readline())
        try:
            until_executed(inner)
            yield shell.pid, inner
        finally:
            os.kill(inner, 9)


def test_child_of_a_survivor_is_no_main_process(
    found: Callable[..., Survivors], family: tuple[int, int]
) -> None:
    """It has inherited the marker."""
    main, inner = family
    survivors = found()
    assert {main, inner} >= {each.process.pid for each in survivors.of("web")} >= {main}
    assert [main] == [each.process.pid for each in survivors.mains("web")]


def test_process_without_its_own_session_is_no_main_process(
    found: Callable[..., Survivors],
) -> None:
    """What a supervisor starts leads one."""
    with child(env=marked()):
        assert [] == found().mains("web")


def test_output_tells_of_a_start_whose_marker_is_gone(
    found: Callable[..., Survivors], tmp_path: object
) -> None:
    """A program may write over its environment; asked for only where a start was cut off."""
    path = f"{tmp_path}/web.fifo"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    facts = os.fstat(pipe)
    pipes = {(facts.st_dev, facts.st_ino): "web"}
    with child(stdout=pipe, start_new_session=True) as process:
        assert [process.pid] == [each.process.pid for each in found(pipes=pipes).mains("web")]
        assert [] == found().names()
    os.close(pipe)


def test_zombies_and_empty_environments_are_passed_over(
    found: Callable[..., Survivors],
) -> None:
    """Nobody waits for a process that has no variables on purpose."""
    with zombie(), child(env={}):
        assert [] == found().names()
