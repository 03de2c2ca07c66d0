"""Job files on disk: read directories of them, and follow what changes there."""

from ssd.upstart.files.directory import Directory
from ssd.upstart.files.reading import Reading, read

__all__ = ["Directory", "Reading", "read"]
