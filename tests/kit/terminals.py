"""Commands on a terminal of their own."""

import os
import pty
from collections.abc import Sequence

from kit.children import shown


def on_terminal(
    argv: Sequence[object], until: bytes = b"", keys: bytes = b"", **environment: str
) -> tuple[bytes, int]:
    """Run a command; press keys once it has shown a text. Return all that it shows, and its end.

    The end is an exit status, or minus the number of a signal. TERM is xterm unless given.
    """
    variables = {**os.environ, "TERM": "xterm", **environment}
    pid, ours = pty.fork()
    if not pid:
        words = [os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in argv]
        os.execvpe(words[0], words, variables)
    said = b""
    try:
        while keys and until not in said:
            said += os.read(ours, 4096)
        os.write(ours, keys)
        said += shown(ours)
    finally:
        os.close(ours)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return said, status
