"""Begin where an earlier supervisor of jobs has ended, whatever has ended it.

Jobs go on when their supervisor is killed, and its successor takes them over by its journal: pids
with their start times, states, goals and variables. Nothing of a job is started twice.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.jobs import Jobs
    from ssd.upstart.succession.journal import JobJournal


def begin(jobs: "Jobs", journal: "JobJournal", state: bytes | None = None) -> bool:
    """Take over what runs; from now on keep a journal. Tell whether the first events are over.

    They are if these jobs had a supervisor that has come so far. state: a journal to use in place
    of that in the directory. Raises JournalRefused.
    """
    resumed = False
    if state is not None or not journal.is_first:
        from ssd.supervision.succession.past import left_by_last
        from ssd.upstart.succession.resumption import resume

        resumed = resume(jobs, left_by_last(journal, jobs.table, state), state is not None)
    journal.is_past_first = resumed
    jobs.journal = journal
    journal.begin(jobs.units, jobs.table)
    return resumed
