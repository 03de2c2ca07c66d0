"""The bundle of the hot paths: its modules are those of the sources, or it is not used."""

import importlib
import importlib.resources
import inspect
import json
import marshal
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit.children import python

from ssd import bundle, installation

NAMES = ("bundled", "bundled.inner")
Begin = Callable[..., bundle.Bundle]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a directory of packages, on the path, with a package of two modules."""
    (tmp_path / "bundled").mkdir()
    (tmp_path / "bundled/__init__.py").write_text("VALUE = 1\n")
    (tmp_path / "bundled/inner.py").write_text("def told():\n    return 'first'\n")
    (tmp_path / "bundled/data.txt").write_text("data")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def begin(home: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Return a function that writes a bundle of the package, and uses it."""

    def write(whole: bool = True) -> bundle.Bundle:
        path, data = home / "bundle.bin", installation.bundle(str(home), NAMES)
        path.write_bytes(data)
        for name in NAMES:  # which have been imported to be found
            sys.modules.pop(name, None)
        _, index = marshal.loads(data[bundle.HEAD :])
        begin = bundle.HEAD + int.from_bytes(data[4 : bundle.HEAD], "little")
        finder = bundle.Bundle(str(home), str(path), data if whole else data[:begin], index)
        monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
        return finder

    return write


def swap(file: Path, text: str) -> None:
    """Replace a text by one of the same length, without a trace."""
    facts = file.stat()
    assert facts.st_size == len(text)
    file.write_text(text)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_module_comes_from_the_bundle(home: Path, begin: Begin) -> None:
    """Its source has other code, which is not looked at."""
    begin()
    swap(home / "bundled/inner.py", "def told():\n    return 'other'\n")
    inner = importlib.import_module("bundled.inner")
    assert "first" == inner.told()


@pytest.mark.parametrize("change", ["time", "size", "gone"])
def test_changed_source_is_not_taken_from_the_bundle(change: str, home: Path, begin: Begin) -> None:
    """The usual finders load it, or say that it is missing."""
    finder, source = begin(), home / "bundled/inner.py"
    assert finder.find_spec("bundled.inner") is not None
    if change == "time":
        facts = source.stat()
        os.utime(source, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    elif change == "size":
        facts = source.stat()
        source.write_text("def told():\n    return 'longer'\n")
        os.utime(source, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    else:
        source.unlink()
    assert finder.find_spec("bundled.inner") is None
    if change == "size":
        assert "longer" == importlib.import_module("bundled.inner").told()


def test_other_modules_are_left_to_the_usual_finders(begin: Begin) -> None:
    """Also those of the same package."""
    assert begin().find_spec("bundled.other") is None


def test_module_looks_like_one_that_was_imported_usually(home: Path, begin: Begin) -> None:
    """With its file, package, text and data."""
    begin()
    package, inner = map(importlib.import_module, NAMES)
    assert [str(home / "bundled")] == list(package.__path__)
    assert str(home / "bundled/__init__.py") == package.__file__
    assert (str(home / "bundled/inner.py"), "bundled") == (inner.__file__, inner.__package__)
    assert "def told():\n    return 'first'\n" == inspect.getsource(inner.told)
    assert "data" == importlib.resources.files("bundled").joinpath("data.txt").read_text()


def test_code_beyond_the_first_bytes_is_read_when_needed(home: Path, begin: Begin) -> None:
    """Only what the commonest verbs need is read at once."""
    finder = begin(whole=False)
    swap(home / "bundled/inner.py", "def told():\n    return 'other'\n")
    assert "first" == importlib.import_module("bundled.inner").told()
    assert finder.begin == len(finder.held)


@pytest.mark.parametrize("change", ["cut off", "gone", "written anew", "a directory"])
def test_bundle_that_changes_is_of_no_more_use(change: str, home: Path, begin: Begin) -> None:
    """A command may wait for minutes while another makes a bundle with other offsets."""
    begin(whole=False)
    path = home / "bundle.bin"
    data = path.read_bytes()
    path.unlink()
    if change == "cut off":
        path.write_bytes(data[:-1])
    elif change == "written anew":
        path.write_bytes(installation.bundle(str(home), ["json", *NAMES]))
    elif change == "a directory":
        path.mkdir()
    swap(home / "bundled/inner.py", "def told():\n    return 'other'\n")
    assert "other" == importlib.import_module("bundled.inner").told()


def test_time_may_have_lost_what_is_less_than_a_second(home: Path, begin: Begin) -> None:
    """As in most archives, and in the layers of images, whose bundle is of use."""
    source = home / "bundled/inner.py"
    os.utime(source, ns=(0, 1_700_000_000_123_456_789))
    finder = begin()
    for moment, found in ((0, True), (123_456_788, False), (-1, False), (10**9, False)):
        os.utime(source, ns=(0, 1_700_000_000 * 10**9 + moment))
        assert found == (finder.find_spec("bundled.inner") is not None), moment


# os -------------------------------------------------------------------------------------------

# Runs statements with the light os in place, in a Python that has not imported os.
LIGHT = f"""
import sys
assert "os" not in sys.modules
sys.path.insert(0, {str(Path(bundle.__file__).parent.parent)!r})
from ssd.bundle import light_os
os = sys.modules["os"] = light_os()
complete = lambda: "_collections_abc" in sys.modules
{{text}}
"""
FLAGS = ("-I", "-S")
USES = {
    "a system call": ("import os; os.close(os.open('/', 0)); os.fsencode('a')", False),
    "os.path": ("import os; assert os.path.join('a', 'b') == 'a/b'", False),
    "import os.path": ("import os.path; assert os.path.basename('a/b') == 'b'", False),
    "import os.path as": ("import os.path as p; assert p.basename('a/b') == 'b'", False),
    "from os.path": ("from os.path import realpath; assert realpath('/..') == '/'", False),
    "os.path, then os": ("import os.path as p; import os; os.walk; assert os.path is p", True),
    "os, then os.path": ("import os; os.walk; import os.path as p; assert os.path is p", True),
    "from os": ("from os import environ; assert environ['A'] == '1'", True),
    "from os, in C": ("from os import getpid, O_RDONLY", False),
    "from os import *": ("from os import *; assert linesep", True),
    "a name that it lacks": ("import os; assert not hasattr(os, 'nonsense')", True),
    "posixpath first": ("import posixpath; assert posixpath.expanduser('~') == '/h'", True),
    "the module stays the same": ("import os as a; a.walk; import os as b; assert a is b", True),
}


@pytest.mark.parametrize("use", USES)
def test_os_completes_itself_when_it_is_used(use: str) -> None:
    """And not before: a status has no use for most of it."""
    text, completes = USES[use]
    told = LIGHT.format(text=f"{text}\nprint(complete())")
    environment = {"A": "1", "HOME": "/h"}
    assert f"{completes}\n" == python(told, flags=FLAGS, env=environment).stdout.decode()


LENT = """
lent = dict(os.__dict__)
os.walk
assert len(lent) > 200
print([name for name, value in lent.items() if os.__dict__.get(name) is not value
       and name[:2] != "__"])
"""


def test_os_lends_only_what_stays_the_same() -> None:
    """environ, for example, is another mapping in posix than in os."""
    changed = python(LIGHT.format(text=LENT), flags=FLAGS).stdout
    assert b"['fsencode', 'fsdecode']\n" == changed


TELL = """
import json
print(json.dumps([sorted(os.__dict__), os.__file__, os.__name__, os.path.__name__,
                  repr(os.__spec__), os is sys.modules["os"], sys.modules["os.path"] is os.path]))
"""


def test_complete_os_is_the_usual_one() -> None:
    """All its names, and what it says of itself."""
    light = python(LIGHT.format(text=f"os.walk\n{TELL}"), flags=FLAGS)
    usual = python(f"import os, sys\n{TELL}", flags=FLAGS)
    assert json.loads(usual.stdout) == json.loads(light.stdout)


@pytest.mark.parametrize("name", ["a", "\udcff", "\xe9", b"a", b"\xff", Path("a")])
def test_names_of_files_are_coded_as_os_does(name: object) -> None:
    """Without os."""
    assert os.fsencode(name) == bundle.fsencode(name)  # type: ignore[arg-type]
    assert os.fsdecode(name) == bundle.fsdecode(name)  # type: ignore[arg-type]
