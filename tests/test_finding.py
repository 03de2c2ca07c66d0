"""Processes are found by a Match, and their LSB status is reported; nothing is changed."""

import os
from pathlib import Path

import pytest
from kit.children import python

import ssd
from ssd.errors import ExecutableMissing, ProcessUnreadable, UnknownUser
from ssd.finding import look, resolve
from ssd.matching import Match
from ssd.testing import FakeProcesses


def test_names_become_what_the_kernel_compares() -> None:
    """The executable is a device and an inode, the name is bytes, the user a number."""
    facts = os.stat("/bin/sh")
    criteria = resolve(Match(exec="/bin/sh", name="\udcffx", user="root", ppid=1))
    assert (None, 1, (facts.st_dev, facts.st_ino), b"\xffx", 0, None) == tuple(
        getattr(criteria, name) for name in criteria.__slots__
    )


@pytest.mark.parametrize(("user", "uid"), [("root", 0), (0, 0), ("0", 0), ("4000000", 4000000)])
def test_user_is_a_name_or_any_number(user: str | int, uid: int) -> None:
    """Digits are a uid, whether or not an account has it."""
    assert uid == resolve(Match(user=user)).uid


@pytest.mark.parametrize("user", ["no such user", "", "-1", "4294967296", "0x0", "\udcff"])
def test_unknown_user_is_named(user: str) -> None:
    """A name without an account raises UnknownUser, which has the name."""
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


# In a child of ours: our own parent may be in another PID namespace, and 0 here.
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


@pytest.mark.parametrize(
    ("match", "status"),
    [({"name": "d"}, 0), ({"name": "x"}, 3), ({"pid": 101}, 0), ({"pid": 7}, 3)],
)
def test_status_without_a_pidfile_is_running_or_not(
    match: dict, status: int, fake_processes: FakeProcesses
) -> None:
    """Only a pidfile can tell a dead daemon from one that was never started."""
    fake_processes.add("d", pid=101)
    assert status == ssd.status(Match(**match), table=fake_processes)


def test_found_processes_ascend_and_meet_all_criteria(fake_processes: FakeProcesses) -> None:
    """Another name, another user and a zombie are left out."""
    wanted = [fake_processes.add("d", pid=pid, uid=7) for pid in (500, 300, 400)]
    fake_processes.add("e", uid=7)
    fake_processes.add("d", uid=8)
    fake_processes.add("d", uid=7, reaped_after=None).die()
    found = ssd.find(Match(name="d", user=7), table=fake_processes)
    assert sorted(each.pid for each in wanted) == [process.pid for process in found]


def test_pidfile_and_other_criteria_must_hold_together(
    pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """If another program has the pid by now, the daemon is dead."""
    process = fake_processes.add("d")
    pidfile.write_text(f"{process.pid}\n")
    named, other = Match(pidfile=pidfile, name="d"), Match(pidfile=pidfile, name="e")
    assert [process.identity] == ssd.find(named, table=fake_processes)
    assert [] == ssd.find(other, table=fake_processes)
    assert (0, 1) == (
        ssd.status(named, table=fake_processes), ssd.status(other, table=fake_processes),
    )  # fmt: skip


def test_look_for_the_first_reads_no_more(fake_processes: FakeProcesses) -> None:
    """One process answers whether a daemon runs."""
    for _ in range(3):
        fake_processes.add("d")
    match = Match(name="d")
    criteria = resolve(match, fake_processes)
    first = look(match, criteria, fake_processes, only_first=True)
    every = look(match, criteria, fake_processes)
    assert (1, 3) == (len(first.processes), len(every.processes))
    assert first.processes == every.processes[:1]
    assert (None, None) == (first.pidfile_holds, every.pidfile_holds)


@pytest.mark.parametrize("by", ["pid", "pidfile"])
def test_unreadable_process_is_an_error(
    by: str, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """A hidden process may be the one that is meant; its pid alone is always known."""
    process = fake_processes.add("d", uid=0)
    pidfile.write_text(f"{process.pid}\n")
    fake_processes.hidepid = True
    fake_processes.caller_uid = 1000
    meant = {"pid": process.pid} if by == "pid" else {"pidfile": pidfile}
    with pytest.raises(ProcessUnreadable) as caught:
        ssd.status(Match(name="d", **meant), table=fake_processes)
    assert process.pid == caught.value.pid
    assert 0 == ssd.status(Match(pid=process.pid), table=fake_processes)
    assert 3 == ssd.status(Match(pid=process.pid + 1, name="d"), table=fake_processes)


def test_executable_may_exist_on_the_table_alone(fake_processes: FakeProcesses) -> None:
    """A declared program is not on disk; to the table of this machine it is missing."""
    process = fake_processes.add("webd", exe="/no/such/webd")
    match = Match(exec="/no/such/webd")
    assert [process.identity] == ssd.find(match, table=fake_processes)
    with pytest.raises(ExecutableMissing):
        ssd.find(match)


@pytest.mark.parametrize("given", ["d", None, 4711, {"name": "d"}])
def test_other_values_than_a_match_are_refused(
    given: object, fake_processes: FakeProcesses
) -> None:
    """The error says what a Match is."""
    with pytest.raises(TypeError, match=r"ssd\.Match"):
        ssd.find(given, table=fake_processes)  # type: ignore[arg-type]
