"""What export, umask and ulimit in a shell declaration set: its program inherits that.

Debian's init scripts have these commands before a start, and they mean the same in a declaration.
"""

from ssd.service.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Limits = dict[str, int | str]

_EXPORT = "export "
# set by a shell for itself, or by ssd-service for the file
_OWN = ("PWD", "OLDPWD", "SHLVL", "_", "INIT_D_SCRIPT_SOURCED")


def exported(listed: str, given: "Mapping[bytes, bytes]") -> dict[str, str]:
    """Return the variables that a file has exported, or changed in the environment.

    ``listed`` is the output of ``export -p`` at its end, ``given`` the environment before.
    """
    found: dict[str, str] = {}
    lines = listed.removeprefix(_EXPORT).removesuffix("\n").split(f"\n{_EXPORT}")
    for line in lines:
        name, equals, quoted = line.partition("=")
        text = _text(given, name)
        # The form of most values in dash and bash; splitting words is slow.
        if text is not None and quoted in (f"'{text}'", f'"{text}"'):
            continue
        if not _stands_alone(quoted):  # a value contains such a line
            return _all(listed, given)
        found |= _changed(name, equals, quoted, text)
    return found


def _all(listed: str, given: "Mapping[bytes, bytes]") -> dict[str, str]:
    found = {}
    for word in split(listed):
        name, equals, value = word.partition("=")
        if equals and value != _text(given, name) and _counts(name):
            found[name] = value
    return found


def _changed(name: str, equals: str, quoted: str, before: str | None) -> dict[str, str]:
    value = "".join(split(quoted))
    return {name: value} if equals and value != before and _counts(name) else {}


def _counts(name: str) -> bool:
    return name not in _OWN and not name.startswith("__ssd_")


def _stands_alone(quoted: str) -> bool:
    try:
        split(quoted)
    except ValueError:
        return False
    return True


def _text(given: "Mapping[bytes, bytes]", name: str) -> str | None:
    value = given.get(name.encode("utf-8", "surrogateescape"))
    return None if value is None else value.decode("utf-8", "surrogateescape")


def limits(pid: int) -> "Limits | None":
    """Return the resource limits of a process that differ from ours, for the field ``limits``.

    The process may have ended, but must not be reaped. Returns None where the limits of another
    process cannot be read (not Linux). Raises OSError.
    """
    import resource

    if not hasattr(resource, "prlimit"):
        return None
    found: Limits = {}
    numbers = {getattr(resource, n): n for n in dir(resource) if n.startswith("RLIMIT_")}
    for number, name in numbers.items():
        pair = resource.prlimit(pid, number)
        if pair != resource.getrlimit(number):
            soft, hard = ("unlimited" if n == resource.RLIM_INFINITY else n for n in pair)
            found[_NAMES.get(name, name[7:].lower())] = soft if soft == hard else f"{soft}:{hard}"
    return found


_NAMES = {"RLIMIT_OFILE": "nofile"}  # two names for one number
