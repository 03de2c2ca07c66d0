"""Files by which the kernel takes settings of this process: proc(5), cgroups(7)."""

import os

OOM_SCORE_ADJ = "/proc/self/oom_score_adj"


def write_setting(path: str, text: str) -> None:
    """Write a setting to a file of the kernel. Raises OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, os.fsencode(text))
    finally:
        os.close(fd)
