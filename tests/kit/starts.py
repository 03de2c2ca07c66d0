"""Starts by the library: the usual daemon, and children that say something and end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ssd
from ssd import Command, Match

SLEEP = Command(["/bin/sleep", "1000"])


@contextmanager
def output(path: Path) -> Iterator[tuple[int, int, int]]:
    """Give descriptors for a child: no input, both outputs to a file."""
    with open(os.devnull) as nothing, open(path, "wb") as file:
        yield nothing.fileno(), file.fileno(), file.fileno()


def told(command: Command, folder: Path, **options: Any) -> bytes:
    """Start a child that ends by itself; return what it says."""
    with output(folder / "told") as stdio:
        process = ssd.start(
            Match(pidfile=folder / "none"), command, background=False, stdio=stdio, **options
        )
    with process as started:
        assert 0 == started.wait()
    return (folder / "told").read_bytes()


def shell(script: str, *arguments: str | bytes, **options: Any) -> Command:
    """Make a Command of a shell script."""
    return Command(["/bin/sh", "-c", script, "sh", *arguments], **options)


# Prints the environment of a child.
ENVIRONMENT = """
import ssd, sys
match = ssd.Match(pidfile=sys.argv[1] + "/none")
command = ssd.Command(["/usr/bin/env", "-0"], user="root" if "chuid" in sys.argv else None)
with ssd.start(match, command, background=False) as process:
    sys.exit(process.wait())
"""
