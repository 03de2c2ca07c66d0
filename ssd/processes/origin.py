"""The boot and the clock that start times count from, so that a later process can compare them."""

import os

_boots: dict[bytes, bytes] = {}  # where procfs is mounted -> the id of the boot, once read


class Origin:
    """One boot of a machine, and a clock of it.

    Start times of two boots or of two clocks are not comparable. Two boots never have the same
    process.
    """

    __slots__ = ("_boot", "_clock")

    def __init__(self, boot: bytes, clock: bytes) -> None:
        self._boot = boot
        self._clock = clock

    def boot(self) -> bytes:
        """Return the id of the boot; empty if it is unknown."""
        return self._boot

    def is_boot(self, boot: bytes) -> bool:
        """Say whether it is this boot."""
        return boot == self._boot

    def clock(self) -> bytes | None:
        """Return the name of the clock; None if the caller's start times have another."""
        return self._clock


class KernelOrigin(Origin):
    """The origin of start times on Linux: the boot, and the clock of a time namespace."""

    __slots__ = ("_root",)

    def __init__(self, root: bytes = b"/proc") -> None:
        super().__init__(b"", b"")
        self._root = root

    def boot(self) -> bytes:
        """Return the kernel's random id of this boot (random(4)); empty where it is hidden.

        In a container systemd-nspawn or LXC mounts a file over it, with another id. A second
        procfs in there, of a service with ProtectProc= for example, shows the kernel's own. The
        two must not look like a reboot, so a mounted id counts as unknown.
        """
        try:
            fd = os.open(self._root + b"/sys/kernel/random/boot_id", os.O_RDONLY)
        except OSError:
            return b""  # /proc mounted with subset=pid, or not at all
        try:
            if os.fstat(fd).st_dev != os.stat(self._root).st_dev:
                return b""
            boot = os.read(fd, 64).strip()
        finally:
            os.close(fd)
        _boots[self._root] = boot
        return boot

    def is_boot(self, boot: bytes) -> bool:
        """Say whether it is this boot, whose id is read once."""
        return boot == (_boots.get(self._root) or self.boot())

    def clock(self) -> bytes | None:
        """Return the name of our time namespace; no other one has it while a process is in it.

        None if procfs shows another PID namespace, or nothing.
        """
        try:
            if os.readlink(self._root + b"/self") != b"%d" % os.getpid():
                return None
        except OSError:
            return None
        try:
            return os.readlink(self._root + b"/self/ns/time")
        except OSError:
            return b"-"  # before Linux 5.6 there are no time namespaces
