"""LSB's names of dependencies, translated for other init systems.

LSB, "Comment Conventions for Init Scripts": names that begin with ``$`` are facilities of the
system, all others are scripts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_UNIT_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@")

# Empty: systemd provides the facility to every unit.
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
    """Return the systemd units for LSB names."""
    return [
        SYSTEMD[name] if name in SYSTEMD else f"{unit_name(_plain(name))}.service"
        for name in names
        if SYSTEMD.get(name, name)
    ]


def services(names: "Sequence[str]") -> list[str]:
    """Return the OpenRC services for LSB names."""
    return [OPENRC.get(name, _plain(name)) for name in names]


def unit_name(name: str) -> str:
    """Return a valid unit name, with other bytes in hex as systemd-escape(1) writes them."""
    return "".join(
        chr(byte) if chr(byte) in _UNIT_NAME else f"\\x{byte:02x}"
        for byte in name.encode("utf-8", "surrogateescape")
    )


def _plain(name: str) -> str:
    """Return the name of a script, without insserv's ``+`` for an optional one."""
    return name.lstrip("$+").removesuffix(".sh")
