"""Find the processes that a Match means, and answer how the daemon is.

Reads, and changes nothing.
"""

import os

from ssd import pidfile
from ssd.errors import ExecutableMissing, ProcessUnreadable
from ssd.matching import Criteria, Match
from ssd.processes import default_table
from ssd.statuses import lsb_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable


class Finding:
    """What a look at the table gave: the processes, and what the pidfile said.

    ``pidfile_holds``: True if the pidfile gave a pid, False if it holds none, None if
    there is no such file or none was asked for.
    """

    __slots__ = ("processes", "pidfile_holds")

    def __init__(self, processes: "list[Process]", pidfile_holds: bool | None) -> None:
        self.processes: list[Process] = processes
        self.pidfile_holds: bool | None = pidfile_holds


def resolve(match: "Match", table: "ProcessTable | None" = None) -> Criteria:
    """Turn the names of a Match into what the kernel compares.

    A table that makes its processes itself may know executables that no disk has. Raises
    ExecutableMissing and UnknownUser, and TypeError for what is no Match or no table.
    """
    if type(match) is not Match or not (table is None or hasattr(table, "launcher")):
        from ssd.validation import demand  # seldom

        demand(match, table)
    file = name = None
    if match.exec is not None:
        try:
            file = (table or default_table()).executable(match.exec)
        except OSError as error:
            path = os.fsdecode(match.exec)
            raise ExecutableMissing(path, error.errno, error.strerror) from error
    if match.name is not None:
        name = os.fsencode(match.name)
    return Criteria(match.pid, match.ppid, file, name, _uid(match.user))


def look(
    match: "Match", criteria: Criteria, table: "ProcessTable", only_first: bool = False
) -> Finding:
    """Look once, for all processes or, where one answers the question, ``only_first``.

    Raises the PidfileError family, ProcessUnreadable and ProcessTableError.
    """
    if match.pidfile is None:
        if not only_first or criteria.pid is not None:
            return Finding(table.select(criteria) or _nobody(criteria, table), None)
        first = table.first(criteria)
        return Finding([] if first is None else [first], None)
    alone = match.exec is match.name is match.user is match.ppid is None
    try:
        entry = pidfile.load(os.fsencode(match.pidfile), alone)
    except FileNotFoundError:
        return Finding([], None)
    if entry is None or entry.pid is None:
        return Finding([], False)
    asked = criteria.replace(entry.pid)
    found = table.select(asked) or _nobody(asked, table, entry)
    return Finding([process for process in found if entry.means(process, table)], True)


def _nobody(
    criteria: Criteria, table: "ProcessTable", entry: pidfile.Entry | None = None
) -> "list[Process]":
    """Return nobody, if that is sure. Raises ProcessUnreadable.

    ``entry``: the pidfile, which may say that the process is another one.
    """
    pid = criteria.pid
    if pid is not None and not criteria.bare and table.unreadable(criteria):  # else kill(2) tells
        process = table.process(pid)
        if process is not None and (entry is None or entry.means(process, table)):
            raise ProcessUnreadable(pid)
    return []


def find(match: "Match", *, table: "ProcessTable | None" = None) -> "list[Process]":
    """Return the running processes that ``match`` means, ascending by pid.

    Zombies are dead and the calling process is never among them. Raises
    ExecutableMissing, UnknownUser, PidfileUnreadable, PidfileUnsafe, ProcessUnreadable,
    ProcessTableError.
    """
    return look(match, resolve(match, table), table or default_table()).processes


def status(match: "Match", *, table: "ProcessTable | None" = None) -> int:
    """Return the LSB status: 0 running, 1 dead with a pidfile, 3 not running, 4 unknown.

    4 means that the pidfile holds no pid. What keeps the question itself from being
    asked (see ``find``) is raised.
    """
    finding = look(match, resolve(match, table), table or default_table(), only_first=True)
    return lsb_status(bool(finding.processes), finding.pidfile_holds, match.pidfile is not None)


def _uid(user: str | int | None) -> int | None:
    """Look an account up; all digits are a uid, known or not."""
    if user is None or isinstance(user, int):
        return user
    from ssd.signals import whole_number

    uid = whole_number(user)
    if uid is None:
        from ssd.accounts import Account  # the account database, for names alone

        uid = Account(user, None).uid
    return uid
