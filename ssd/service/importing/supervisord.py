"""A configuration of supervisord as declarations: groups, order, names and what is left out."""

import os

from ssd.service.declaration import Service
from ssd.service.errors import nearest
from ssd.service.importing import ini, values
from ssd.service.importing.imported import Imported, Note, Place
from ssd.service.importing.programs import Process, Program, Server, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Sections = dict[str, ini.Section]

KINDS = ("program", "fcgi-program", "eventlistener")
# Sections without declarations, and what to do.
ELSEWHERE = {
    "eventlistener": "not imported: a program can read the lines of ssd-service events --follow",
    "fcgi-program": "not imported: spawn-fcgi(1) or the program itself must make its socket",
    "inet_http_server": "there is no HTTP server, and no port: ssd-service talks to a Unix socket",
    "ctlplugin": "there are no plugins",
}
PLAIN_INTERFACE = "supervisor.rpcinterface:make_main_rpcinterface"
# Options of supervisord itself, and the words for those that have an equal elsewhere.
NO_EFFECT = (
    "logfile_maxbytes logfile_backups loglevel pidfile nodaemon silent identifier nocleanup "
    "directory user umask environment"
).split()
LEAST = {"minfds": 1024, "minprocs": 200}  # supervisord's defaults
SERVER = {
    "logfile": "ssd-supervise writes to its standard error",
    "minfds": "write limits = {nofile = N} into the declarations that need it",
    "minprocs": "write limits = {nproc = N} into the declarations that need it",
    "childlogdir": "logs without a path are in the supervisor's directory of logs",
    "strip_ansi": "output is kept as it is",
}


def read(path: str, environment: "Mapping[str, str] | None" = None, root: bool = True) -> Imported:
    """Import a configuration file. Raises DeclarationError and OSError.

    ``environment`` is that of supervisord, our own if None. Without ``root`` the processes have
    no pidfile: another user cannot write into /run.
    """
    sections, unmatched = ini.read(path, os.environ if environment is None else environment)
    made = Imported()
    server = sections.get("supervisord")
    if server is None:  # as a file that another one includes
        server = ini.Section("supervisord", Place(path, None))
        words = "is not there: imported as a file that another includes, without its settings"
        made.notes.append(Note(server.place, "[supervisord]", words, lost=False))
    for pattern in unmatched:
        place = sections["include"].place_of("files")
        made.notes.append(Note(place, "files", f"no file is {pattern}"))
    _tell_elsewhere(sections, made.notes)
    around = Server(server, os.environ if environment is None else environment, path)
    groups = _groups(sections)
    processes = [
        process
        for name, (priority, members) in groups.items()
        for section in members
        for process in _processes(section, name, priority, around, made.notes)
    ]
    for process in [] if root else processes:
        process.fields["pidfile"] = "none"
    _name(processes)
    _order(processes)
    _part_logs(processes)
    made.services = [Service(file=None, name=each.name, **each.fields) for each in processes]
    made.notes.sort(key=lambda note: (note.place.file, note.place.line or 0))
    for file in {section.place.file for section in sections.values()}:
        made.mode &= os.stat(file).st_mode
    return made


def _tell_elsewhere(sections: "Sections", notes: "list[Note]") -> None:
    for name, section in sections.items():
        kind = name.partition(":")[0]
        if kind in ELSEWHERE:
            notes.append(Note(section.place, f"[{name}]", ELSEWHERE[kind]))
        elif kind == "rpcinterface":
            factory = section.options.get("supervisor.rpcinterface_factory")
            if factory != PLAIN_INTERFACE:
                notes.append(Note(section.place, f"[{name}]", "there are no plugins"))
        elif kind == "supervisord":
            notes += _server_notes(section)


def _server_notes(section: ini.Section) -> "Iterator[Note]":
    for option, place in section.places.items():
        if option in LEAST:
            number = value_of(values.integer, section.options[option], place, option)
            if number > LEAST[option]:
                yield Note(place, option, SERVER[option])
        elif option in SERVER:
            yield Note(place, option, SERVER[option], lost=False)
        elif option not in NO_EFFECT:
            meant = nearest(option, [*SERVER, *NO_EFFECT])
            hint = f"; did you mean {meant}?" if meant else ""
            yield Note(place, option, f"supervisord has no such option, and ignores it{hint}")


def _groups(sections: "Sections") -> "dict[str, tuple[int | None, list[ini.Section]]]":
    """Return the programs of each group, and its priority, None for that of its one program."""
    groups: dict[str, tuple[int | None, list[ini.Section]]] = {}
    grouped = set()
    for name, section in sections.items():
        kind, _, title = name.partition(":")
        if kind != "group":
            continue
        place = section.place_of("programs")
        members = []
        for each in values.names(section.options.get("programs", "")):
            if not {f"program:{each}", f"fcgi-program:{each}"} & {*sections}:
                raise place.error("programs", f"there is no [program:{each}]")
            if f"program:{each}" in sections:
                members.append(sections[f"program:{each}"])
                grouped.add(f"program:{each}")
        text = section.options.get("priority", "999")
        priority = value_of(values.integer, text, section.place_of("priority"), "priority")
        groups[title.strip()] = (priority, members)
    for name, section in sections.items():
        if name.startswith("program:") and name not in grouped:
            groups[name.partition(":")[2].strip()] = (None, [section])
    return groups


def _processes(
    section: ini.Section, group: str, priority: int | None, server: Server, notes: "list[Note]"
) -> "list[Process]":
    found = Program(section, group, server, notes).processes()
    for process in found:
        process.of_group = process.priority if priority is None else priority
        process.in_group = 0 if priority is None else process.priority
    return found


def _name(processes: "list[Process]") -> None:
    """Give each process the name of a file: its own if it is the only one of that name.

    Files with a dot in their name are no declarations. Raises DeclarationError.
    """
    own = [_plain(process.name) for process in processes]
    taken: dict[str, Process] = {}
    for process, name in zip(processes, own):
        if own.count(name) > 1 or name.isdigit():
            name = _plain(f"{process.program}-{process.name}")
        if name in taken:
            name = _plain(f"{process.group}-{process.name}")
        if name in taken:
            raise process.place.error("process_name", f"two processes would be named {name}")
        if name != process.name:
            process.rename(name)
        taken[name] = process


def _plain(name: str) -> str:
    return name.replace(".", "-").replace("/", "-").lstrip("-") or "unnamed"


def _order(processes: "list[Process]") -> None:
    """Let each process come after those of the next lower priority, first within its group."""
    for process in processes:
        group = [each for each in processes if each.group == process.group]
        before = [each for each in group if each.in_group < process.in_group]
        key = "in_group"
        if not before:
            before = [each for each in processes if each.of_group < process.of_group]
            key = "of_group"
        highest = max((getattr(each, key) for each in before), default=0)
        names = [each.name for each in before if getattr(each, key) == highest]
        if names:
            process.fields["after"] = sorted(names)


def _part_logs(processes: "list[Process]") -> None:
    """Give each process a log of its own where several are declared to write to one file.

    Two that rotate the same file would rename each other's.
    """
    writers: dict[str, list[Process]] = {}
    for process in processes:
        for path in process.log_paths():
            writers.setdefault(path, []).append(process)
    for path, several in writers.items():
        for process in several if len(several) > 1 else []:
            process.part_log(path)
