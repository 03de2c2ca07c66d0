"""What the steps of a verb share: the service, the look at it, and complaints.

Outcomes are those of ``ssd.service.verbs``. Complaints are kept until the console line ends.
"""

from ssd.errors import Error
from ssd.finding import look, resolve
from ssd.processes import default_table
from ssd.service import verbs
from ssd.statuses import DEAD_WITH_PIDFILE, RUNNING, UNKNOWN, lsb_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.service.verbs.recording import Recorded

_STATES = {RUNNING: verbs.RUNNING, DEAD_WITH_PIDFILE: verbs.DEAD, UNKNOWN: verbs.UNCLEAR}


class Steps:
    """A service while a verb is done to it.

    table: where it is looked for. processes: what the last look found. complaints: to print later.
    recording: what takes note of the steps, None if they are only done.
    """

    recording: "Recorded | None" = None

    def __init__(self, service: "Service", table: "ProcessTable | None" = None) -> None:
        if not (table is None or hasattr(table, "launcher")):
            from ssd.validation import demand_table

            demand_table(table)
        self.service = service
        self.table = table or default_table()
        self.processes: list[Process] = []
        self.complaints: list[str] = []

    def look(self, for_start: bool = False) -> str:
        """Find the state of the service; ``for_start``: also check that it can be started.

        Raises DeclarationError if nothing declared identifies its processes.
        """
        if for_start and not self._installed():
            return verbs.ABSENT
        if for_start and self._lacks():
            return verbs.LACKING
        match = self.service.match()
        try:
            finding = look(match, resolve(match, self.table), self.table)
        except Error as error:
            self.complain(error)
            return verbs.UNCLEAR
        self.processes = finding.processes
        asked = match.pidfile is not None
        found = lsb_status(bool(finding.processes), finding.pidfile_holds, asked)
        return _STATES.get(found, verbs.STOPPED)

    def complain(self, error: "Error | OSError | str") -> None:
        """Keep a complaint in words; keep it once, even if the next step finds it again."""
        if not isinstance(error, str):
            from ssd.sentences import describe

            error = describe(error)
        if error not in self.complaints:
            self.complaints.append(error)

    def failed(self, error: "Error | OSError") -> str:
        """Keep an error, and return its outcome: DENIED or FAILED."""
        from ssd.denials import is_denial

        self.complain(error)
        return verbs.DENIED if is_denial(error) else verbs.FAILED

    def _lacks(self) -> bool:
        """Tell whether the program lacks an extra; its own message says how to install that."""
        from ssd.service.programs import lacks

        service = self.service
        if service.script or service.root or self.table.launcher is not None:
            return False
        said = lacks(str(service.executable))
        if said:
            self.complain(said)
        return bool(said)

    def _installed(self) -> bool:
        """Tell whether the program is there; a script needs only a shell."""
        from ssd.service.programs import runnable

        if self.service.script:
            return True
        if self.service.executable is None:
            self.service.command()  # raises DeclarationError
        if self.table.launcher is None:
            return runnable(str(self.service.program))
        try:  # a table that makes its processes knows its programs
            self.table.executable(str(self.service.executable))
        except OSError:
            return False
        return True
