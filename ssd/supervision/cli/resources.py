"""The descriptors of a supervisor: none is inherited by its services, and there are enough."""

import os

STANDARD = (0, 1, 2)


def keep_from_children() -> bool:
    """Mark all descriptors but the standard ones close-on-exec; tell whether that was possible.

    Then a start need not close them one by one. Without /proc, nobody lists them.
    """
    try:
        found = os.listdir("/proc/self/fd")
    except OSError:
        return False
    for fd in map(int, found):
        if fd not in STANDARD:
            try:
                os.set_inheritable(fd, False)
            except OSError:
                continue  # that of the listing, which is closed by now
    return True


def raise_limit() -> "tuple[int, int] | None":
    """Allow this process as many descriptors as it may have; return the limits before.

    None if there is nothing to raise. The services must get the former limits back.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return None
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return None
    return soft, hard
