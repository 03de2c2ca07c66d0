"""Import ssd from ssd.pyz, the file that ``scripts/zipapp`` makes, and run the commands from it.

Python reads the list of all members of a zip file at each start. So the zip file at the end of
ssd.pyz has few, and this finder knows the rest: the sources, compressed, and for some versions of
Python the bytecode. What the commands need most is in windows, which are read as a whole.

Nothing is used that is not as it was written: windows have a hash, and compressed parts the
checksum of their format (RFC 1950). So a file that was cut off, damaged, or overwritten while a
command runs from it is noticed.
"""

import posix
import sys
from _frozen_importlib import ModuleSpec
from _imp import source_hash
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

    Row = tuple[int, int, int, bool]  # the window, -1 for none; begin, size; whether a package
    Window = tuple[int, int, bytes]  # begin in the file, size, hash

KEY = 0x737364  # of the hashes
PACKAGES = ("ssd", "daemon", "lockfile")  # what is inside
# The commands, and the module that each is.
COMMANDS = {
    "ssd": "ssd.cli",
    "ssd-service": "ssd.service.cli",
    "ssd-supervise": "ssd.supervise",
    "ssd-initctl": "ssd.upstart.initctl",
}
# Other names of links to the file.
NAMES = {
    **{name: name for name in COMMANDS},
    "start-stop-daemon": "ssd",
    "service": "ssd-service",
    **dict.fromkeys(("init", "upstart-init"), "ssd-supervise"),
    **dict.fromkeys(
        ("initctl", "start", "stop", "restart", "reload", "status", "telinit"), "ssd-initctl"
    ),
}


def damaged(path: str) -> OSError:
    """Return the error of a file that is not what it was when it was made, or opened."""
    why = "it is damaged, or was overwritten: copy it under another name, and rename that"
    return OSError(8, why, path)  # ENOEXEC


def flags() -> int:
    """Return the flags of compile: before Python 3.11 no annotation must be evaluated (PEP 563)."""
    if sys.version_info >= (3, 11):
        return 0
    else:
        import __future__

        return __future__.annotations.compiler_flag


class OneFile:
    """A finder (``sys.meta_path``) and loader of the modules in the file."""

    def __init__(
        self,
        path: str,
        fd: int,
        files: "tuple[int, int]",
        hot: "dict[str, Row]",
        windows: "Sequence[Window]",
        cold: "tuple[int, int, int, int] | None",
        held: bytes,
    ) -> None:
        """``path``: without links.

        fd: an open descriptor of it, -1 to open it each time. files: begin and size of the table of
        sources and data. hot: the modules in windows. held: the first window. cold: begin and size
        of the table of the other modules' code, and of all that code; None without bytecode.
        """
        self.path = path
        self.archive = path  # as a zipimporter calls it
        self._fd = fd
        self._files_at = files
        self._hot = hot
        self._windows = windows
        self._cold_at = cold
        self._held = {0: held}
        self._areas: list[tuple[int, bytes]] = []
        self._files: dict[str, tuple[int, int]] = {}
        self._cold: dict[str, Row] = {}

    # finder and loader (importlib.abc) ---------------------------------------------------------

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Find a module; None for one that is not inside."""
        if name.partition(".")[0] not in PACKAGES:
            return None
        row = self._row(name)
        if row is None:
            return None
        file = self.get_filename(name)
        # It need not be an importlib.abc.Loader, the import of which costs too much.
        spec = ModuleSpec(name, self, origin=file, is_package=row[3])  # type: ignore[arg-type]
        if row[3]:
            spec.submodule_search_locations = [file[: file.rindex("/")]]
        return spec

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """Leave that to importlib."""
        return None

    def exec_module(self, module: "ModuleType") -> None:
        """Run a module's code in it."""
        name = module.__name__
        assert module.__spec__ is not None
        module.__file__ = module.__spec__.origin
        exec(self.get_code(name), module.__dict__)
        if name == "ssd":
            module.__dict__["archive"] = self.path

    def get_code(self, name: str) -> "CodeType":
        """Return a module's code. Raises ImportError, and OSError."""
        row = self._row(name)
        if row is None:
            raise ImportError(f"{name} is not in {self.path}", name=name)
        window, begin, size, _ = row
        if window >= 0:
            code: CodeType = loads(memoryview(self._window(window))[begin : begin + size])
        elif self._cold_at is not None:
            code = loads(self._unpacked(begin, size))
        else:
            text = self._unpacked(begin, size)
            code = compile(text, self.get_filename(name), "exec", flags(), dont_inherit=True)
        return code

    def is_package(self, name: str) -> bool:
        """Tell whether a module is a package."""
        row = self._row(name)
        return row is not None and row[3]

    def get_filename(self, name: str) -> str:
        """Return the path of a module's source, as if the file were a directory."""
        return f"{self.path}/{name.replace('.', '/')}{'/__init__' * self.is_package(name)}.py"

    def get_source(self, name: str) -> str:
        """Return a module's source. Raises OSError."""
        return self.get_data(self.get_filename(name)).decode()

    def get_data(self, path: str) -> bytes:
        """Return a file of a package, by its path as if the file were a directory.

        Raises OSError for one that is not inside.
        """
        row = self._table().get(path.removeprefix(f"{self.path}/"))
        if row is None:
            raise OSError(2, "No such file or directory", path)
        return self._unpacked(*row)

    # the file ----------------------------------------------------------------------------------

    def hold(self) -> None:
        """Read all that this process may import or read later, so that it needs the file no more.

        For a process that lives long: the file may be replaced, or overwritten. It is closed then.
        Raises OSError.
        """
        table = self._table()
        if self._cold_at is not None:
            begin, size = self._cold_at[2:]
            self._areas.append((begin, self._read(begin, size)))
            self._row("")
            for number in range(len(self._windows)):
                self._window(number)
        for path, (begin, size) in table.items():
            if self._cold_at is None or not path.endswith(".py"):
                self._areas.append((begin, self._read(begin, size)))
        if self._fd >= 0:
            posix.close(self._fd)
            self._fd = -1

    def _row(self, name: str) -> "Row | None":
        row = self._hot.get(name)
        if row is not None:
            return row
        if not self._cold:
            if self._cold_at is not None:
                self._cold = loads(self._unpacked(*self._cold_at[:2]))
            else:
                self._cold = dict(_rows(self._table()))
        return self._cold.get(name)

    def _table(self) -> "dict[str, tuple[int, int]]":
        if not self._files:
            self._files = loads(self._unpacked(*self._files_at))
        return self._files

    def _window(self, number: int) -> bytes:
        held = self._held.get(number)
        if held is None:
            begin, size, wanted = self._windows[number]
            held = self._read(begin, size)
            if source_hash(KEY, held) != wanted:
                self._reopen()
                held = self._read(begin, size)
                if source_hash(KEY, held) != wanted:
                    raise damaged(self.path)
            self._held[number] = held
        return held

    def _unpacked(self, begin: int, size: int) -> bytes:
        """Return what is compressed there. Raises OSError."""
        from zlib import decompress, error

        try:
            return decompress(self._read(begin, size))
        except error:
            self._reopen()
        try:
            return decompress(self._read(begin, size))
        except error:
            raise damaged(self.path) from None

    def _read(self, begin: int, size: int) -> bytes:
        for at, area in self._areas:
            if at <= begin and begin + size <= at + len(area):
                return area[begin - at : begin - at + size]
        fd = self._fd
        if fd >= 0:
            try:
                return posix.pread(fd, size, begin)
            except OSError:
                pass  # closed with all others, as before a start: _reopen
            self._reopen()
        fd = posix.open(self.path, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            return posix.pread(fd, size, begin)
        finally:
            posix.close(fd)

    def _reopen(self) -> None:
        """Open the file by its path from now on: the descriptor may be another file's by now."""
        self._fd = -1


def _rows(files: "dict[str, tuple[int, int]]") -> "list[tuple[str, Row]]":
    """Return the modules among the files of the packages."""
    rows: list[tuple[str, Row]] = []
    for path, (begin, size) in files.items():
        if path.endswith(".py"):
            parts = path[:-3].split("/")
            is_package = parts[-1] == "__init__"
            rows.append((".".join(parts[: len(parts) - is_package]), (-1, begin, size, is_package)))
    return rows


class OnHost:
    """The last finder: psutil, which cannot be inside, where the host has it.

    It also says what to do about a module of Python itself that the host lacks.
    """

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Look with site's directories, which a command does not have from the start."""
        found, why = None, "ssd.pyz cannot contain it: install psutil for that Python"
        if name == "psutil":
            from importlib.machinery import PathFinder

            if sys.flags.no_site and "site" not in sys.modules:
                import site

                site.main()
            found = PathFinder.find_spec(name)
        elif name in getattr(sys, "stdlib_module_names", ()):  # since Python 3.10
            why = (
                "it belongs to Python: install all of Python (in Debian python3, not its -minimal)"
            )
        else:
            return None
        if found is None:
            raise ModuleNotFoundError(f"{sys.executable} has no {name}; {why}", name=name)
        return found


def provide(
    path: str,
    fd: int,
    files: "tuple[int, int]",
    hot: "dict[str, Row] | None" = None,
    windows: "Sequence[Window]" = (),
    cold: "tuple[int, int, int, int] | None" = None,
    held: bytes = b"",
) -> OneFile:
    """Let this process import from the file; see ``OneFile``."""
    made = OneFile(path, fd, files, hot or {}, windows, cold, held)
    sys.meta_path.insert(0, made)
    sys.meta_path.append(OnHost())
    return made


def become(made: OneFile, name: str) -> None:
    """Load a module in place of the one that is being imported under its name."""
    module, spec = sys.modules[name], made.find_spec(name)
    assert spec is not None
    module.__spec__, module.__loader__ = spec, spec.loader
    module.__path__ = spec.submodule_search_locations or []
    made.exec_module(module)


def real_path(path: str, fd: int) -> str:
    """Return the absolute path of an open file, without links."""
    try:
        found = posix.readlink(f"/proc/self/fd/{fd}")
    except OSError:  # no /proc
        found = ""
    if found.startswith("/") and not found.endswith(" (deleted)"):
        return found
    from os.path import realpath

    return realpath(path)


def run(made: OneFile, argv: "list[str]") -> int:
    """Run the command that the name or the first word names; return its exit status."""
    argv[:] = called(argv, made.path)
    command = NAMES.get(argv[0].rpartition("/")[2], "ssd")
    from ssd.stdio import name_process

    name_process(argv[0])
    if command == "ssd-supervise":
        made.hold()
    main = __import__(COMMANDS[command], fromlist=["main"]).main
    status: int = main(argv)
    return status


def called(argv: "list[str]", path: str) -> "list[str]":
    """Return the words of a command, the first of which is its name or path.

    A first word that is a command counts unless the name of the file, or of a link to it, is one.
    """
    if argv[0].rpartition("/")[2] not in NAMES and argv[1:2] and argv[1] in COMMANDS:
        return [f"{path[: path.rindex('/')]}/{argv[1]}", *argv[2:]]
    return argv
