"""Variables of jobs: tables of them, and texts in which they stand (init(5), "Job environment")."""

from ssd.upstart.errors import BadEnvironment, BadExpansion, UnknownParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_NAME = frozenset(_FIRST + "0123456789")
DEEPEST = 100  # braces in each other: nobody writes so many, and Python's stack has an end


def check(pairs: "Iterable[str]") -> None:
    """Raise BadEnvironment unless each is KEY=VALUE; an empty key is one, too."""
    for pair in pairs:
        if "=" not in pair:
            raise BadEnvironment


def table(pairs: "Iterable[str]") -> "dict[str, str]":
    """Return KEY=VALUE pairs as a table; of several with one key the last counts."""
    made = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        made[key] = value
    return made


def declared(words: "Iterable[str]", own: "Mapping[str, str]") -> "dict[str, str]":
    """Return the variables of ``env`` stanzas.

    words: KEY=VALUE, or KEY for one of the supervisor's own environment, ``own``; one that is not
    there is left out.
    """
    made = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            made[key] = value
        elif key in own:
            made[key] = own[key]
    return made


def expand(text: str, variables: "Mapping[str, str]", depth: int = DEEPEST) -> str:
    """Replace ``$KEY``, ``${KEY}`` and ``${KEY:-DEFAULT}`` in a text by what they stand for.

    Also ``-``, ``:+`` and ``+``, as in a shell. Raises UnknownParameter and BadExpansion.
    depth: how many braces may stand in each other.
    """
    if not depth:
        raise BadExpansion("Expansion is too deep")
    parts: list[str] = []
    at = 0
    while (found := text.find("$", at)) >= 0:
        parts.append(text[at:found])
        if text[found + 1 : found + 2] == "{":
            end = _closing(text, found + 1)
            parts.append(_braced(text[found + 2 : end], variables, depth - 1))
            at = end + 1
        else:
            end = _name_end(text, found + 1)
            parts.append(_value(text[found + 1 : end], variables) if end > found + 1 else "$")
            at = end
    return "".join([*parts, text[at:]])


def _name_end(text: str, start: int) -> int:
    end = start
    if text[start : start + 1] in _FIRST:
        while end < len(text) and text[end] in _NAME:
            end += 1
    return end


def _closing(text: str, start: int) -> int:
    """Return the place of the brace that closes the one at ``start``."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    raise BadExpansion("Mismatched braces")


def _value(name: str, variables: "Mapping[str, str]") -> str:
    if name not in variables:
        raise UnknownParameter(name)
    return variables[name]


def _braced(inner: str, variables: "Mapping[str, str]", depth: int) -> str:
    """Expand what stands between braces."""
    if inner.startswith("$"):  # the name itself is in a variable
        inner = expand(inner, variables, depth)
    end = _name_end(inner, 0)
    name, rest = inner[:end], inner[end:]
    if not name:
        raise BadExpansion("Illegal parameter")
    if not rest:
        return _value(name, variables)
    for operator in (":-", ":+", "-", "+"):
        if rest.startswith(operator):
            break
    else:
        raise BadExpansion("Expected operator")
    given = variables.get(name)
    is_set = given is not None and not (operator[0] == ":" and not given)
    if operator[-1] == "-":
        if is_set and given is not None:
            return given
        return expand(rest[len(operator) :], variables, depth)
    return expand(rest[len(operator) :], variables, depth) if is_set else ""
