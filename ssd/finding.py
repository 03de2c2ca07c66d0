"""Find the processes that a Match means, and report the LSB status. Nothing is changed."""

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
    """The result of a look: the processes, and whether the pidfile holds a pid.

    ``pidfile_holds`` is None without a pidfile: none was asked for, or the file does not exist.
    """

    __slots__ = ("processes", "pidfile_holds")

    def __init__(self, processes: "list[Process]", pidfile_holds: bool | None) -> None:
        self.processes: list[Process] = processes
        self.pidfile_holds: bool | None = pidfile_holds


def resolve(match: "Match", table: "ProcessTable | None" = None) -> Criteria:
    """Turn the names of a Match into the numbers and bytes that the kernel compares.

    Raises ExecutableMissing, UnknownUser, and TypeError for an argument of another type.
    """
    if type(match) is not Match or not (table is None or hasattr(table, "launcher")):
        from ssd.validation import demand

        demand(match, table)
    file = None
    if match.exec is not None:
        try:
            file = (table or default_table()).executable(match.exec)
        except OSError as error:
            raise ExecutableMissing(os.fsdecode(match.exec), error.errno, error.strerror) from error
    name = None if match.name is None else os.fsencode(match.name)
    criteria = Criteria(match.pid, match.ppid, file, name, _uid(match.user))
    if match.interpreted or match.same_namespace:
        from ssd.evidence import more_of

        criteria.more = more_of(match)
    return criteria


def look(
    match: "Match", criteria: Criteria, table: "ProcessTable", only_first: bool = False
) -> Finding:
    """Look once: for all processes, or ``only_first`` where one answers the question.

    Raises PidfileUnreadable, PidfileUnsafe, ProcessUnreadable and ProcessTableError.
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
    """Return no process. Raises ProcessUnreadable if that is not certain.

    ``entry`` is the pidfile, whose mark may rule the process out.
    """
    pid = criteria.pid
    if pid is not None and not criteria.bare and table.unreadable(criteria):
        process = table.process(pid)
        if process is not None and (entry is None or entry.means(process, table)):
            raise ProcessUnreadable(pid)
    return []


def find(match: "Match", *, table: "ProcessTable | None" = None) -> "list[Process]":
    """Return the running processes that ``match`` means, ascending by pid.

    Zombies and the calling process are never among them. Raises ExecutableMissing, UnknownUser,
    PidfileUnreadable, PidfileUnsafe, ProcessUnreadable and ProcessTableError.
    """
    return look(match, resolve(match, table), table or default_table()).processes


def status(match: "Match", *, table: "ProcessTable | None" = None) -> int:
    """Return the LSB status: 0 running, 1 dead with a pidfile, 3 not running, 4 unknown.

    4 means that the pidfile holds no pid. Raises what ``find`` raises.
    """
    finding = look(match, resolve(match, table), table or default_table(), only_first=True)
    return lsb_status(bool(finding.processes), finding.pidfile_holds, match.pidfile is not None)


def _uid(user: str | int | None) -> int | None:
    """Return the uid of a user name; digits are a uid, even one without an account."""
    from ssd.signals import whole_number

    uid = whole_number(user) if isinstance(user, str) else user
    if uid is None and user is not None:
        from ssd.accounts import Account

        uid = Account(str(user), None).uid
    return uid
