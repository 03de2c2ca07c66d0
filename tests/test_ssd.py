"""The public names of ``ssd`` and of its packages that load names on use."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

import ssd
import ssd.service
import ssd.service.lsb
import ssd.testing

LAZY = [ssd, ssd.service, ssd.service.lsb, ssd.testing]


@pytest.mark.parametrize("package", LAZY)
def test_public_names_load(package: ModuleType) -> None:
    """``__all__`` and dir() have all of them."""
    assert set(package.__all__) <= set(dir(package))
    assert [] == [name for name in package.__all__ if getattr(package, name, None) is None]
    with pytest.raises(AttributeError, match="bogus"):
        _ = package.bogus


@pytest.mark.parametrize("package", LAZY)
def test_public_names_are_those_that_a_type_checker_sees(package: ModuleType) -> None:
    """The imports under TYPE_CHECKING and the table of homes have the same names and modules."""
    tree = ast.parse(Path(str(package.__file__)).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (str(line.module).removeprefix(f"{package.__name__}."), name.name, name.asname)
        for line in block.body
        if isinstance(line, ast.ImportFrom) and str(line.module).startswith("ssd.")
        for name in line.names
    }
    assert seen == {(home, name, name) for home, names in package._HOMES.items() for name in names}


@pytest.mark.parametrize("name", [name for name in ssd.__all__ if name != "__version__"])
def test_public_names_have_docstrings(name: str) -> None:
    """Each has its own docstring, and so have its public methods."""
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
