"""Tell whether another user may have put a file where we are about to write.

Output files and logs are often in a directory of the daemon's own user.
"""

import os
import stat

from ssd.paths import only_ours


def distrust(file: os.stat_result, directory: os.stat_result, uid: int | None) -> str | None:
    """Return why an output file is not trusted, None if it is. Both arguments are of fstat(2).

    In a directory that others can write, it must have a single name. In one that everyone can
    write, it must also belong to root, the caller, ``uid`` or the directory's owner. These are the
    rules of the kernel's protected_hardlinks and protected_regular (proc(5)), which may be off.
    """
    if only_ours(directory):
        return None
    if stat.S_ISREG(file.st_mode) and file.st_nlink > 1:
        return "it has a second name (hard link), and others can write its directory"
    known = {0, os.geteuid(), uid, directory.st_uid}
    if directory.st_mode & stat.S_IWOTH and file.st_uid not in known:
        return f"it belongs to user {file.st_uid}, and everyone can write its directory"
    return None
