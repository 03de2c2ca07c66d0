"""``ssd --status`` and ``--pidof``."""

from ssd.cli.options import PIDOF, Options
from ssd.finding import look, resolve
from ssd.processes import default_table
from ssd.statuses import lsb_status
from ssd.stdio import Voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable


def status(options: Options, voice: Voice, table: "ProcessTable | None") -> int:
    """Return the LSB status; with --pidof print the pids, ascending, one per line."""
    match = options.match()
    list_all = options.command == PIDOF
    criteria = resolve(match, table)
    finding = look(match, criteria, table or default_table(), only_first=not list_all)
    if list_all:
        for process in finding.processes:
            voice.say(f"{process.pid}\n")
    elif match.interpreted and voice.quietness < 0:
        from ssd.cli.settling import tell_evidence

        tell_evidence(match, criteria, finding, table or default_table(), voice)
    return lsb_status(bool(finding.processes), finding.pidfile_holds, match.pidfile is not None)
