"""What the options that start-stop-daemon lacks mean: the values that they were given, checked.

Each puts keyword arguments for the Match, the Command or the Start of the library into the
Options. Some may be given more than once.
"""

from ssd.cli.grammar import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.cli.options import Options

    Values = list[str | None]

SURROUNDINGS = (
    "login", "clear-env", "env", "env-file", "limit", "oom-score-adj", "capabilities",
    "no-new-privs", "securebits",
)  # fmt: skip

# The commands and options with one of which an option makes sense; with all, if it has no row.
RELEVANT: "dict[str, tuple[str, ...]]" = {
    "json": ("stop", "status", "pidof", "background"),
    "timeline": ("stop", "background"),
    **dict.fromkeys(SURROUNDINGS, ("start",)),
    "wait": ("background",),
}


def settle(options: "Options") -> None:
    """Check the added options, and put their meaning into ``options``. Raises Usage, Unusable."""
    given: dict[str, Values] = {}
    for name, value in options.added:
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        wanted = RELEVANT.get(name, ())
        if wanted and not any(options.has(each) for each in wanted):
            only = " or ".join(f"--{each}" for each in wanted)
            raise Usage(f"--{name} is only relevant with {only}")
        if name in SETTLE:
            SETTLE[name](options, values)


def _surroundings(name: str) -> "Callable[[Options, Values], None]":
    """Make what reads an option by its function in ``ssd.cli.surroundings``, which it loads."""

    def read(options: "Options", values: "Values") -> None:
        from ssd.cli import surroundings

        getattr(surroundings, name.replace("-", "_"))(options, values)

    return read


def _wait(options: "Options", values: "Values") -> None:
    text = str(values[-1])
    whole, _, rest = text.partition(".")
    digits = whole + rest
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and float(text)):
        raise Usage("--wait takes seconds, more than 0, for example 5 or 0.5")
    options.for_start["wait"] = float(text)


# What an option does with its values, one for each time that it was given. An option without a row
# is read where it has its effect (``Options.has`` and ``Options.value``).
SETTLE: "dict[str, Callable[[Options, Values], None]]" = {
    **{name: _surroundings(name) for name in SURROUNDINGS},
    "wait": _wait,
}
