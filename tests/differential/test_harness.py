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


@pytest.mark.parametrize(("version", "changed"), [("1.22", False), ("1.23", True), ("2.0", True)])
def test_original_has_changed_from_a_version_on(version, changed, monkeypatch, tmp_path):
    """Its own --version decides, by numbers; not the point release."""
    oracle = tmp_path / "original"
    oracle.write_text(f"#!/bin/sh\necho 'start-stop-daemon {version}.4 for Debian'\n")
    oracle.chmod(0o755)
    monkeypatch.setattr(harness, "ORACLE", str(oracle))
    harness.oracle_version.cache_clear()
    try:
        assert (version, changed) == (harness.oracle_version(), harness.has_changed("1.23"))
    finally:
        harness.oracle_version.cache_clear()


def test_changes_of_the_original_are_all_written_down():
    """Each case that a later original no longer passes is cited with its version."""
    page = DIVERGENCES.read_text(encoding="utf-8")
    since = page.partition("\n## What the original does since\n")[2].partition("\n## ")[0]
    rows = [line for line in since.splitlines() if line.startswith("| 1.")]
    cited = {(row.split()[1], name) for row in rows for name in re.findall(r"`(\w+-[\w-]+)`", row)}
    assert {(case.later, case.id) for case in cases.load() if case.later} == cited
