"""The public names of ssd.testing, each loaded when it is first used."""

import json

import pytest
from kit.children import python

from ssd import testing

CODE = """
import json, sys
import ssd.testing
before = [name for name in sys.modules if name.startswith("ssd.testing.")]
ssd.testing.dies
print(json.dumps([before, "ssd.testing.reactions" in sys.modules, "pytest" in sys.modules]))
"""


@pytest.mark.parametrize("name", testing.__all__)
def test_public_names_are_there(name: str) -> None:
    """Each is listed, and has the name by which it is imported."""
    assert name in dir(testing)
    value = getattr(testing, name)
    assert name == getattr(value, "__name__", "CHECKS")


def test_modules_load_with_the_first_name_that_needs_them() -> None:
    """``import ssd.testing`` loads none, and a reaction needs no pytest."""
    assert [[], True, False] == json.loads(python(CODE).stdout)


def test_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match=r"'ssd\.testing' has no attribute 'FakeDisk'"):
        testing.FakeDisk  # noqa: B018
