"""Read the values of the options that say in what surroundings, and with which rights, it runs.

Each function takes all values of an option, and puts a keyword of ``ssd.Command`` into
``options.for_command``. Raises Usage, and Unusable for a file that cannot be read.
"""

import os

from ssd.cli.grammar import Unusable, Usage
from ssd.starting.rare import OOM_EXAMPLE, OOM_SCORES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.cli.options import Options

    Values = list[str | None]


def login(options: "Options", values: "Values") -> None:
    """Read --login."""
    options.for_command["login"] = True


def clear_env(options: "Options", values: "Values") -> None:
    """Read --clear-env."""
    options.for_command["environment"] = {}


def env(options: "Options", values: "Values") -> None:
    """Read each --env NAME=TEXT; they win over those of files."""
    variables = options.for_command.setdefault("variables", {})
    for value in map(str, values):
        name, equals, text = value.partition("=")
        if not name or not equals:
            raise Usage(f"--env must be NAME=TEXT, not {value!r}")
        variables[os.fsencode(name)] = os.fsencode(text)


def env_file(options: "Options", values: "Values") -> None:
    """Read the file of each --env-file; a later one wins."""
    from ssd.surroundings.env_files import read

    found: dict[bytes, bytes] = {}
    for path in map(str, values):
        try:
            found.update(read(path))
        except OSError as error:
            raise Unusable(f"unable to read --env-file {path} ({error.strerror})") from error
        except ValueError as error:
            raise Unusable(f"unable to read --env-file {path}: {error}") from error
    options.for_command["variables"] = {**found, **options.for_command.get("variables", {})}


def limit(options: "Options", values: "Values") -> None:
    """Read each --limit NAME=SOFT[:HARD]."""
    from ssd.surroundings import limits

    found = options.for_command.setdefault("limits", {})
    for value in map(str, values):
        name, equals, text = value.partition("=")
        if not equals:
            raise Usage(f"--limit must be NAME=SOFT[:HARD], as nofile=1024:4096, not {value!r}")
        if name not in limits.NAMES:
            known = ", ".join(limits.NAMES)
            raise Usage(f"--limit has no resource {name!r}: use one of {known}")
        try:
            found[limits.number(name)] = limits.pair(text)
        except ValueError as error:
            raise Usage(f"--limit {name}: {error}") from None


def oom_score_adj(options: "Options", values: "Values") -> None:
    """Read --oom-score-adj."""
    text = str(values[-1])
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 5
    if not is_number or int(text) not in OOM_SCORES:
        raise Usage(f"--oom-score-adj must be a number {OOM_EXAMPLE}, not {text!r}")
    options.for_command["oom_score_adj"] = int(text)


def no_new_privs(options: "Options", values: "Values") -> None:
    """Read --no-new-privs."""
    options.for_command["no_new_privs"] = True


def capabilities(options: "Options", values: "Values") -> None:
    """Read --capabilities."""
    from ssd.surroundings.capabilities import inheritance

    _read("capabilities", options, values, inheritance)


def securebits(options: "Options", values: "Values") -> None:
    """Read --securebits."""
    from ssd.surroundings.capabilities import securebits as read

    _read("securebits", options, values, read)


def _read(
    name: str, options: "Options", values: "Values", function: "Callable[[str], object]"
) -> None:
    """Check the last value of an option by what reads it."""
    text = str(values[-1])
    try:
        function(text)
    except ValueError as error:
        raise Usage(f"--{name}: {error}") from None
    options.for_command[name] = text
