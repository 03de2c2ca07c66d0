"""The life of a job, as a table."""

import itertools

import pytest
from conftest import CHECKOUT

from ssd.upstart import states
from ssd.upstart.states import (
    KILLED,
    POST_START,
    POST_STOP,
    PRE_START,
    PRE_STOP,
    RESPAWN,
    RUNNING,
    SECURITY,
    SPAWNED,
    START,
    STARTING,
    STOP,
    STOPPING,
    WAITING,
    follow,
)  # fmt: skip


def _way(goal: str, state: str, end: str, **facts: bool) -> list[str]:
    passed = [state]
    while state != end:
        state = follow(state, goal, **facts)
        passed.append(state)
    return passed


def test_start_passes_all_states_up() -> None:
    """A start passes all states up."""
    up = [WAITING, STARTING, SECURITY, PRE_START, SPAWNED, POST_START, RUNNING]
    assert _way(START, WAITING, RUNNING) == up


def test_stop_passes_all_states_down() -> None:
    """A stop passes all states down."""
    assert _way(STOP, RUNNING, WAITING) == [
        RUNNING, PRE_STOP, STOPPING, KILLED, POST_STOP, WAITING,
    ]  # fmt: skip


def test_stop_without_main_process_has_no_pre_stop() -> None:
    """A stop without main process has no pre stop."""
    assert follow(RUNNING, STOP, has_main=False) == STOPPING


@pytest.mark.parametrize("state", [STARTING, SECURITY, PRE_START, SPAWNED, POST_START])
def test_stop_on_the_way_up_goes_by_stopping(state: str) -> None:
    """A stop on the way up goes by stopping."""
    assert follow(state, STOP) == STOPPING


def test_process_that_ends_by_itself_comes_back_by_stopping() -> None:
    """A process that ends by itself comes back by stopping."""
    assert _way(START, RUNNING, STARTING) == [RUNNING, STOPPING, KILLED, POST_STOP, STARTING]


def test_stop_undone_in_pre_stop_leaves_it_running() -> None:
    """A stop undone in pre stop leaves it running."""
    assert follow(PRE_STOP, START) == RUNNING


def test_restart_is_no_stop_undone() -> None:
    """A restart is no stop undone."""
    assert follow(PRE_STOP, START, restarts=True) == STOPPING


def test_every_state_has_a_way_for_every_goal_that_it_can_have() -> None:
    """Every state has a way for every goal that it can have."""
    impossible = {(WAITING, STOP), (WAITING, RESPAWN)}
    assert set(states.TABLE) == set(itertools.product(states.STATES, states.GOALS)) - impossible


def test_every_way_leads_to_a_state() -> None:
    """Every way leads to a state."""
    assert set(states.TABLE.values()) <= set(states.STATES)


def test_page_of_the_explanation_shows_the_table() -> None:
    """docs/explanation/upstart.md has a row for each state, and says where each goal leads."""
    page = (CHECKOUT / "docs" / "explanation" / "upstart.md").read_text()
    shown = page.split("| state | goal start | goal stop |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in shown.splitlines()[2:]]
    assert [row[0] for row in rows] == list(states.STATES)
    resting = {(RUNNING, START), (WAITING, STOP)}
    for state, up, down in rows:
        for goal, text in ((START, up), (STOP, down)):
            if (state, goal) in resting:
                assert text.startswith("rests")
            else:
                assert text.split(":")[0].split(";")[0] == follow(state, goal)
