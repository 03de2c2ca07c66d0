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
    "a variable without a name": ({"environment": {"": "x"}}, "environment: a name must not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_field_is_refused_by_its_name(case: str) -> None:
    """Nothing is started."""
    given, reason = REFUSED[case]
    table = FakeProcesses()
    table.register("/bin/true")
    with pytest.raises(ValueError) as caught:
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
