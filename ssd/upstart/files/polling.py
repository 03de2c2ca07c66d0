"""Look at directories of job files again and again, where the kernel gives no notices."""

import os

from ssd.service.sources.upstart import CONF, OVERRIDE
from ssd.upstart.files.reading import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssd.supervision.supervisor import Timer
    from ssd.upstart.files.directory import Definitions

INTERVAL = 1.0  # seconds between two looks

Facts = dict[str, tuple[int, ...]]  # path -> what changes when somebody writes or replaces it


class Polling:
    """Calls ``changed()`` once files have changed, and have rested for one interval since.

    jobs: has the timers.
    """

    __slots__ = ("_roots", "_jobs", "_changed", "_timer", "_seen", "_moved")

    def __init__(
        self, roots: "Sequence[str]", jobs: "Definitions", changed: "Callable[[], object]"
    ) -> None:
        self._roots = roots
        self._jobs = jobs
        self._changed = changed
        self._moved = False
        self._seen = facts(roots)
        self._timer: Timer = jobs.after(INTERVAL, self._look)

    def close(self) -> None:
        """Look no more."""
        self._jobs.cancel(self._timer)

    def _look(self) -> None:
        self._timer = self._jobs.after(INTERVAL, self._look)
        seen = facts(self._roots)
        moved, self._seen = seen != self._seen, seen
        if self._moved and not moved:
            self._changed()
        self._moved = moved


def facts(roots: "Sequence[str]") -> Facts:
    """Return what says whether a job file below these directories was changed."""
    found: Facts = {}
    for directory in Tree(roots).directories:
        try:
            names = os.listdir(directory)
        except OSError:
            continue  # it has just gone, or may not be listed: it has no files then
        for name in names:
            if name.endswith((CONF, OVERRIDE)):
                path = f"{directory}/{name}"
                found[path] = _facts(path)
    return found


def _facts(path: str) -> "tuple[int, ...]":
    try:
        seen = os.stat(path)
    except OSError:
        return ()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mode, seen.st_mtime_ns, seen.st_ctime_ns
