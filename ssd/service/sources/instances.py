"""The instances that the files of a directory declare (``ssd.service.sources.templates``)."""

import os
from copy import copy

from ssd.service import DIRECTORY
from ssd.service.errors import SeveralInstances
from ssd.service.sources import find, locate, names, toml
from ssd.service.sources.templates import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service


def instances(name: str, directory: str = DIRECTORY) -> "list[Service]":
    """Return the declared instances of ``NAME`` or ``NAME@``, sorted by name.

    These are those that the template lists, and those with a file or link of their own; one
    that only has a name is not declared. Empty for a service that has none. Raises what ``find``
    raises.
    """
    try:
        find(name, directory)
    except SeveralInstances as several:
        return [find(each, directory) for each in members(several, directory)]
    return []


def write(service: "Service") -> str:
    """Return the text of a template in TOML that has a service as one of its instances.

    The instance, the part of its name behind @, becomes %i wherever it stands in a text. Raises
    DeclarationError for bytes that are not UTF-8.
    """
    instance = service.name.partition(MARK)[2]
    made = copy(service)
    for name, value in service.to_dict().items():
        if name != "name":
            setattr(made, name, _template_of(value, instance))
    first, _, rest = toml.write(made).partition("\n")
    return rest if first.startswith("name = ") else f"{first}\n{rest}"


def _template_of(value: object, instance: str) -> object:
    if isinstance(value, str):
        return value.replace("%", "%%").replace(instance, "%i")
    if isinstance(value, list):
        return [_template_of(each, instance) for each in value]
    if isinstance(value, dict):
        return {key: _template_of(each, instance) for key, each in value.items()}
    return value


def members(several: SeveralInstances, directory: str) -> "list[str]":
    """Return the names of all declared instances of a template that is in a directory.

    One in another place, /etc/init.d or any path, has its links beside it.
    """
    found = set(several.names)
    for place in {directory, os.path.dirname(several.file or directory)}:
        for name in names(place):
            own = name.startswith(several.name) and name != several.name
            if own and locate(name, place) is not None:
                found.add(name)
    return sorted(found, key=os.fsencode)


def expanded(given: "Iterable[str]", directory: str) -> "list[str]":
    """Return names of services, with the instances of a template in place of its name.

    A broken declaration keeps its name. Raises OSError for a file that cannot be read.
    """
    found: dict[str, None] = {}
    for name in given:
        several = _template(name, directory)
        found.update(dict.fromkeys([name] if several is None else members(several, directory)))
    return list(found)


def _template(name: str, directory: str) -> "SeveralInstances | None":
    from ssd.errors import Error

    try:
        find(name, directory)
    except SeveralInstances as several:
        return several
    except Error:  # the verb that the name is for finds it again, and reports it
        return None
    return None


def unlisted(name: str, directory: str) -> str:
    """Return a line with the instances there are, for one that is not; "" without a template."""
    template = name.partition(MARK)[0] + MARK
    if locate(template, directory) is None:
        return ""
    several = _template(template, directory)
    return "" if several is None else f"{several}\n"
