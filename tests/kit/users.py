"""Another user of this machine, and what that user may read and run."""

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534  # uid and gid of an account that owns nothing; it need not be in passwd(5)


@functools.cache
def nobody_runs_python() -> bool:
    """Say whether another user may execute this interpreter and read the package."""
    try:
        done = subprocess.run([sys.executable, "-c", "import ssd"], **as_nobody())
    except PermissionError:
        return False
    return done.returncode == 0


def as_nobody() -> dict[str, Any]:
    """Return the options by which subprocess runs a command as a user without files."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


def skip_without_nobody() -> None:
    """Skip if the test cannot become another user, or that user cannot run this interpreter."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if not nobody_runs_python():
        pytest.skip(f"user {NOBODY} may not execute {sys.executable} or read the package")


def skip_unless_nobody_reads(path: Path) -> None:
    """Skip if the test cannot become another user, or that user cannot read the path."""
    if os.geteuid() != 0:
        pytest.skip("requires root, to become another user")
    if subprocess.run(["test", "-r", path], **as_nobody()).returncode != 0:
        pytest.skip(f"user {NOBODY} may not read {path}")


@contextlib.contextmanager
def shared(directory: Path, mode: int, uid: int = -1, gid: int = -1) -> Iterator[Path]:
    """Let other users reach a directory below pytest's private directory, with these rights."""
    os.chown(directory, uid, gid)
    directory.chmod(mode)
    # tmp_path's parents are 0700: let others pass, not look.
    closed = [each for each in directory.parents if not each.stat().st_mode & 0o001]
    for each in closed:
        each.chmod(each.stat().st_mode | 0o011)
    try:
        yield directory
    finally:
        for each in closed:
            each.chmod(each.stat().st_mode & ~0o011)
