"""The capabilities of this process: capget(2), capset(2), and options of prctl(2)."""

from ssd.system_calls import call, words

PR_SET_KEEPCAPS = 8  # linux/prctl.h
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: 64 capabilities


def capget() -> tuple[int, int, int]:
    """Return this thread's effective, permitted and inheritable capabilities, as bits.

    Raises OSError: ENOSYS where there are none.
    """
    found = words()
    call("capget", words(_VERSION), found)
    low, high = list(found)[:3], list(found)[3:]
    effective, permitted, inheritable = (a | b << 32 for a, b in zip(low, high))
    return effective, permitted, inheritable


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set them. Raises OSError."""
    sets = (effective, permitted, inheritable)
    halves = [bits & 0xFFFFFFFF for bits in sets] + [bits >> 32 for bits in sets]
    call("capset", words(_VERSION), words(*halves))
