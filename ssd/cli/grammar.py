"""The grammar of a command line: that of getopt_long(3), one option at a time.

Options may be clustered (``-bmp``), joined with their value (``-pFILE``, ``--pidfile=FILE``),
abbreviated if they stay unambiguous, and mixed with operands, unless POSIXLY_CORRECT is in the
environment. ``--`` ends them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    Added = Callable[[], Mapping[str, bool]] | None

LATER = ("pidof", "tree")  # which the original lacks: they take no abbreviation away from it


class Usage(Exception):
    """A command line that makes no sense: status 3, or 4 if a status was asked for."""


class Unusable(Exception):
    """A value for which the original fails with status 2, or 4 if a status was asked for."""


def parse(
    words: list[str],
    short: "Mapping[str, bool]",
    long: "Mapping[str, bool]",
    posix: "Callable[[], bool] | None" = None,
    added: "Added" = None,
) -> "Generator[tuple[str, str | None], None, list[str]]":
    """Yield (option, value) in order; return the operands.

    ``short`` and ``long`` say whether an option, given without its dashes, takes a value;
    ``added`` returns more of ``long``, for a word that is no beginning of any of those.
    ``posix`` is asked whether the first operand ends the options. Raises Usage after it has
    yielded the options before the wrong one.
    """
    operands: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if word.startswith("--"):
            yield _long(word[2:], long, rest, added)
        elif word.startswith("-") and word != "-":
            yield from _cluster(word[1:], short, rest)
        else:
            operands.append(word)
            if posix is not None and posix():
                break
    operands.extend(rest)
    return operands


def _long(
    text: str, options: "Mapping[str, bool]", rest: "Iterator[str]", added: "Added"
) -> tuple[str, str | None]:
    """Read one long option, and its value from the same word or the next."""
    given, equals, value = text.partition("=")
    name, takes_value = _complete(given, options, added)
    if equals:
        if not takes_value:
            raise Usage(f"option '--{name}' doesn't allow an argument")
        return name, value
    if not takes_value:
        return name, None
    following = next(rest, None)
    if following is None:
        raise Usage(f"option '--{name}' requires an argument")
    return name, following


def _complete(given: str, options: "Mapping[str, bool]", added: "Added") -> tuple[str, bool]:
    """Find an option by its name, or by an unambiguous beginning of it."""
    if given in options:
        return given, options[given]
    candidates = [name for name in options if name.startswith(given)]
    candidates = [name for name in candidates if name not in LATER] or candidates
    if not candidates and added is not None:
        return _complete(given, added(), None)
    if not candidates:
        raise Usage(f"unrecognized option '--{given}'")
    if len(candidates) > 1:
        possible = " ".join(f"'--{name}'" for name in candidates)
        raise Usage(f"option '--{given}' is ambiguous; possibilities: {possible}")
    return candidates[0], options[candidates[0]]


def _cluster(
    letters: str, options: "Mapping[str, bool]", rest: "Iterator[str]"
) -> "Generator[tuple[str, str | None], None, None]":
    """Read a word of short options; the first that takes a value takes the rest of the word."""
    for position, letter in enumerate(letters):
        if letter not in options:
            raise Usage(f"invalid option -- '{letter}'")
        if not options[letter]:
            yield letter, None
            continue
        value = letters[position + 1 :] or next(rest, None)
        if value is None:
            raise Usage(f"option requires an argument -- '{letter}'")
        yield letter, value
        return
