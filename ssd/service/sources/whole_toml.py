"""Read all of TOML, for a declaration that is not plain (``plain_toml``)."""

import sys

from ssd.service.errors import DeclarationError
from ssd.service.sources import plain_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def parse(text: str, file: "str | None") -> "dict[str, object]":
    """Return the document. ``file`` is for the error. Raises DeclarationError."""
    reader = _reader(text, file)
    try:
        found: dict[str, object] = reader.loads(text)
    except reader.TOMLDecodeError as error:
        # "... (at line 3, column 5)"; only newer Pythons have the numbers too
        reason, _, where = str(error).partition(" (at line ")
        line = where.partition(",")[0]
        number = int(line) if line.isdigit() else text.count("\n") + 1
        raise DeclarationError(reason.lower(), file=file, line=number) from None
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or thousands of brackets.
        reason = "lists and tables are nested too deeply"
        if isinstance(error, ValueError):
            reason = "a number has too many digits"
        raise DeclarationError(reason, file=file) from None
    return found


def _reader(text: str, file: "str | None") -> "ModuleType":
    """Return Python's tomllib, or tomli, from which that comes. Raises DeclarationError."""
    if sys.version_info >= (3, 11):
        import tomllib as found
    else:
        try:
            import tomli as found
        except ModuleNotFoundError:
            reason = f"must be plain TOML, each value on one line: Python 3.{sys.version_info[1]} "
            reason += "needs tomli for more, which is not installed"
            raise DeclarationError(reason, file=file, line=_first_not_plain(text)) from None
    return found


def _first_not_plain(text: str) -> int:
    """Return the number of the line up to which a text is plain."""
    lines = text.split("\n")
    plain, less = 0, len(lines)  # how many lines are plain, and how many are not
    while less - plain > 1:
        middle = (plain + less) // 2
        if plain_toml.parse("\n".join(lines[:middle])) is None:
            less = middle
        else:
            plain = middle
    return less
