"""On what a process that was found counts as the one that is meant."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Criteria, Match, Process
    from ssd.processes.contract import ProcessTable

ENDED = "ended"
# Without --interpreted: the strongest of the criteria that are given, strongest first.
STRONGEST = (
    ("exec", "executable"),
    ("name", "name"),
    ("pidfile", "pid"),
    ("pid", "pid"),
    ("ppid", "parent"),
    ("user", "user"),
)


def matched_by(
    match: "Match", criteria: "Criteria", process: "Process", table: "ProcessTable"
) -> str:
    """Return on what a process went that a look has found.

    With ``match.interpreted`` one of ``ssd.evidence.EVIDENCE``: "executable", "script",
    "command line", "name". Otherwise that, "pid", "parent" or "user", by the strongest
    criterion of ``match``. "ended" if the process does not meet them any more.
    """
    if not match.interpreted:
        return next(word for name, word in STRONGEST if getattr(match, name) is not None)
    from ssd.evidence import kind_of

    return kind_of(criteria, process, table) or ENDED
