"""Run a piece of shell and read what it prints; what it complains of becomes an error."""

import os
import select

from ssd.service.errors import DeclarationError
from ssd.service.trust import check
from ssd.signals import IGNORED
from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHELL = "/bin/sh"
ARGUMENTS = ("$1", "${1", "$@", "${@", "$*", "${*", "$#")  # how a script looks at its words
PATIENCE = 30.0  # seconds; a file that takes longer would hold up every service after it
# Set by a shell for itself.
_OWN = (b"PWD", b"OLDPWD", b"SHLVL", b"_")


def run(
    program: str,
    name: str,
    environment: "Mapping[bytes, bytes]",
    *arguments: str,
    meanwhile: "Callable[[], object]" = lambda: None,
    at_end: "Callable[[int, bytes], object]" = lambda pid, output: None,
) -> tuple[int, bytes, str]:
    """Run ``program`` as ``name``; return its status, its output and what it complained of.

    Its output is what it writes to descriptor 3: the standard ones lead nowhere, so that a
    file that prints does no harm. ``meanwhile`` is called while the shell works, ``at_end``
    with its pid, which still can be looked at, and its output when it has ended. Its own end
    is the end of it, whatever it has left in the background. Raises DeclarationError if that
    does not come in PATIENCE; the shell is killed then.
    """
    said = _scratch()
    output = _scratch()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        # 3 last: it may be the number of the other.
        (os.POSIX_SPAWN_DUP2, said, 2),
        (os.POSIX_SPAWN_DUP2, output, 3),
    ]
    words = [SHELL, "-c", program, name, *arguments]
    try:
        pid = os.posix_spawn(SHELL, words, environment, file_actions=actions, setsigdef=IGNORED)
        in_time = False
        try:
            meanwhile()
        finally:
            try:
                in_time = _ends(pid)
                at_end(pid, _all_of(output))
            finally:
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if not in_time:
            reason = f"reading it takes longer than {PATIENCE:g} seconds"
            raise DeclarationError(reason, file=arguments[0] if arguments else name)
        text = _all_of(output)
        return status, text, os.pread(said, 4096, 0).decode("utf-8", "replace")
    finally:
        os.close(said)
        os.close(output)


def _all_of(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _ends(pid: int) -> bool:
    """Wait for the end of a child, and leave it to be reaped; False if that did not come.

    It is killed then.
    """
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):  # no Linux, or an old one: without a limit
        if hasattr(os, "waitid"):  # not on macOS
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return True
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if poll.poll(PATIENCE * 1000):
            return True
        os.kill(pid, signals.SIGKILL)  # not reaped yet, so nobody else has its pid
        return False
    finally:
        os.close(fd)


def _scratch() -> int:
    """Return a descriptor for what the shell writes: it never blocks, whatever comes."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sh")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def fault(file: str, status: int, said: str) -> DeclarationError:
    """Make an error of what the shell said: ``NAME: 3: FILE: Syntax error: ...``."""
    first = (said.strip().splitlines() or [""])[0]
    words = [word for word in first.split(": ") if word not in (file, SHELL)]
    number = words[0].removeprefix("line ")
    line = int(words.pop(0)) if number.isdigit() else None
    reason = ": ".join(words) or "nothing was said"
    return DeclarationError(f"reading it ends with status {status}: {reason}", file=file, line=line)


def read_variables(path: str) -> dict[bytes, bytes]:
    """Return the variables that a file sets, exported or not; PATH is there to use in it.

    Raises DeclarationError, also for a file that others may write (``ssd.service.trust``).
    """
    try:
        check(path)
    except OSError as error:
        raise DeclarationError(error.strerror or str(error), file=path) from None
    given = {b"PATH": os.environb.get(b"PATH", os.defpath.encode())}
    status, output, said = run('set -ae; . "$1"; env -0 >&3', SHELL, given, path)
    if status:
        raise fault(path, status, said)
    pairs = (word.partition(b"=")[::2] for word in output.split(b"\0") if word)
    return {name: text for name, text in pairs if name not in _OWN and given.get(name) != text}
