"""The criteria of a Match, and what a Criteria makes of them."""

from pathlib import Path

import pytest

from ssd.evidence import More
from ssd.matching import Criteria, Match

NO_MATCH = {
    "nothing": {},
    "a pid of nought": {"pid": 0},
    "a negative pid": {"pid": -1},
    "a parent of nought": {"ppid": 0},
    "a negative parent": {"ppid": -7},
    "both a pid and a pidfile": {"pid": 1, "pidfile": "/run/x.pid"},
    "a namespace alone": {"same_namespace": True},
    "an interpreter of no script": {"user": "root", "interpreted": True},
}


@pytest.mark.parametrize("given", NO_MATCH.values(), ids=NO_MATCH)
def test_match_of_nobody_or_everybody_is_an_error(given: dict) -> None:
    """A Match needs a criterion; a pid must not mean several processes to kill(2)."""
    with pytest.raises(ValueError, match=r"\w"):
        Match(**given)


def test_match_keeps_what_it_was_given() -> None:
    """Every criterion is an attribute; paths may be str, bytes or PathLike."""
    match = Match(ppid=1, pidfile=Path("/run/x.pid"), exec=b"/bin/\xff", name="x", user=0)
    assert (None, 1, "/run/x.pid", b"/bin/\xff", "x", 0, False, False) == tuple(
        getattr(match, name) for name in match.__slots__
    )


@pytest.mark.parametrize("flag", ["interpreted", "same_namespace"])
def test_match_takes_true_and_false_alone(flag: str) -> None:
    """A text such as "no" would be true; equal and shown are those that are true."""
    with pytest.raises(TypeError, match=f"{flag} must be True or False, not 'no'"):
        Match(exec="/x", **{flag: "no"})
    assert Match(exec="/x") == Match(exec="/x", **{flag: False})
    assert Match(exec="/x") != Match(exec="/x", **{flag: True})
    assert f"Match(exec='/x', {flag}=True)" == repr(Match(exec="/x", **{flag: True}))


def test_match_shows_only_what_it_was_given() -> None:
    """The repr is valid Python."""
    assert "Match(pidfile='/run/x.pid', user=0)" == repr(Match(pidfile="/run/x.pid", user=0))


def test_criteria_show_only_what_holds() -> None:
    """Criteria print like a call that makes them."""
    assert "Criteria(ppid=1, uid=0)" == repr(Criteria(ppid=1, uid=0))


def test_criteria_for_one_pid_keep_the_rest() -> None:
    """The pid of a pidfile is added; the other criteria stay."""
    more = More(interpreted=True)
    narrow = Criteria(ppid=2, file=(3, 4), name=b"x", uid=5, more=more).replace(1)
    assert [1, 2, (3, 4), b"x", 5, more] == [getattr(narrow, name) for name in narrow.__slots__]


BARE = {
    (): True,
    ("pid",): True,
    ("ppid",): False,
    ("file",): False,
    ("name",): False,
    ("uid",): False,
    ("pid", "uid"): False,
    ("pid", "more"): False,
    ("ppid", "file", "name", "uid"): False,
}


@pytest.mark.parametrize("given", BARE, ids="+".join)
def test_criteria_are_bare_if_any_process_meets_them(given: tuple) -> None:
    """A pid identifies a process, but says nothing about it."""
    values = {"pid": 1, "ppid": 1, "file": (1, 2), "name": b"x", "uid": 0, "more": More()}
    assert BARE[given] == Criteria(**{name: values[name] for name in given}).bare
