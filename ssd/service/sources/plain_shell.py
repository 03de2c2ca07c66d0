"""Read the plain part of sh(1), which suffices for most declarations, without the start of a shell.

Plain are comments, and lines ``NAME=word`` and ``: "${NAME:=text}"`` that set known variables.
Words may be quoted, and contain ``$NAME`` and ``${NAME}`` of variables that were set before. For
all else, and for errors, a shell executes the text. A property test compares the two.
"""

import os
import stat

from ssd.service.environment import KEPT
from ssd.service.sources.debian import INIT_D, OWN, VARIABLES
from ssd.service.trust import is_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.service.sources.doubts import Source

MAX_LENGTH = 100_000  # characters; a shell takes 128 KiB
_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
_BARE = _NAME + "@%+=:,./-"  # what needs no quotes in the value of an assignment
_DEFAULT, _END = ': "${', '}"'


class State:
    """What is known of a text that was executed.

    functions: those that become hooks. fields: from the changes to its own process. files: of the
    administrator. said: the complaints of the shell. source: what doubts are about.
    """

    def __init__(self, file: str, given: "Mapping[bytes, bytes]") -> None:
        self.file = file
        self.given = given
        self.variables: dict[str, str] = {}
        self.functions: list[str] = []
        self.fields: dict[str, object] = {}
        self.files: list[str] = []
        self.said = ""
        self.source: Source | None = None

    def find_doubts(self) -> "tuple[str, ...]":
        """Return the doubts about the text; ``doubts`` is loaded only if they are needed."""
        if self.source is None:
            return ()
        from ssd.service.sources.doubts import doubts

        return doubts(self.file, self.source)


class NotPlain(Exception):
    """A text that is not plain; only a shell can tell what it means."""


def execute(
    text: str, given: "Mapping[bytes, bytes]", name: str
) -> "tuple[dict[str, str], list[str]] | None":
    """Return the variables, and the administrator's files that were read; None if it is not plain.

    ``given``: the environment, which is not plain either if it has more than service(8) gives.
    ``name``: NAME if the text sets none.
    """
    if not all(each.startswith(b"LC_") or os.fsdecode(each) in KEPT for each in given):
        return None
    found: dict[str, str] = {}
    files: list[str] = []
    try:
        _take(text, found)
        directory = found.get("DEFAULT_DIR") or found.get("ROOT_DIR", "") + "/etc/default"
        found["NAME"] = found.get("NAME") or name
        if found.get("PROJECT_NAME"):
            _read(f"{directory}/openstack", found, files)
        _read(f"{directory}/{found['NAME']}", found, files)
        found["PATH"] = given[b"PATH"].decode("utf-8", "surrogateescape")
    except (NotPlain, KeyError, OSError):
        return None
    return found, files


def doubtless(found: "Mapping[str, str]", openstack: bool) -> bool:
    """Tell whether nothing in a plain text is without effect (``ssd.service.sources.doubts``)."""
    known = all(name in INIT_D or name in OWN or openstack or name == "PATH" for name in found)
    quoted = any(mark in found.get("DAEMON_ARGS", "") for mark in "'\"")
    return known and not quoted and " " not in found.get("DAEMON", "")


def _read(path: str, found: "dict[str, str]", files: "list[str]") -> None:
    """Take the variables of a file of the administrator, if it is there. Raises OSError."""
    try:
        kind = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(kind) or not is_trusted(path):
        raise NotPlain
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        _take(file.read(MAX_LENGTH + 1), found)
    files.append(path)


def _take(text: str, found: "dict[str, str]") -> None:
    """Take the variables that a text sets."""
    if len(text) > MAX_LENGTH or "\r" in text or "\0" in text:
        raise NotPlain
    for line in text.split("\n"):
        line = line.strip(" \t")
        if line and line[0] != "#":
            _assign(line, found)


def _assign(line: str, found: "dict[str, str]") -> None:
    if not (line.isascii() and line.isprintable()) or "\\" in line or "`" in line:
        raise NotPlain
    if line.startswith(_DEFAULT) and line.endswith(_END):
        name, equals, text = line[len(_DEFAULT) : -len(_END)].partition("=")
        value = _expanded(text, found, "'\"{}")
        name, colon, more = name.partition(":")
        if more:
            raise NotPlain
        kept = found.get(name) if colon else name in found
    else:
        name, equals, text = line.partition("=")
        value, kept = _value(text, found), False
    if not equals or name not in VARIABLES:
        raise NotPlain
    if not kept:
        found[name] = value


def _value(text: str, found: "Mapping[str, str]") -> str:
    """Return the value that the text after ``=`` means."""
    mark, inner = text[:1], text[1:-1]
    if mark and mark in "'\"":
        if text[-1] != mark or len(text) < 2 or mark in inner:
            raise NotPlain
        return inner if mark == "'" else _expanded(inner, found)
    return _expanded(text, found, bare=True)


def _expanded(text: str, found: "Mapping[str, str]", without: str = "", bare: bool = False) -> str:
    """Return a text with the values of its variables; its own characters must be plain."""
    literal, *rest = text.split("$")
    made = literal
    for each in rest:
        if each[:1] == "{":
            name, closed, after = each[1:].partition("}")
        else:
            closed, after = "}", each.lstrip(_NAME)
            name = each[: len(each) - len(after)]
        if not closed or name not in found:
            raise NotPlain
        made += found[name] + after
        literal += after
    if bare and literal.strip(_BARE) or any(mark in literal for mark in without):
        raise NotPlain
    return made
