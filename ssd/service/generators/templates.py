"""Generated files for a template: one unit of systemd, or a file for each of its instances.

systemd has templates, too (systemd.unit(5)): the unit NAME@.service with %i. For its text an
instance with a number that stands nowhere else is generated, and %i put in that number's place,
so that all other texts are quoted as always. Other systems get a file for each instance.
"""

import os

from ssd.service import sources
from ssd.service.generators.facilities import unit_name
from ssd.service.generators.quoting import line
from ssd.service.sources import shell, toml
from ssd.service.sources.instances import members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ssd.service.declaration import Service
    from ssd.service.errors import SeveralInstances
    from ssd.service.generators.sheet import Sheet

NUMBERS = range(61000, 62000)  # for an instance that also fits where a port must be


def sheets(generator: "ModuleType", several: "SeveralInstances", directory: str) -> "list[Sheet]":
    """Return the files for a template that is declared in a directory.

    Raises Inexpressible and DeclarationError: SeveralInstances if there must be an instance.
    """
    names = members(several, directory)
    if generator.KIND == "systemd":
        return [unit(generator, several, names)]
    if not names:
        raise several
    return [generator.generate(sources.find(name, directory)) for name in names]


def unit(generator: "ModuleType", several: "SeveralInstances", names: "list[str]") -> "Sheet":
    """Return systemd's template. ``names``: the declared instances. Raises as ``sheets``."""
    with open(str(several.file), encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    instance = next(str(number) for number in NUMBERS if str(number) not in text)
    service = _instance(several, text, instance)
    lost = []
    aliases = [each for each in service.provides if instance in each]
    if aliases != service.provides:
        service.provides = aliases
        lost.append(("provides", "an alias of a template must have %i in it, too"))
    odd = [name for name in names if unit_name(name) != name]
    if odd:
        reason = f"%i has systemd's escapes in it for {', '.join(odd)}; generate units of these"
        lost.append(("instances", reason))
    sheet: Sheet = generator.generate(service)
    comments = [f"# Not in this file: {field} ({line(reason)})" for field, reason in lost]
    if names:
        units = " ".join(f"{unit_name(name)}.service" for name in names)
        comments.append(f"# Instances: systemctl enable --now {line(units)}")
    sheet.make_template(several.name, instance, comments)
    sheet.losses += lost
    return sheet


def _instance(several: "SeveralInstances", text: str, instance: str) -> "Service":
    """Return an instance of a template, also if it is not listed."""
    directory = os.path.dirname(str(several.file))
    file, name = os.path.join(directory, several.name), several.name + instance
    if str(several.file).endswith(".toml"):
        return toml.loads(text.removeprefix("\ufeff"), f"{file}.toml", name)
    return shell.loads(text, file, instance=name)
