"""Declarations that turn out to be broken when a supervisor follows one that was killed.

Alone, a broken declaration is a reason to start nothing. But the services of a killed supervisor
run, and without a successor they would soon wait for a reader of their output. So the successor
takes over what is broken, too, by what the journal knows, and starts none of that.
"""

from ssd.processes import default_table
from ssd.service.declaration import Service
from ssd.supervision import states
from ssd.supervision.cli import declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.supervision.places import Places
    from ssd.supervision.succession.past import Record


def read(place: "Places", names: "Sequence[str] | None", error: declared.Broken) -> "list[Service]":
    """Read the services of a directory, of which some cannot be read because of an ``error``.

    Raises that error if nothing runs that needs a supervisor. What is broken is only watched and
    can be stopped, until it is read anew.
    """
    records = {} if place.is_first else _left(place)
    if not records:
        raise error
    stand_ins = {name: _stand_ins(name, records) for name in error.causes}
    return declared.read(place.directory, names, stand_ins)


def _stand_ins(name: str, records: "dict[str, Record]") -> "list[Service]":
    """Return a stand-in for a broken declaration, or for each instance of a broken template.

    Which instances a template had is known by the journal alone.
    """
    prefix = name if name.endswith("@") else f"{name}@"
    instances = [each for each in records if each.startswith(prefix)]
    if instances or name == prefix:
        return [stand_in(each, records[each]) for each in instances]
    return [stand_in(name, records.get(name, {}))]


def _left(place: "Places") -> "dict[str, Record]":
    """Return what a supervisor that was killed knew of each service; nothing if all had stopped."""
    from ssd.supervision.succession.past import read as read_journal

    past = read_journal(place.descriptor, place.journal, default_table())
    if past.is_same is False:
        return {}
    busy = any(record.get("state") not in states.AT_REST for record in past.records.values())
    return past.records if busy else {}


def stand_in(name: str, record: "Record") -> Service:
    """Return a service that can be watched and stopped, but not started, of a journal's record."""
    known = (("pidfile", "pidfile"), ("schedule", "stop_schedule"), ("kill_mode", "kill_mode"))
    given = {field: record[key] for key, field in known if isinstance(record.get(key), str)}
    return Service(file=None, **{"name": name, "pidfile": "none", "manual": True, **given})
