"""Read all of TOML, for a declaration that is not plain (``plain_toml``)."""

import sys

from ssd.service.errors import DeclarationError

if sys.version_info >= (3, 11):
    import tomllib
else:  # scripts/zipapp puts that of a newer Python into ssd.pyz
    tomllib = __import__("ssd.tomllib", fromlist=["loads"])


def parse(text: str, file: "str | None") -> "dict[str, object]":
    """Return the document. ``file`` is for the error. Raises DeclarationError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
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
