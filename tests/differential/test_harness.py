"""The harness notices each kind of difference, and the data is complete."""

import re
from pathlib import Path

import pytest

from . import cases, harness
from .comparison import differences

DIVERGENCES = Path(__file__).parents[2] / "docs" / "reference" / "divergences.md"

# What a wrapper does around the original, a case, and the place of the difference.
CHANGES = {
    "umask": ("umask 077", "umask-inherited", "Umask"),
    "nice": ("renice -n 1 $$ >/dev/null", "exec-arguments", "nice"),
    "environment": ("export EXTRA=1", "exec-arguments", "environment"),
    "ignored signal": ("trap '' HUP", "exec-arguments", "SigIgn"),
    "descriptor": ("exec 7</dev/null", "exec-arguments", "descriptors.7"),
    "limit": ("ulimit -n 100", "exec-arguments", "limits"),
    "argument": ('set -- "$@" more', "exec-arguments", "argv"),
    "standard output": ("echo word", "stop-plain", "stdout"),
    "silence": ("exec 2>/dev/null", "usage-nothing", "complains"),
    "other process": ("kill {pid:deaf} && kill -KILL {pid:deaf}", "stop-plain", "targets.deaf"),
    "file": ("touch /tmp/case/left", "stop-plain", "files./tmp/case/left"),
    "stray": ("/bin/sleep 1000 &", "stop-plain-calm", "strays"),
    "status": ("exit 9", "stop-plain", "status"),
}


@pytest.mark.differential
@pytest.mark.parametrize("change", CHANGES)
def test_single_change_is_noticed(change, possible, tmp_path):
    """A wrapper that changes one thing around the original differs from it there."""
    action, name, where = CHANGES[change]
    wrapper = tmp_path / "wrapper"
    pid = str(harness.FIRST_TARGET + 2)
    wrapper.write_text(
        f'#!/bin/sh\n{action.replace("{pid:deaf}", pid)}\nexec {harness.ORACLE} "$@"\n',
        encoding="ascii",
    )
    wrapper.chmod(0o755)
    oracle, other = harness.compare([name], [harness.ORACLE, str(wrapper)])
    (case,) = (case for case in cases.load() if case.id == name)
    found = differences(case, oracle[name]["outcome"], other[name]["outcome"])
    assert any(f".{where}" in line.split(": ")[0] for line in found), found


def test_cases_are_at_least_400():
    """Each of them names the rule that it shows."""
    loaded = cases.load()
    assert len(loaded) >= 400
    assert [] == [case.id for case in loaded if len(case.rule.split()) < 2]


def test_divergences_are_all_written_down():
    """A case may let the sides differ only where docs/reference/divergences.md has a row for it."""
    rows = set(re.findall(r"^\| (\w+) \|", DIVERGENCES.read_text(encoding="utf-8"), re.MULTILINE))
    assert set() == {case.divergence for case in cases.load()} - {""} - rows


def test_cases_that_the_docs_cite_exist():
    """A proof named in docs/reference/divergences.md is a case or a test that exists."""
    groups = {case.id.split("-")[0] for case in cases.load()}
    cited = re.findall(r"`(\w+-[\w-]+)`", DIVERGENCES.read_text(encoding="utf-8"))
    known = {case.id for case in cases.load()}
    assert [] == [name for name in cited if name.split("-")[0] in groups and name not in known]
