"""The known word that somebody probably meant; only an error needs it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: "Iterable[str]") -> str | None:
    """Return the known word that is like this one, or None if none is."""
    import difflib  # costs 15 ms, and there is an error to tell of

    found = difflib.get_close_matches(word, list(known), 1)
    return found[0] if found else None
