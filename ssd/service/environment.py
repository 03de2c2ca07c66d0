"""The directory and the environment that service(8) gives to a service.

Declared services get them, and init scripts (``ssd.service.initscripts.script``).
"""

import os

# The locale, PATH and TERM, as in service(8).
KEPT = (
    "LANG", "LANGUAGE", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY",
    "LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT",
    "LC_IDENTIFICATION", "LC_ALL", "PATH", "TERM",
)  # fmt: skip
LEFT_OUT: "dict[str, str]" = {}  # what ``enter`` has taken away
# The PATH of dash(1) if the environment has none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def enter() -> None:
    """Change to the root directory, and reduce the environment. Raises OSError.

    Every LC_ variable stays, also one that is newer than the list.
    """
    os.chdir("/")
    for name in list(os.environ):
        if name not in KEPT and not name.startswith("LC_"):
            LEFT_OUT[name] = os.environ.pop(name)
    extend_path()


def extend_path() -> None:
    """Add the usual directories after those in PATH, which may be short at boot."""
    given = os.environ.get("PATH")
    os.environ["PATH"] = f"{given}:{DEFAULT_PATH}" if given else DEFAULT_PATH
