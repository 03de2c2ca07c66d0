"""Read the journal of an earlier supervisor: ``succession.journal`` says what it is."""

import os
import stat

from ssd.errors import Error
from ssd.supervision.control.json_text import decode
from ssd.supervision.succession.journal import NAME, VERSION, header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable
    from ssd.supervision.succession.journal import Journal

    Record = dict[str, object]

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class JournalRefused(Error):
    """A journal is not used because somebody else can have written it; ``reason`` says why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path: str = path
        self.reason: str = reason


class Past:
    """What a journal says.

    records: the last line of each service. ending: whether all were being stopped. is_same: True
    if its pids and times are of this boot and these namespaces, None if nobody knows, False if
    not: then nothing of it runs. is_whole: whether no line was lost. faults: what is wrong with
    it, in words. size: bytes up to the end of the last whole line, 0 if none may follow it.
    """

    __slots__ = ("records", "ending", "is_same", "is_whole", "faults", "size")

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.ending = False
        self.is_same: bool | None = None
        self.is_whole = False
        self.faults: list[str] = []
        self.size = 0


def left_by_last(journal: "Journal", table: "ProcessTable", state: bytes | None) -> Past:
    """Return what the supervisor before has left; have what is wrong with it reported.

    state: a journal to use in place of that in the directory. Raises JournalRefused.
    """
    if state is None:
        past = read(journal.directory, journal.path, table)
        journal.size = past.size
    else:
        past = parse(state, table)
    for fault in past.faults:
        journal.report(f"the journal of the last supervisor is not complete: {fault}")
    return past


def read(directory: int, shown: str, table: "ProcessTable") -> Past:
    """Return what the journal in a directory says; ``shown`` is its path.

    Raises JournalRefused. Without a journal nothing is known, and anything may run.
    """
    try:
        fd = os.open(NAME, _READ, dir_fd=directory)
    except FileNotFoundError:
        return Past()
    except OSError as error:
        raise JournalRefused(shown, error.strerror or "it cannot be opened") from error
    try:
        reason = _distrust(os.fstat(fd))
        if reason:
            raise JournalRefused(shown, reason)
        with os.fdopen(os.dup(fd), "rb") as file:
            return parse(file.read(), table)
    finally:
        os.close(fd)


def parse(data: bytes, table: "ProcessTable") -> Past:
    """Read a journal. What cannot be read is left out, and named in ``faults``."""
    past = Past()
    lines = data.rstrip(b"\0").split(b"\n")
    lines.pop()  # torn, or empty
    past.size = sum(map(len, lines)) + len(lines)
    first = _object(lines[0]) if lines else None
    if first is None or first.get("journal") != VERSION:
        past.faults.append("it has another format" if first else "it begins with no header")
        past.size = 0
        return past
    past.is_same = _same(first, header(table))
    if past.is_same is False:  # nothing may be added to it
        past.size = 0
    past.is_whole = True
    damaged = 0
    for line in lines[1:]:
        record = _object(line)
        if record is None:
            damaged += 1
        else:
            _take(past, record)
    if damaged:
        past.is_whole = False
        past.faults.append(f"{damaged} of its lines are damaged")
    return past


def _object(line: bytes) -> "Record | None":
    try:
        value = decode(line.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _same(then: "Record", now: "Record") -> bool | None:
    for key in ("boot", "space"):
        if then.get(key) != now[key] and then.get(key) and now[key]:
            return False
    return True if now["boot"] and then == now else None


def _take(past: Past, record: "Record") -> None:
    """Take a line into account."""
    name = record.get("name")
    if isinstance(name, str):
        _take_of(past, name, record)
    elif record.get("lost") is True:
        past.is_whole = False
    elif record.get("over") is True:
        past.records.clear()
        past.ending = False
    elif record.get("ending") is True:
        past.ending = True
        for each in past.records.values():  # goals of later lines are nobody's wish
            each["before"] = each.get("goal")


def _take_of(past: Past, name: str, record: "Record") -> None:
    old = past.records.get(name, {})
    if record.get("gone") is True:
        past.records.pop(name, None)
    elif "goal" not in record:
        past.records[name] = {**old, **record}
    else:
        if past.ending:
            record["before"] = old.get("before", "start")
        past.records[name] = record


def _distrust(found: os.stat_result) -> str:
    """Return why a journal must not be used; empty if it may be."""
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}"
    if found.st_mode & 0o022:
        return f"others can write it (mode {stat.S_IMODE(found.st_mode):04o})"
    return "it has another name, too" if found.st_nlink != 1 else ""
