"""Names in a shell file that are probably meant to be others.

A shell file may have variables of its own, so an unknown name is a mistake only if it looks
like a known one and the file makes no use of it.
"""

from ssd.service.errors import DeclarationError
from ssd.service.sources.debian import VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def check(text: str, file: str) -> None:
    """Raise DeclarationError for the first name that is misspelt."""
    for number, name in assigned(text):
        if name in VARIABLES or uses(text, name):
            continue
        near = meant(name)
        if near is not None or name.startswith("SERVICE_"):
            raise DeclarationError(
                "there is no such variable", name, file=file, line=number, nearest=near
            )


def uses(text: str, name: str) -> bool:
    """Tell whether a text refers to a variable."""
    return f"${name}" in text or f"${{{name}" in text


def meant(name: str) -> str | None:
    """Return the known variable that an unknown one is a slip for; None if it is none."""
    from ssd.service.nearest import nearest

    near = nearest(name, VARIABLES)
    if near is None or not name.startswith("SERVICE_") and not _alike(name, near):
        return None
    return near


def assigned(text: str) -> "Iterator[tuple[int, str]]":
    """Yield line number and name of what begins a line like an assignment."""
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, _ = line.strip().removeprefix("readonly ").partition("=")
        if equals and name and not name.strip(LETTERS):
            yield number, name


def _alike(name: str, known: str) -> bool:
    """Tell whether two names are of the same letters but for one or so: a slip, no other word."""
    short, long = sorted((name, known), key=len)
    left = list(long)
    for letter in short:
        if letter in left:
            left.remove(letter)
    return len(left) <= 1
