"""Find an init script, and prepare its run as service(8) does.

It runs in the directory ``/``, with locale, PATH and TERM as its environment.
"""

import os

from ssd.service import INIT_D
from ssd.service.environment import DEFAULT_PATH, KEPT
from ssd.service.initscripts.program import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def reduced(environment: "Mapping[bytes, bytes]") -> "dict[bytes, bytes]":
    """Return what service(8) leaves of an environment; an unset variable becomes empty."""
    kept = {name: environment.get(name, b"") for name in map(os.fsencode, KEPT)}
    if b"PATH" not in environment:
        kept[b"PATH"] = os.fsencode(DEFAULT_PATH)
    return kept


def find(name: str, directory: str = INIT_D) -> str | None:
    """Return the path of the init script with this name, None without an executable one.

    The name must be that of a file in the directory, not a path (see divergences.md).
    """
    path = f"{directory}/{name}"
    if not name or "/" in name or "\0" in name or not os.path.isfile(path):
        return None
    return path if os.access(path, os.X_OK) else None


def prepare(path: str, words: "Sequence[str]", with_ssd: str = "") -> Run:
    """Return the run of an init script with these words.

    ``with_ssd``: the script finds the ssd beside this path as start-stop-daemon. Raises OSError
    if that cannot be set up, or the script cannot be read.
    """
    from ssd import environment

    run = Run(path, [path, *words], reduced(environment.inherited()))
    if with_ssd:
        from ssd.service.initscripts import substitution

        return substitution.substituted(run, with_ssd)
    return run
