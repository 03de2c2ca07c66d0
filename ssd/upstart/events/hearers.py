"""Which jobs an event may concern: those whose conditions name it, found without a look at all."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.sources.upstart.conditions import Condition
    from ssd.upstart.classes import JobClass


class Hearers:
    """Jobs by the names of the events in their conditions."""

    __slots__ = ("_by_event", "_events")

    def __init__(self) -> None:
        self._by_event: dict[str, dict[str, JobClass]] = {}
        self._events: dict[str, set[str]] = {}  # of each job

    def put(self, job_class: "JobClass") -> None:
        """Take a job, or its changed conditions."""
        self.drop(job_class)
        events = _named(job_class.file.start_on) | _named(job_class.file.stop_on)
        self._events[job_class.name] = events
        for event in events:
            self._by_event.setdefault(event, {})[job_class.name] = job_class

    def drop(self, job_class: "JobClass") -> None:
        """Forget a job."""
        for event in self._events.pop(job_class.name, ()):
            there = self._by_event[event]
            del there[job_class.name]
            if not there:
                del self._by_event[event]

    def of(self, event: str) -> "list[JobClass]":
        """Return the jobs that an event of this name may concern."""
        return list(self._by_event.get(event, {}).values())


def _named(condition: "Condition | None") -> "set[str]":
    return set() if condition is None else {event.name for event in condition.events()}
