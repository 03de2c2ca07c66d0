"""One job file in the engine: its definition, the one to come, and the instances that live."""

from ssd.upstart.environment import declared, expand
from ssd.upstart.errors import UnknownInstance, UnknownParameter
from ssd.upstart.events.conditions import Matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.service.sources.upstart import JobFile
    from ssd.upstart.job import Job
    from ssd.upstart.jobs import Jobs


class JobClass:
    """A job by its name.

    file: the definition that counts: while an instance lives it stays. latest: the newest one; None
    if the file is gone. instances: those that are not at rest, by the name of the instance.
    start_on: what of its condition has come true. shipped: whether it came with ssd, and no file
    of the machine has it. resting: the unit that stands for it while nothing of it runs.
    """

    __slots__ = ("jobs", "file", "latest", "instances", "start_on", "shipped", "resting")

    def __init__(self, jobs: "Jobs", file: "JobFile", shipped: bool = False) -> None:
        self.jobs = jobs
        self.file = file
        self.latest: JobFile | None = file
        self.instances: dict[str, Job] = {}
        self.shipped = shipped
        self.start_on = _matcher(file)
        self.resting: Job | None = None
        jobs.hearers.put(self)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.file.name

    def replace(self, file: "JobFile | None") -> bool:
        """Take a new definition as soon as nothing of the old one lives; tell whether it counts."""
        self.latest = file
        if self.instances:
            return False
        self.renew()
        return True

    def renew(self) -> None:
        """Use the newest definition from now on."""
        if self.latest is self.file:
            return
        if self.start_on is not None:
            self.start_on.reset()
        self.start_on = None
        if self.latest is not None:
            self.file = self.latest
            self.start_on = _matcher(self.file)
            self.jobs.hearers.put(self)

    def keep_half(self, at_the_end: bool = False) -> None:
        """Keep for a successor what has come true of the start condition in part.

        at_the_end: the other half will not come, so the first one must block nothing.
        """
        if at_the_end and self.start_on is not None:
            self.start_on.reset()
        journal = self.jobs.journal
        if journal is not None and self.start_on is not None and self.start_on.is_compound:
            from ssd.upstart.succession import records

            journal.note(records.of_class(self))

    def environment(self, given: "Mapping[str, str]" = {}) -> "dict[str, str]":  # noqa: B006
        """Return the variables of a new instance: the table's, its own, and over them ``given``."""
        made = dict(self.jobs.environment)
        made.update(declared(self.file.environment, self.jobs.own))
        made.update(given)
        return made

    def instance_name(self, variables: "Mapping[str, str]") -> str:
        """Return the name of the instance that these variables make. Raises JobError."""
        try:
            return expand(self.file.instance, variables)
        except UnknownParameter as error:
            raise UnknownParameter(error.name, self.file.usage) from None

    def find(self, given: "Mapping[str, str]", instance: "str | None" = None) -> "Job":
        """Return an instance that lives: by its name, or by variables. Raises JobError."""
        name = self.instance_name(self.environment(given)) if instance is None else instance
        if name not in self.instances:
            raise UnknownInstance(name)
        return self.instances[name]


def _matcher(file: "JobFile") -> "Matcher | None":
    return None if file.start_on is None else Matcher(file.start_on)
