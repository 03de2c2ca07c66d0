"""Mutation testing with Cosmic Ray: the work of scripts/mutation.

A mutant is the installed module with one operator, number or keyword changed. The tests of the
module run on each, in a namespace of their own: a mutant may signal any process in there.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome

import ssd
from kit import namespace

PAGE = Path(__file__).parent.parent.parent / "docs" / "explanation" / "mutation.md"
PACKAGE = Path(ssd.__file__).parent
COUNTED = ("killed", "of them by the time limit", "survived")
MUTANT_TIMEOUT = 20.0  # seconds for the tests of one mutant; they take three at most

# Fast tests come first. The imports show whether TYPE_CHECKING is still false.
IMPORTS = "tests/cli/test_imports.py"
MARKS = ["tests/pidfile/test_marks.py", "tests/pidfile/test_mark_readers.py", IMPORTS]
TREES = ["tests/test_trees.py", "tests/test_tree_proofs.py"]
TESTS = {
    "matching": ["tests/test_matching.py", "tests/testing/test_conformance.py"],
    "schedule": ["tests/test_schedule.py", IMPORTS],
    "stopping": [
        "tests/test_stopping.py",
        *TREES,
        "tests/real/test_stopping.py",
        IMPORTS,
    ],
    "trees": [*TREES, IMPORTS],
    "pidfile": [
        "tests/pidfile/test_pidfile.py",
        "tests/pidfile/test_moments.py",
        "tests/pidfile/test_writing.py",
        *MARKS,
    ],
    "pidfile.writing": [
        "tests/pidfile/test_writing.py",
        "tests/pidfile/test_moments.py",
        *MARKS,
    ],
    "pidfile.marks": MARKS,
}

# Flags without common bits can also be added or xored, and a union of types allows only this
# operator. The only star is that of keyword arguments.
LEFT_OUT = ["core/ReplaceBinaryOperator_BitOr_(?!BitAnd)", "core/ReplaceBinaryOperator_Mul_"]

TOOLS = Path(sys.executable).parent
# The script, because -m would import the checkout; each mutant gets the same examples.
PYTEST = [str(TOOLS / "pytest"), "-q", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0"]


def path_of(module: str) -> Path:
    """Return the file of a module, ``pidfile.marks`` say, or of a package."""
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def configuration(module: str) -> str:
    """Return what Cosmic Ray reads: JSON's strings and lists are TOML's, too."""
    command = " ".join([*PYTEST, *TESTS[module]])
    return f"""
[cosmic-ray]
module-path = {json.dumps(str(path_of(module)))}
timeout = {MUTANT_TIMEOUT}
excluded-modules = []
test-command = {json.dumps(command)}
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = {json.dumps(LEFT_OUT)}
"""


def alone(*argv: str) -> int:
    """Run a command in a namespace of its own; return its exit status."""
    # So that the children of tests, too, import the mutant and not the checkout.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(namespace.command(argv), env=environment).returncode


def mutate(module: str, directory: Path) -> Path:
    """Try every mutant of a module; return the file of the session."""
    config, session = directory / f"{module}.toml", directory / f"{module}.sqlite"
    config.write_text(configuration(module))
    session.unlink(missing_ok=True)
    subprocess.run([TOOLS / "cosmic-ray", "init", config, session], check=True)
    subprocess.run([TOOLS / "cr-filter-operators", session, config], check=True)
    if alone(str(TOOLS / "cosmic-ray"), "exec", str(config), str(session)):
        sys.exit(f"mutation: {module}: Cosmic Ray has failed")
    return session


def changed(diff: str) -> list[str]:
    """Return the lines that a mutant adds to the module, or else those that it removes."""
    lines = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
    added = [line[1:].strip() for line in lines if line[:1] == "+"]
    return added or [f"without {line[1:].strip()}" for line in lines if line[:1] == "-"]


def report(module: str, session: Path, explained: set[str]) -> bool:
    """Print the results of the mutants; return whether the survivors are those of the page."""
    count: Counter[str] = Counter()
    survivors: set[str] = set()
    with use_db(session, WorkDB.Mode.open) as db:
        results = [result for _, result in db.completed_work_items]
    done = [result for result in results if result.worker_outcome != WorkerOutcome.SKIPPED]
    for result in done:
        if result.worker_outcome != WorkerOutcome.NORMAL:
            sys.exit(f"mutation: {module}: a mutant could not be tried: {result.output}")
        survived = result.test_outcome == TestOutcome.SURVIVED
        count["survived" if survived else "killed"] += 1
        count["of them by the time limit"] += result.output == "timeout"
        if survived:
            survivors |= {f"{module}: {line}" for line in changed(result.diff)}
    listed = {line for line in explained if line.startswith(f"{module}: ")}
    counted = ", ".join(f"{count[what]} {what}" for what in COUNTED)
    print(f"{module}: {len(done)} mutants, {counted}")
    for line in sorted(survivors - listed):
        print(f"not explained: {line}")
    for line in sorted(listed - survivors):
        print(f"explained, and did not survive: {line}")
    sys.stdout.flush()
    return survivors == listed


def main() -> int:
    """Mutate the named modules, or all; return 1 if the page does not match the results."""
    directory, modules = Path(sys.argv[1]), sys.argv[2:] or list(TESTS)
    directory.mkdir(exist_ok=True)
    if unknown := set(modules) - set(TESTS):
        sys.exit(f"mutation: no {', '.join(sorted(unknown))}; there are {', '.join(TESTS)}")
    tests = dict.fromkeys(test for module in modules for test in TESTS[module])
    if alone(*PYTEST, *tests):
        sys.exit("mutation: the tests fail before anything is changed")
    explained = set(PAGE.read_text().splitlines())
    true = [report(module, mutate(module, directory), explained) for module in modules]
    return 0 if all(true) else 1


if __name__ == "__main__":
    sys.exit(main())
