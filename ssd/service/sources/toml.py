"""Read and write declarations in TOML."""

import os
import stat

from ssd.service.declaration import Service
from ssd.service.errors import DeclarationError
from ssd.service.sources.plain_toml import parse
from ssd.service.trust import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_SIZE = 1 << 20  # bytes; a declaration has a few thousand


def read(path: str, name: "str | None" = None, ways: "set[str] | None" = None) -> Service:
    """Read the declaration in a TOML file; ``name`` is used if it sets none.

    Without either, the service has the name of the file. ``ways`` is for many files
    (``trust.check``). Raises DeclarationError, also for a file that other users may write, and
    OSError if the file cannot be read.
    """
    content = _content(path)
    check(path, ways)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DeclarationError("must be UTF-8", file=path, line=line) from None
    stem = os.path.basename(path).removesuffix(".toml")
    return loads(text.removeprefix("\ufeff"), path, name or stem)  # a byte order mark


def _content(path: str) -> bytes:
    """Return the content of a file; the builtin open() takes twice as long.

    Raises DeclarationError for a file that is not regular or too large, and OSError.
    """
    # O_NONBLOCK: do not wait for the other end of a pipe.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise DeclarationError("must be a regular file", file=path)
        if facts.st_size > MAX_FILE_SIZE:
            raise DeclarationError("must not be larger than 1 MiB", file=path)
        return os.read(fd, facts.st_size)
    finally:
        os.close(fd)


def loads(text: str, file: "str | None" = None, name: "str | None" = None) -> Service:
    """Make a Service of the text of a TOML document. Raises DeclarationError."""
    fields = parse(text)
    if fields is None:
        from ssd.service.sources.whole_toml import parse as parse_all

        fields = parse_all(text, file)
    try:
        if "instances" in fields or "@" in (name or ""):
            from ssd.service.sources.templates import settle

            settle(fields, name or "", file)
        if name is not None:
            fields.setdefault("name", name)
        return Service(file=file, **fields)
    except DeclarationError as error:
        error.line = error.line if error.key is None else _line_of(text, error.key)
        raise


def _line_of(text: str, key: str) -> "int | None":
    """Return the number of the line that sets a key, None if no line does."""
    table, _, entry = key.rpartition(".")
    inside = ""
    found = None
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if line.startswith("["):
            inside = line.partition("#")[0].strip().strip("[] ")
            if inside == key:
                found = number
        word = _key_of(line)
        if word and (inside, word) in ((table, entry), ("", key), ("", table)):
            found = found or number
        if (inside, word) == (table, entry):
            return number
    return found


def _key_of(line: str) -> str:
    """Return the key that a line sets, quoted or not."""
    if line[:1] in ("'", '"'):
        return line[1:].partition(line[0])[0]
    return line.partition("=")[0].strip()


def write(service: Service) -> str:
    """Return the TOML text of a declaration, from which ``loads`` makes an equal one.

    Raises DeclarationError for bytes that are not UTF-8, which TOML cannot contain.
    """
    lines: list[str] = []
    tables: list[str] = []
    for key, value in service.to_dict().items():
        if isinstance(value, dict):
            tables += ["", f"[{key}]", *_assignments(value)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for each in value:
                tables += ["", f"[[{key}]]", *_assignments(each)]
        else:
            lines += _assignments({key: value})
    return "\n".join([*lines, *tables, ""])


def _assignments(table: "dict[str, object]") -> "Iterator[str]":
    for key, value in table.items():
        bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
        try:
            yield f"{key if bare else _literal(key)} = {_literal(value)}"
        except UnicodeEncodeError:
            raise DeclarationError("TOML cannot contain bytes that are not UTF-8", key) from None


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        value.encode()  # raises UnicodeEncodeError for a byte that is not UTF-8
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value)


_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    return character if character.isprintable() else f"\\U{ord(character):08x}"
