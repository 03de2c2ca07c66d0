"""The fields of a Command that start-stop-daemon lacks: their defaults and their checks.

A Command keeps only those that differ from their defaults, in its ``__dict__``: so that tells
whether a start takes steps that the original does not know.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Name -> its default, and what returns a value in its normal form. That raises ValueError and
# TypeError with a text that begins with the name.
RARE: "dict[str, tuple[object, Callable[[object], object]]]" = {}


def checked(given: "Mapping[str, object]") -> dict[str, object]:
    """Return the rare fields that differ from their defaults, in their normal form.

    Raises TypeError for an unknown field, and what the checks raise.
    """
    found = {}
    for name, value in given.items():
        if name not in RARE:
            raise TypeError(f"Command() got an unexpected keyword argument {name!r}")
        default_value, check = RARE[name]
        if value != default_value:
            found[name] = check(value)
    return found


def default(name: str) -> object:
    """Return the default of a rare field. Raises AttributeError for another name."""
    if name not in RARE:
        raise AttributeError(f"a Command has no field {name!r}")
    value = RARE[name][0]
    return dict(value) if isinstance(value, dict) else value
