"""Run all entry points once, for the cases that this session selected."""

import os

import pytest
from differential import harness
from differential.cases import Case

from . import entry_points


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Return the programs of the entry points by name; skip if they cannot be compared."""
    if (hindrance := harness.hindrance()) is not None:
        pytest.skip(hindrance)
    # The original needs kill(1) and ps(1); without them it finds no process.
    for needed in (entry_points.ORIGINAL, "/bin/dash", "/bin/pidof", "/bin/kill", "/bin/ps"):
        if not os.path.exists(needed):
            pytest.skip(f"{needed} is not installed (apt-get install lsb-base procps)")
    return entry_points.build(tmp_path_factory.mktemp("entry_points"))


@pytest.fixture(scope="session")
def outcomes(request, programs):
    """Return a function from a case's id to its outcomes by entry point."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    chosen = (call.params.get("lsb_case") for call in calls if call)
    names = list(dict.fromkeys(case.id for case in chosen if isinstance(case, Case)))
    sides = harness.compare(names, list(programs.values()), entry_points.CASES)
    return lambda name: {entry: side[name] for entry, side in zip(programs, sides, strict=True)}
