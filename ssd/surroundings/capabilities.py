"""Capabilities and securebits as texts: capabilities(7), and how libcap and systemd write them.

Nothing here asks or changes the kernel.
"""

# The bit of each is its place here (linux/capability.h).
CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
    "setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw",
    "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct",
    "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
    "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
    "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
)  # fmt: skip
SETPCAP = 1 << CAPABILITIES.index("setpcap")
EXAMPLE = "^cap_net_bind_service,!cap_sys_admin"

# systemd's names and bits (linux/securebits.h); each has a second bit that locks the first.
_SECUREBITS = (
    ("noroot", 1 << 0), ("noroot-locked", 1 << 1),
    ("no-setuid-fixup", 1 << 2), ("no-setuid-fixup-locked", 1 << 3),
    ("keep-caps", 1 << 4), ("keep-caps-locked", 1 << 5),
    ("no-cap-ambient-raise", 1 << 6), ("no-cap-ambient-raise-locked", 1 << 7),
)  # fmt: skip
_ALL_SECUREBITS = 0xFF


class Inheritance:
    """What a program inherits of its starter's capabilities: libcap's IAB tuple, as bits.

    inheritable: kept for programs whose file has them inheritable. ambient: kept by any program
    (and inheritable). blocked: no program can ever get them again (the bounding set).
    """

    __slots__ = ("inheritable", "ambient", "blocked")

    def __init__(self, inheritable: int = 0, ambient: int = 0, blocked: int = 0) -> None:
        self.inheritable = inheritable | ambient
        self.ambient = ambient
        self.blocked = blocked

    def text(self) -> str:
        """Return it as libcap writes it: ``^cap_kill,!cap_chown``; "" for none at all."""
        words = []
        for bit, name in enumerate(CAPABILITIES):
            prefix = "!" if self.blocked >> bit & 1 else ""
            if self.ambient >> bit & 1:
                prefix += "^"
            elif self.inheritable >> bit & 1 and prefix:
                prefix += "%"
            if prefix or self.inheritable >> bit & 1:
                words.append(f"{prefix}cap_{name}")
        return ",".join(words)


def inheritance(text: str) -> Inheritance:
    """Read libcap's IAB text, cap_text_formats(7). Raises ValueError.

    Words are separated by commas. Before a name, ``^`` is ambient, ``%`` or nothing inheritable
    and ``!`` blocked; ``!`` may come with one of the others. The name may lack its ``cap_``.
    """
    sets = {"%": 0, "^": 0, "!": 0}
    for given in text.split(",") if text.strip() else ():
        word = given.strip()
        name = word.lstrip("%^!")
        marks = word[: len(word) - len(name)]
        bit = 1 << _number(name)
        for mark in marks or "%":
            sets[mark] |= bit
    return Inheritance(sets["%"], sets["^"], sets["!"])


def _number(name: str) -> int:
    short = name.lower().removeprefix("cap_")
    if short in CAPABILITIES:
        return CAPABILITIES.index(short)
    raise ValueError(f"no capability is named {name!r}: capabilities(7); use {EXAMPLE}, say")


def names(bits: int) -> list[str]:
    """Return the names of capabilities, as capabilities(7) has them but in lower case."""
    return [f"cap_{name}" for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1]


def securebits(text: str) -> int:
    """Read securebits: systemd's names, separated by blanks or commas, or a number as OpenRC has.

    Raises ValueError. A name may have ``_`` for ``-``, as setpriv(1) writes them.
    """
    words = text.replace(",", " ").split()
    if len(words) == 1 and words[0][:1].isdigit():
        return _mask(words[0])
    bits = 0
    known = dict(_SECUREBITS)
    for word in words:
        name = word.lower().replace("_", "-")
        if name not in known:
            raise ValueError(f"must be a number, or some of {', '.join(known)}, not {word!r}")
        bits |= known[name]
    return bits


def _mask(word: str) -> int:
    try:
        bits = int(word if word.isalnum() else "", 0)  # Python takes 1_0, too
    except ValueError:
        raise ValueError(f"must be names or a number, not {word!r}") from None
    if bits & ~_ALL_SECUREBITS:
        raise ValueError(f"must be at most {_ALL_SECUREBITS:#x}, not {word}")
    return bits


def securebit_names(bits: int) -> list[str]:
    """Return the names of securebits, in the order of the bits."""
    return [name for name, bit in _SECUREBITS if bits & bit]
