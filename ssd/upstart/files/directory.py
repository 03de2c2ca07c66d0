"""Keep the jobs of a supervisor as their files say: read all, then follow each change.

What has changed is defined anew, what is gone or broken is undefined, all else is not touched.
"""

import os
import time

from ssd.service.sources.upstart import CONF, OVERRIDE
from ssd.upstart.files.reading import Tree, declare, texts_of
from ssd.upstart.files.shipped import NAMES, shipped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from ssd.service.errors import DeclarationError
    from ssd.service.sources.upstart import JobFile
    from ssd.supervision.supervisor import Timer
    from ssd.supervision.watch import Watch
    from ssd.upstart.files.polling import Polling
    from ssd.upstart.files.reading import Texts
    from ssd.upstart.files.watching import Watching

    class Definitions(Protocol):
        """What takes the jobs: ``ssd.upstart.jobs.Jobs``."""

        def define(self, file: JobFile, shipped: bool = False) -> object:
            """Take a new or changed job."""

        def undefine(self, name: str) -> object:
            """Take a job away."""

        def after(self, seconds: float, call: "Callable[[], object]") -> Timer:
            """Call later."""

        def cancel(self, timer: Timer) -> object:
            """Do not call."""


SETTLING = 0.25  # seconds in which a file that was found, and not announced, may be half written


class Directory:
    """Jobs of a directory, or of several ones, the first of which counts.

    watch: gets a descriptor of inotify(7). jobs: is told what to define and to undefine. tell: is
    called with a level and a text for each fault; its file may be mended at any time.
    """

    __slots__ = (
        "paths", "_watch", "_jobs", "_tell", "_texts", "_defined", "_told", "_watching",
        "_polling", "_timers", "_roots",
    )  # fmt: skip

    def __init__(
        self,
        directory: "str | Sequence[str]",
        watch: "Watch",
        jobs: "Definitions",
        tell: "Callable[[str, str], object]",
    ) -> None:
        given = [directory] if isinstance(directory, str) else directory
        self.paths = [os.path.abspath(path) for path in given]
        self._watch = watch
        self._jobs = jobs
        self._tell = tell
        self._texts: dict[str, Texts] = {}  # of each job, as they were read
        self._defined: set[str] = set()
        self._told: set[str] = set()  # faults of directories
        self._timers: dict[str, Timer] = {}
        self._roots: set[str] = set()  # those that exist
        self._watching: Watching | None = None
        self._polling: Polling | None = None
        self._begin()

    def reload(self) -> None:
        """Read all anew: for ``initctl reload-configuration`` and SIGHUP."""
        for path in self.paths:
            self._tell("info", f"Loading configuration from {path}")
        self._told.clear()
        self._read_all(settled=True)

    def close(self) -> None:
        """Follow nothing any more."""
        for timer in self._timers.values():
            self._jobs.cancel(timer)
        self._timers.clear()
        for each in (self._watching, self._polling):
            if each is not None:
                each.close()
        self._watching = self._polling = None

    def _begin(self) -> None:
        from ssd.upstart.files.watching import Watching

        try:
            self._watching = Watching(self.paths, self._watch, self._changed)
        except OSError as error:
            self._poll(error.strerror or str(error))
        self.reload()

    def _changed(self, names: "set[str] | None") -> None:
        """Take a notice: names of jobs, None for all that there may be."""
        if names is None:
            self._read_all(settled=False)
        else:
            for name in sorted(names):
                self._read(name)
            self._heed_modes()

    def _read_all(self, settled: bool) -> None:
        """Read every file. ``settled``: also those that somebody may write at this moment."""
        tree = self._follow()
        for fault in tree.faults:
            self._say(fault)
        for name in sorted({*tree.names, *self._texts, *NAMES}):
            if settled or not self._is_new(name):
                self._read(name)
        self._heed_modes()
        roots = {path for path in self.paths if path in tree.directories}
        for path in sorted(self._roots - roots):
            self._tell("warn", f"{path}: Configuration directory deleted")
        self._roots = roots

    def _follow(self) -> Tree:
        """Return what there is, after all of it is watched: no change is missed in between."""
        tree = Tree(self.paths)
        while self._watching is not None:
            if not self._watching.follow(tree.directories):
                self._poll("no inotify watch is left")
            before, tree = tree, Tree(self.paths)
            if tree.directories == before.directories:
                break
        return tree

    def _poll(self, problem: str) -> None:
        """Look again and again from now on."""
        from ssd.upstart.files.polling import INTERVAL, Polling

        if self._watching is not None:
            self._watching.close()
            self._watching = None
        where = " ".join(self.paths)
        how = f"it is looked at every {INTERVAL:g} s"
        self._tell("warn", f"{where}: Unable to watch configuration directory: {problem}; {how}")
        self._polling = Polling(self.paths, self._jobs, lambda: self._read_all(settled=True))

    def _is_new(self, name: str) -> bool:
        """Tell whether a file of a job was written just now: then it is read a moment later."""
        for path in self.paths:
            for ending in (CONF, OVERRIDE):
                try:
                    age = time.time() - os.stat(f"{path}/{name}{ending}").st_mtime
                except OSError:
                    continue  # it is not there, or reading it tells what is wrong
                if 0 <= age < SETTLING:
                    self._read_later(name)
                    return True
        return False

    def _read_later(self, name: str) -> None:
        def read() -> None:
            del self._timers[name]
            self._read(name)

        if name not in self._timers:
            self._timers[name] = self._jobs.after(SETTLING, read)

    def _read(self, name: str) -> None:
        """Read the files of a job, and define it if they have changed."""
        texts = texts_of(name, self.paths)
        if texts == self._texts.get(name):
            return
        faults: list[DeclarationError] = []
        file = declare(name, texts, faults)
        for fault in faults:
            self._tell("error", str(fault))
        self._texts[name] = texts
        is_shipped = file is None and not texts and name in NAMES
        if is_shipped:
            file = shipped(name, self.paths)
        if file is not None:
            self._defined.add(name)
            self._jobs.define(file, is_shipped)
        elif name in self._defined:
            self._defined.discard(name)
            self._jobs.undefine(name)
        if not texts and not is_shipped:
            del self._texts[name]

    def _heed_modes(self) -> None:
        """Have it told when a file that could not be read gets another mode."""
        if self._watching is not None:
            self._watching.unreadable = {
                text.path
                for texts in self._texts.values()
                for pair in texts
                for text in pair
                if text is not None and text.problem
            }

    def _say(self, fault: "DeclarationError") -> None:
        """Tell once that a directory cannot be listed."""
        if str(fault) not in self._told:
            self._told.add(str(fault))
            self._tell("error", str(fault))
