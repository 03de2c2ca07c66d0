"""Write a declaration as a shell file: a complete init script with ssd-service on top."""

from ssd.service.fields import KINDS
from ssd.service.sources.debian import HEADER
from ssd.service.sources.shell_values import to_text
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service

INTERPRETER = "#!/usr/bin/env ssd-service"
# field -> its variable, where that is not SERVICE_ and the field's name
_VARIABLES = {"name": "NAME", "description": "DESC", "executable": "DAEMON", "pidfile": "PIDFILE"}


def write(service: "Service") -> str:
    """Return the text of a shell file, from which ``shell.loads`` makes an equal declaration."""
    fields = service.to_dict()
    lines = [INTERPRETER, *_header(fields)]
    for name, value in fields.items():
        variable = _VARIABLES.get(name, f"SERVICE_{name.upper()}")
        lines.append(f"{variable}={quote(to_text(KINDS[name], value))}")
    return "\n".join([*lines, ""])


def _header(fields: "dict[str, object]") -> "list[str]":
    """Return the lines of the LSB header, and remove its fields from ``fields``."""
    lines = []
    for keyword, field in HEADER.items():
        words = fields.get(field)
        if isinstance(words, list) and all(map(_fits, words)):
            title = keyword.title()
            lines.append(f"# {title + ':':<18} {' '.join(words)}")
            del fields[field]
    short = fields.get("short_description")
    if isinstance(short, str) and short.isprintable() and short == " ".join(short.split()):
        lines.append(f"# {'Short-Description:':<18} {short}")
        del fields["short_description"]
        fields.setdefault("description", "")
    return ["### BEGIN INIT INFO", *lines, "### END INIT INFO"] if lines else []


def _fits(word: str) -> bool:
    return bool(word) and word.isprintable() and word.isascii() and not word.split()[1:]
