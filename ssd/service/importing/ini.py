"""Read a configuration file of supervisord, with what it includes, and where each value stands.

The rules are those of supervisord 4: options in small letters, ``;`` and ``#`` begin comments
after a blank, a later value replaces an earlier one, and ``%(here)s`` is the directory of the
file that has it.
"""

import configparser
import glob
import os
import re

from ssd.service.errors import DeclarationError
from ssd.service.importing.imported import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECTION = re.compile(r"\s*\[(.+)\]")
_OPTION = re.compile(r"([^\s#;=:][^=:]*?)\s*[=:]")
COMMENTS = (";", "#")
HERE = "%(here)s"


class Section:
    """A section: its own options, with those of [DEFAULT] below them, and their places."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        self.options: dict[str, str] = {}
        self.places: dict[str, Place] = {}

    def place_of(self, option: str) -> Place:
        """Return where an option stands, the section's own place if it does not."""
        return self.places.get(option, self.place)


def read(path: str, environment: "Mapping[str, str]") -> "tuple[dict[str, Section], list[str]]":
    """Return the sections by name, and the patterns of [include] that match no file.

    ``environment``: what ``%(ENV_X)s`` means in ``files``. Raises DeclarationError, and OSError
    for a file that cannot be read.
    """
    sections: dict[str, Section] = {}
    defaults: dict[str, str] = {}
    _add(path, sections, defaults)
    unmatched = []
    include = sections.get("include")
    if include is not None:
        place = include.place_of("files")
        if "files" not in include.options:
            raise place.error("include", "must have files")
        names = {f"ENV_{name}": value for name, value in environment.items()}
        names["host_node_name"] = os.uname().nodename
        base = os.path.dirname(os.path.abspath(path))
        for pattern in expand(include.options["files"], names, place, "files").split():
            found = sorted(glob.glob(os.path.join(base, pattern)))
            for each in found:
                _add(each, sections, defaults)
            if not found:
                unmatched.append(pattern)
    for section in sections.values():
        section.options = {**defaults, **section.options}
    return sections, unmatched


def expand(text: str, names: "Mapping[str, object]", place: Place, option: str) -> str:
    """Replace ``%(NAME)s`` as Python's % does. Raises DeclarationError."""
    try:
        return text % names
    except KeyError as error:
        name = str(error).strip("'")
        reason = f"%({name})s is unknown"
        if name.startswith("ENV_"):
            reason += f"; set {name[4:]} in the environment of this command"
        raise place.error(option, reason) from None
    except (ValueError, TypeError) as error:
        raise place.error(option, f"{text!r} has a % that is no %% and no name: {error}") from None


def _add(path: str, sections: "dict[str, Section]", defaults: "dict[str, str]") -> None:
    """Read one file into the sections. Raises DeclarationError, OSError."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    parser = configparser.RawConfigParser(inline_comment_prefixes=COMMENTS, strict=False)
    try:
        parser.read_string(text, path)
    except configparser.ParsingError as error:
        wrong = getattr(error, "errors", None)  # a missing heading has a line alone
        line = wrong[0][0] if wrong else getattr(error, "lineno", None)
        raise DeclarationError("is no [section] and no option", file=path, line=line) from None
    lines = dict(_lines(text))
    here = os.path.dirname(os.path.abspath(path))
    defaults.update({key: value.replace(HERE, here) for key, value in parser.defaults().items()})
    for name in parser.sections():
        section = sections.setdefault(name, Section(name, Place(path, lines.get((name, "")))))
        for option, value in parser.items(name):
            if (name, option) in lines or option not in parser.defaults():
                section.options[option] = value.replace(HERE, here)
                section.places[option] = Place(path, lines.get((name, option)))


def _lines(text: str) -> "Iterator[tuple[tuple[str, str], int]]":
    """Yield (section, option) and the number of its line; ("section", "") for the heading."""
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        heading = _SECTION.match(line)
        option = _OPTION.match(line)
        if heading is not None:
            section = heading[1]
            yield (section, ""), number
        elif option is not None:
            yield (section, option[1].lower()), number
