"""Many services: their order, and work that is shared among processes."""

import os

import pytest

from ssd.service import Service
from ssd.service.verbs import order, sharing


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
        ([Service(name="a", should_start=["b"]), declared("b")], [["b"], ["a"]]),
    ],
    ids=str,
)  # fmt: skip
def test_what_others_need_comes_first(services, wanted) -> None:
    """By name or by what it provides; what waits in a circle comes before what needs that."""
    assert wanted == [[each.name for each in level] for level in order.levels(services)]


@pytest.mark.parametrize("count", [0, 1, 99, 250, 1001])
@pytest.mark.parametrize("most", [1, 2, 7])
def test_shared_work_is_done_in_order(count: int, most: int) -> None:
    """Each item once, whoever does it."""
    assert [n * n for n in range(count)] == sharing.share(range(count), lambda n: n * n, most)


def test_work_is_shared_among_processes() -> None:
    """As many as are asked for, if there is enough to do."""
    assert 3 == len(set(sharing.share(range(300), lambda n: os.getpid(), 3)))
    assert 1 == len(set(sharing.share(range(99), lambda n: os.getpid(), 3)))


def test_failure_in_a_share_is_not_lost() -> None:
    """It has no place in the results."""
    with pytest.raises(ChildProcessError):
        sharing.share(range(200), lambda n: 1 // (199 - n), 2)
