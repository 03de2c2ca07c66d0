"""Watch directories of job files by inotify(7), and those above them while they do not exist.

A file that is written in place is taken when its writer closes it, a renamed or linked one at once:
no half of a file is read.
"""

import os
import stat

from ssd.service.sources.upstart import CONF, OVERRIDE
from ssd.upstart.files import inotify
from ssd.upstart.files.reading import is_ignored, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ssd.supervision.watch import Watch
    from ssd.upstart.files.inotify import Notice

GONE = inotify.IN_MOVED_FROM | inotify.IN_DELETE
WHOLE = inotify.IN_CLOSE_WRITE | inotify.IN_MOVED_TO
ANEW = inotify.IN_DELETE_SELF | inotify.IN_MOVE_SELF | inotify.IN_UNMOUNT | inotify.IN_Q_OVERFLOW


class Watching:
    """Tells which jobs may have changed.

    roots: the directories, absolute. changed: is called with names of jobs whose files have
    changed, and with None if anything may have: then ``follow`` must be called. Raises OSError
    where inotify is not to be had.
    unreadable: the files that could not be read, which a new mode may mend.
    """

    __slots__ = ("unreadable", "_roots", "_inotify", "_watch", "_changed", "_places", "_awaited")

    def __init__(
        self,
        roots: "Sequence[str]",
        watch: "Watch",
        changed: "Callable[[set[str] | None], object]",
    ) -> None:
        self.unreadable: set[str] = set()
        self._roots = roots
        self._changed = changed
        self._places: dict[int, set[str]] = {}  # number of a watch -> paths of its directory
        self._awaited: set[str] = set()  # paths that are to come
        self._inotify = inotify.Inotify()
        self._watch = watch
        watch.add(self._inotify.fd, self._take)

    def follow(self, directories: "Iterable[str]") -> bool:
        """Watch these directories and no others; return whether all could be watched.

        Those that vanish meanwhile are no failure: a notice of that comes.
        """
        before = self._places
        self._places = {}
        self._awaited = set()
        watched = True
        for path in directories:
            watched = self._add(path) and watched
        for root in self._roots:
            watched = self._await(root) and watched
        for wd in before.keys() - self._places.keys():
            self._inotify.remove(wd)
        return watched

    def close(self) -> None:
        """Watch nothing any more."""
        self._watch.remove(self._inotify.fd)
        self._inotify.close()

    def _add(self, path: str, mask: int = inotify.CHANGES) -> bool:
        wd = self._inotify.add(path, mask)
        if wd is None:
            # Without a permission there is nothing to see, and the reading says so.
            return not os.path.isdir(path) or not os.access(path, os.R_OK)
        self._places.setdefault(wd, set()).add(path)
        return True

    def _await(self, root: str) -> bool:
        """Watch for a directory that does not exist, in the nearest one above it."""
        while not os.path.isdir(root):
            path = root
            while not os.path.isdir(above := os.path.dirname(path)):
                path = above
            self._awaited.add(path)
            if not self._add(above, inotify.ARRIVALS):
                return False
            if not os.path.isdir(path):  # it may have come before the watch
                break
        return True

    def _take(self) -> None:
        """Take all notices that are there."""
        names: set[str] = set()
        everything = False
        for notice in self._inotify.take():
            if notice.mask & inotify.IN_IGNORED:
                self._places.pop(notice.wd, None)
                continue
            everything = everything or bool(notice.mask & ANEW)
            for place in self._places.get(notice.wd, ()):
                path = f"{place}/{notice.name}"
                if path in self._awaited or self._is_structure(notice, path):
                    everything = True
                elif self._is_whole(notice, path):
                    names.update(self._names(path))
        if names:
            self._changed(names)
        if everything:
            self._changed(None)

    def _is_structure(self, notice: "Notice", path: str) -> bool:
        """Tell whether a directory, or a link that may lead to one, has come or gone."""
        name = notice.name
        if not name or not any(path.startswith(f"{root}/") for root in self._roots):
            return False
        if notice.mask & inotify.IN_ISDIR:
            return not is_ignored(name)
        return not name.endswith((CONF, OVERRIDE)) and _is_link(path)

    def _is_whole(self, notice: "Notice", path: str) -> bool:
        """Tell whether a file has changed, and nobody is about to write more of it."""
        if notice.mask & WHOLE:
            return True
        if notice.mask & GONE:
            return not os.path.lexists(path)  # it is there again: the notice of that comes
        if notice.mask & inotify.IN_CREATE:
            return _is_link(path)  # a new file is written now, and closed then
        return bool(notice.mask & inotify.IN_ATTRIB) and path in self.unreadable

    def _names(self, path: str) -> "set[str]":
        found = (name_of(root, path) for root in self._roots)
        return {name for name in found if name is not None}


def _is_link(path: str) -> bool:
    """Tell whether a new name was given to a file that was there before."""
    try:
        facts = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(facts.st_mode) or (stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1)
