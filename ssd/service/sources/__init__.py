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
    if "@" in name and not is_own(script):
        from ssd.service.sources import templates

        return templates.locate(name, directory, locate, read)
    return script if is_own(script) else None


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        from ssd.service.sources import zipped

        return zipped.text(path, SHIPPED, __spec__) is not None


def find(
    name: str, directory: str = DIRECTORY, environment: "Mapping[bytes, bytes] | None" = None
) -> "Service":
    """Return the declaration of a service by its name.

    ``environment`` is that of a shell file, our own if None. Raises UnknownService, which has
    the most similar name, DeclarationError (SeveralInstances for the name of a template), and
    OSError for a file that cannot be read.
    """
    path = locate(name, directory)
    if path is None:
        from ssd.service.errors import nearest

        known = {*names(directory), *names(SHIPPED)} - {name}
        if "@" in name:
            from ssd.service.sources import templates

            known.update(templates.listed(name, directory, locate, read))
        raise UnknownService(name, candidates(name, directory), nearest(name, sorted(known)))
    return read(path, environment)


def read(
    path: str,
    environment: "Mapping[bytes, bytes] | None" = None,
    meanwhile: "Callable[[], object]" = lambda: None,
) -> "Service":
    """Read one declaration: TOML if its name ends in ``.toml``, else shell.

    ``meanwhile`` is called once, while the shell works. ``path`` may be that of an instance
    without a file of its own, beside its template.
    """
    name = None
    if "@" in path and not os.path.lexists(path):
        from ssd.service.sources.templates import template_of

        path, name = template_of(path)
    if path.endswith(".toml"):
        from ssd.service.sources import toml

        meanwhile()
        return toml.read(path, name)
    from ssd.service.sources import shell

    try:
        return shell.read(path, environment, meanwhile, name)
    except NotADirectoryError:
        from ssd.service.sources import zipped

        text = zipped.text(path, SHIPPED, __spec__)
        if text is None:
            raise
    return shell.loads(text, path, environment, meanwhile)


def names(directory: str = DIRECTORY) -> "list[str]":
    """Return the names of the services that a directory declares, in byte order.

    A template is one name, whatever instances it lists. Files that editors and packages leave are
    ignored.
    """
    from ssd.service.sources.listing import listed

    return listed(directory)


def is_own(path: str) -> bool:
    """Tell whether a file names ssd-service as its interpreter."""
    from ssd.service.programs import first_line

    first = first_line(path)
    return first.startswith("#!") and "ssd-service" in first
