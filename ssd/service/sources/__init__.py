"""Find the declaration of a service by its name, and read it.

A service is declared by ``NAME.toml`` or ``NAME`` (assignments in shell) in /etc/ssd, by a
file that ships with the package, or by an init script whose interpreter is ssd-service. The
first of these counts.
"""

import os
import stat

from ssd.service import DIRECTORY, INIT_D
from ssd.service.errors import UnknownService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.service.declaration import Service

SHIPPED = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "declarations")


def candidates(name: str, directory: str = DIRECTORY) -> "list[str]":
    """Return the paths of the files that may declare a service, the first one first."""
    return [f"{directory}/{name}.toml", f"{directory}/{name}", f"{SHIPPED}/{name}",
            f"{INIT_D}/{name}"]  # fmt: skip


def locate(name: str, directory: str = DIRECTORY) -> "str | None":
    """Return the path of a declaration, None if no file declares this service.

    A plain init script in /etc/init.d is not a declaration. Raises OSError for a directory
    that the caller may not search: a later one may declare another service of this name.
    """
    if not name or "/" in name or "\0" in name or name[0] in ".-":
        return None
    *files, script = candidates(name, directory)
    for path in files:
        if _is_file(path):
            return path
    return script if is_own(script) else None


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return _text_in_zip(path) is not None


def _text_in_zip(path: str) -> "str | None":
    """Return the text of a declaration that ships in a zip file (zipapp), None for others."""
    read = getattr(__spec__.loader, "get_data", None) if __spec__ else None
    if read is None or os.path.dirname(path) != SHIPPED:
        return None
    try:
        found: bytes = read(path)
    except OSError:  # zipimport raises it for an unknown name
        return None
    return found.decode()


def find(
    name: str, directory: str = DIRECTORY, environment: "Mapping[bytes, bytes] | None" = None
) -> "Service":
    """Return the declaration of a service by its name.

    ``environment`` is that of a shell file, our own if None. Raises UnknownService, which has
    the most similar name, DeclarationError, and OSError for a file that cannot be read.
    """
    path = locate(name, directory)
    if path is None:
        from ssd.service.errors import nearest

        known = {*names(directory), *names(SHIPPED)} - {name}
        raise UnknownService(name, candidates(name, directory), nearest(name, sorted(known)))
    return read(path, environment)


def read(
    path: str,
    environment: "Mapping[bytes, bytes] | None" = None,
    meanwhile: "Callable[[], object]" = lambda: None,
) -> "Service":
    """Read one declaration: TOML if its name ends in ``.toml``, else shell.

    ``meanwhile`` is called once, while the shell works.
    """
    if path.endswith(".toml"):
        from ssd.service.sources import toml

        meanwhile()
        return toml.read(path)
    from ssd.service.sources import shell

    try:
        return shell.read(path, environment, meanwhile)
    except NotADirectoryError:
        text = _text_in_zip(path)
        if text is None:
            raise
    return shell.loads(text, path, environment, meanwhile)


def names(directory: str = DIRECTORY) -> "list[str]":
    """Return the names of the services that a directory declares, in byte order.

    Any other name with a dot is ignored, as by run-parts(8): editors and packages leave such files.
    """
    try:
        with os.scandir(directory) as found:
            plain = {each.name.removesuffix(".toml") for each in found if not _is_directory(each)}
    except (FileNotFoundError, NotADirectoryError):  # the latter inside a zip file
        return []
    return sorted(filter(_is_name, plain), key=os.fsencode)


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: reading it gives the error
        return False


def _is_name(name: str) -> bool:
    return bool(name) and "." not in name and name[0] != "-" and name[-1] != "~"


def has_verbs(path: str) -> bool:
    """Tell whether a file is a script with verbs of its own, and not a declaration."""
    if path.endswith(".toml") or not _is_file(path):  # a pipe could not be read again
        return False
    from ssd.service.programs import first_line

    first = first_line(path)
    if not first.startswith("#!") or "ssd-service" in first:
        return False
    from ssd.service.sources.shell import has_verbs as text_has_verbs

    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return text_has_verbs(file.read())


def is_own(path: str) -> bool:
    """Tell whether a file names ssd-service as its interpreter."""
    from ssd.service.programs import first_line

    first = first_line(path)
    return first.startswith("#!") and "ssd-service" in first
