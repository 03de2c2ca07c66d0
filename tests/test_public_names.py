"""The public names of ``ssd``."""

import pytest

import ssd


def test_public_names_load() -> None:
    """__all__, dir() and the table of homes agree."""
    assert sorted(ssd.__all__) == sorted(ssd._HOME)
    assert set(ssd.__all__) <= set(dir(ssd))
    assert [] == [name for name in ssd.__all__ if getattr(ssd, name, None) is None]
    with pytest.raises(AttributeError, match="bogus"):
        _ = ssd.bogus


@pytest.mark.parametrize("name", [name for name in ssd.__all__ if name != "__version__"])
def test_public_names_have_docstrings(name: str) -> None:
    """It has a docstring of its own, and so have its public methods."""
    value = getattr(ssd, name)
    methods = [] if not isinstance(value, type) else [
        method for label, method in vars(value).items()
        if not label.startswith("_") and callable(method)
    ]  # fmt: skip
    assert value.__doc__
    assert [] == [method.__name__ for method in methods if not method.__doc__]


def test_failures_have_one_base_class() -> None:
    """``except ssd.Error`` catches what ssd foresees."""
    kinds = [getattr(ssd, name) for name in ssd.__all__ if isinstance(getattr(ssd, name), type)]
    own = [kind for kind in kinds if issubclass(kind, Exception)]
    outside = {ssd.MatchWarning, ssd.StartWarning, ssd.ScheduleError}  # warnings, and a ValueError
    assert outside == {kind for kind in own if not issubclass(kind, ssd.Error)}
