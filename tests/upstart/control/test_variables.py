"""The tables of variables that jobs get, and who may change them."""

import pytest

from .conftest import Ask

NAP = "env A=1\nexec sleep 300\npost-stop exec clean"
REFUSED = "Not permissible to modify PID 1 job environment"
ALL = ["PATH=/bin", "TERM=linux"]


def test_table_of_the_system_is_only_read(asked: Ask) -> None:
    """A variable that is not there is refused."""
    world = asked(foo=NAP)
    assert {"environment": ALL} == world.ask("list-env")
    assert {"value": "/bin"} == world.ask("get-env", value="PATH")
    assert "No such variable: NONE" == world.refused("get-env", value="NONE")
    assert "Variable may not be empty string" == world.refused("get-env", value="")
    for command in ("set-env", "unset-env"):
        assert REFUSED == world.refused(command, environment=["PATH=/"])
    assert REFUSED == world.refused("reset-env")
    assert {"environment": ALL} == world.ask("list-env")


def test_table_of_a_user_changes_that_of_jobs_that_run(asked: Ask) -> None:
    """Their next processes have it, and those of later jobs."""
    world = asked(is_system=False, foo=NAP, bar=NAP)
    world.ask("start", "foo")
    assert {} == world.ask("set-env", value="B=2")
    assert {} == world.ask("set-env", environment=["C=3", "D"])
    assert {"environment": ["B=2", "C=3", "D=", *ALL]} == world.ask("list-env")
    world.ask("start", "bar")
    world.ask("stop", "foo")
    for seen in (world.variables("bar"), world.variables("foo", "post-stop")):
        assert ("2", "3", "") == (seen["B"], seen["C"], seen["D"])
    assert {} == world.ask("unset-env", environment=["B", "D"])
    assert {"environment": ["C=3", *ALL]} == world.ask("list-env")
    world.ask("stop", "bar")
    assert "B" not in world.variables("bar", "post-stop")
    assert {} == world.ask("reset-env")
    assert {"environment": ALL} == world.ask("list-env")


def test_variable_may_be_retained(asked: Ask) -> None:
    """One that is not set yet is set."""
    world = asked(is_system=False)
    world.ask("set-env", environment=["PATH=/mine", "NEW=1"], retain=True)
    assert {"environment": ["NEW=1", *ALL]} == world.ask("list-env")
    world.ask("set-env", environment=["PATH=/mine"])
    assert {"value": "/mine"} == world.ask("get-env", value="PATH")


def test_table_of_a_job_is_its_own(asked: Ask) -> None:
    """It may be changed, also one of the system's jobs; others do not have it."""
    world = asked(foo=f"instance $N\n{NAP}")
    for number in ("1", "2"):
        world.ask("start", "foo", f"N={number}")
    assert {} == world.ask("set-env", "foo", instance="1", value="B=2")
    assert {"environment": ["A=1", "B=2", "N=1", *ALL]} == world.ask(
        "list-env", "foo", instance="1"
    )
    assert {"environment": ["A=1", "N=2", *ALL]} == world.ask("list-env", "foo", instance="2")
    assert {} == world.ask("unset-env", "foo", instance="1", value="A")
    assert {"value": "2"} == world.ask("get-env", "foo", instance="1", value="B")
    world.ask("stop", "foo", "N=1")
    seen = world.variables("foo (1)", "post-stop")
    assert ("2", False) == (seen["B"], "A" in seen)
    assert {} == world.ask("set-env", "foo", instance="2", value="B=2")
    assert {} == world.ask("reset-env", "foo", instance="2")
    assert {"environment": ["A=1", *ALL]} == world.ask("list-env", "foo", instance="2")


@pytest.mark.parametrize(("name", "instance"), [("nope", ""), ("foo", ""), ("foo", "3")])
def test_table_of_no_job_is_refused(asked: Ask, name: str, instance: str) -> None:
    """Whatever is missing, the job is named."""
    world = asked(foo=NAP)
    assert f"Unknown job: {name}" == world.refused("list-env", name, instance=instance)


def test_nothing_is_changed_by_half(asked: Ask) -> None:
    """One wrong variable prevents all of a request."""
    world = asked(is_system=False)
    assert "No such variable: X" == world.refused("unset-env", environment=["PATH", "X"])
    assert "Variable may not be empty string" == world.refused("set-env", environment=["A=1", ""])
    assert {"environment": ALL} == world.ask("list-env")
