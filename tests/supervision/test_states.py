"""The table of a service's life, by its values alone."""

import pytest
from conftest import CHECKOUT
from kit import life

from ssd.supervision import states
from ssd.supervision.states import (
    AGAIN,
    AT_REST,
    BLOCKED,
    CLEAR,
    DO_RESTART,
    DO_START,
    DO_STOP,
    DONE,
    DUE,
    EMPTY,
    FAILED,
    INPUTS,
    KILLED,
    LOST,
    OVER,
    POST_STOP,
    PRE_STOP,
    READY,
    RESPAWN,
    START,
    STARTING,
    STATES,
    STOP,
    STOPPING,
    SURVIVED,
    TABLE,
    WAITING,
    follow,
)

UP = (DO_START, CLEAR, DONE, READY, DONE)
DOWN = (DONE, CLEAR, EMPTY, DONE)


def walk(inputs: tuple[str, ...], failed: bool = False) -> list[str]:
    """Return goal and state after each input, from a service that is stopped."""
    goal, state, seen = STOP, WAITING, []
    for given in inputs:
        goal, entered = follow(goal, state, given, failed)
        state = entered or state
        seen.append(f"{goal}/{state}")
    return seen


def test_life_goes_through_the_states_of_upstart() -> None:
    """init(8): starting, pre-start, spawned, post-start, running, and down again."""
    up = ["starting", "pre-start", "spawned", "post-start", "running"]
    down = ["pre-stop", "stopping", "killed", "post-stop", "waiting"]
    expected = [f"start/{state}" for state in up] + [f"stop/{state}" for state in down]
    assert expected == walk((*UP, DO_STOP, *DOWN))


def test_end_that_is_judged_again_comes_back() -> None:
    """It is cleaned up after first, waits for its time, and starts like any other."""
    seen = walk((*UP, AGAIN, *DOWN[1:], DUE))
    assert ["respawn/waiting", "start/starting"] == seen[-2:]


@pytest.mark.parametrize("step", range(1, len(UP) + 1))
def test_stop_beats_respawn(step: int) -> None:
    """Wherever a service is, and whatever its end is judged: a stop keeps it down."""
    for end in (AGAIN, OVER, LOST):
        for inputs in ((DO_STOP, end), (end, DO_STOP)):
            seen = walk((*UP[:step], *inputs, DONE, CLEAR, EMPTY, DONE))
            assert "stop/waiting" == seen[-1], (step, end)


def test_stop_of_a_waiting_respawn_keeps_it_down() -> None:
    """The attempt to come is cancelled: the state is entered again."""
    assert (STOP, WAITING) == follow(RESPAWN, WAITING, DO_STOP)


def test_time_of_a_restart_counts_only_while_it_is_awaited() -> None:
    """It may come in the same turn as a stop, and after it."""
    assert (START, STARTING) == follow(RESPAWN, WAITING, DUE)
    assert (STOP, None) == follow(STOP, WAITING, DUE)
    assert (START, None) == follow(START, WAITING, DUE)


def test_start_while_stopping_starts_again_afterwards() -> None:
    """The stop ends first; what runs then is new."""
    for state in (PRE_STOP, STOPPING, KILLED, POST_STOP):
        assert (START, None) == follow(STOP, state, DO_START)
    assert (START, STARTING) == follow(START, POST_STOP, DONE)


def test_restart_with_a_hook_before_the_stop_restarts() -> None:
    """Upstart runs the hook and restarts nothing; that is no example."""
    seen = walk((*UP, DO_RESTART, *DOWN))
    assert ["start/pre-stop", "start/starting"] == [seen[len(UP)], seen[-1]]


def test_lost_service_is_failed_unless_it_is_wanted_again() -> None:
    """FAILED is for those that nobody has started meanwhile."""
    assert (STOP, FAILED) == follow(STOP, POST_STOP, DONE, failed=True)
    assert (START, STARTING) == follow(START, POST_STOP, DONE, failed=True)
    assert (STOP, FAILED) == follow(START, STARTING, BLOCKED)
    assert (STOP, FAILED) == follow(STOP, KILLED, SURVIVED)


def test_every_row_names_known_states_and_inputs() -> None:
    """A misspelt row would be a hole in the life of a service."""
    goals = {START, STOP, RESPAWN, None}
    for (state, given), (goal, entered) in TABLE.items():
        assert state in STATES and given in INPUTS
        assert goal in goals and (entered is None or entered in STATES)


def test_every_state_is_left_and_reached() -> None:
    """No state is a trap, and none is idle."""
    reached = {entered for _, entered in TABLE.values()} | set(states.NEXT.values())
    assert set(STATES) == reached - {None}
    left = {state for state, _ in TABLE}
    assert set(STATES) == left


def test_input_without_a_row_changes_nothing() -> None:
    """What comes late, a hook's end after a stop, say, is no longer of interest."""
    for state in AT_REST:
        assert (STOP, None) == follow(STOP, state, READY)


def test_picture_of_the_states_is_up_to_date() -> None:
    """docs/explanation/life.svg shows the table of today."""
    picture = CHECKOUT / "docs" / "explanation" / "life.svg"
    assert life.picture() == picture.read_text(), f"python tests/kit/life.py > {picture}"
