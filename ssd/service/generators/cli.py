"""``ssd-service generate KIND NAME``: write a declaration as a file of another init system."""

import errno
import os
import stat

from ssd.paths import UntrustedLink, walk
from ssd.sentences import TRY_HELP
from ssd.service.errors import DeclarationError, UnknownService
from ssd.service.generators.facilities import unit_name
from ssd.service.generators.sheet import Inexpressible, Sheet
from ssd.statuses import FAILED, INVALID, SUCCESS
from ssd.stdio import Voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

KINDS = ("sysv", "systemd", "upstart", "openrc")
USAGE = """\
usage: ssd-service generate KIND NAME [--output FILE | --install] [--force] [--strict]

KIND is {kinds}. NAME is a declared service or a job of
Upstart, or the path of a declaration or of a job (.conf). The file goes to
standard output.

  --output FILE  write it to FILE
  --install      write it to where the init system looks for it
  --force        replace an existing file
  --strict       fail and write nothing if a field of the declaration cannot be expressed

Exit status: 0 written, 1 failed, 2 bad usage.
"""


class Usage(ValueError):
    """An invalid command line."""


class Options:
    """The parsed command line."""

    __slots__ = ("kind", "name", "output", "install", "force", "strict", "help")

    def __init__(self) -> None:
        self.kind = self.name = ""
        self.output: str | None = None
        self.install = self.force = self.strict = self.help = False


def main(words: "Sequence[str]", program: str = "ssd-service", directory: str | None = None) -> int:
    """Run the command with the words after ``generate``. Return the exit status.

    ``directory``: the directory of declarations, /etc/ssd if None.
    """
    voice = Voice(program)
    try:
        options = read(words)
        if options.help:
            voice.say(USAGE.format(kinds=", ".join(KINDS)))
            voice.flush()
            return SUCCESS
        generator = _generator(options.kind)
        sheets = _sheets(generator, options, directory)
        if len(sheets) > 1 and not options.install:
            names = ", ".join(sheet.name for sheet in sheets)
            raise Usage(f"name one of {names}; or add --install, which writes a file for each")
        return max(_write(generator, sheet, options, voice) for sheet in sheets)
    except Usage as error:
        voice.complain(str(error), TRY_HELP.format(program="ssd-service generate"))
        return INVALID
    except Inexpressible as error:
        voice.complain(f"{options.name}: cannot write the {options.kind} file: {error}")
    except (DeclarationError, UnknownService) as error:
        voice.complain(str(error))
    except OSError as error:
        voice.complain(f"{error.filename or options.name}: {error.strerror}")
    return FAILED


def read(words: "Sequence[str]") -> Options:
    """Parse the command line; options may come anywhere. Raises Usage."""
    options = Options()
    plain: list[str] = []
    ahead = list(words)
    while ahead:
        word = ahead.pop(0)
        name, given, value = word.partition("=")
        if name == "--output":
            options.output = value if given else "".join(ahead[:1])
            ahead = ahead if given else ahead[1:]
            if not options.output:
                raise Usage("--output needs a file name")
        elif word in ("--install", "--force", "--strict", "--help"):
            setattr(options, word[2:], True)
        elif word == "-h":
            options.help = True
        elif word == "--":
            plain += ahead
            ahead = []
        elif word.startswith("-"):
            raise Usage(f"unknown option {word}")
        else:
            plain.append(word)
    if options.help:
        return options
    if len(plain) != 2:
        raise Usage(f"needs a kind ({', '.join(KINDS)}) and the name of a service")
    options.kind, options.name = plain
    if options.kind not in KINDS:
        from ssd.service.errors import nearest

        meant = nearest(options.kind, KINDS)
        hint = f"; did you mean {meant}?" if meant else f"; known kinds: {', '.join(KINDS)}"
        raise Usage(f"unknown kind {options.kind}{hint}")
    if options.output is not None and options.install:
        raise Usage("--output and --install cannot be combined")
    return options


def _sheets(generator: "ModuleType", options: Options, directory: str | None) -> "list[Sheet]":
    """Generate the text for a service, or those for the instances of a template."""
    from ssd.service import DIRECTORY
    from ssd.service.errors import SeveralInstances

    try:
        return [_sheet(generator, options, directory)]
    except SeveralInstances as several:
        from ssd.service.generators.templates import sheets

        place = os.path.dirname(os.path.abspath(options.name)) if "/" in options.name else directory
        return sheets(generator, several, place or DIRECTORY)


def _sheet(generator: "ModuleType", options: Options, directory: str | None) -> Sheet:
    """Generate the text for a service by its name, or by the path of its file."""
    from ssd.service import DIRECTORY, sources

    name = options.name
    path = _job(name)
    if path is not None and "/" in name:
        return _of_job(generator, path)
    made: Sheet
    try:
        service = sources.read(name) if "/" in name else sources.find(name, directory or DIRECTORY)
    except UnknownService:
        if path is None:
            raise
        return _of_job(generator, path)
    made = generator.generate(service)
    return made


def _job(name: str) -> str | None:
    """Return the path of a job of Upstart, by its name or its own path. Raises OSError."""
    from ssd.service.sources import upstart

    if "/" in name and name.endswith(upstart.CONF):
        return name
    return upstart.locate(name)


def _of_job(generator: "ModuleType", path: str) -> Sheet:
    """Generate the text for a job; for Upstart itself that is the job as it was read."""
    from ssd.service.sources import upstart

    job = upstart.read(path)
    if generator.KIND == "upstart":
        from ssd.service.sources.upstart import writer

        sheet = Sheet(job.service, generator.KIND, {})
        sheet.add(*sheet.head(), "", writer.write(job).rstrip("\n"))
        return sheet
    from ssd.service.sources.upstart.translating import translate

    made: Sheet = generator.generate(translate(job, generator.KIND))
    return made


def _generator(kind: str) -> "ModuleType":
    """Return the module of a kind."""
    # __import__ because importing importlib takes longer.
    return __import__(f"ssd.service.generators.{kind}", fromlist=["generate"])


def _write(generator: "ModuleType", sheet: Sheet, options: Options, voice: Voice) -> int:
    """Write the text to its destination, and warn of the fields that it lacks."""
    name = sheet.name
    for doubt in sheet.service.doubts:
        voice.warn(doubt)
    for field, reason in sheet.losses:
        voice.warn(f"{name}: {field} is not in the {options.kind} file: {reason}")
    if options.strict and (sheet.losses or sheet.service.doubts):
        voice.complain(f"{name}: nothing written, because of --strict")
        return FAILED
    path = options.output
    if options.install:
        path = generator.PATH.format(name=unit_name(name) if options.kind == "systemd" else name)
    data = os.fsencode(sheet.text())
    try:
        if path is None:
            # The text is the purpose of the command: output that gets lost is a failure.
            _put(1, data, "standard output", closefd=False)
        else:
            save(path, data, generator.MODE, options.force)
    except FileExistsError:
        voice.complain(f"{path} already exists; --force replaces it")
        return FAILED
    return SUCCESS


def save(path: str, data: bytes, mode: int, force: bool = False) -> None:
    """Write a file completely or not at all. Raises OSError; FileExistsError without ``force``.

    ``force`` replaces a regular file, and nothing else. A link to a regular file is followed,
    unless others could have planted it or a link in its path.
    """
    try:
        directory, base = walk(os.fsencode(path), follow_last=force)
    except UntrustedLink as link:
        raise OSError(errno.ELOOP, link.reason, path) from None
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    try:
        _save(directory, base, data, mode, force)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(directory)


def _save(directory: int, base: str, data: bytes, mode: int, force: bool) -> None:
    """Write a file in a directory completely or not at all. Raises OSError."""
    there = _kind(directory, base)
    if there is not None and not stat.S_ISREG(there) and not stat.S_ISLNK(there):
        raise OSError(errno.EINVAL, "not a regular file")
    if there is not None and not force:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    # Without force the file gets its name at once: O_EXCL then proves that the name was free.
    new = f"{base}.{os.getpid()}.new" if force else base
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(new, flags, mode, dir_fd=directory)
    try:
        _put(fd, data, base)
        if force:
            os.replace(new, base, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(new, dir_fd=directory)
        raise


def _kind(directory: int, base: str) -> int | None:
    """Return the mode of a directory entry, None if it does not exist."""
    try:
        return os.lstat(base, dir_fd=directory).st_mode
    except FileNotFoundError:
        return None


def _put(fd: int, data: bytes, path: str, closefd: bool = True) -> None:
    """Write all data. Raises OSError with ``path`` as its file name."""
    try:
        with open(fd, "wb", closefd=closefd) as file:
            file.write(data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
