"""Job files of Upstart: init(5).

``parse`` takes the text of a job file and of its override file, and returns all that they say
as a ``JobFile``; its ``service`` is the declaration of the job.
"""

from ssd.service.sources.upstart.faults import JobFault
from ssd.service.sources.upstart.jobfile import STAGES, JobFile, Stage
from ssd.service.sources.upstart.lexer import Reader
from ssd.service.sources.upstart.stanzas import read_stanzas

__all__ = ["STAGES", "JobFault", "JobFile", "Stage", "parse", "read"]


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


def read(path: str, name: str, override_path: "str | None" = None) -> JobFile:
    """Read a job file, and its override file if there is one. Raises JobFault and OSError."""
    override = None
    if override_path is not None:
        try:
            override = _text(override_path)
        except FileNotFoundError:
            override_path = None
    return parse(_text(path), name, file=path, override=override, override_file=override_path)


def _text(path: str) -> str:
    # newline="": a carriage return is a blank in a job file, and no end of a line.
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()
