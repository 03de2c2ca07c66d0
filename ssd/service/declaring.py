"""What few users of a declaration need: errors of wrong fields, and the short form of a value."""

from ssd.service.errors import BadValue, DeclarationError, nearest
from ssd.service.fields import DEFAULTS


def unknown(
    key: str, known: "tuple[str, ...]", reason: str, file: "str | None"
) -> DeclarationError:
    """Return the error of a key that does not exist; it names the one that was probably meant."""
    front, dot, last = key.rpartition(".")
    meant = nearest(last, known)
    return DeclarationError(reason, key, file=file, nearest=meant and f"{front}{dot}{meant}")


def refused(key: str, error: BadValue, file: "str | None") -> DeclarationError:
    """Return the error of a value that a field cannot have."""
    whole = f"{key}.{error.key}" if error.key else key
    if error.known:
        return unknown(whole, error.known, error.reason, file)
    return DeclarationError(error.reason, whole, file=file)


def reduced(name: str, value: object) -> object:
    """Leave out the entries of a table that are equal to its defaults."""
    default = DEFAULTS[name]
    if isinstance(value, dict) and isinstance(default, dict) and default:
        own = "timeout" if value.get("kind") == "stays" else ""  # whose default is another
        return {key: each for key, each in value.items() if each != default[key] or key == own}
    if name == "directories" and isinstance(value, list):
        return [_without_mode(each) for each in value]
    return value


def _without_mode(directory: "dict[str, str]") -> "dict[str, str]":
    return {k: text for k, text in directory.items() if (k, text) != ("mode", "0755")}
