"""What the scripts do before anything else, where Python was started by a path of its own."""

import os


def name_process(path: str) -> None:
    """Give this process the name that it was called by, as the kernel gives it to other scripts.

    A look for a program called python3 is not to find it. Where there is no /proc, it does.
    """
    try:
        with open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(os.fsencode(os.path.basename(path)))
    except OSError:
        return
