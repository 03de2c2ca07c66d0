"""The journal of a supervisor of jobs: that of any supervisor, with lines of other contents."""

from ssd.supervision.control.json_text import encode
from ssd.supervision.succession.journal import Journal
from ssd.upstart.job import Job
from ssd.upstart.succession import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.unit import Unit
    from ssd.upstart.jobs import Jobs

    Record = dict[str, object]


class JobJournal(Journal):
    """The journal of one supervisor of ``jobs``. The rest is as for ``Journal``.

    is_past_first: whether the jobs have seen the events that begin it all (startup(7)).
    """

    __slots__ = ("_jobs", "is_past_first")

    def __init__(
        self,
        jobs: "Jobs",
        directory: int,
        report: "Callable[[str], object]",
        is_first: bool = False,
    ) -> None:
        super().__init__(directory, report, is_first)
        self._jobs = jobs
        self.is_past_first = False

    def facts(self, unit: "Unit") -> "Record":
        """Return what is known of an instance."""
        assert isinstance(unit, Job)
        return records.of_job(unit)

    def others(self) -> "list[Record]":
        """Return what is known besides the instances."""
        classes = self._jobs.classes.values()
        half = [
            records.of_class(job_class)
            for job_class in classes
            if job_class.start_on and job_class.start_on.seen()
        ]
        return [self._own(), *half]

    def handed_over(self) -> bytes:
        """Return also the events that the jobs have not seen: they are written nowhere else.

        What a job waits for is emitted by that job anew.
        """
        classes = self._jobs.classes.values()
        awaited = [job.blocker for job_class in classes for job in job_class.instances.values()]
        unseen = [each for each in self._jobs.emissions.unseen if each not in awaited]
        events = records.of_events(unseen)
        return self.snapshot() + b"".join(encode(each).encode("ascii") + b"\n" for each in events)

    def _own(self) -> "Record":
        return records.of_all(self._jobs, self.is_past_first)

    def note_first(self) -> None:
        """Keep that the jobs have seen the first events, so that a successor does not emit them."""
        self.is_past_first = True
        self.note(self._own())

    def note_own(self) -> None:
        """Keep what somebody has set."""
        self.note(self._own())


def note_settings(jobs: "Jobs") -> None:
    """Keep what somebody has set, if the jobs have a journal."""
    if isinstance(jobs.journal, JobJournal):
        jobs.journal.note_own()
