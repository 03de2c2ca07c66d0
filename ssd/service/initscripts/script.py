"""An init script: where it is, and what runs it as service(8) does.

In the directory ``/``, with locale, PATH and TERM for an environment.
"""

import os

from ssd.service.initscripts.program import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIRECTORY = "/etc/init.d"
# All of them are set, to nothing where the caller has none, as service(8) does.
KEPT = (
    b"LANG", b"LANGUAGE", b"LC_CTYPE", b"LC_NUMERIC", b"LC_TIME", b"LC_COLLATE", b"LC_MONETARY",
    b"LC_MESSAGES", b"LC_PAPER", b"LC_NAME", b"LC_ADDRESS", b"LC_TELEPHONE", b"LC_MEASUREMENT",
    b"LC_IDENTIFICATION", b"LC_ALL", b"PATH", b"TERM",
)  # fmt: skip
# What dash(1) takes where there is no PATH at all.
DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def reduced(environment: "Mapping[bytes, bytes]") -> "dict[bytes, bytes]":
    """Return what service(8) leaves of an environment."""
    kept = {name: environment.get(name, b"") for name in KEPT}
    if b"PATH" not in environment:
        kept[b"PATH"] = DEFAULT_PATH
    return kept


def find(name: str, directory: str = DIRECTORY) -> str | None:
    """Return the path of the init script of that name, None if there is none to execute.

    A name is that of a file in the directory: no path, and no directory (see divergences.md).
    """
    path = f"{directory}/{name}"
    if not name or "/" in name or "\0" in name or not os.path.isfile(path):
        return None
    return path if os.access(path, os.X_OK) else None


def prepare(path: str, words: "Sequence[str]", with_ssd: str = "") -> Run:
    """Return what runs an init script with these words.

    ``with_ssd``: where it calls start-stop-daemon it finds the ssd that is beside this path.
    Raises OSError if that cannot be arranged, or the script cannot be read.
    """
    from ssd import environment

    run = Run(path, [path, *words], reduced(environment.inherited()))
    if with_ssd:
        from ssd.service.initscripts import substitution

        return substitution.substituted(run, with_ssd)
    return run
