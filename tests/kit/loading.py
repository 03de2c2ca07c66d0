"""The modules that a command loads, and how many lines of ssd they are."""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import daemon

import ssd
from kit.children import python
from ssd import installation

HOME = str(Path(str(ssd.__file__)).parent.parent)
DAEMON = str(Path(str(daemon.__file__)).parent.parent)

PLAIN = ("-I", "-S")
# Runs a command in an interpreter without site, which loads modules of its own, and lists the
# modules that are loaded beyond those of the interpreter itself.
LIST = f"""
import os, sys
before = set(sys.modules)
sys.path[:0] = [{HOME!r}]
sys.path.append({DAEMON!r})
{{first}}
from {{package}} import main
status = main(sys.argv[1:])
loaded = sorted(set(sys.modules) - before)
import json
files = {{{{name: getattr(sys.modules[name], "__file__", None) for name in loaded}}}}
print()
print(json.dumps([status, files]))
"""

HEAVY = {
    "psutil",
    "daemon",
    "lockfile",
    "enum",
    "signal",
    "re",
    "typing",
    "dataclasses",
    "argparse",
    "getopt",
    "logging",
    "subprocess",
    "functools",
    "collections",
    "contextlib",
    "pathlib",
    "threading",
    "socket",
    "asyncio",
    "traceback",
    "tempfile",
    "shutil",
    "locale",
    "ctypes",
    "importlib",
    "operator",
    "selectors",
    "struct",
    "warnings",
    "__future__",
    "types",
    "string",
    "resource",
    "pwd",
    "grp",
    "random",
    "hashlib",
    "glob",
    "fnmatch",
    "inspect",
    "weakref",
}
BUNDLED = frozenset(installation.MODULES)  # what a hot path loads must be there
LIBRARY = {"errno", "fcntl", "select", "time", "marshal"}  # in C, and free


def loaded(
    package: str, *argv: str, first: str = "", **options: Any
) -> tuple[int, dict[str, str | None]]:
    """Run ``main`` of a package in a child; return its status, and the modules with their files.

    ``first``: statements before it is imported.
    """
    done = python(LIST.format(package=package, first=first), *argv, flags=PLAIN, **options)
    status, files = json.loads(done.stdout.splitlines()[-1])
    return status, files


def lines_of(files: dict[str, str | None]) -> int:
    """Count the lines of ssd's own modules."""
    own = [path for name, path in files.items() if name.partition(".")[0] == "ssd" and path]
    return sum(len(Path(path).read_bytes().splitlines()) for path in own)


def account(files: Collection[str]) -> set[str]:
    """Return what a lock may load: an ordinary user's lock is in the account's home directory."""
    return {"pwd"} if os.geteuid() != 0 and "ssd.pidfile.locking" in files else set()
