"""The directory and the environment that service(8) gives to a service.

Declared services get them, and init scripts (``ssd.service.initscripts.script``).
"""

import os
import posix

# The locale, PATH and TERM, as in service(8).
KEPT = (
    "LANG", "LANGUAGE", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY",
    "LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT",
    "LC_IDENTIFICATION", "LC_ALL", "PATH", "TERM",
)  # fmt: skip
LEFT_OUT: "dict[str, str]" = {}  # what ``enter`` has taken away
# The PATH of dash(1) if the environment has none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class _Raw:
    """What is used of os.environ, as long as ``os`` is not complete (``ssd.bundle``)."""

    def __iter__(self) -> "map[str]":
        return map(os.fsdecode, [*posix.environ])

    def pop(self, name: str) -> str:
        posix.unsetenv(name)
        return os.fsdecode(posix.environ.pop(os.fsencode(name)))

    def __setitem__(self, name: str, value: str) -> None:
        posix.putenv(name, value)
        posix.environ[os.fsencode(name)] = os.fsencode(value)


def current() -> "os._Environ[str] | _Raw":
    """Return os.environ; nothing of ``os`` is loaded for it."""
    return _Raw() if "__getattr__" in vars(os) else os.environ


def enter() -> None:
    """Change to the root directory, and reduce the environment. Raises OSError.

    Every LC_ variable stays, also one that is newer than the list.
    """
    os.chdir("/")
    environ = current()
    for name in list(environ):
        if name not in KEPT and not name.startswith("LC_"):
            LEFT_OUT[name] = environ.pop(name)
    extend_path()


def extend_path() -> None:
    """Add the usual directories after those in PATH, which may be short at boot."""
    environ = current()
    given = environ.pop("PATH") if "PATH" in environ else ""
    environ["PATH"] = f"{given}:{DEFAULT_PATH}" if given else DEFAULT_PATH
