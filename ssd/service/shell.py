"""Run a piece of shell and read what it prints; what it complains of becomes an error."""

import os

from ssd.service.errors import DeclarationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SHELL = "/bin/sh"


def run(
    program: str, file: str, environment: "Mapping[bytes, bytes]", *arguments: str
) -> tuple[int, bytes]:
    """Run ``program`` with ``file`` and ``arguments`` as its words; return status and output.

    Its output comes by descriptor 3, so that a file that prints does no harm. Raises
    DeclarationError with what the shell said, and in which line, if it gives up with 2.
    """
    reading, writing = os.pipe()
    said = _scratch()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        # 3 last: it may be the number of one of the others.
        (os.POSIX_SPAWN_DUP2, said, 2),
        (os.POSIX_SPAWN_DUP2, writing, 3),
    ]
    words = [SHELL, "-c", program, SHELL, file, *arguments]
    try:
        try:
            pid = os.posix_spawn(SHELL, words, environment, file_actions=actions)
        finally:
            os.close(writing)
        output = _read(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 2:  # a syntax error, or a file that cannot be read
            raise _fault(file, os.pread(said, 4096, 0).decode("utf-8", "replace"))
    finally:
        os.close(reading)
        os.close(said)
    return status, output


def _scratch() -> int:
    """Return a descriptor for what the shell complains of: it never blocks, whatever comes."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sh")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _read(fd: int) -> bytes:
    """Read to the end."""
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def _fault(file: str, said: str) -> DeclarationError:
    """Find the line in what the shell said: ``/bin/sh: 3: FILE: Syntax error: ...``."""
    first = (said.strip().splitlines() or ["the shell gives up"])[0]
    words = first.removeprefix(f"{SHELL}: ").removeprefix(f"{file}: ").split(": ")
    words = [word for word in words if word != file]
    number = words[0].removeprefix("line ")
    if number.isdigit():
        return DeclarationError(": ".join(words[1:]), file=file, line=int(number))
    return DeclarationError(": ".join(words), file=file)
