"""Read directories of job files: which files count, and the jobs that they declare.

A job file is ``NAME.conf``, in a sub directory ``SUB/NAME.conf``, which is the job ``SUB/NAME``. An
override file, ``NAME.override``, changes the job of that name. Of several directories the first one
with a valid file of a name counts. The override is the first one of that directory and those before
it. See init(5) of Upstart.
"""

import os
import stat

from ssd.service.errors import DeclarationError
from ssd.service.sources.upstart import CONF, OVERRIDE, JobFault, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssd.service.sources.upstart import JobFile

LARGEST = 4 << 20  # bytes of a job file; a larger one is a mistake
UNREADABLE = "Error while loading configuration file"
UNLISTED = "Unable to load configuration"
# Directories that are no part of a configuration: of version control and of editors.
IGNORED = frozenset(("CVS", "RCS", "SCCS", "_darcs", "{arch}"))


class Reading:
    """What is in some directories.

    files: the jobs by name. faults: what is wrong, in the order of the names.
    """

    __slots__ = ("files", "faults")

    def __init__(self) -> None:
        self.files: dict[str, JobFile] = {}
        self.faults: list[DeclarationError] = []


class Text:
    """One file as it was read. ``text``: None if it cannot be read, then ``problem`` says why."""

    __slots__ = ("path", "text", "problem")

    def __init__(self, path: str) -> None:
        self.path = path
        self.problem = ""
        self.text: str | None = None
        try:
            self.text = _read(path)
        except OSError as error:
            self.problem = error.strerror or str(error)

    def fault(self) -> DeclarationError:
        """Return the error of a file that cannot be read."""
        return DeclarationError(f"{UNREADABLE}: {self.problem}", file=self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self.path)

    def _all(self) -> "tuple[object, ...]":
        return self.path, self.text, self.problem


# Job files of one name, the one that counts first; each with its override file.
Texts = list[tuple[Text, "Text | None"]]


class Tree:
    """What some directories contain.

    names: of the jobs. directories: all that may have files, the sub directories too. faults: the
    directories that cannot be listed.
    """

    __slots__ = ("names", "directories", "faults", "_seen")

    def __init__(self, paths: "Sequence[str]") -> None:
        self.names: set[str] = set()
        self.directories: list[str] = []
        self.faults: list[DeclarationError] = []
        for path in paths:
            self._seen: set[tuple[int, int]] = set()
            self._walk(path, path)

    def _walk(self, root: str, path: str) -> None:
        try:
            facts = os.stat(path)
            if (facts.st_dev, facts.st_ino) in self._seen:
                return  # a link leads back
            self._seen.add((facts.st_dev, facts.st_ino))
            with os.scandir(path) as found:
                entries = list(found)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            problem = f"{UNLISTED}: {error.strerror}"
            self.faults.append(DeclarationError(problem, file=path))
            return
        self.directories.append(path)
        for entry in entries:
            if _is_directory(entry):
                if not is_ignored(entry.name):
                    self._walk(root, entry.path)
            elif entry.name.endswith(CONF):
                name = name_of(root, entry.path)
                if name is not None:
                    self.names.add(name)


def read(directory: "str | Sequence[str]") -> Reading:
    """Read all jobs of a directory, or of several ones, the first of which counts."""
    paths = [directory] if isinstance(directory, str) else directory
    tree, reading = Tree(paths), Reading()
    reading.faults += tree.faults
    for name in sorted(tree.names):
        file = declare(name, texts_of(name, paths), reading.faults)
        if file is not None:
            reading.files[name] = file
    return reading


def texts_of(name: str, paths: "Iterable[str]") -> Texts:
    """Read the files of one job from all directories."""
    found: Texts = []
    override: Text | None = None
    for path in paths:
        changes, conf = (f"{path}/{name}{ending}" for ending in (OVERRIDE, CONF))
        if override is None and is_file(changes):
            override = Text(changes)
        if is_file(conf):
            found.append((Text(conf), override))
    return found


def declare(name: str, texts: Texts, faults: "list[DeclarationError]") -> "JobFile | None":
    """Return the job of these files, None if none of them is valid; add what is wrong to faults."""
    for conf, override in texts:
        if conf.text is None:
            faults.append(conf.fault())
            continue
        changes = None if override is None else override.text
        if override is not None and changes is None:
            faults.append(override.fault())
        try:
            file = parse(
                conf.text, name, file=conf.path,
                override=changes, override_file=None if override is None else override.path,
            )  # fmt: skip
        except JobFault as fault:
            faults.append(fault)
            continue
        faults += file.faults
        return file
    return None


def name_of(root: str, path: str) -> "str | None":
    """Return the job that a file below a directory is about; None if it is about none."""
    if not path.startswith(f"{root}/"):
        return None
    relative = path[len(root) + 1 :]
    *above, last = relative.split("/")
    if any(map(is_ignored, above)):
        return None
    for ending in (CONF, OVERRIDE):
        if last.endswith(ending) and last != ending:
            return relative[: -len(ending)]
    return None


def is_ignored(directory: str) -> bool:
    """Tell whether a sub directory of this name is none of jobs: it is hidden, or a copy."""
    return directory in IGNORED or directory[0] in ".#" or directory[-1] in "~#"


def is_file(path: str) -> bool:
    """Tell whether a path leads to a regular file, or to one that nobody may look at."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a link to itself, a directory that may not be searched: reading it tells
        return True


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: reading it gives the error
        return False


def _read(path: str) -> str:
    """Read a regular file. Raises OSError."""
    # What was a file may be a pipe by now: its open(2) must not wait.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        if os.fstat(fd).st_size > LARGEST:
            raise OSError(0, "it is too large for a job file")
        return file.read(LARGEST).decode("utf-8", "surrogateescape")
