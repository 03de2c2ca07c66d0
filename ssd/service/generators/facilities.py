"""The names of LSB's dependencies, in the words of other systems.

LSB, "Comment Conventions for Init Scripts": what begins with ``$`` is a facility of the
system, the rest are other scripts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_UNIT_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@")

# Empty where the system sees to it by itself.
SYSTEMD = {
    "$local_fs": "", "$syslog": "", "$remote_fs": "remote-fs.target",
    "$network": "network-online.target", "$named": "nss-lookup.target",
    "$portmap": "rpcbind.target", "$time": "time-sync.target",
    "$x-display-manager": "display-manager.service", "$mail-transport-agent": "",
    "$all": "multi-user.target",
}  # fmt: skip
OPENRC = {
    "$local_fs": "localmount", "$syslog": "logger", "$remote_fs": "netmount", "$network": "net",
    "$named": "dns", "$portmap": "rpcbind", "$time": "ntp-client", "$x-display-manager": "xdm",
    "$mail-transport-agent": "mta", "$all": "*",
}  # fmt: skip


def units(names: "Sequence[str]") -> list[str]:
    """Return the units of systemd that stand for LSB's names."""
    return [
        SYSTEMD[name] if name in SYSTEMD else f"{unit_name(_plain(name))}.service"
        for name in names
        if SYSTEMD.get(name, name)
    ]


def services(names: "Sequence[str]") -> list[str]:
    """Return the services of OpenRC that stand for LSB's names."""
    return [OPENRC.get(name, _plain(name)) for name in names]


def unit_name(name: str) -> str:
    """Return a name as one that a unit can have (systemd-escape(1) --mangle leaves less)."""
    return "".join(
        chr(byte) if chr(byte) in _UNIT_NAME else f"\\x{byte:02x}"
        for byte in name.encode("utf-8", "surrogateescape")
    )


def _plain(name: str) -> str:
    """Return the name of a script: insserv's + means that it need not be there."""
    return name.lstrip("$+").removesuffix(".sh")
