"""Read a unit of systemd with its drop-ins: settings by section and name, and where each stands.

The rules are those of systemd.syntax(7) and systemd.unit(5): a backslash continues a line, a later
value of a setting replaces an earlier one or is added to it, and an empty value begins anew.
"""

import os

from ssd.service.errors import DeclarationError
from ssd.service.importing.imported import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENDING = ".service"
# Where systemd looks for units, the first wins: systemd.unit(5), "UNIT FILE LOAD PATH".
DIRECTORIES = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/lib/systemd/system", "/usr/lib/systemd/system",
)  # fmt: skip
# Old names of settings, and where they stand today.
MOVED = {
    ("Service", "StartLimitInterval"): ("Unit", "StartLimitIntervalSec"),
    ("Unit", "StartLimitInterval"): ("Unit", "StartLimitIntervalSec"),
    ("Service", "StartLimitBurst"): ("Unit", "StartLimitBurst"),
    ("Service", "StartLimitAction"): ("Unit", "StartLimitAction"),
    ("Service", "FailureAction"): ("Unit", "FailureAction"),
    ("Service", "RebootArgument"): ("Unit", "RebootArgument"),
    ("Unit", "BindTo"): ("Unit", "BindsTo"),
    ("Unit", "PropagateReloadTo"): ("Unit", "PropagatesReloadTo"),
    ("Unit", "PropagateReloadFrom"): ("Unit", "ReloadPropagatedFrom"),
}


class Setting:
    """One assignment: its text as it stands, and its place."""

    __slots__ = ("text", "place")

    def __init__(self, text: str, place: Place) -> None:
        self.text = text
        self.place = place


class Unit:
    """A unit: its name, its file, and its settings.

    ``name`` is whole, ``web@8081.service``; ``settings`` has all assignments in order, by
    (section, setting). ``strange`` has the lines that systemd would ignore, with the reason.
    """

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path
        self.files: list[str] = []
        self.settings: dict[tuple[str, str], list[Setting]] = {}
        self.strange: list[tuple[Place, str, str]] = []

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.removesuffix(ENDING)

    @property
    def prefix(self) -> str:
        """The name up to the first ``@``."""
        return self.stem.partition("@")[0]

    @property
    def instance(self) -> "str | None":
        """What follows the first ``@``: empty for a template, None if there is none."""
        prefix, mark, instance = self.stem.partition("@")
        return instance if mark else None

    def all(self, section: str, name: str) -> "list[Setting]":
        """Return the assignments that count: those after the last empty one."""
        found: list[Setting] = []
        for each in self.settings.get((section, name), ()):
            found = [*found, each] if each.text else []
        return found

    def place(self, section: str, name: str) -> Place:
        """Return where a setting stands, the unit's file if it does not."""
        found = self.settings.get((section, name))
        return found[-1].place if found else Place(self.path, None)


def read(path: str, directories: "Sequence[str]" = DIRECTORIES) -> Unit:
    """Read a unit and its drop-ins. Raises DeclarationError and OSError.

    A name without a directory that is no file here is looked up in ``directories``, and so is the
    template of an instance.
    """
    name = os.path.basename(path)
    if not name.endswith(ENDING):
        raise DeclarationError(f"is no unit of a service: its name must end in {ENDING}", file=path)
    file = _file(path, directories)
    meant = os.path.basename(os.path.realpath(file))
    if os.path.islink(file) and "@" not in meant and meant.endswith(ENDING):
        name = meant  # the link is another name of that unit
    unit = Unit(name, path)
    _add(file, unit)
    around = os.path.dirname(os.path.abspath(file))
    places = directories if around in directories else (around,)
    for dropin in _dropins(name, places):
        _add(dropin, unit)
    if not any(section == "Service" for section, _ in unit.settings):
        raise DeclarationError("has no [Service]", file=path)
    return unit


def _file(path: str, directories: "Sequence[str]") -> str:
    """Return the file of a unit, or of its template. Raises DeclarationError, OSError."""
    where, name = os.path.split(path)
    prefix, mark, instance = name.removesuffix(ENDING).partition("@")
    names = [name, f"{prefix}@{ENDING}"] if mark and instance else [name]
    for each in names:
        for directory in (where,) if where else ("", *directories):
            file = os.path.join(directory, each)
            if os.path.exists(file):
                masked = os.path.realpath(file) == os.devnull
                if not masked and not os.path.isfile(file):
                    raise DeclarationError("must be a file", file=file)
                if masked or not os.stat(file).st_size:
                    raise DeclarationError("is masked: systemd does not start it", file=file)
                return file
    os.stat(path)  # raises what is the matter
    raise FileNotFoundError(path)


def _dropins(name: str, directories: "Sequence[str]") -> "Iterator[str]":
    """Yield the drop-ins of a unit, sorted by their names: systemd.unit(5).

    Of those with the same name the first directory's counts, and a more exact one comes before
    that of a common beginning. A link to /dev/null is none.
    """
    found: dict[str, str] = {}
    for each in _dropin_names(name):
        for directory in directories:
            folder = f"{directory}/{each}.d"
            for file in os.listdir(folder) if os.path.isdir(folder) else ():
                if file.endswith(".conf"):
                    found.setdefault(file, f"{folder}/{file}")
    for file in sorted(found):
        if os.path.realpath(found[file]) != os.devnull:
            yield found[file]


def _dropin_names(name: str) -> "Iterator[str]":
    """Yield the names that drop-ins of a unit may be for: web@1, web@, and web- of web-a."""
    stem = name.removesuffix(ENDING)
    yield name
    prefix, mark, instance = stem.partition("@")
    if mark and instance:
        yield f"{prefix}@{ENDING}"
    ending = f"@{ENDING}" if mark else ENDING
    short = prefix.rstrip("-")
    while "-" in short:
        short = short.rpartition("-")[0]
        yield f"{short}-{ending}"
    yield "service"


def _add(path: str, unit: Unit) -> None:
    """Add the assignments of a file. Raises OSError."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    unit.files.append(path)
    section = ""
    for number, line in _lines(text.removeprefix("\ufeff")):
        place = Place(path, number)
        if line.startswith("["):
            section = line[1:].partition("]")[0]
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if section.startswith("X-") or name.startswith("X-"):
            continue  # for other programs, as systemd.unit(5) says
        if section not in ("Unit", "Service", "Install") or not equals:
            where = f"it stands in [{section}]" if section else "it stands in no section"
            reason = "it has no =" if not equals else where
            unit.strange.append((place, name, f"systemd ignores this line: {reason}"))
            continue
        key = MOVED.get((section, name), (section, name))
        unit.settings.setdefault(key, []).append(Setting(value, place))


def _lines(text: str) -> "Iterator[tuple[int, str]]":
    """Yield number and text of each line, joined with those that continue it, without comments."""
    whole, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip(" \t\r")
        if bare.startswith(("#", ";")) or not bare and not whole:
            continue
        first = first if whole else number
        if bare.endswith("\\"):
            whole += bare[:-1] + " "
            continue
        if (whole + bare).strip():
            yield first, (whole + bare).strip()
        whole = ""
    if whole.strip():
        yield first, whole.strip()
