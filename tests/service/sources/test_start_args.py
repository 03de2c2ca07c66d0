"""Options of start-stop-daemon in START_ARGS and STOP_ARGS."""

import pytest

from ssd.service.sources import debian


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ("--retry INT/5", {"stop_schedule": "INT/5"}),
        ("--signal 9", {"stop_schedule": "-9/30/KILL/5"}),
        ("-s HUP", {"stop_schedule": "HUP/30/KILL/5"}),
        ("--oknodo", {}),
    ],
)
def test_stop_args_become_the_stop_schedule(options: str, fields: dict[str, object]) -> None:
    """A signal without a schedule begins the default one; other options set nothing."""
    assert fields == debian.option_fields({"STOP_ARGS": options})


def test_added_options_become_fields() -> None:
    """Those with a table or a list may be repeated."""
    options = (
        "--login --clear-env --no-new-privs --env A=b=c --env D= --env-file /dev/null "
        "--limit nofile=9:10 --limit core=0 --oom-score-adj -5 --securebits noroot "
        "--capabilities ^cap_kill"
    )
    assert {
        "login": True, "clear_environment": True, "no_new_privs": True,
        "environment": {"A": "b=c", "D": ""}, "environment_files": ["/dev/null"],
        "limits": {"nofile": "9:10", "core": "0"}, "oom_score": -5, "securebits": "noroot",
        "capabilities": "^cap_kill",
    } == debian.option_fields({"START_ARGS": options})  # fmt: skip
    assert {"kill_mode": "tree"} == debian.option_fields({"STOP_ARGS": "--tree"})


def test_wait_is_the_time_to_stay() -> None:
    """A start waits for one kind of readiness alone."""
    options = "--background --wait 2.5"
    stays = {"background": True, "readiness": {"kind": "stays", "timeout": 2.5}}
    assert stays == debian.option_fields({"START_ARGS": options})
    with pytest.raises(debian.BadVariable, match="both --notify-await and --wait"):
        debian.option_fields({"START_ARGS": f"{options} --notify-await"})


@pytest.mark.parametrize("options", ["--no-close", "-C", "--frob", "--wait 5"])
def test_start_args_without_a_field_are_an_error(options: str) -> None:
    """The error names the variable and the problem."""
    with pytest.raises(debian.BadVariable) as caught:
        debian.option_fields({"START_ARGS": options})
    assert "START_ARGS" == caught.value.variable
    assert caught.value.reason
