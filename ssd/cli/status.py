"""``ssd --status`` and ``ssd --pidof``."""

from ssd.cli.matching import match_of
from ssd.cli.options import PIDOF, Options
from ssd.finding import look, resolve
from ssd.processes import default_table
from ssd.sentences import Voice
from ssd.statuses import lsb_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable


def status(options: Options, voice: Voice, table: "ProcessTable | None" = None) -> int:
    """Return the LSB status; with --pidof print the pids, ascending, one on a line."""
    match = match_of(options)
    list_all = options.command == PIDOF
    criteria = resolve(match, table)
    finding = look(match, criteria, table or default_table(), only_first=not list_all)
    if list_all:
        for process in finding.processes:
            voice.say(f"{process.pid}\n")
    return lsb_status(bool(finding.processes), finding.pidfile_holds, match.pidfile is not None)
