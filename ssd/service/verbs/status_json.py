"""What ``status --json`` has on top of an Outcome: the facts that psutil knows of processes."""

from ssd.matching import UNKNOWN_START, Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.outcome import Outcome

try:
    from ssd.service.verbs.psutil_details import details
except ModuleNotFoundError:  # a zipapp cannot contain psutil: half of it is C

    def details(process: "Process") -> dict[str, object]:
        """Return no more than the pid: nothing else is known without psutil."""
        return {"pid": process.pid}


def detailed(outcome: "Outcome") -> dict[str, object]:
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
