"""What ``status --json`` has on top of an Outcome: the facts that psutil knows of processes."""

from ssd import answers
from ssd.matching import UNKNOWN_START, Process
from ssd.processes import default_table
from ssd.processes.recorded import Facts
from ssd.service.outcome import NOTHING, Look, Outcome
from ssd.stdio import write

try:
    from ssd.service.verbs.psutil_details import details
except ModuleNotFoundError:  # a zipapp cannot contain psutil: half of it is C

    def details(process: "Process") -> dict[str, object]:
        """Return no more than the pid: nothing else is known without psutil."""
        return {"pid": process.pid}


def write_json(facts: object) -> None:
    """Print facts as JSON."""
    write(1, answers.text(facts))


def detailed(outcome: Outcome) -> dict[str, object]:
    """Return the JSON object of a status, with psutil's facts of its processes. Raises OSError."""
    told = outcome.to_dict()
    told["processes"] = [_merged(facts) for facts in outcome.processes]
    return told


def _merged(facts: "dict[str, object]") -> dict[str, object]:
    """Return the facts of a process with psutil's, whose name is not cut off."""
    process = Process(int(str(facts["pid"])), int(str(facts["start_time"] or UNKNOWN_START)))
    merged = {**facts, **details(process)}
    for key, value in facts.items():
        if key not in ("name", "cmdline") or merged[key] is None:
            merged[key] = value
    return merged


def supervised(
    found: "dict[str, object]", status: int, supervision: "dict[str, object]"
) -> "dict[str, object]":
    """Return the same object of a service that a supervisor has.

    ``found``: what it says of the service. ``supervision``: what only a supervisor knows.
    """
    pid, start_time = found.get("pid"), found.get("start_time")
    processes = []
    if start_time:
        table = default_table()
        process = Process(int(str(pid)), int(str(start_time)))
        ended = not process.is_still(table.process(process.pid))
        processes = [answers.facts_of(Facts(process, table), table, "supervisor", ended)]
    pidfile, file = found.get("pidfile"), found.get("declared_in")
    here = Look(str(found.get("found")), processes)
    return detailed(
        Outcome(
            str(found.get("name")),
            "status",
            NOTHING,
            status,
            before=here,
            after=here,
            description=str(found.get("description") or ""),
            pidfile=None if pidfile is None else str(pidfile),
            declared_in=None if file is None else str(file),
            supervision=supervision,
        )
    )
