"""Errors about a declaration or its name, and the known word that was probably intended."""

from ssd.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class DeclarationError(Error):
    """An invalid declaration.

    file, line: its place, None if it comes from no file. key: the field, None if the error is
    about the whole file. nearest: the valid key that was probably meant, or None.
    """

    def __init__(
        self,
        reason: str,
        key: "str | None" = None,
        *,
        file: "str | None" = None,
        line: "int | None" = None,
        nearest: "str | None" = None,
    ) -> None:
        super().__init__(reason, key, file, line, nearest)
        self.reason: str = reason
        self.key: str | None = key
        self.file: str | None = file
        self.line: int | None = line
        self.nearest: str | None = nearest

    def __str__(self) -> str:
        where = "" if self.file is None else self.file
        where += "" if self.line is None else f":{self.line}"
        parts = [part for part in (where, self.key, self.reason) if part]
        meant = "" if self.nearest is None else f"; did you mean {self.nearest}?"
        return ": ".join(parts) + meant


class SeveralInstances(DeclarationError):
    """One service was asked for, where a file declares instances of one.

    name: ``NAME@``. names: the instances that the file lists, ``NAME@INSTANCE``.
    """

    def __init__(self, name: str, names: "Sequence[str]", file: "str | None" = None) -> None:
        listed = f": {', '.join(names)}" if names else f", such as {name}NAME"
        super().__init__(f"{name} stands for instances; name one{listed}", file=file)
        self.name: str = name
        self.names: list[str] = list(names)


class UnknownService(Error):
    """No declaration and no init script has this name. ``places``: the paths searched."""

    def __init__(self, name: str, places: "Sequence[str]", nearest: "str | None" = None) -> None:
        meant = "" if nearest is None else f"; did you mean {nearest}?"
        super().__init__(f"{name}: unrecognized service (none of {', '.join(places)}){meant}")
        self.name: str = name
        self.places: list[str] = list(places)
        self.nearest: str | None = nearest


def nearest(word: str, known: "Iterable[str]") -> "str | None":
    """Return the known word that is most similar to this one, None if none is similar."""
    import difflib

    found = difflib.get_close_matches(word, list(known), 1)
    return found[0] if found else None


class BadValue(ValueError):
    """A value that its field cannot have.

    key: the wrong entry of a table. known: the valid keys, if that key is unknown.
    """

    def __init__(self, reason: str, key: str = "", known: "tuple[str, ...]" = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key
        self.known = known
