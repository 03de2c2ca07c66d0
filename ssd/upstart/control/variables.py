"""The environment that jobs get: a table for all of them, and one of each that runs.

initctl(8): list-env, get-env, set-env, unset-env and reset-env. A change of the table of all
changes those of the jobs that run as well, for their next processes. Nobody changes the one of the
system: every later job would have it.
"""

from ssd.upstart.control.refusals import EmptyVariable, NotPermissible, NoVariable
from ssd.upstart.errors import UnknownJob
from ssd.upstart.succession.journal import note_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd.supervision.control.protocol import Request
    from ssd.upstart.job import Job
    from ssd.upstart.jobs import Jobs

    Table = dict[str, str]


class Variables:
    """The tables of a supervisor of jobs. ``is_system``: nobody may change that of all."""

    __slots__ = ("_jobs", "_is_system")

    def __init__(self, jobs: "Jobs", is_system: bool) -> None:
        self._jobs = jobs
        self._is_system = is_system

    def answer(self, request: "Request") -> "dict[str, object]":
        """Do what a request asks for; return the fields of its answer. Raises JobError."""
        command, job = request.text("command"), self._job(request)
        table = self._jobs.environment if job is None else job.variables
        if command == "list-env":
            return {"environment": sorted(f"{key}={value}" for key, value in table.items())}
        if command == "get-env":
            return {"value": _value(table, request.text("value"))}
        if job is None and self._is_system:
            raise NotPermissible
        given = request.words("environment")
        if "value" in request.fields:
            given.insert(0, request.text("value"))
        if command == "set-env":
            self._set(job, given, request.flag("retain"))
        elif command == "unset-env":
            self._unset(job, given)
        else:
            self._reset(job)
        if job is None:
            note_settings(self._jobs)
        else:
            self._jobs.record(job)
        return {}

    def _job(self, request: "Request") -> "Job | None":
        """Return the job whose table is meant, None for that of all."""
        if request.name is None:
            return None
        job_class = self._jobs.classes.get(request.name)
        job = None if job_class is None else job_class.instances.get(request.text("instance"))
        if job is None:
            raise UnknownJob(request.name)
        return job

    def _tables(self, job: "Job | None") -> "Iterator[Table]":
        """Yield the tables that a change is for."""
        if job is not None:
            yield job.variables
            return
        yield self._jobs.environment
        for job_class in self._jobs.classes.values():
            for each in job_class.instances.values():
                yield each.variables

    def _set(self, job: "Job | None", given: "list[str]", retain: bool) -> None:
        if not all(given):
            raise EmptyVariable
        for table in self._tables(job):
            for word in given:
                key, _, value = word.partition("=")
                if not (retain and key in table):
                    table[key] = value

    def _unset(self, job: "Job | None", given: "list[str]") -> None:
        first = next(self._tables(job))
        for key in given:
            _value(first, key)
        for table in self._tables(job):
            for key in given:
                table.pop(key, None)

    def _reset(self, job: "Job | None") -> None:
        """Begin anew; jobs that run keep what they have, unless one of them is meant."""
        if job is None:
            self._jobs.environment = dict(self._jobs.default_environment)
        else:
            job.variables = job.job_class.environment()


def _value(table: "Table", name: str) -> str:
    """Return the value of a variable. Raises EmptyVariable and NoVariable."""
    if not name:
        raise EmptyVariable
    if name not in table:
        raise NoVariable(name)
    return table[name]
