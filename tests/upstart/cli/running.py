"""ssd-supervise --upstart in namespaces of its own, with job files in a directory of the test."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kit import namespace
from kit.supervise import AS_INIT, OWN_LOGS, Supervise

# Output of jobs goes through terminals, which the namespaces of other tests do not have.
TERMINALS = (
    "mkdir /dev/pts && mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts"
    " && ln -s pts/ptmx /dev/ptmx"
)

ROOTLESS = ["unshare", "--user", "--map-root-user"]


def write(directory: Path, files: "Mapping[str, str]") -> None:
    """Write job files, each renamed into place."""
    directory.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        new = directory / f".{name}~"
        new.write_text(text)
        new.rename(directory / name)


@contextlib.contextmanager
def jobs(
    ssd_path: Path,
    directory: Path,
    files: "Mapping[str, str]",
    *words: str,
    init: bool = False,
    rootless: bool = False,
    before: str = "",
    command: "Sequence[str]" = (),
    environment: "Mapping[str, str] | None" = None,
) -> "Iterator[Supervise]":
    """Run the command for these job files; as process 1 with ``init``; end all at the end.

    rootless: in a user namespace of a single user, which is root in there.

    ``directory`` stays visible inside. before: a shell command that runs first. command: the words
    of another supervisor, Python's first.
    """
    write(directory, files)
    program = command or [str(ssd_path.with_name("ssd-supervise"))]
    inner = ROOTLESS if rootless else AS_INIT if init else []
    argv = [*OWN_LOGS, *inner, *program, f"--upstart={directory}", *words]
    first = " && ".join(filter(None, (TERMINALS, before)))
    argv = ["sh", "-c", f'{first} && exec "$@"', "sh", *argv]
    process = subprocess.Popen(
        namespace.command(argv, keep=[directory]), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip
    running = Supervise(process, "python" if command else "ssd-supervise")
    try:
        yield running
    finally:
        running.kill()
