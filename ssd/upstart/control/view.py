"""How clients of the control socket see jobs: each instance is a unit of its own."""

from ssd.supervision.control.view import View
from ssd.upstart.job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.supervision.unit import Unit


class JobView(View):
    """The view of jobs."""

    __slots__ = ()

    def name(self, unit: "Unit") -> str:
        """Return the name of the job, and of its instance in parentheses."""
        return unit.name

    def listed(self, units: "Mapping[str, Unit]") -> "list[str]":
        """Leave out what stands for several instances, and what came with ssd and rests."""
        return [name for name in sorted(units) if not _is_hidden(units[name])]

    def refusal(self, unit: "Unit") -> str:
        """Ask for an instance where a job has several: a wish for the job names none of them."""
        if not isinstance(unit, Job) or not _stands_for_others(unit):
            return ""
        instances = sorted(each.label for each in unit.job_class.instances.values())
        named = f"instances that run: {', '.join(instances)}" if instances else "none runs"
        needed = f"'initctl start {unit.job_class.name} KEY=VALUE' starts one"
        return f"it has an instance for each {unit.file.instance}; {needed}; {named}"

    def is_installed(self, unit: "Unit") -> bool:
        """Say that it is: the start itself tells what is missing."""
        return True

    def plain(self, lines: "list[str]") -> "list[str]":
        """Leave out the carriage return that a terminal puts before each newline."""
        return [line.removesuffix("\r") for line in lines]

    def log_owner(self, unit: "Unit") -> "int | None":
        """Return None: logs are root's, or those of the user who has the jobs."""
        return None


def _stands_for_others(job: Job) -> bool:
    """Tell whether a unit is none of the instances of a job that has several."""
    return job is job.job_class.resting and bool(job.file.instance) and job.at_rest


def _is_hidden(unit: "Unit") -> bool:
    if not isinstance(unit, Job) or not unit.at_rest:
        return False
    return unit.job_class.shipped or _stands_for_others(unit) and bool(unit.job_class.instances)
