"""Find the supervisor of Upstart jobs that is meant, and connect to it."""

import os

from ssd.service import SUPERVISORS
from ssd.supervision.client import connect as connect_to
from ssd.supervision.places import UPSTART, upstart_link
from ssd.upstart.initctl.options import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.client import Connection
    from ssd.upstart.initctl.options import Call


class NoSupervisor(Exception):
    """No supervisor of Upstart jobs runs, or not the one that is meant."""


class NoSession(Exception):
    """Root means the supervisor of a session, and is in none."""


def connect(call: "Call") -> "Connection":
    """Connect to the supervisor of Upstart jobs that the options and the user tell.

    Raises NoSupervisor, NoSession, Unreachable of ``ssd.supervision.client``, and Misuse.
    """
    uid = os.geteuid()
    own = call.has("user") or call.has("session")
    if call.has("dest") and not uid and not own and not call.has("system"):
        raise Misuse("--dest given without --system")
    if call.has("user") and not uid and not _session():
        raise NoSession
    for path in run_directories(uid, own, call.has("system")):
        connection = connect_to(f"{path}/socket")
        if connection is not None:
            return connection
    raise NoSupervisor("no supervisor of jobs runs (ssd-supervise --upstart)")


def run_directories(uid: int, own: bool = False, system: bool = False) -> "list[str]":
    """Return where the supervisor of a user may be: run directories, or links to them.

    own: not the system's. system: only that. An ordinary user's own one counts before root's: that
    of the session, which its jobs know from UPSTART_SESSION, before the one that was started first.
    Root's jobs know a second supervisor of root in the same way; root is led to no other by it,
    unless it is asked for as its own.
    """
    session = "" if system else _session()
    if uid == 0:
        link = upstart_link(0)
        is_roots = os.path.dirname(session) == os.path.dirname(link)
        return [session] if own and session else [session, link] if is_roots else [link]
    roots = [f"{SUPERVISORS}/{UPSTART}"]
    if system:
        return roots
    return [*([session] if session else []), upstart_link(uid), *([] if own else roots)]


def _session() -> str:
    return os.environ.get("UPSTART_SESSION", "")
