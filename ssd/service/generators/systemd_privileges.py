"""What a unit's processes may do, and the variables of a login: systemd.exec(5)."""

from ssd.service.generators.sheet import Sheet, oom_score
from ssd.surroundings.capabilities import inheritance, names, securebit_names, securebits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

OF_A_USER = "systemd sets no HOME that is /, and no SHELL that allows no login"
SECUREBITS = (
    "noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps",
    "keep-caps-locked",
)  # fmt: skip


def privileges(sheet: Sheet) -> "Iterable[str]":
    """Yield capabilities, securebits, no_new_privs and the out-of-memory score."""
    service = sheet.service
    score = oom_score(service)
    if score is not None:
        yield f"OOMScoreAdjust={score}"
    if service.capabilities is not None:
        wanted = inheritance(service.capabilities)
        if wanted.inheritable != wanted.ambient:
            sheet.lose("capabilities", "systemd makes none inheritable that is not ambient")
        for setting, bits in (
            ("AmbientCapabilities=", wanted.ambient),
            ("CapabilityBoundingSet=~", wanted.blocked),
        ):
            if bits:
                yield setting + " ".join(names(bits)).upper()
    if service.no_new_privs:
        yield "NoNewPrivileges=yes"
    if service.securebits is not None:
        wanted_bits = securebit_names(securebits(service.securebits))
        known = [name for name in wanted_bits if name in SECUREBITS]
        if known != wanted_bits:
            sheet.lose("securebits", "systemd does not forbid to raise ambient capabilities")
        if known:
            yield f"SecureBits={' '.join(known)}"


def login(sheet: Sheet) -> "Iterable[str]":
    """Yield what makes systemd set HOME, USER, LOGNAME and SHELL: any user, root too."""
    if sheet.service.login:
        sheet.lose("login", OF_A_USER)
        if not sheet.service.user:
            yield "User=root"
