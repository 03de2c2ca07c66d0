"""Run shell code with /bin/sh and read its output; its messages become errors."""

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
ARGUMENTS = ("$1", "${1", "$@", "${@", "$*", "${*", "$#")  # how a script reads its arguments
SHELL_TIMEOUT = 30.0  # seconds; a slower file would hold up every service after it
# set by a shell for itself
_OWN = (b"PWD", b"OLDPWD", b"SHLVL", b"_")


def run(
    program: str,
    name: str,
    environment: "Mapping[bytes, bytes]",
    *arguments: str,
    meanwhile: "Callable[[], object]" = lambda: None,
    at_end: "Callable[[int, bytes], object]" = lambda pid, output: None,
) -> "tuple[int, bytes, str]":
    """Run ``program`` as ``name``; return its exit status, its output and its complaints.

    Its output is what it writes to descriptor 3: stdin and stdout are /dev/null, so a file that
    prints does no harm. ``meanwhile`` is called while the shell works; ``at_end`` is called
    when it has ended and is not reaped yet, with its pid and output. Processes that it leaves in
    the background are not waited for. Raises DeclarationError after SHELL_TIMEOUT, and kills
    the shell.
    """
    said = scratch()
    output = scratch()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        # 3 last: the other descriptor may have this number.
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
            reason = f"could not be read within {SHELL_TIMEOUT:g} seconds"
            raise DeclarationError(reason, file=arguments[0] if arguments else name)
        text = _all_of(output)
        return status, text, os.pread(said, 4096, 0).decode("utf-8", "replace")
    finally:
        os.close(said)
        os.close(output)


def _all_of(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _ends(pid: int) -> bool:
    """Wait until a child has ended, and do not reap it.

    Returns False after SHELL_TIMEOUT, and kills the child.
    """
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one: no timeout
        if hasattr(os, "waitid"):  # not on macOS
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return True
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if poll.poll(SHELL_TIMEOUT * 1000):
            return True
        os.kill(pid, signals.SIGKILL)  # not reaped yet, so no other process has its pid
        return False
    finally:
        os.close(fd)


def scratch() -> int:
    """Return a descriptor for the output of a shell: writing to it never blocks."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sh")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def fault(file: str, status: int, said: str) -> DeclarationError:
    """Make an error of the shell's message: ``NAME: 3: FILE: Syntax error: ...``."""
    first = (said.strip().splitlines() or [""])[0]
    words = [word for word in first.split(": ") if word not in (file, SHELL)]
    number = words[0].removeprefix("line ")
    line = int(words.pop(0)) if number.isdigit() else None
    reason = ": ".join(words) or "no message"
    return DeclarationError(f"sh exits with status {status}: {reason}", file=file, line=line)


def read_variables(path: str) -> "dict[bytes, bytes]":
    """Return the variables that a file sets, exported or not; it may use PATH.

    Raises DeclarationError, also for a file that other users may write (``ssd.service.trust``).
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
