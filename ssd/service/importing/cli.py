"""``ssd-service import [KIND] PATH``: write declarations from a file of another system."""

import os

from ssd.sentences import TRY_HELP
from ssd.service.errors import DeclarationError
from ssd.service.generators.cli import save
from ssd.service.importing.imported import ANY_INSTANCE, Imported
from ssd.service.sources import toml
from ssd.statuses import FAILED, INVALID, SUCCESS
from ssd.stdio import Voice, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssd.service.declaration import Service

USAGE = """\
usage: ssd-service [--directory DIR] import [KIND] PATH [--print] [--force] [--strict]

Write a declaration in TOML for each process that PATH declares, into /etc/ssd
or DIR, and say what is changed or lost. KIND is what PATH is:

{kinds}
By default PATH itself tells.

  --print   write to standard output
  --force   replace declarations that exist
  --strict  write nothing if something is changed or lost

Exit status: 0 written, 1 failed, 2 bad usage.
"""
OPTIONS = ("--print", "--force", "--strict", "--help", "-h")
MOST_READ = 1 << 20  # bytes of a file that tell its kind


def _is_supervisord(path: str, text: str) -> bool:
    heads = ("[supervisord]", "[program:", "[include]", "[group:", "[unix_http_server]")
    return any(line.startswith(heads) for line in text.split("\n"))


def _is_systemd(path: str, text: str) -> bool:
    return path.endswith(".service")


def _is_sysv(path: str, text: str) -> bool:
    return text.startswith("#!")


# kind -> what it is, and whether a path with this text is one. The module of that name has
# read(path, root=…) -> Imported; it raises DeclarationError and OSError.
KINDS: "dict[str, tuple[str, Callable[[str, str], bool]]]" = {
    "systemd": ("a unit of systemd, NAME.service, or the name of one", _is_systemd),
    "sysv": ("an init script, which runs in a trace: nothing is started", _is_sysv),
    "supervisord": ("a configuration of supervisord", _is_supervisord),
}


def main(words: "Sequence[str]", program: str = "ssd-service", directory: str = "/etc/ssd") -> int:
    """Run the command with the words after ``import``. Return the exit status."""
    voice = Voice(program)
    plain = [word for word in words if not word.startswith("-")]
    options = [word for word in words if word.startswith("-")]
    if "--help" in options or "-h" in options:
        rows = "".join(f"  {kind:<12} {what}\n" for kind, (what, _) in KINDS.items())
        voice.say(USAGE.format(kinds=rows))
        voice.flush()
        return SUCCESS
    reason = _wrong(plain, options)
    if reason:
        voice.complain(reason, TRY_HELP.format(program="ssd-service import"))
        return INVALID
    try:
        kind = plain[0] if len(plain) == 2 else kind_of(plain[0])
        return _import(kind, plain[-1], directory, options, voice)
    except DeclarationError as error:
        voice.complain(str(error))
    except OSError as error:
        voice.complain(f"{error.filename or directory}: {error.strerror}")
    return FAILED


def _wrong(plain: "list[str]", options: "list[str]") -> str:
    """Return what is wrong with the words, an empty text if nothing is."""
    for option in options:
        if option not in OPTIONS:
            return f"unknown option {option}"
    if len(plain) == 2 and plain[0] not in KINDS:
        return f"unknown kind {plain[0]}; known: {', '.join(KINDS)}"
    if len(plain) == 1 and plain[0] in KINDS:
        return f"needs: {plain[0]} PATH"
    return "" if len(plain) in (1, 2) else "needs: [KIND] PATH"


def kind_of(path: str) -> str:
    """Tell the kind of a file. Raises DeclarationError for one that is of none, and OSError."""
    text = ""
    if os.path.isfile(path):  # a pipe could not be read again
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(MOST_READ)
    for kind, (_, is_one) in KINDS.items():
        if is_one(path, text):
            return kind
    os.stat(path)  # raises what is the matter
    raise DeclarationError(f"name its kind: import KIND PATH; known: {', '.join(KINDS)}", file=path)


def _import(kind: str, path: str, directory: str, options: "Sequence[str]", voice: Voice) -> int:
    """Read the file, tell the notes, and write. Raises DeclarationError, OSError."""
    # __import__ because importing importlib takes longer.
    reader = __import__(f"ssd.service.importing.{kind}", fromlist=["read"])
    made: Imported = reader.read(path, root=os.geteuid() == 0)
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
    texts = {_file(each): _text(each, kind, path) for each in made.services}
    if "--print" in options:
        write(1, "\n".join(f"# {name}\n{text}" for name, text in texts.items()))
        return SUCCESS
    return _write(texts, directory, made, "--force" in options, voice)


def _text(service: "Service", kind: str, path: str) -> str:
    """Return the text of a declaration."""
    if service.name.endswith(f"@{ANY_INSTANCE}"):
        from ssd.service.sources import instances

        text = instances.write(service)
    else:
        text = toml.write(service)
    return f"# Written by: ssd-service import {kind} {path}\n{text}"


def _file(service: "Service") -> str:
    """Return the name of the file of a declaration, NAME@.toml for a template."""
    return f"{service.name.removesuffix(ANY_INSTANCE)}.toml"


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
