"""The order of services in a verb for all."""

import pytest

from ssd.service import Service
from ssd.service.verbs.levels import levels


def declared(name: str, *needs: str, **fields: object) -> Service:
    """Declare a service that needs others."""
    return Service(name=name, required_start=list(needs), **fields)


@pytest.mark.parametrize(
    ("services", "wanted"),
    [
        ([], []),
        ([declared("b"), declared("a")], [["a", "b"]]),
        ([declared("a", "b"), declared("b")], [["b"], ["a"]]),
        ([declared("a", "db"), declared("z", provides=["db"])], [["z"], ["a"]]),
        ([declared("a", "b", "$network"), declared("b", "c"), declared("c")],
         [["c"], ["b"], ["a"]]),
        ([declared("a", "b"), declared("b", "a"), declared("c")], [["c"], ["a", "b"]]),
        ([declared("a", "b"), declared("b", "c"), declared("c", "b"), declared("d", "a")],
         [["b", "c"], ["a"], ["d"]]),
        ([declared("a", "a")], [["a"]]),
        ([declared("a", "web"), declared("web@1", provides=["web"]),
          declared("web@2", "x", provides=["web"]), declared("x")],
         [["web@1", "x"], ["web@2"], ["a"]]),
        ([Service(name="a", should_start=["b"]), declared("b")], [["b"], ["a"]]),
        ([Service(name="a", requires=["b"]), Service(name="b", after=["c"]), declared("c")],
         [["c"], ["b"], ["a"]]),
    ],
    ids=str,
)  # fmt: skip
def test_levels_put_needed_services_first(services, wanted) -> None:
    """By name or by what a service provides; a circle comes before what needs it."""
    assert wanted == [[each.name for each in level] for level in levels(services)]
