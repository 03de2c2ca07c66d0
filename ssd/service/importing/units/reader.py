"""Ask a unit for its settings, and collect the notes: what was asked for, and what is left over."""

import os

from ssd.service.importing.imported import Note
from ssd.service.importing.units import words
from ssd.service.importing.units.file import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from ssd.service.importing.units.words import Command

    Value = TypeVar("Value")
    Fields = dict[str, object]

UNIT, SERVICE, INSTALL = "Unit", "Service", "Install"
# Directories of the system's manager, and where a user's has them: systemd.unit(5), "SPECIFIERS".
PLACES = {
    "t": ("/run", "XDG_RUNTIME_DIR", "/run/user/{uid}"),
    "S": ("/var/lib", "XDG_STATE_HOME", "{home}/.local/state"),
    "C": ("/var/cache", "XDG_CACHE_HOME", "{home}/.cache"),
    "L": ("/var/log", "XDG_STATE_HOME", "{home}/.local/state/log"),
    "E": ("/etc", "XDG_CONFIG_HOME", "{home}/.config"),
}


class Reader:
    """A unit being read, its specifiers, and the notes about it.

    root: whether it is a unit of the system, and not of a user's own manager.
    """

    def __init__(self, unit: Unit, root: bool) -> None:
        self.unit = unit
        self.root = root
        self.notes: list[Note] = []
        self.asked: set[tuple[str, str]] = set()
        self.specifiers = specifiers(unit, root)

    def given(self, name: str, section: str = SERVICE) -> bool:
        """Tell whether a setting has a value."""
        return bool(self.texts(name, section))

    def raw(self, name: str, section: str = SERVICE) -> "list[str]":
        """Return the values of a setting as they stand, in order."""
        self.asked.add((section, name))
        return [each.text for each in self.unit.all(section, name)]

    def every(self, name: str) -> "list[str]":
        """Return all values of a setting, the empty ones too. Raises DeclarationError."""
        self.asked.add((SERVICE, name))
        found = self.unit.settings.get((SERVICE, name), ())
        return [self.read(self.expand, each.text, name) for each in found]

    def texts(self, name: str, section: str = SERVICE) -> "list[str]":
        """Return the values of a setting, with their specifiers. Raises DeclarationError."""
        return [self.read(self.expand, text, name, section) for text in self.raw(name, section)]

    def text(self, name: str, default: str = "", section: str = SERVICE) -> str:
        """Return the last value of a setting. Raises DeclarationError."""
        found = self.texts(name, section)
        return found[-1] if found else default

    def value(
        self,
        name: str,
        read: "Callable[[str], Value]",
        default: "Value",
        section: str = SERVICE,
    ) -> "Value":
        """Return the last value of a setting, read. Raises DeclarationError."""
        found = self.texts(name, section)
        return self.read(read, found[-1], name, section) if found else default

    def seconds(
        self, name: str, default: "int | float | None", section: str = SERVICE
    ) -> "int | float | None":
        """Return a span of time, None for infinity. Raises DeclarationError."""
        found = self.texts(name, section)
        return self.read(words.seconds, found[-1], name, section) if found else default

    def words(self, name: str, section: str = SERVICE) -> "list[str]":
        """Return the words of all values, specifiers replaced. Raises DeclarationError."""
        return [
            self.read(self.expand, word, name, section)
            for text in self.raw(name, section)
            for word in self.read(words.split, text, name, section)
        ]

    def commands(self, name: str) -> "list[Command]":
        """Return the command lines of a setting. Raises DeclarationError."""

        def read(text: str) -> "list[Command]":
            return words.commands(text, self.expand)

        return [
            command for text in self.raw(name) for command in self.read(read, text, name, SERVICE)
        ]

    def expand(self, text: str) -> str:
        """Replace the specifiers. Raises ValueError."""
        return words.specifiers(text, self.specifiers)

    def note(self, name: str, words: str, lost: bool = True, section: str = SERVICE) -> None:
        """Record what is lost or changed, or only chosen."""
        self.notes.append(Note(self.unit.place(section, name), name, words, lost))

    def asks_for_root(self) -> bool:
        """Tell whether only ExecStart= is run as the user. Raises DeclarationError."""
        return self.value("PermissionsStartOnly", words.flag, False)

    def left(self) -> "Iterator[tuple[str, str]]":
        """Yield the settings of the unit that were not asked for."""
        for section, name in self.unit.settings:
            if (section, name) not in self.asked and self.unit.all(section, name):
                yield section, name

    def error(self, name: str, reason: str, section: str = SERVICE) -> Exception:
        """Return the error about a setting."""
        return self.unit.place(section, name).error(name, reason)

    def read(
        self, read: "Callable[[str], Value]", text: str, name: str, section: str = SERVICE
    ) -> "Value":
        """Return what ``read`` makes of a text; a ValueError becomes a DeclarationError."""
        try:
            return read(text)
        except ValueError as error:
            raise self.error(name, str(error), section) from None


def specifiers(unit: Unit, root: bool) -> "dict[str, str]":
    """Return what ``%n`` and its like mean, as far as they are known before a start."""
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid())
        name, home, shell = user.pw_name, user.pw_dir, user.pw_shell
    except KeyError:  # an account without an entry, as in a container
        name, home, shell = str(os.geteuid()), os.path.expanduser("~"), "/bin/sh"
    host = os.uname()
    instance = unit.instance or ""
    last = unit.prefix.rpartition("-")[2]
    known = {
        "n": unit.name, "N": unit.stem, "p": unit.prefix, "P": unescape(unit.prefix),
        "i": instance, "I": unescape(instance), "j": last, "J": unescape(last),
        "f": "/" + unescape(instance or unit.prefix), "y": os.path.abspath(unit.files[0]),
        "Y": os.path.dirname(os.path.abspath(unit.files[0])), "u": name, "U": str(os.geteuid()),
        "h": home, "s": shell, "g": str(_group()), "G": str(os.getegid()), "H": host.nodename,
        "l": host.nodename.partition(".")[0], "v": host.release, "T": "/tmp", "V": "/var/tmp",
        "a": host.machine.replace("x86_64", "x86-64").replace("aarch64", "arm64"),
    }  # fmt: skip
    for mark, (system, variable, own) in PLACES.items():
        own = os.environ.get(variable) or own.format(uid=os.geteuid(), home=home)
        known[mark] = system if root else own
    return known


def _group() -> "str | int":
    import grp

    try:
        return grp.getgrgid(os.getegid()).gr_name
    except KeyError:
        return os.getegid()


def unescape(name: str) -> str:
    """Return what systemd-escape(1) made a name of: a dash is a slash, for one."""
    made = b""
    rest = name
    while rest:
        if rest.startswith("\\x") and len(rest) > 3 and not rest[2:4].strip("0123456789abcdef"):
            made, rest = made + bytes([int(rest[2:4], 16)]), rest[4:]
        else:
            piece = "/" if rest[0] == "-" else rest[0]
            made, rest = made + piece.encode("utf-8", "surrogateescape"), rest[1:]
    return made.decode("utf-8", "surrogateescape")
