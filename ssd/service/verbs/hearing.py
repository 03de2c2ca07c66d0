"""Run a hook whose output must not go where we print: only --json and the library load this.

A pipe would not do: a process that the hook leaves in the background may keep it open for ever.
"""

import os

from ssd.service.sh import scratch
from ssd.signals import IGNORED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 4096  # bytes of the output that are kept, its last ones


def run(words: "list[str]", environment: "Mapping[bytes, bytes]") -> "tuple[int, str]":
    """Run a program; return its exit status, or minus its signal, and the end of what it printed.

    Raises OSError.
    """
    said = scratch()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, said, fd) for fd in (1, 2)]
        pid = os.posix_spawn(words[0], words, environment, file_actions=actions, setsigdef=IGNORED)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        begin = max(0, os.fstat(said).st_size - MOST)
        return status, os.pread(said, MOST, begin).decode("utf-8", "replace")
    finally:
        os.close(said)
