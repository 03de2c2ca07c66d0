"""Job files of Upstart: init(5).

``parse`` takes the text of a job file and of its override file, and returns all that they say
as a ``JobFile``; its ``service`` is the declaration of the job.
"""

import os
import stat

from ssd.service.sources.upstart.faults import JobFault
from ssd.service.sources.upstart.jobfile import STAGES, JobFile, Stage
from ssd.service.sources.upstart.lexer import Reader
from ssd.service.sources.upstart.stanzas import read_stanzas

__all__ = ["STAGES", "JobFault", "JobFile", "Stage", "locate", "parse", "read"]

JOBS = "/etc/init"  # root's
CONF, OVERRIDE = ".conf", ".override"
# What is said where a job is given, and a service is needed.
A_JOB = "a job of Upstart: ssd-supervise --upstart runs it, ssd-service generate translates it"


def parse(
    text: str,
    name: str,
    *,
    file: "str | None" = None,
    override: "str | None" = None,
    override_file: "str | None" = None,
) -> JobFile:
    """Read the text of a job file and of its override file. Raises JobFault.

    A fault in the override file is no error: the file acts up to there, and the fault is in
    ``faults`` of the result.
    """
    job = JobFile(name, file)
    read_stanzas(job, Reader(text, file or f"{name}.conf"))
    if override is not None:
        try:
            read_stanzas(job, Reader(override, override_file or f"{name}.override"))
        except JobFault as fault:
            job.faults.append(fault)
    return job


def locate(name: str, directory: str = JOBS) -> "str | None":
    """Return the path of the file of a job, None if there is none. Raises OSError."""
    path = os.path.join(directory, f"{name}{CONF}")
    if not name or name.startswith("/") or "\0" in name or ".." in name.split("/"):
        return None
    try:
        return path if stat.S_ISREG(os.stat(path).st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def read(path: str, name: "str | None" = None) -> JobFile:
    """Read a job file, and its override file if there is one beside it.

    ``name``: that of the job; otherwise its path in /etc/init, or the name of the file. Raises
    JobFault and OSError.
    """
    own = path.removesuffix(CONF)
    if name is None:
        inside = own.startswith(f"{JOBS}/")
        name = own.removeprefix(f"{JOBS}/") if inside else os.path.basename(own)
    override: str | None = None
    try:
        override = _text(f"{own}{OVERRIDE}")
    except FileNotFoundError:
        pass  # few jobs have one
    return parse(_text(path), name, file=path, override=override, override_file=f"{own}{OVERRIDE}")


def _text(path: str) -> str:
    # newline="": a carriage return is a blank in a job file, and no end of a line.
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()
