"""The pidfile: removed with care, and nothing else in its place."""

import errno
import os
import sys
from pathlib import Path

import pytest
from conftest import Run
from kit.children import python
from kit.leaks import listing, nothing_left
from kit.pidfiles import Make, directory, endless_device, file, link, listener, nothing
from kit.users import as_nobody, shared, skip_without_nobody

from ssd import pidfile
from ssd.errors import PidfileUnwritable

# what is made -> the answer, and whether it is gone
REMOVED: dict[str, tuple[Make, bool, bool]] = {
    "a pidfile": (file(), True, True),
    "another's pidfile": (file(mode=0), True, True),
    "a link to a pidfile": (link("real"), True, True),
    "nothing": (nothing, True, True),
    "a dangling link": (link("none"), True, False),
    "a pipe": (os.mkfifo, False, False),
    "a directory": (directory, False, False),
    "a socket": (listener, False, False),
    "a device": (endless_device, False, False),
    "a link to a directory": (link("."), False, False),
}


@pytest.mark.parametrize("case", REMOVED)
def test_only_a_regular_file_or_a_link_to_one_is_removed(case: str, tmp_path: Path) -> None:
    """Row 10: anything else stays, the null device above all; a link's target stays."""
    make, answer, gone = REMOVED[case]
    path = tmp_path / "pid"
    make(path)
    with nothing_left():
        assert (answer, gone) == (pidfile.remove(str(path)), not os.path.lexists(path))
    assert not (tmp_path / "real").exists() or "123\n" == (tmp_path / "real").read_text()


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_null_device_is_never_removed(in_namespace: Run) -> None:
    """Row 10, tried where /dev is our own."""
    code = "from ssd import pidfile; print(pidfile.remove('/dev/null'))"
    done = in_namespace(sys.executable, "-c", code)
    assert "False\n" == done.stdout, done.stderr
    assert os.path.exists("/dev/null")


@pytest.mark.requires_root
def test_planted_directory_link_is_not_removed_through(tmp_path: Path) -> None:
    """The file behind it stays."""
    (tmp_path / "real").mkdir()
    file()(tmp_path / "real" / "pid")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    (tmp_path / "theirs" / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PidfileUnwritable):
        pidfile.remove(str(tmp_path / "theirs" / "link" / "pid"))
    assert ["pid"] == listing(tmp_path / "real")


REMOVE = """
import sys
from ssd import pidfile
from ssd.errors import PidfileUnwritable
try:
    pidfile.remove(sys.argv[1])
except PidfileUnwritable as error:
    print(error.errno)
"""


def test_pidfile_that_may_not_be_removed_is_reported(tmp_path: Path) -> None:
    """An ordinary user gets PidfileUnwritable in root's directory, and the file stays."""
    skip_without_nobody()
    file()(tmp_path / "pid")
    with shared(tmp_path, 0o755):
        done = python(REMOVE, tmp_path / "pid", **as_nobody())
    assert (f"{errno.EACCES}\n".encode(), ["pid"]) == (done.stdout, listing(tmp_path)), done.stderr
