"""The checks of a Command: an invalid field is refused by its name."""

from typing import Any

import pytest

import ssd
from ssd import Command, Match
from ssd.testing import FakeProcesses

# arguments besides argv -> beginning of the error's text
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no program": ({"argv": []}, "argv must be a sequence"),
    "a text for the words": ({"argv": "/bin/true"}, "argv must be a sequence"),
    "an unknown policy": ({"cpu_scheduling": ("batch", 0)}, "unknown scheduling policy 'batch'"),
    "an unknown class": ({"io_scheduling": ("fast", 0)}, "unknown I/O class 'fast'"),
    "an octal text": ({"umask": "022"}, "umask must be a number from 0 to 0o777, not '022'"),
    "a negative mask": ({"umask": -1}, "umask must be a number"),
    "a mask of too many bits": ({"umask": 0o1000}, "umask must be a number"),
    "a text for the niceness": ({"nice": "5"}, "nice must be a whole number, not '5'"),
    "a niceness beyond all": ({"nice": 2**31}, "nice must be a whole number"),
    "a negative user": ({"user": -1}, "user must be a name or a number"),
    "a negative group": ({"group": -5}, "group must be a name or a number"),
    "the id that changes nothing": ({"group": 2**32 - 1}, "group must be a name or a number"),
    "NUL in a word": ({"argv": ["/bin/echo", "a\0b"]}, "argv has a NUL byte"),
    "NUL in the directory": ({"directory": "/tmp\0"}, "directory has a NUL byte"),
    "NUL in the root": ({"root": b"/\0"}, "root has a NUL byte"),
    "NUL in the output": ({"output": "/dev/null\0"}, "output has a NUL byte"),
    "NUL in a variable": ({"environment": {"A": "\0"}}, "environment has a NUL byte"),
    "= in a variable's name": ({"environment": {"A=B": ""}}, "environment: a name must not"),
    "an unknown field": ({"logins": True}, "Command() got an unexpected keyword argument 'logins'"),
    "a text for a flag": ({"login": "yes"}, "login must be True or False, not 'yes'"),
    "a number for a flag": ({"no_new_privs": 2}, "no_new_privs must be True or False, not 2"),
    "no mapping": ({"variables": ["A=1"]}, "variables must be a mapping"),
    "a number in a mapping": ({"variables": {"A": 1}}, "variables must be texts"),
    "= in a name": ({"variables": {"A=B": ""}}, "variables: a name must not be empty"),
    "NUL in an added variable": ({"variables": {"A": "\0"}}, "variables: b'A' has a NUL byte"),
    "a score beyond all": ({"oom_score_adj": 1001}, "oom_score_adj must be from -1000"),
    "an unknown capability": ({"capabilities": "x"}, "capabilities: no capability is named 'x'"),
    "no text for capabilities": ({"capabilities": 1}, "capabilities must be a text, not 1"),
    "an unknown securebit": ({"securebits": "x"}, "securebits: must be a number, or some of"),
    "a variable without a name": ({"environment": {"": "x"}}, "environment: a name must not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_field_is_refused_by_its_name(case: str) -> None:
    """Nothing is started."""
    given, reason = REFUSED[case]
    table = FakeProcesses()
    table.register("/bin/true")
    with pytest.raises((ValueError, TypeError)) as caught:
        command = Command(**{"argv": ["/bin/true"], **given})
        ssd.start(Match(name="true"), command, table=table)
    assert str(caught.value).startswith(reason)
    assert [] == ssd.find(Match(name="true"), table=table)


@pytest.mark.parametrize("who", [None, 0, "0"])
@pytest.mark.parametrize("umask", [None, 0, 0o777])
def test_extreme_values_are_accepted(umask: int | None, who: int | str | None) -> None:
    """The whole range of a umask, names and numbers, and a negative niceness."""
    table = FakeProcesses()
    table.register("/bin/true")
    command = Command(["/bin/true"], umask=umask, user=who, group=who, nice=-20)
    process = ssd.start(Match(name="true"), command, table=table)
    assert [process] == ssd.find(Match(name="true"), table=table)


def test_rare_field_is_checked_when_it_was_set_later() -> None:
    """And has its normal form; its default makes it no rare command."""
    table = FakeProcesses()
    table.register("/bin/true")
    command = Command(["/bin/true"])
    command.oom_score_adj = 1001
    with pytest.raises(ValueError, match="^oom_score_adj must be"):
        ssd.start(Match(name="true"), command, table=table)
    command.oom_score_adj, command.login = None, False
    command.variables = {"A": "1"}  # type: ignore[dict-item]
    ssd.start(Match(name="true"), command, table=table)
    assert {"variables": {b"A": b"1"}} == vars(command)


def test_repr_hides_the_values_of_variables() -> None:
    """One may be a password."""
    command = Command(["/bin/true"], variables={"A": "secret"}, no_new_privs=True)
    text = repr(command)
    assert ("secret" in text, "variables=<b'A'>" in text) == (False, True)
    assert "no_new_privs=True" in text


def test_variables_can_be_added_later() -> None:
    """Reading them makes no difference; those that are added reach the program."""
    table = FakeProcesses()
    table.register("/bin/true")
    command = Command(["/bin/true"])
    assert ({}, False) == (command.variables, command.login)
    command.login = False
    assert Command(["/bin/true"]) == command != Command(["/bin/true"], login=True)
    assert "Command([b'/bin/true'])" == repr(command)
    command.variables[b"A"] = b"1"
    ssd.start(Match(name="true"), command, table=table)
    assert {"A": "1"} == table.started[0].environment
