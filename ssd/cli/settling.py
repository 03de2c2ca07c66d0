"""What the options that start-stop-daemon lacks mean: the values that they were given, checked.

Each puts keyword arguments for the Match, the Command or the Start of the library into the
Options. Some may be given more than once.
"""

from ssd.cli.grammar import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.cli.options import Options
    from ssd.finding import Finding
    from ssd.matching import Criteria, Match
    from ssd.processes.contract import ProcessTable
    from ssd.stdio import Voice

    Values = list[str | None]

SURROUNDINGS = (
    "login", "clear-env", "env", "env-file", "limit", "oom-score-adj", "capabilities",
    "no-new-privs", "securebits",
)  # fmt: skip

# The commands and options with one of which an option makes sense; with all, if it has no row.
RELEVANT: "dict[str, tuple[str, ...]]" = {
    "interpreted": ("exec", "name"),
    "json": ("stop", "status", "pidof", "background"),
    "timeline": ("stop", "background"),
    **dict.fromkeys(SURROUNDINGS, ("start",)),
    "wait": ("background",),
    "stdout": ("background",),
    "stderr": ("background",),
    "logger": ("background",),
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


def tell_evidence(
    match: "Match", criteria: "Criteria", finding: "Finding", table: "ProcessTable", voice: "Voice"
) -> None:
    """Say with --verbose on what each process that --interpreted has found went."""
    from ssd.matched_by import ENDED, matched_by
    from ssd.sentences import MATCHED_BY

    what = match.name if match.exec is None else match.exec
    for process in finding.processes:
        evidence = matched_by(match, criteria, process, table)
        if evidence != ENDED:
            voice.debug(MATCHED_BY.format(what=what, pid=process.pid, evidence=evidence))


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


def _timeline(options: "Options", values: "Values") -> None:
    if not values[-1]:
        raise Usage("--timeline needs a filename")


def _file(name: str) -> "Callable[[Options, Values], None]":
    """Return what settles an option whose value is a file for the output; the last one counts."""

    def settle_file(options: "Options", values: "Values") -> None:
        path = str(values[-1])
        if not path.startswith("/"):
            raise Usage(f"--{name} file needs to be an absolute filename")
        options.for_command[name] = path

    return settle_file


def _logger(options: "Options", values: "Values") -> None:
    if values[-1] == "syslog":
        options.for_command["logger"] = "syslog"
    elif not str(values[-1]).startswith("/"):
        raise Usage("--logger needs an absolute filename, or syslog")
    else:
        options.for_command["logger"] = str(values[-1])
    if options.has("output"):
        raise Usage("need either --output or --logger, not both")


# What an option does with its values, one for each time that it was given. An option without a row
# is read where it has its effect (``Options.has`` and ``Options.value``).
SETTLE: "dict[str, Callable[[Options, Values], None]]" = {
    "interpreted": lambda options, values: options.for_match.update(interpreted=True),
    "same-namespace": lambda options, values: options.for_match.update(same_namespace=True),
    **{name: _surroundings(name) for name in SURROUNDINGS},
    "wait": _wait,
    "timeline": _timeline,
    "stdout": _file("stdout"),
    "stderr": _file("stderr"),
    "logger": _logger,
}
