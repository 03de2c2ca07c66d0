"""Begin where an earlier supervisor has ended, whatever has ended it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.supervision.succession.journal import Journal
    from ssd.supervision.supervisor import Supervisor


def begin(
    supervisor: "Supervisor",
    journal: "Journal",
    names: "Iterable[str]" = (),
    state: bytes | None = None,
) -> None:
    """Take over what runs, and start the other services; from now on keep a journal.

    names: the services to start, with what they require; all that are not ``manual`` unless
    given. That of a template is all of its instances. A service that was stopped or given up
    remains so. state: a journal to use in place of that in the directory. Raises JournalRefused.
    """
    known: set[str] = set()
    if state is not None or not journal.is_first:
        from ssd.supervision.succession.adoption import resume
        from ssd.supervision.succession.past import left_by_last

        known = resume(supervisor, left_by_last(journal, supervisor.table, state))
    supervisor.journal = journal
    journal.begin(supervisor.units, supervisor.table)
    chosen = list(names)
    if chosen:
        from ssd.supervision.cli.selection import meant

        chosen = meant(chosen, supervisor.units)
    for name in supervisor.order.closure(chosen) if chosen else list(supervisor.units):
        unit = supervisor.units[name]
        if name not in known and not unit.removed and (chosen or not unit.service.manual):
            unit.want()
