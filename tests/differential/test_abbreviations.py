"""Every beginning of every option means the same option to ssd as to the original."""

import functools
import os
import re
import subprocess

import pytest

from ssd.cli.added import LONG
from ssd.cli.grammar import LATER
from ssd.cli.options import TABLE
from ssd.testing import SsdCommand

from .harness import ORACLE

pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(not os.access(ORACLE, os.X_OK), reason=f"{ORACLE} is not installed"),
]
NAMES = [name for _, name, _, _ in TABLE if name not in LATER]
QUOTED = re.compile(r"'(--[a-z-]+)'")


def meanings(status: int, said: str) -> tuple[int, list[str]]:
    """Return the exit status, and the options that the first line of an error names."""
    quoted = QUOTED.findall(said.partition("\n")[0])
    return status, sorted({name for name in quoted if name.removeprefix("--") in NAMES})


@functools.cache
def original(word: str) -> tuple[tuple[int, list[str]], str]:
    """Return what the original means by a word, and its first line."""
    done = subprocess.run([ORACLE, word], capture_output=True, text=True, cwd="/")
    return meanings(done.returncode, done.stderr), done.stderr.partition("\n")[0]


@pytest.mark.parametrize("name", NAMES)
def test_abbreviation_means_the_same_option(name: str, ssd_command: SsdCommand) -> None:
    """An error names the option: one that takes a value lacks it, another has one too many."""
    for end in range(1, len(name) + 1):
        for word in (f"--{name[:end]}", f"--{name[:end]}=x"):
            theirs, ours = original(word)[0], ssd_command(word)
            assert theirs == meanings(ours.exit_status, ours.stderr), word


def test_beginning_of_a_new_option_keeps_its_meaning(ssd_command: SsdCommand) -> None:
    """What the original takes for one of its options, or finds ambiguous, stays that."""
    known = set()
    for name in (*LATER, *LONG):
        for end in range(1, len(name) + 1):
            for word in (f"--{name[:end]}", f"--{name[:end]}=x"):
                theirs, said = original(word)
                if "unrecognized option" not in said:
                    ours = ssd_command(word)
                    assert theirs == meanings(ours.exit_status, ours.stderr), word
                    known.add(word)
    assert {"--t", "--p", "--pid=x"} <= known
