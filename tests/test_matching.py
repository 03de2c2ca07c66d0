"""What a caller may say of a process, and the LSB status that comes of it."""

import os
from pathlib import Path

import pytest
from kit.children import python

import ssd
from ssd.errors import ExecutableMissing, UnknownUser
from ssd.finding import resolve
from ssd.matching import Criteria, Match
from ssd.testing import FakeProcesses

NO_MATCH = {
    "nothing": {},
    "a pid of nought": {"pid": 0},
    "a negative pid": {"pid": -1},
    "a parent of nought": {"ppid": 0},
    "a negative parent": {"ppid": -7},
    "both a pid and a pidfile": {"pid": 1, "pidfile": "/run/x.pid"},
}


@pytest.mark.parametrize("given", NO_MATCH.values(), ids=NO_MATCH)
def test_match_that_means_nobody_or_everybody_is_refused(given: dict) -> None:
    """A Match needs a criterion, and no pid that kill(2) takes for many."""
    with pytest.raises(ValueError, match=r"\w"):
        Match(**given)


def test_match_keeps_what_it_was_given() -> None:
    """Every criterion is an attribute; paths may be str, bytes or PathLike."""
    match = Match(ppid=1, pidfile=Path("/run/x.pid"), exec=b"/bin/\xff", name="x", user=0)
    assert (None, 1, "/run/x.pid", b"/bin/\xff", "x", 0) == tuple(
        getattr(match, name) for name in match.__slots__
    )


def test_match_shows_only_what_it_was_given() -> None:
    """The repr could be typed in again."""
    assert "Match(pidfile='/run/x.pid', user=0)" == repr(Match(pidfile="/run/x.pid", user=0))


def test_criteria_show_only_what_holds() -> None:
    """Criteria print like a call that makes them."""
    assert "Criteria(ppid=1, uid=0)" == repr(Criteria(ppid=1, uid=0))


def test_criteria_for_one_pid_keep_the_rest() -> None:
    """The pid of a pidfile narrows the criteria, and changes nothing else."""
    narrow = Criteria(ppid=2, file=(3, 4), name=b"x", uid=5).replace(1)
    assert [1, 2, (3, 4), b"x", 5] == [getattr(narrow, name) for name in narrow.__slots__]


BARE = {
    (): True,
    ("pid",): True,
    ("ppid",): False,
    ("file",): False,
    ("name",): False,
    ("uid",): False,
    ("pid", "uid"): False,
    ("ppid", "file", "name", "uid"): False,
}


@pytest.mark.parametrize("given", BARE, ids="+".join)
def test_criteria_are_bare_if_any_process_meets_them(given: tuple) -> None:
    """A pid says which process is meant, and nothing about it."""
    values = {"pid": 1, "ppid": 1, "file": (1, 2), "name": b"x", "uid": 0}
    assert BARE[given] == Criteria(**{name: values[name] for name in given}).bare


def test_names_become_what_the_kernel_compares() -> None:
    """The executable is a device and an inode, the name is bytes, the user a number."""
    facts = os.stat("/bin/sh")
    criteria = resolve(Match(exec="/bin/sh", name="\udcffx", user="root", ppid=1))
    assert (None, 1, (facts.st_dev, facts.st_ino), b"\xffx", 0) == tuple(
        getattr(criteria, name) for name in criteria.__slots__
    )


@pytest.mark.parametrize(("user", "uid"), [("root", 0), (0, 0), ("0", 0), ("4000000", 4000000)])
def test_user_is_a_name_or_any_number(user: str | int, uid: int) -> None:
    """Digits are a uid, whether or not an account has it."""
    assert uid == resolve(Match(user=user)).uid


@pytest.mark.parametrize("user", ["no such user", "", "-1", "4294967296", "0x0", "\udcff"])
def test_unknown_user_is_named(user: str) -> None:
    """What is no account and no uid raises UnknownUser with the user in it."""
    with pytest.raises(UnknownUser) as caught:
        resolve(Match(user=user))
    assert user == caught.value.user


def test_missing_executable_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    """ExecutableMissing carries path, errno and strerror."""
    path = tmp_path / "missing"
    with pytest.raises(ExecutableMissing) as caught:
        resolve(Match(exec=path))
    expected = (str(path), 2, os.strerror(2))
    assert expected == (caught.value.path, caught.value.errno, caught.value.strerror)


# (text of the pidfile or None for no file) -> status of a pidfile alone
PIDFILES = {None: 3, "": 4, "junk": 4, "-1": 4, "0": 4, "12abc": 4, "4711": 1, "101": 0}


@pytest.mark.parametrize("text", PIDFILES)
def test_status_answers_from_the_pidfile(
    text: str | None, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """A pidfile that holds no pid is unknown, one of a dead process is dead."""
    fake_processes.add("d", pid=101)
    if text is not None:
        pidfile.write_text(text)
    assert PIDFILES[text] == ssd.status(Match(pidfile=pidfile), table=fake_processes)


# Asked in a child of ours: our own parent may be of another namespace, and 0 in this one.
ITSELF = """
import os, ssd
matches = [{"pid": os.getpid()}, {"ppid": os.getppid()}, {"exec": "/proc/self/exe"}]
found = [process.pid for match in matches for process in ssd.find(ssd.Match(**match))]
print([pid for pid in found if pid == os.getpid()])
"""


def test_caller_itself_is_never_found() -> None:
    """No criterion makes a process find itself (row 11)."""
    done = python(ITSELF)
    assert (b"[]\n", 0) == (done.stdout, done.returncode), done.stderr
