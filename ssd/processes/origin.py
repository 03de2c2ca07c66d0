"""What start times count from, so that another process can compare them later."""

import os

_seen: dict[bytes, bytes] = {}  # an id of the boot that was read already, by the place of procfs


class Origin:
    """A run of a machine, and a clock of it: those of declared processes, say.

    Start times of two runs are not comparable, and their processes are never the same; those
    of two clocks are not comparable.
    """

    __slots__ = ("_boot", "_clock")

    def __init__(self, boot: bytes, clock: bytes) -> None:
        self._boot = boot
        self._clock = clock

    def boot(self) -> bytes:
        """Return the id of the machine's run; empty where it cannot be told."""
        return self._boot

    def is_boot(self, boot: bytes) -> bool:
        """Tell whether it is this run, as far as is known without asking the kernel again."""
        return boot == self._boot

    def clock(self) -> bytes | None:
        """Return what names the clock; None where the start times are not the caller's to know."""
        return self._clock


class KernelOrigin(Origin):
    """What the start times of Linux count from: its boot, by the clock of a time namespace."""

    __slots__ = ("_root",)

    def __init__(self, root: bytes = b"/proc") -> None:
        super().__init__(b"", b"")
        self._root = root

    def boot(self) -> bytes:
        """Return the kernel's random id of this boot (random(4)); empty where it is hidden.

        A container's own is a file that systemd-nspawn or LXC mounts over it. A second procfs
        in there, as of a service with ProtectProc=, has the kernel's: who looks from here and
        who from there must not take that for a reboot.
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
        _seen[self._root] = boot
        return boot

    def is_boot(self, boot: bytes) -> bool:
        """Tell whether it is this boot; a boot lasts longer than we do, so that is read once."""
        return boot == (_seen.get(self._root) or self.boot())

    def clock(self) -> bytes | None:
        """Return the name of the time namespace that we and our start times are in.

        Its number is not given to another one while a process lives in it. None where the
        table shows another PID namespace, or nothing.
        """
        try:
            if os.readlink(self._root + b"/self") != b"%d" % os.getpid():
                return None
        except OSError:
            return None
        try:
            return os.readlink(self._root + b"/self/ns/time")
        except OSError:
            return b"-"  # there is but one: before Linux 5.6
