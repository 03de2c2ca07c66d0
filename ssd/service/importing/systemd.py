"""A unit of systemd as a declaration: its order, its targets, and what is left out.

docs/howto/from-systemd.md has the table of all settings.
"""

import os

from ssd.service.declaration import Service
from ssd.service.errors import DeclarationError
from ssd.service.generators.facilities import SYSTEMD
from ssd.service.generators.systemd import TARGETS
from ssd.service.importing.imported import ANY_INSTANCE, Imported, Note
from ssd.service.importing.units import (
    commands,
    execution,
    file,
    left_out,
    life,
    privileges,
)
from ssd.service.importing.units.file import ENDING
from ssd.service.importing.units.left_out import meaning
from ssd.service.importing.units.reader import INSTALL, UNIT, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.service.importing.units.reader import Fields

# Targets -> LSB's facilities. Those of early boot are there before any service.
FACILITIES = {unit: name for name, unit in SYSTEMD.items() if unit} | {
    "network.target": "$network", "network-pre.target": "", "local-fs.target": "$local_fs",
    "syslog.target": "$syslog", "syslog.socket": "$syslog", "sysinit.target": "",
    "basic.target": "", "dbus.socket": "", "systemd-journald.socket": "", "paths.target": "",
    "sockets.target": "", "systemd-tmpfiles-setup.service": "", "systemd-sysctl.service": "",
    "systemd-journald.service": "", "local-fs-pre.target": "",
}  # fmt: skip
REQUIRING = ("BindsTo", "Requires", "Requisite", "Wants")
FAILURES = {"BindsTo": "stop", "Requires": "fail", "Requisite": "fail", "Wants": "ignore"}
# Targets that services are wanted by, besides those of runlevels; what they mean is the default.
SOCKET = ".socket"
COMMON = ("multi-user.target", "default.target")


def read(path: str, root: bool = True, directories: "Sequence[str]" = file.DIRECTORIES) -> Imported:
    """Import a unit with its drop-ins. Raises DeclarationError and OSError.

    A template becomes a service with any instance (``imported.ANY_INSTANCE``). ``path`` is a file,
    which need not be there for an instance whose template is, or the name of a unit that is in one
    of ``directories``. Without ``root`` it is a unit of a user's manager.
    """
    unit = file.read(path, directories)
    if unit.instance == "":
        unit.name = f"{unit.prefix}@{ANY_INSTANCE}{ENDING}"
    reader = Reader(unit, root)
    _tell_unescaped(reader)
    made = Imported()
    fields = _fields(reader)
    for place, name, words in unit.strange:
        reader.notes.append(Note(place, name, words))
    left_out.tell(reader)
    try:
        made.services = [Service(file=None, **fields)]
    except DeclarationError as error:  # a value that systemd accepts, or ignores, and we do not
        raise DeclarationError(error.reason, error.key, file=path) from None
    made.notes = sorted(reader.notes, key=lambda note: (note.place.file, note.place.line or 0))
    for path_read in unit.files:
        made.mode &= os.stat(path_read).st_mode
    return made


def _tell_unescaped(reader: Reader) -> None:
    """Note the specifiers of a template that a declaration has no word for."""
    if reader.unit.instance != ANY_INSTANCE:
        return
    for (section, name), found in reader.unit.settings.items():
        for mark in ("%I", "%f"):
            if any(mark in each.text.replace("%%", "") for each in found):
                words = f"{mark} is %i as it stands, without a path made of its dashes"
                reader.note(name, words, lost=False, section=section)


def _fields(reader: Reader) -> "Fields":
    """Return all fields. Raises DeclarationError."""
    name = reader.unit.stem.replace(".", "-")
    if name != reader.unit.stem:
        reader.note("Unit", f"{reader.unit.stem} is {name}: a dot would hide it", False, "")
    made: Fields = {"name": name}
    description = reader.text("Description", "", UNIT)
    if description not in ("", name):
        made["description"] = description
    documentation = reader.words("Documentation", UNIT)
    if documentation:
        made["documentation"] = documentation
    made |= execution.fields(reader)
    made |= privileges.fields(reader)
    made |= life.process(reader)
    task = bool(made.get("task"))
    variables = made.get("environment", {})
    assert isinstance(variables, dict)
    opens = "environment_files" in made or "pass_environment" in made
    names = commands.Names(variables, execution.fixed(reader), opens)
    made |= commands.program(reader, names, task)
    if not made.get("arguments"):
        made.pop("arguments", None)
    hooks = commands.hooks(reader, names, made)
    probe = hooks.pop("probe", [])
    assert isinstance(probe, list)
    directories = hooks.pop("directories", [])
    if directories:
        before = made.get("directories", [])
        assert isinstance(before, list) and isinstance(directories, list)
        made["directories"] = [*before, *directories]
    made |= hooks
    commands.leave_to_root(reader, made)
    made["reload_signal"] = commands.reload_signal(reader)
    made |= life.readiness(reader, made, probe)
    made |= life.stop(reader)
    made |= life.restart(reader)
    made |= life.watchdog(reader)
    made |= _order(reader)
    made |= _install(reader)
    return made


def _order(reader: Reader) -> "Fields":
    """Return what must or should run before it."""
    asked = {setting: reader.words(setting, UNIT) for setting in REQUIRING}
    after = reader.words("After", UNIT)
    strongest = next((setting for setting in REQUIRING if _services(asked[setting])), "")
    made: Fields = {}
    required = _services(asked.get(strongest, []))
    if strongest == "Requisite":
        reader.note(strongest, "a start starts them, too", section=UNIT)
    for setting in REQUIRING:
        others = [] if setting == strongest else _services(asked[setting])
        missed = [name for name in others if name not in required]
        if missed:
            words = f"{', '.join(missed)} must be started by other means, with {strongest} there"
            reader.note(setting, words, section=UNIT)
    if required:
        made["requires"] = required
        made["on_required_failure"] = FAILURES[strongest]
    later = [name for name in _services(after) if name not in required]
    if later:
        made["after"] = later
    facilities = [FACILITIES[each] for each in after if FACILITIES.get(each)]
    if facilities:
        made["required_start"] = list(dict.fromkeys(facilities))
    for setting, units in (*asked.items(), ("After", after)):
        _tell_units(reader, setting, units)
    return made


def _services(units: "Sequence[str]") -> "list[str]":
    """Return the names of the services among units."""
    names = [
        unit.removesuffix(ENDING).replace(".", "-")
        for unit in units
        if unit.endswith(ENDING) and unit not in FACILITIES
    ]
    return list(dict.fromkeys(names))


def _tell_units(reader: Reader, setting: str, units: "Sequence[str]") -> None:
    """Note the units that are neither services nor facilities."""
    others = [each for each in units if not each.endswith(ENDING) and each not in FACILITIES]
    own = [
        reader.unit.stem,
        *(each.removesuffix(ENDING) for each in reader.words("Alias", INSTALL)),
    ]
    for each in [unit for unit in units if unit.endswith(SOCKET)]:
        if each.removesuffix(SOCKET) in own and setting != "After":
            reader.note(setting, f"{each}: {meaning('Sockets')}", section=UNIT)
            others = [unit for unit in others if unit != each]
    if others:
        words = f"{', '.join(others)}: a service can only come after services, and LSB's facilities"
        reader.note(setting, words, section=UNIT)


def _install(reader: Reader) -> "Fields":
    """Return when it is started at boot."""
    made: Fields = {}
    wanted = [*reader.words("WantedBy", INSTALL), *reader.words("RequiredBy", INSTALL)]
    levels = {target: level for level, target in reversed(TARGETS.items())}
    known = [each for each in wanted if each in levels or each in COMMON]
    if not wanted:
        made["manual"] = True
        if not any(section == INSTALL for section, _ in reader.unit.settings):
            words = "nothing enables it at boot: manual = true"
            reader.notes.append(Note(reader.unit.place("", ""), "[Install]", words, False))
    elif not known:
        made["manual"] = True
        words = f"{', '.join(wanted)} would start it; here another service's requires can"
        reader.note("WantedBy", words, section=INSTALL)
    elif not {*known} & {*COMMON}:
        made["default_start"] = sorted({levels[each] for each in known})
    aliases = [each.removesuffix(ENDING) for each in reader.words("Alias", INSTALL)]
    if aliases:
        made["provides"] = [reader.unit.stem, *aliases]
    return made
