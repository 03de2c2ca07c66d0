"""The journal: what a supervisor leaves to its successor, and in what state it may be found."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import namespace
from kit.children import WAIT_TIMEOUT

from ssd.processes.linux import LinuxTable
from ssd.processes.origin import Origin
from ssd.service import Service
from ssd.supervision import Supervisor
from ssd.supervision.succession import journal as journals
from ssd.supervision.succession.journal import Journal
from ssd.supervision.succession.past import JournalRefused, Past, parse, read

TABLE = LinuxTable()


class Kept:
    """A journal in a directory, of a supervisor with two services; ``told`` is what it reports."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "journal"
        self.told: list[str] = []
        self.supervisor = Supervisor([Service(name=name, executable="/bin/sleep") for name in "ab"])
        self.units = self.supervisor.units
        self.fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self.journal = Journal(self.fd, self.told.append)

    def begin(self) -> Journal:
        """Begin the journal."""
        self.journal.begin(self.units, TABLE)
        return self.journal

    def parsed(self) -> Past:
        """Return what a successor reads."""
        return parse(self.path.read_bytes(), TABLE)

    def close(self) -> None:
        """Let everything go."""
        self.journal.close()
        self.supervisor.close()
        os.close(self.fd)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Return a journal that is not begun yet."""
    made = Kept(tmp_path)
    yield made
    made.close()


def test_last_line_of_a_service_counts(kept: Kept) -> None:
    """And it says all that is known."""
    journal = kept.begin()
    unit = kept.units["a"]
    for restarts in (1, 2):
        unit.restarts = restarts
        journal.put(unit)
    past = kept.parsed()
    assert {"a": {"name": "a", "goal": "stop", "state": "waiting", "restarts": 2}} == past.records
    assert (True, True) == (past.is_same, past.is_whole)


def test_wish_is_known_until_it_is_taken(kept: Kept) -> None:
    """A line of all that is known follows when the unit has taken it."""
    journal = kept.begin()
    journal.wish("a", "do stop")
    assert "do stop" == kept.parsed().records["a"]["wish"]
    journal.put(kept.units["a"])
    assert "wish" not in kept.parsed().records["a"]


def test_end_of_all_is_not_a_wish_for_one(kept: Kept) -> None:
    """A successor knows what each service was to do before."""
    journal = kept.begin()
    unit = kept.units["a"]
    unit.goal = "start"
    journal.put(unit)
    journal.end()
    unit.goal = "stop"
    journal.put(unit)
    past = kept.parsed()
    assert past.ending
    assert ("stop", "start") == (past.records["a"]["goal"], past.records["a"]["before"])


def test_orderly_end_leaves_nothing_to_take_over(kept: Kept) -> None:
    """Nothing is in the records, and nothing is missing in them."""
    journal = kept.begin()
    journal.put(kept.units["a"])
    journal.end()
    journal.finish()
    past = kept.parsed()
    assert ({}, False, True) == (past.records, past.ending, past.is_whole)


def test_torn_line_is_ignored_at_every_byte(kept: Kept) -> None:
    """What was whole before it counts, and nothing is complained about."""
    journal = kept.begin()
    journal.put(kept.units["a"])
    whole = kept.parsed().size
    kept.units["b"].failure = "x" * 40
    journal.put(kept.units["b"])
    data = kept.path.read_bytes()[: kept.parsed().size]
    for end in range(whole, len(data)):
        for rest in (b"", b"\0" * 100):
            past = parse(data[:end] + rest, TABLE)
            assert (["a"], True, []) == ([*past.records], past.is_whole, past.faults)
            assert whole == past.size
    assert ["a", "b"] == [*parse(data, TABLE).records]


def test_any_cut_is_read_without_an_error(kept: Kept) -> None:
    """A journal that was cut within its header says so."""
    kept.begin().put(kept.units["a"])
    data = kept.path.read_bytes()
    begin = data.index(b"\n")
    for end in range(begin):
        past = parse(data[:end], TABLE)
        assert (False, ["it begins with no header"]) == (past.is_whole, past.faults)


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"nonsense", b'{"name":'])
def test_damaged_line_is_told_and_passed_over(kept: Kept, line: bytes) -> None:
    """Lines after it count, but lines may be missing."""
    journal = kept.begin()
    journal.put(kept.units["a"])
    data = kept.path.read_bytes().rstrip(b"\0")
    past = parse(data + line + b"\n" + data.split(b"\n")[1] + b"\n", TABLE)
    assert ["a"] == [*past.records]
    assert (False, ["1 of its lines are damaged"]) == (past.is_whole, past.faults)


def test_other_format_is_not_read(kept: Kept) -> None:
    """A successor of another version finds by the marker what runs."""
    kept.begin()
    data = kept.path.read_bytes().replace(b'"journal":1', b'"journal":2')
    past = parse(data, TABLE)
    assert (False, ["it has another format"]) == (past.is_whole, past.faults)


class Elsewhere(LinuxTable):
    """The table of another boot."""

    def __init__(self, boot: bytes, clock: bytes) -> None:
        super().__init__()
        self._there = Origin(boot, clock)

    @property
    def origin(self) -> Origin:  # type: ignore[override]
        """Return where its start times count from."""
        return self._there


@pytest.mark.parametrize(
    ("boot", "clock", "expected"),
    [(b"one", b"time", True), (b"two", b"time", False), (b"", b"time", None), (b"one", b"", None)],
)
def test_boot_decides_whether_pids_mean_anything(
    kept: Kept, boot: bytes, clock: bytes, expected: bool | None
) -> None:
    """Another boot has other processes; where the boot is hidden, nobody knows."""
    kept.journal.begin(kept.units, Elsewhere(b"one", b"time"))
    assert expected is parse(kept.path.read_bytes(), Elsewhere(boot, clock)).is_same


def test_file_is_for_its_owner_alone(kept: Kept) -> None:
    """Tokens are in it, which nobody may know."""
    kept.begin()
    assert 0o600 == kept.path.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        ("chmod 622 journal", "others can write it (mode 0622)"),
        ("ln journal other", "it has another name, too"),
        ("mv journal x; ln -s x journal", "Too many levels of symbolic links"),
        ("rm journal; mkfifo journal", "it is not a regular file"),
        ("rm journal; mkdir journal", "it is not a regular file"),
    ],
)
def test_planted_journal_is_refused(kept: Kept, plant: str, reason: str) -> None:
    """Whoever can write it could have any process stopped."""
    kept.begin()
    subprocess.run(["sh", "-c", plant], cwd=kept.path.parent, check=True)
    with pytest.raises(JournalRefused) as refused:
        read(kept.fd, str(kept.path), TABLE)
    assert (str(kept.path), reason) == (refused.value.path, refused.value.reason)


@pytest.mark.requires_root
def test_journal_of_another_user_is_refused(kept: Kept) -> None:
    """Also if its mode is right."""
    kept.begin()
    os.chown(kept.path, 65534, -1)
    with pytest.raises(JournalRefused, match="it belongs to user 65534"):
        read(kept.fd, str(kept.path), TABLE)


def test_missing_journal_says_nothing(kept: Kept) -> None:
    """It looks for markers, because a journal may have been removed by hand."""
    past = read(kept.fd, "", TABLE)
    assert ({}, False, []) == (past.records, past.is_whole, past.faults)


def test_journal_that_has_grown_is_written_anew(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what counts is in the new one; there is a journal at every moment."""
    monkeypatch.setattr(journals, "MARGIN", 1000)
    journal = kept.begin()
    unit = kept.units["a"]
    unit.known = True
    sizes = []
    for restarts in range(1, 100):
        unit.restarts = restarts
        journal.put(unit)
        sizes.append(kept.parsed().size)
    assert 99 == kept.parsed().records["a"]["restarts"]
    assert max(sizes) < 2000
    assert ["journal"] == os.listdir(kept.path.parent)


FULL = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from supervision.succession.test_journal import Kept
directory = Path(sys.argv[2])
kept = Kept(directory)
journal = kept.begin()
unit = kept.units["a"]
unit.known = True
(directory / "filler").write_bytes(b"")
with open(directory / "filler", "wb", 0) as filler:
    try:
        while True:
            filler.write(b"x" * 4096)
    except OSError:
        pass
count, last = 0, None
while len(kept.told) < 1:
    count += 1
    unit.restarts = count
    journal.put(unit)
past = kept.parsed()
print("until told:", past.records["a"]["restarts"] == count, past.is_whole)
for more in range(2000):
    unit.restarts = count + more
    journal.put(unit)
past = kept.parsed()
print("then lost:", past.records["a"]["restarts"] < unit.restarts, past.is_whole)
(directory / "filler").unlink()
journal._again = 0.0
unit.restarts = 7
journal.put(unit)
past = kept.parsed()
print("again:", past.records["a"]["restarts"] == 7, past.is_whole)
for line in kept.told:
    print(line)
"""


@pytest.mark.requires_namespaces
def test_full_disk_is_told_before_it_loses_anything(tmp_path: Path) -> None:
    """Space is set aside; what is lost after that is marked, and made good when there is room."""
    script = 'mount -t tmpfs -o size=300k none "$1" && exec "$2" -P -c "$3" "$4" "$1"'
    words = ["sh", "-c", script, "sh", tmp_path, sys.executable, FULL, Path(__file__).parents[2]]
    done = subprocess.run(
        namespace.command([os.fspath(word) for word in words], keep=[tmp_path]),
        capture_output=True, text=True, timeout=WAIT_TIMEOUT,
    )  # fmt: skip
    assert "" == done.stderr
    path = tmp_path / "journal"
    assert [
        "until told: True False",
        "then lost: True False",
        "again: True True",
        f"{path} cannot be written, and may soon lack what happens: No space left on device",
        f"{path} is complete again",
    ] == done.stdout.splitlines()


def test_supervisor_goes_on_without_any_room(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that cannot even be made is told once."""

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journals.os, "write", full)
    journal = kept.begin()
    journal.put(kept.units["a"])
    journal.put(kept.units["a"])
    assert 1 == len(kept.told)
    assert [] == os.listdir(kept.path.parent)
