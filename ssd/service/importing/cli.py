"""``ssd-service import supervisord FILE``: write declarations from another supervisor's file."""

import os

from ssd.sentences import TRY_HELP
from ssd.service.errors import DeclarationError
from ssd.service.generators.cli import save
from ssd.service.importing.supervisord import Imported, read
from ssd.service.sources import toml
from ssd.statuses import FAILED, INVALID, SUCCESS
from ssd.stdio import Voice, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.service.declaration import Service

USAGE = """\
usage: ssd-service [--directory DIR] import supervisord FILE [--print] [--force] [--strict]

Write a declaration in TOML for each process that FILE declares, into /etc/ssd
or DIR, and say what is changed or lost.

  --print   write to standard output
  --force   replace declarations that exist
  --strict  write nothing if something is changed or lost

Exit status: 0 written, 1 failed, 2 bad usage.
"""
OPTIONS = ("--print", "--force", "--strict", "--help", "-h")


def main(words: "Sequence[str]", program: str = "ssd-service", directory: str = "/etc/ssd") -> int:
    """Run the command with the words after ``import``. Return the exit status."""
    voice = Voice(program)
    plain = [word for word in words if not word.startswith("-")]
    options = [word for word in words if word.startswith("-")]
    if "--help" in options or "-h" in options:
        voice.say(USAGE)
        voice.flush()
        return SUCCESS
    wrong = [word for word in options if word not in OPTIONS]
    if wrong or len(plain) != 2 or plain[0] != "supervisord":
        reason = f"unknown option {wrong[0]}" if wrong else "needs: supervisord FILE"
        voice.complain(reason, TRY_HELP.format(program="ssd-service import"))
        return INVALID
    try:
        return _import(plain[1], directory, options, voice)
    except DeclarationError as error:
        voice.complain(str(error))
    except OSError as error:
        voice.complain(f"{error.filename or directory}: {error.strerror}")
    return FAILED


def _import(path: str, directory: str, options: "Sequence[str]", voice: Voice) -> int:
    """Read the file, tell the notes, and write. Raises DeclarationError, OSError."""
    made = read(path, root=os.geteuid() == 0)
    for note in made.notes:
        if note.lost:
            voice.warn(str(note))
        else:
            voice.complain(str(note))
    if not made.services:
        voice.complain(f"{path}: declares no programs")
        return FAILED
    if "--strict" in options and any(note.lost for note in made.notes):
        voice.complain(f"{path}: nothing written, because of --strict")
        return FAILED
    texts = {f"{each.name}.toml": _text(each, path) for each in made.services}
    if "--print" in options:
        write(1, "\n".join(f"# {name}\n{text}" for name, text in texts.items()))
        return SUCCESS
    return _write(texts, directory, made, "--force" in options, voice)


def _text(service: "Service", path: str) -> str:
    """Return the text of a declaration."""
    return f"# Written by: ssd-service import supervisord {path}\n{toml.write(service)}"


def _write(
    texts: "dict[str, str]", directory: str, made: Imported, force: bool, voice: Voice
) -> int:
    """Write the files; none if one of them is there and must stay. Raises OSError."""
    os.makedirs(directory, 0o755, exist_ok=True)
    there = [name for name in texts if os.path.lexists(f"{directory}/{name}")]
    if there and not force:
        for name in there:
            voice.complain(f"{directory}/{name} already exists; --force replaces it")
        return FAILED
    for name, text in texts.items():
        save(f"{directory}/{name}", os.fsencode(text), made.mode, force)
        voice.say(f"{directory}/{name}\n")
    voice.flush()
    return SUCCESS
