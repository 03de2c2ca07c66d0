"""The modules of the hot paths in one file: the commands load them from it, or the usual way.

``python -Im ssd.installation`` makes the file from the sources, which remain what counts: a module
whose source has another time or size than when the file was made is imported the usual way, as
with a .pyc file, and so are all if there is no file. The scripts run this module's code from the
beginning of the file, before anything else is imported, so it imports only what Python's own start
has loaded.

The file: the magic number of the interpreter's bytecode (4 bytes), how long the next part is (4
bytes, little-endian), this module's code and the index, marshalled, then the code of each module.
"""

import posix
import sys
from _frozen_importlib import FrozenImporter, ModuleSpec
from _frozen_importlib_external import SourceFileLoader
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from types import CodeType, ModuleType

    # module -> (its source, below the directory of the packages, or absolute; whether it is a
    # package; the source's time of change in ns, and size; where its code begins after the index,
    # and how long it is)
    Index = Mapping[str, tuple[str, bool, int, int, int, int]]

HEAD = 8  # bytes before the first marshalled part


def place(home: str) -> str:
    """Return the path of the bundle of this Python, for the packages in a directory."""
    return f"{home}/ssd/__pycache__/bundle.{sys.implementation.cache_tag}.bin"


class Bundle:
    """A finder (``sys.meta_path``) of the modules in a bundle."""

    def __init__(self, home: str, path: str, held: bytes, index: "Index") -> None:
        """``held``: the first bytes of the file."""
        self.home = home
        self.path = path
        self.held = held
        self.index = index
        self.begin = HEAD + int.from_bytes(held[4:HEAD], "little")

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Find a module; None unless its source is that of which the bundle was made."""
        row = self.index.get(name)
        if row is None:
            return None
        source = row[0] if row[0][0] == "/" else f"{self.home}/{row[0]}"
        try:
            now = posix.stat(source)
        except OSError:
            return None  # the usual finders say what is missing
        # Archives and layers of images may have cut the time off to seconds.
        if now.st_mtime_ns not in (row[2], row[2] - row[2] % 10**9) or now.st_size != row[3]:
            return None
        spec = ModuleSpec(name, BundleLoader(name, source, self), origin=source, is_package=row[1])
        spec.has_location = True
        if row[1]:
            spec.submodule_search_locations = [source[: source.rindex("/")]]
        return spec

    def code(self, name: str) -> "CodeType | None":
        """Return a module's code; None if the file is another by now, cut off or gone."""
        begin, length = self.begin + self.index[name][4], self.index[name][5]
        code = self.held[begin : begin + length]
        if len(code) < length:
            try:
                with open(self.path, "rb", 0) as file:
                    if file.read(self.begin) != self.held[: self.begin]:
                        return None  # written anew while this process runs: with other offsets
                    file.seek(begin)
                    code = file.read(length) or b""
            except OSError:
                return None  # the source has it, too
        loaded: CodeType | None = loads(code) if len(code) == length else None
        return loaded


class BundleLoader(SourceFileLoader):
    """Loads a module's code from the bundle, and all else, as its text, from the source."""

    def __init__(self, name: str, path: str, bundle: Bundle) -> None:
        self.bundle = bundle
        super().__init__(name, path)

    def get_code(self, fullname: str) -> "CodeType | None":
        """Return the module's code, by the usual way if the bundle no longer has it."""
        return self.bundle.code(fullname) or super().get_code(fullname)


def begin(home: str, path: str, held: bytes, index: "Index") -> None:
    """Use a bundle in this process, which must be a command of ssd's own; see ``Bundle``."""
    if home[0] != "/":  # of a script that was called so; commands change their directory
        home, path = f"{posix.getcwd()}/{home}", f"{posix.getcwd()}/{path}"
    sys.path.append(home)  # last, for what is not in the bundle
    sys.meta_path.insert(0, Bundle(home, path, held, index))
    if "os" not in sys.modules and (os := light_os()) is not None:
        sys.modules["os"] = os


# os --------------------------------------------------------------------------------------------


def light_os() -> "ModuleType | None":
    """Make the module ``os`` with what costs nothing; it completes itself when more is used.

    os is posix and much else. To import it takes a twelfth of an interpreter's start, most of it
    for the abstract classes of collections, which a status never needs. Returns None if this
    Python does not have os frozen, so that it must be searched for.
    """
    spec = FrozenImporter.find_spec("os")
    if spec is None:
        return None
    module = FrozenImporter.create_module(spec)
    assert module is not None
    names = module.__dict__
    own = ("environ", *filter(lambda name: name[0] == "_", posix.__dict__))  # not the same in os
    names.update(item for item in posix.__dict__.items() if item[0] not in own)
    names.update(_exit=posix._exit, fsencode=fsencode, fsdecode=fsdecode)
    names.update(__spec__=spec, __loader__=FrozenImporter, __package__="")

    def complete(name: str) -> object:
        """Become the whole ``os``, and return one of its names (PEP 562)."""
        if name == "__path__":  # each "from os import" asks for it
            raise AttributeError("module 'os' has no attribute '__path__'")
        if name == "path" and "__getattr__" in names:
            import posixpath  # which needs no more of os than posix, but for a home directory

            names["path"] = sys.modules["os.path"] = posixpath
        elif names.pop("__getattr__", None) is not None:
            FrozenImporter.exec_module(module)
        value: object = getattr(module, name)
        return value

    names["__getattr__"] = complete
    # For "import os.path", for which it must be here before os itself is asked.
    path = sys.modules["os.path"] = type(sys)("os.path")
    path.__dict__["__getattr__"] = lambda name: getattr(complete("path"), name)
    return module


def fsencode(path: "str | bytes | PathLike[str] | PathLike[bytes]") -> bytes:
    """Do what ``os.fsencode`` does."""
    given = posix.fspath(path)
    if isinstance(given, bytes):
        return given
    return given.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def fsdecode(path: "str | bytes | PathLike[str] | PathLike[bytes]") -> str:
    """Do what ``os.fsdecode`` does."""
    given = posix.fspath(path)
    if isinstance(given, str):
        return given
    return given.decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
