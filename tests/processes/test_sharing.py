"""Two processes search side by side: the result is the same, whatever happens to the second one."""

import errno
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from kit.children import python

from ssd.cli import run
from ssd.matching import Criteria
from ssd.processes import default_table, scan, sharing
from ssd.processes.linux import LinuxTable
from ssd.stdio import Voice
from ssd.testing import RealWorld

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packets in pipes are Linux's")

CALLER = os.getpid()

# Two processes search. The caller dies once the helper has begun, and leaves its output open.
DYING = """
import os, signal, sys
from ssd.processes import sharing
sharing.MIN_SHARES, sharing.SHARE = 2, 10
(begun, begin), (looked, look), met = os.pipe(), os.pipe(), []
caller = os.getpid()
def keep(names):
    if os.getpid() == caller:
        os.read(begun, 1)
        os.write(look, b"x")
        os.kill(caller, signal.SIGKILL)
    elif not met:  # it waits, so that it cannot do all the work alone
        os.write(begin, b"x")
        met.append(os.read(looked, 1))
    return names
list(sharing.shared(os.fsencode(sys.argv[1]), keep))
"""

# Starts a helper under a rising limit of descriptors, and says how many are left then.
LIMITED = """
import os, resource
from ssd.processes import sharing
os.sched_getaffinity = lambda pid: {0, 1}
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
for limit in range(4, 20):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    helper = sharing.start(lambda names: names)
    left = []
    try:
        while True:
            left.append(os.dup(0))
    except OSError:
        print(helper is not None, len(left))
    if helper is not None:
        helper.end()
    for fd in left:
        os.close(fd)
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share tens of names instead of thousands, also on one processor."""
    monkeypatch.setattr(sharing, "SHARE", 10)
    monkeypatch.setattr(sharing, "MIN_SHARES", 2)
    monkeypatch.setattr(scan, "CROWD", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})


@pytest.fixture
def entry(world: RealWorld) -> str:
    """Return the directory of /proc of a child."""
    return f"/proc/{world.start()}"


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[sharing.Helper]]:
    """Return the helpers that are started; at the end they must be gone, with their pipes."""
    started: list[sharing.Helper] = []
    start, before = sharing.start, os.listdir("/proc/self/fd")

    def watched(keep: "sharing.Keep") -> sharing.Helper | None:
        helper = start(keep)
        started.extend([] if helper is None else [helper])
        return helper

    monkeypatch.setattr(sharing, "start", watched)
    yield started
    assert before == os.listdir("/proc/self/fd")
    for helper in started:
        with pytest.raises(ChildProcessError):
            os.waitpid(helper.pid, os.WNOHANG)


def crowd(place: Path, count: int) -> list[bytes]:
    """Make a /proc of so many processes, and other files; return the pids as they are listed."""
    for name in ["self", "1x", *map(str, range(1, count + 1))]:
        (place / name).touch()
    return [name for name in os.listdir(os.fsencode(place)) if name.isdigit()]


def even(names: Iterable[bytes]) -> Iterator[bytes]:
    """Keep every second pid."""
    return (name for name in names if int(name) % 2 == 0)


class Meeting:
    """A ``keep`` whose caller begins when the helper has begun, which does a deed then.

    "waits": it goes on when the caller has begun, too, so that it cannot do all the work alone.
    """

    def __init__(self, deed: str = "") -> None:
        self._begun, self._begin = os.pipe()
        self._looked, self._look = os.pipe()
        self._deed = deed
        self._met = False

    def __call__(self, names: Iterable[bytes]) -> Iterable[bytes]:
        """Keep all; the helper adds its own pid."""
        if os.getpid() == CALLER:
            if not self._met:
                self._met = bool(os.read(self._begun, 1))
                os.write(self._look, b"x")
            return names
        os.write(self._begin, b"x")
        if self._deed == "fails":
            raise OSError(errno.EMFILE, "no descriptor is left")
        if self._deed == "waits":
            self._met = self._met or bool(os.read(self._looked, 1))
        elif self._deed:
            os.kill(os.getpid(), getattr(signal, self._deed))
        return [*names, b"%d" % os.getpid()]

    def close(self) -> None:
        """Close the pipes."""
        for fd in (self._begun, self._begin, self._looked, self._look):
            os.close(fd)


@pytest.mark.parametrize("count", [0, 1, 10, 11, 20, 400])  # a pipe holds 160
def test_shares_are_put_together_in_order(
    count: int, tmp_path: Path, helpers: list[sharing.Helper]
) -> None:
    """What is kept comes in the order of the directory, from however many names."""
    names = crowd(tmp_path, count)
    assert list(even(names)) == list(sharing.shared(os.fsencode(tmp_path), even))
    assert len(helpers) == (count > sharing.SHARE)


@pytest.mark.parametrize("deed", ["waits", "SIGKILL", "SIGSTOP", "fails"])
def test_helpers_share_is_done_again_unless_it_answers(
    deed: str, tmp_path: Path, helpers: list[sharing.Helper]
) -> None:
    """A helper that dies, stops or fails changes nothing; both looked at a share at one time."""
    names = crowd(tmp_path, 200)
    meeting = Meeting(deed)
    found = list(sharing.shared(os.fsencode(tmp_path), meeting))
    meeting.close()
    (helper,) = helpers
    own = b"%d" % helper.pid
    assert names == [name for name in found if name not in {own} - set(names)]
    assert meeting._met


def test_helper_is_not_found_by_its_own_search(
    tmp_path: Path, helpers: list[sharing.Helper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel lists it, because it is the newest process and the directory is read on."""
    names, listed = crowd(tmp_path, 40), sharing._shares

    def later(root: bytes) -> Iterator[list[bytes]]:
        yield from listed(root)
        yield [b"%d" % helpers[0].pid]

    monkeypatch.setattr(sharing, "_shares", later)
    found = sharing.shared(os.fsencode(tmp_path), lambda names: names)
    assert names == list(found)


def test_helper_answers_for_what_it_took(tmp_path: Path) -> None:
    """Its answers have the numbers of the shares; what it did not take comes back."""
    keep = Meeting()
    helper = sharing.Helper(keep)
    for number in range(3):
        assert helper.offer(number, [b"7%d" % number])
    back = list(helper.untouched())
    os.set_blocking(helper._answered, True)  # until the helper ends, by itself
    answers = dict(helper.answers())
    helper.end()
    keep.close()
    assert {0, 1, 2} == {*back, *answers}
    assert all(found[0] == b"7%d" % number for number, found in answers.items())


def test_full_pipe_takes_no_more_shares() -> None:
    """An offer never waits for the helper."""
    keep = Meeting("SIGSTOP")
    helper = sharing.Helper(keep)
    accepted = [helper.offer(number, [b"1"]) for number in range(70)]
    helper.end()
    keep.close()
    assert {True, False} == set(accepted)


@pytest.mark.parametrize("lacking", ["processors", "processes", "descriptors", "a call"])
def test_search_goes_on_alone_without_a_helper(
    lacking: str, tmp_path: Path, helpers: list[sharing.Helper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One processor, a limit, or a filter of system calls leaves the work to the caller."""
    calls = {"processes": "fork", "descriptors": "pipe2", "a call": "sched_getaffinity"}

    def refuse(*_: object) -> None:
        raise OSError(errno.EAGAIN, "a limit is reached")

    if lacking == "processors":
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    else:
        monkeypatch.setattr(os, calls[lacking], refuse)
    names = crowd(tmp_path, 50)
    assert list(even(names)) == list(sharing.shared(os.fsencode(tmp_path), even))
    assert [] == helpers


def test_helper_leaves_descriptors_for_its_caller() -> None:
    """Where one process has enough descriptors for a look, two do not fail for lack of them."""
    rows = [line.split() for line in python(LIMITED).stdout.splitlines()]
    left = [int(count) for helped, count in rows if helped == b"True"]
    assert [b"False"] * (16 - len(left)) == [helped for helped, _ in rows if helped != b"True"]
    assert 4 == min(left)  # two for a look, and what was closed after the fork
    assert all(
        int(count) == limit - 3 for limit, (_, count) in zip(range(4, 9), rows, strict=False)
    )


def test_search_that_is_left_early_leaves_nothing(
    tmp_path: Path, helpers: list[sharing.Helper]
) -> None:
    """A caller that needs one match ends the helper and closes the pipes."""
    names = crowd(tmp_path, 100)
    search = sharing.shared(os.fsencode(tmp_path), lambda names: names)
    assert names[0] == next(search)  # type: ignore[call-overload]
    search.close()  # type: ignore[attr-defined]
    assert 1 == len(helpers)


def test_helper_ends_with_its_caller(tmp_path: Path) -> None:
    """After a SIGKILL to the caller nobody holds its output: the helper has ended by itself."""
    crowd(tmp_path, 100)
    ran = python(f"import os\nos.sched_getaffinity = lambda pid: {{0, 1}}\n{DYING}", tmp_path)
    assert (-signal.SIGKILL, b"", b"") == (ran.returncode, ran.stdout, ran.stderr)


def test_helper_is_reaped_where_children_are_ignored(
    tmp_path: Path, helpers: list[sharing.Helper]
) -> None:
    """An inherited SIG_IGN of CHLD, with which the kernel reaps, is put back after the search."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        names = crowd(tmp_path, 50)
        assert list(even(names)) == list(sharing.shared(os.fsencode(tmp_path), even))
        assert signal.SIG_IGN == signal.getsignal(signal.SIGCHLD)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert 1 == len(helpers)


@pytest.mark.parametrize("fact", ["uid", "file", "name"])
def test_table_that_may_fork_selects_the_same(
    fact: str, entry: str, helpers: list[sharing.Helper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By user, executable and name, each, two processes find what one does."""
    monkeypatch.setattr(sharing, "SHARE", 1)
    facts = os.stat(f"{entry}/exe")
    asked = Criteria(
        uid=os.stat(entry).st_uid if fact == "uid" else None,
        file=(facts.st_dev, facts.st_ino) if fact == "file" else None,
        name=Path(entry, "comm").read_bytes().rstrip(b"\n") if fact == "name" else None,
    )
    alone, both = LinuxTable(), LinuxTable(may_fork=True)
    lasting = set(alone.select(asked))
    found = both.select(asked)
    lasting &= set(alone.select(asked))
    pids = [process.pid for process in found]
    assert set() < lasting <= set(found)
    assert sorted(pids) == pids
    assert both.first(asked) in found
    assert 2 == len(helpers)


@pytest.mark.parametrize("own", [False, True])
def test_only_the_command_forks(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of the library never does, nor a command that runs in a process of others."""
    forked: list[bool] = []
    monkeypatch.setattr(sharing, "start", lambda keep: forked.append(True))
    monkeypatch.setattr(sharing, "MIN_SHARES", 1)
    monkeypatch.setattr(sharing, "SHARE", 1)
    monkeypatch.setattr("ssd.cli.settle", lambda: None)
    default_table().select(Criteria(name=b"no such process"))
    assert [] == forked
    run(["--status", "--name", "no such process"], Voice("ssd"), None, own)
    assert own == bool(forked)
