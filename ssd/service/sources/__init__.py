"""Where declarations are, and which of them has a name.

A service is declared by ``NAME.toml`` or ``NAME`` (assignments in shell) in /etc/ssd, by a
file that ships with the package, or by an init script whose interpreter is ssd-service; the
first of these counts.
"""

import os
import stat

from ssd.service.errors import UnknownService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.service.declaration import Service

DIRECTORY = "/etc/ssd"
SHIPPED = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "declarations")
INIT_D = "/etc/init.d"


def candidates(name: str, directory: str = DIRECTORY) -> list[str]:
    """Return the paths at which a service of this name may be declared, in their order."""
    return [f"{directory}/{name}.toml", f"{directory}/{name}", f"{SHIPPED}/{name}",
            f"{INIT_D}/{name}"]  # fmt: skip


def locate(name: str, directory: str = DIRECTORY) -> str | None:
    """Return the path of a declaration; None if there is none of this name.

    A plain init script in /etc/init.d is none. Raises OSError where the caller may not look:
    the next place may have another declaration of the same name.
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


def _text_in_zip(path: str) -> str | None:
    """Return the text of a shipped declaration where the package is a zip file (zipapp).

    None for another path, and where the package is no zip file.
    """
    read = getattr(__spec__.loader, "get_data", None) if __spec__ else None
    if read is None or os.path.dirname(path) != SHIPPED:
        return None
    try:
        found: bytes = read(path)
    except OSError:  # zipimport's word for no such name
        return None
    return found.decode()


def find(
    name: str, directory: str = DIRECTORY, environment: "Mapping[bytes, bytes] | None" = None
) -> "Service":
    """Return the declaration of a service by its name.

    ``environment`` is what a shell file sees, our own if None. Raises UnknownService, which
    names what comes nearest, DeclarationError, and OSError for a file that cannot be read.
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
    """Read one declaration, in TOML or in shell as its name says.

    ``meanwhile`` is called once, as soon as there is nothing to do but wait for the shell.
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


def names(directory: str = DIRECTORY) -> list[str]:
    """Return the names of the services that are declared in a directory, in byte order.

    Other names with a dot are none, as for run-parts(8): editors and packages leave such.
    """
    try:
        with os.scandir(directory) as found:
            plain = {each.name.removesuffix(".toml") for each in found if not _is_folder(each)}
    except (FileNotFoundError, NotADirectoryError):  # the latter of those that a zip file holds
        return []
    return sorted(filter(_is_name, plain), key=os.fsencode)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, say: whoever reads it is told
        return False


def _is_name(name: str) -> bool:
    return bool(name) and "." not in name and name[0] != "-" and name[-1] != "~"


def has_verbs(path: str) -> bool:
    """Tell whether a file is a script that does its verbs itself, and is no declaration."""
    if path.endswith(".toml") or not _is_file(path):  # what is read from a pipe is gone
        return False
    first = _first_line(path)
    if not first.startswith(b"#!") or b"ssd-service" in first:
        return False
    from ssd.service.sources.shell import has_verbs as text_has_verbs

    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return text_has_verbs(file.read())


def is_own(path: str) -> bool:
    """Tell whether a file names ssd-service as its interpreter."""
    first = _first_line(path)
    return first.startswith(b"#!") and b"ssd-service" in first


def _first_line(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(256).partition(b"\n")[0]
    except OSError:  # none there, or not for us to read
        return b""
