"""Supervisors of jobs that follow each other on one fake machine, with a journal."""

import os
from pathlib import Path

from ssd.supervision.succession.past import Past, parse
from ssd.upstart.succession import begin
from ssd.upstart.succession.journal import JobJournal
from upstart.machine import World


class Kept(World):
    """A world whose supervisor keeps a journal, perhaps after another one that was killed.

    resumed: whether these jobs had a supervisor. made: all worlds of a test.
    """

    made: "list[Kept]" = []

    def __init__(
        self,
        directory: Path,
        before: "Kept | None" = None,
        state: "bytes | None" = None,
        **texts: str,
    ) -> None:
        super().__init__(before=before, **texts)
        self.made.append(self)
        self.directory = directory
        self.texts = texts
        self.reported: list[str] = []
        self.fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        first = before is None
        self.journal = JobJournal(self.jobs, self.fd, self.reported.append, is_first=first)
        self.stages.started.clear()
        self.resumed = begin(self.jobs, self.journal, state)
        self.journal.note_first()

    def killed(self, **texts: str) -> "Kept":
        """Kill this supervisor; return the world of the next one.

        ``texts``: files that are other ones now; an empty one is gone.
        """
        self.journal.close()
        self.jobs.journal = None
        given = {**self.texts, **texts}
        return Kept(self.directory, self, **{name: text for name, text in given.items() if text})

    def upgraded(self) -> "Kept":
        """Replace the program of this supervisor; return the world of the next one."""
        state = self.journal.handed_over()
        self.journal.close()
        self.jobs.journal = None
        return Kept(self.directory, self, state, **self.texts)

    def past(self) -> Past:
        """Return what the journal says."""
        return parse((self.directory / "journal").read_bytes(), self.table)

    def pid(self, label: str = "foo", stage: str = "main") -> int:
        """Return the pid of a stage."""
        return self.jobs.units[label].processes[stage].pid  # type: ignore[attr-defined,no-any-return]

    def let_go(self) -> None:
        """Follow nothing any more: who follows hears of all ends in this process."""
        for unit in self.jobs.units.values():
            unit.end_follower()  # type: ignore[attr-defined]

    def close(self) -> None:
        """Let the journal go."""
        self.journal.close()
        os.close(self.fd)
