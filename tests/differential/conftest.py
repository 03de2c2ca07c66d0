"""Run both sides once, for the cases that this session selected."""

import pytest

from . import harness
from .cases import Case


@pytest.fixture(scope="session")
def possible():
    """Skip with the reason if the two sides cannot run."""
    if (hindrance := harness.hindrance()) is not None:
        pytest.skip(hindrance)


@pytest.fixture(scope="session")
def outcomes(request, possible):
    """Return a function from a case id to the outcomes (original, ssd) of that case."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    chosen = (call.params.get("case") for call in calls if call)
    names = [case.id for case in chosen if isinstance(case, Case)]  # other sessions have cases too
    sides = harness.compare(names, [harness.ORACLE, harness.command()])
    return lambda name: [side[name] for side in sides]
