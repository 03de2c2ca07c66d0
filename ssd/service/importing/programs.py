"""A [program:x] of supervisord as declarations: one for each of its processes.

What has no equal becomes a note. docs/howto/from-supervisord.md has the whole table.
"""

import os

from ssd.service.errors import nearest
from ssd.service.importing import translation, values
from ssd.service.importing.imported import Note, Place
from ssd.service.importing.ini import Section, expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    Value = TypeVar("Value")

# Options without an equal, and what to do.
LOST = {
    "stdout_capture_maxbytes": "there is no capture mode",
    "stderr_capture_maxbytes": "there is no capture mode",
    "stdout_events_enabled": "output makes no events: ssd-service log NAME --follow",
    "stderr_events_enabled": "output makes no events: ssd-service log NAME --follow",
    "serverurl": "SUPERVISOR_SERVER_URL is not set; the program must call ssd-service instead",
}
KNOWN = (
    "command process_name numprocs numprocs_start priority autostart startsecs startretries "
    "autorestart exitcodes stopsignal stopwaitsecs stopasgroup killasgroup user redirect_stderr "
    "stdout_logfile stdout_logfile_maxbytes stdout_logfile_backups stdout_syslog stderr_logfile "
    "stderr_logfile_maxbytes stderr_logfile_backups stderr_syslog environment directory umask"
).split() + list(LOST)


class Server:
    """What the programs get from supervisord itself: [supervisord] and its environment."""

    def __init__(self, section: Section, environment: "Mapping[str, str]", path: str) -> None:
        self.environment = environment
        self.here = os.path.dirname(os.path.abspath(path))
        known = {f"ENV_{name}": value for name, value in environment.items()}
        self.names: dict[str, object] = {**known, "host_node_name": os.uname().nodename}
        place = section.place_of("environment")
        text = expand(section.options.get("environment", ""), self.names, place, "environment")
        self.variables = value_of(values.table, text, place, "environment")
        self.names |= {f"ENV_{name}": value for name, value in self.variables.items()}
        self.given = {
            option: expand(section.options[option], self.names, section.place_of(option), option)
            for option in ("directory", "user", "umask")
            if option in section.options
        }
        # root is what it has without it, and a declaration that names it cannot be another's
        own = self.given.get("user", "")
        self.user = "" if own in ("root", "0") else own


class Process:
    """One process of a program: its fields, its name, and the group that it belongs to.

    of_group, in_group: the priorities of its group, and of its program there.
    """

    def __init__(self, name: str, program: "Program", priority: int) -> None:
        self.name = name
        self.program = program.name
        self.group = program.group
        self.place = program.section.place_of("process_name")
        self.priority = self.of_group = self.in_group = priority
        self.fields: dict[str, object] = {}
        self._program = program

    def log_paths(self) -> "set[str]":
        """Return the files that its output is declared to go to."""
        log = self.fields.get("log")
        named = ("path", "stderr_path")
        return {str(log[key]) for key in named if key in log} if isinstance(log, dict) else set()

    def part_log(self, path: str) -> None:
        """Write to a file with its name instead of one that other processes share."""
        log = self.fields["log"]
        stem, dot, ending = os.path.basename(path).partition(".")
        base = self.name if self.name.startswith(stem) else f"{stem}-{self.name}"
        own = os.path.join(os.path.dirname(path), f"{base}{dot}{ending}")
        for key, option in (("path", "stdout_logfile"), ("stderr_path", "stderr_logfile")):
            if isinstance(log, dict) and log.get(key) == path:
                log[key] = own
                self._program.note(option, f"{path} has several writers; each has its own", False)

    def rename(self, name: str) -> None:
        """Take a name that a file can have."""
        self._program.note("process_name", f"{self.group}:{self.name} is {name}", lost=False)
        self.name = name


class Program:
    """Reads the options of one [program:x] section, and collects the notes."""

    def __init__(self, section: Section, group: str, server: Server, notes: "list[Note]") -> None:
        self.section = section
        self.name = section.name.partition(":")[2].strip()
        self.server = server
        self.notes = notes
        self.names = {**server.names, "program_name": self.name, "group_name": group}
        self.group = group

    def processes(self) -> "list[Process]":
        """Return the processes. Raises DeclarationError."""
        self._tell_lost()
        count = self.value("numprocs", values.integer, "1")
        first = self.value("numprocs_start", values.integer, "0")
        if count > 1 and "%(process_num)" not in self.section.options.get("process_name", ""):
            raise self._error("process_name", "must have %(process_num)d if numprocs is above 1")
        return [self._process(number, count) for number in range(first, first + count)]

    def _process(self, number: int, count: int) -> Process:
        self.names |= {"process_num": number, "numprocs": count}
        own = self.value("environment", values.table, "")
        self.names |= {f"ENV_{name}": value for name, value in own.items()}
        name = self.text("process_name", "%(program_name)s").strip()
        priority = self.value("priority", values.integer, "999")
        made = Process(name, self, priority)
        variables = {**self.server.variables, **own}
        made.fields = translation.fields(self, variables)
        return made

    def text(self, option: str, default: str) -> str:
        """Return the text of an option, expanded. Raises DeclarationError."""
        found = self.section.options.get(option, default)
        return expand(found, self.names, self.section.place_of(option), option)

    def value(self, option: str, read: "Callable[[str], Value]", default: str) -> "Value":
        """Return the value of an option. Raises DeclarationError."""
        return value_of(read, self.text(option, default), self.section.place_of(option), option)

    def given(self, option: str) -> bool:
        """Tell whether the file has an option."""
        return option in self.section.options

    def note(self, option: str, words: str, lost: bool = True) -> None:
        """Record what is lost or changed, or only chosen."""
        found = Note(self.section.place_of(option), option, words, lost)
        if str(found) not in map(str, self.notes):  # once for all processes
            self.notes.append(found)

    def _error(self, option: str, reason: str) -> Exception:
        return self.section.place_of(option).error(option, reason)

    def _tell_lost(self) -> None:
        for option in self.section.places:
            if option in LOST:
                if self.text(option, "").lower() not in (*values.NO, "auto"):
                    self.note(option, LOST[option])
            elif option not in KNOWN:
                meant = nearest(option, KNOWN)
                hint = f"; did you mean {meant}?" if meant else ""
                self.note(option, f"supervisord has no such option, and ignores it{hint}")


def value_of(read: "Callable[[str], Value]", text: str, place: Place, option: str) -> "Value":
    """Read a value. Raises DeclarationError, with its place, for what ``read`` rejects."""
    try:
        return read(text)
    except ValueError as error:
        raise place.error(option, str(error)) from None
