"""What the services of an earlier supervisor may have left anywhere: one look for many of them.

Orphans of our own children become our children, if we are a subreaper. Those of a service that was
taken over go to process 1, so all processes must be looked at: by the marker, and by the session
and the process group. That costs some 40 microseconds for each process of the machine, so a look
counts for a moment, in which a supervisor may stop a thousand services.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable

MOMENT = 0.1  # seconds that a look counts for


class Strays:
    """The processes of a machine by marker, session and group. ``variable``: the marker's."""

    __slots__ = ("_table", "_begin", "_until", "_marked", "_sessions", "_groups")

    def __init__(self, table: "ProcessTable", variable: bytes) -> None:
        self._table = table
        self._begin = variable + b"="
        self._until: float | None = None
        self._marked: dict[bytes, list[int]] = {}  # by the marker without its token
        self._sessions: dict[int, list[int]] = {}
        self._groups: dict[int, list[int]] = {}

    def of(self, marker: bytes, leader: int) -> "list[int]":
        """Return the pids of the processes with a marker, and of a leader's session and group.

        marker: the entry of the environment, up to the token.
        """
        now = self._table.now()
        if self._until is None or now > self._until:
            self._look()
            self._until = self._table.now() + MOMENT
        found = self._marked.get(marker), self._sessions.get(leader), self._groups.get(leader)
        return [*{pid: None for part in found for pid in part or ()}]

    def _look(self) -> None:
        self._marked, self._sessions, self._groups = {}, {}, {}
        kinship = self._table.kin
        for pid in self._table.pids():
            kin = kinship.of(pid)
            if kin is None:
                continue
            self._sessions.setdefault(kin.session, []).append(pid)
            self._groups.setdefault(kin.group, []).append(pid)
            for entry in kinship.environment(pid):
                if entry.startswith(self._begin):
                    marker = entry[: entry.rfind(b":") + 1]
                    self._marked.setdefault(marker, []).append(pid)
                    break
