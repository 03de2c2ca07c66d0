"""Templates: one file that declares several services, the instances of one.

A file is a template if its name ends in ``@`` (``web@.toml``), or if it has ``instances``. In
its texts ``%i`` is the instance, ``%n`` the name of the service, ``NAME@INSTANCE``, and ``%%``
a percent sign: a part of systemd's specifiers, systemd.unit(5). The texts of other files stay as
they are. An instance is a link to a template, a name that the template lists, or any other name
that somebody asks for, if the name of the template ends in ``@``. Loaded only for a name with
``@``, or for a file that has ``instances``.
"""

import errno
import os

from ssd.service.errors import BadValue, DeclarationError, SeveralInstances, nearest
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.declaration import Service

    Fields = dict[str, object]

MARK = "@"
CODE = ("script", "before_start", "after_start", "before_stop", "after_stop")  # a shell's


def settle(fields: "Fields", name: str, file: "str | None") -> None:
    """Make the fields of a file those of the instance with this name.

    Changes ``fields``; those of a file that is no template stay as they are. Raises
    SeveralInstances for the name of the template itself, and DeclarationError.
    """
    stem = _stem(file or name)
    listed = fields.pop("instances", None)
    whole = file is not None and _stem(os.path.realpath(file)).endswith(MARK)
    prefix, _, instance = name.partition(MARK)
    if listed is None and not whole:
        if stem == prefix != name:
            raise DeclarationError("has no instances, and its name does not end in @", file=file)
        return
    if not prefix:
        raise DeclarationError("needs the name of a service in front of @", file=file)
    if fields.get("name", name) != name:
        reason = "must not be set: an instance is named after the file"
        raise DeclarationError(reason, "name", file=file)
    names = _checked(listed or [], file)
    if not instance:
        if not whole and file is not None:
            _check_single(file, prefix)
        raise SeveralInstances(prefix + MARK, [prefix + MARK + each for each in names], file)
    _check(instance, file)
    if not whole and stem == prefix and instance not in names:
        reason = f"there is no instance {instance!r}; there are {', '.join(names) or 'none'}"
        meant = nearest(instance, names)
        raise DeclarationError(reason, "instances", file=file, nearest=meant)
    for key, value in fields.items():
        if key in CODE:
            _check_code(key, str(value), name, file)
        fields[key] = _expanded(value, key, name, file)
    fields["name"] = name


def _checked(listed: object, file: "str | None") -> "list[str]":
    """Return the instances that a file lists; whole numbers may stand without quotes."""
    if not isinstance(listed, list):
        reason = f"must be a list of texts, not {listed!r}"
        raise DeclarationError(reason, "instances", file=file)
    return list(dict.fromkeys(_check(each, file) for each in listed))


def _check(instance: object, file: "str | None") -> str:
    """Return an instance as a text. Raises DeclarationError if it cannot be in a file name."""
    text = str(instance) if type(instance) is int else instance
    if not isinstance(text, str) or not is_instance(text):
        reason = f"must be usable in a file name, without a . or - in front, not {instance!r}"
        raise DeclarationError(reason, "instances", file=file)
    return text


def is_instance(text: str) -> bool:
    """Tell whether a text can be the name of an instance."""
    plain = text.strip() == text and not {*"/\0\n"} & {*text}
    return bool(text) and plain and text[0] not in ".-"


def _check_single(file: str, prefix: str) -> None:
    """Raise DeclarationError for a list beside a template ``NAME@``: both would name instances."""
    for other in (f"{prefix}{MARK}.toml", prefix + MARK):
        if os.path.lexists(os.path.join(os.path.dirname(file), other)):
            reason = f"{other} declares instances of {prefix}, too; keep one of the files"
            raise DeclarationError(reason, "instances", file=file)


def _stem(path: str) -> str:
    return os.path.basename(path).removesuffix(".toml")


def _check_code(key: str, text: str, name: str, file: "str | None") -> None:
    """Raise DeclarationError if a shell would take the name of a service for code.

    Anybody who may start an instance of any name could run any code.
    """
    bare = text.replace("%%", "")
    if quote(name) != name and ("%i" in bare or "%n" in bare):
        instance = name.partition(MARK)[2]
        reason = f'a shell would run {instance!r} as code; have it in environment as X = "%i", '
        raise DeclarationError(f'{reason}and write "$X" here', key, file=file)


def _expanded(value: object, key: str, name: str, file: "str | None") -> object:
    """Return a value with the specifiers of its texts replaced. Raises DeclarationError."""
    if isinstance(value, str):
        try:
            return expand(value, name) if "%" in value else value
        except BadValue as error:
            raise DeclarationError(error.reason, key, file=file) from None
    if isinstance(value, list):
        return [_expanded(each, key, name, file) for each in value]
    if isinstance(value, dict):
        return {k: _expanded(each, f"{key}.{k}", name, file) for k, each in value.items()}
    return value


def expand(text: str, name: str) -> str:
    """Replace the specifiers of a text for the service of this name. Raises BadValue."""
    meanings = {"i": name.partition(MARK)[2], "n": name, "%": "%"}
    made, percent, rest = text.partition("%")
    while percent:
        letter = rest[:1]
        if letter not in meanings:
            reason = f"%{letter} is no specifier; a template has %i, %n, and %% for a percent sign"
            raise BadValue(reason)
        plain, percent, rest = rest[1:].partition("%")
        made += meanings[letter] + plain
    return made


def locate(
    name: str,
    directory: str,
    look: "Callable[[str, str], str | None]",
    read: "Callable[[str], Service]",
) -> "str | None":
    """Return the path of a template, or the one that an instance of it would have.

    For a name without a file of its own; None without a template. ``look`` and ``read`` are
    ``sources.locate`` and ``sources.read``. Raises what ``read`` raises for a broken template.
    """
    prefix, _, instance = name.partition(MARK)
    if instance:
        path = look(prefix + MARK, directory) if prefix and is_instance(instance) else None
        if path is None or not _stem(path).endswith(MARK) and name not in _names(path, read):
            return None
        ending = ".toml" if path.endswith(".toml") else ""
        return os.path.join(os.path.dirname(path), name + ending)
    path = look(prefix, directory)
    return path if path is not None and _names(path, read) else None


def listed(
    name: str,
    directory: str,
    look: "Callable[[str, str], str | None]",
    read: "Callable[[str], Service]",
) -> "list[str]":
    """Return the names of the instances beside one that is not declared; as ``locate``."""
    path = look(name.partition(MARK)[0] + MARK, directory)
    return [] if path is None else _names(path, read)


def _names(path: str, read: "Callable[[str], Service]") -> "list[str]":
    """Return the instances that a file lists, as names of services."""
    try:
        read(path)
    except SeveralInstances as several:
        return several.names
    return []


def template_of(path: str) -> "tuple[str, str]":
    """Return the template beside the path of an instance that has no file, and its service's name.

    Raises FileNotFoundError without one.
    """
    directory, name = os.path.dirname(path), _stem(path)
    ending = ".toml" if path.endswith(".toml") else ""
    prefix, _, instance = name.partition(MARK)
    for each in (prefix + MARK, prefix):
        file = os.path.join(directory, each + ending)
        if prefix and instance and os.path.isfile(file):
            return file, name
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
