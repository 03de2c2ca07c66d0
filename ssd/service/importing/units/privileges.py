"""What a unit's processes may do: capabilities and securebits of systemd.exec(5) as fields."""

from ssd.service.importing.units import words
from ssd.surroundings.capabilities import CAPABILITIES, Inheritance, inheritance, securebits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.importing.units.reader import Fields, Reader

ALL = (1 << len(CAPABILITIES)) - 1
NAMES = ("User", "DynamicUser")  # either makes systemd set HOME, USER, LOGNAME and SHELL


def fields(reader: "Reader") -> "Fields":
    """Return the fields of privileges, and of the variables of a login."""
    made: Fields = {}
    ambient = _set(reader, "AmbientCapabilities", 0)
    bounding = _set(reader, "CapabilityBoundingSet", ALL)
    found = Inheritance(ambient=ambient, blocked=ALL & ~bounding)
    if found.text():
        made["capabilities"] = found.text()
    if reader.value("NoNewPrivileges", words.flag, False):
        made["no_new_privs"] = True
    bits = reader.words("SecureBits")
    if bits:
        reader.value("SecureBits", securebits, 0)
        made["securebits"] = " ".join(bits)
    if any(reader.given(name) for name in NAMES):
        made["login"] = True
    return made


def _set(reader: "Reader", setting: str, default: int) -> int:
    """Return the bits of a set of capabilities. Raises DeclarationError.

    Lines are added to each other, those that begin with ``~`` are taken away, from all if they
    are the first. An empty line begins anew with the empty set, and ``~`` alone with all.
    """

    def read(text: str) -> int:
        return inheritance(",".join(text.split())).inheritable

    bits: int | None = None
    for text in reader.every(setting):
        bare = text.removeprefix("~")
        mask = reader.read(read, bare, setting)
        if not bare:
            bits = ALL if text else 0
        elif bare != text:
            bits = (ALL if bits is None else bits) & ~mask
        else:
            bits = (bits or 0) | mask
    return default if bits is None else bits
