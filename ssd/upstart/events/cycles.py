"""Events that jobs block, but no job one that it waits for itself.

A job that stops on its own ``starting``, or two that each stop on the ``starting`` of the other and
are started at once, would wait for themselves, for ever (docs/reference/divergences.md).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.upstart.events.emissions import Emission
    from ssd.upstart.job import Job


def block(job: "Job", events: "Iterable[Emission]") -> None:
    """Block events until a job has done what they have set off; not those that it waits for."""
    job.blocking.add_events(
        event for event in events if job.jobs.strict or not waits_for(job, event)
    )


def waits_for(job: "Job", event: "Emission") -> bool:
    """Tell whether a job goes on only when an event is finished, by way of others, too."""
    ahead, seen = [job], {id(job)}
    for each in ahead:
        if each.blocker is event:
            return True
        if each.blocker is None or not each.blocker.blockers:
            continue
        for job_class in job.jobs.classes.values():
            for other in job_class.instances.values():
                if id(other) not in seen and other.blocking.blocks(each.blocker):
                    seen.add(id(other))
                    ahead.append(other)
    return False
