"""Share work that only reads among processes, one for each processor."""

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn, TypeVar

    Item = TypeVar("Item")
    Result = TypeVar("Result")

SHARE = 100  # items that are worth a process: its fork takes as long as ten of them


def share(
    items: "Sequence[Item]", work: "Callable[[Item], Result]", most: int | None = None
) -> "list[Result]":
    """Return what ``work`` gives for each item, in their order.

    ``most`` processes take part, as many as there are processors if None. Only for a process
    with a single thread; the results have to be plain (marshal). An exception in ``work``
    ends the whole with that of the caller's own share, or ChildProcessError.
    """
    count = min(most or os.cpu_count() or 1, len(items) // SHARE) or 1
    size = -(-len(items) // count) or 1
    shares = [items[start : start + size] for start in range(0, len(items), size)]
    helpers = [_start(each, work) for each in shares[1:]]
    results = [work(item) for item in (shares or [[]])[0]]
    for pid, reading in helpers:
        results += _finish(pid, reading)
    return results


def _start(items: "Sequence[Item]", work: "Callable[[Item], Result]") -> tuple[int, int]:
    """Fork a process for these items; return its pid and where to read its results."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _help(items, work, writing)
    os.close(writing)
    return pid, reading


def _help(items: "Sequence[Item]", work: "Callable[[Item], Result]", writing: int) -> "NoReturn":
    """Be the process that was forked."""
    status = 1
    try:
        with open(writing, "wb") as pipe:
            marshal.dump([work(item) for item in items], pipe)
        status = 0
    finally:
        os._exit(status)  # the caller's buffers and exit handlers are not ours


def _finish(pid: int, reading: int) -> "list[Result]":
    """Read the results to their end and reap the process."""
    with open(reading, "rb") as pipe:
        data = pipe.read()
    if os.waitpid(pid, 0)[1]:
        raise ChildProcessError(f"process {pid}, which had a share of the work, has failed")
    results: list[Result] = marshal.loads(data)
    return results
