"""write(2) may take less than it is given: pidfiles and reports are whole, or not there."""

import errno
import os
import select
import threading
from pathlib import Path

import pytest
from kit.children import python
from kit.leaks import listing
from kit.pidfiles import file
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd import pidfile
from ssd.errors import StartFailed
from ssd.starting import report

# Writes a pidfile where a file may have so many bytes, and says what came of it.
WRITE = """
import resource, sys
from ssd.pidfile import writing
from ssd.errors import PidfileUnwritable
path, pid, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    writing.write(path, pid)
except PidfileUnwritable as error:
    print(error.errno)
"""
TOO_BIG = b"%d\n" % errno.EFBIG


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_half_a_pidfile_is_none(most: int, tmp_path: Path) -> None:
    """The old one stays as it was, and nothing lies beside it."""
    path = tmp_path / "pid"
    path.write_text("old\n")
    done = python(WRITE, path, "23474", str(most))
    assert (TOO_BIG, "old\n", ["pid"]) == (done.stdout, path.read_text(), listing(tmp_path))


@pytest.mark.parametrize("most", [0, 1, 2, 5])
@pytest.mark.parametrize("old", ["1\n", "987654\n", "98765432\n"])
def test_half_a_pid_never_stands_in_a_pidfile_that_is_written_in_place(
    old: str, most: int, tmp_path: Path
) -> None:
    """In place of "987654", half of "23474" would name 237654: it holds no pid, or the old one."""
    skip_without_nobody()
    path = tmp_path / "pid"
    file(old, uid=NOBODY, gid=NOBODY)(path)
    with shared(tmp_path, 0o755):
        done = python(WRITE, path, "23474", str(most), **as_nobody())
    assert TOO_BIG == done.stdout, done.stderr
    assert path.read_text() in ("", old)
    assert pidfile.parse(path.read_bytes()) in (None, int(old))


def test_report_comes_whole_in_however_many_parts() -> None:
    """A long text may have four bytes for each character: more than goes in one piece."""
    reading, writing_end = os.pipe()
    text = "\N{GRINNING FACE}" * 2000
    report.send_error(writing_end, StartFailed("exec", text, errno.ENOENT, text))
    whole = os.read(reading, 65536)
    assert select.PIPE_BUF < len(whole)

    def tell() -> None:
        for number in range(len(whole)):
            os.write(writing_end, whole[number : number + 1])
        os.close(writing_end)

    teller = threading.Thread(target=tell)
    teller.start()
    ((_, values),) = report.receive(reading)
    teller.join()
    os.close(reading)
    error = report.error_from(values)
    assert isinstance(error, StartFailed)
    assert (text[:1000], text[:1000]) == (error.detail, error.reason)


def test_report_that_breaks_off_is_none() -> None:
    """Whoever sent it was killed meanwhile; what came before it counts."""
    reading, writing_end = os.pipe()
    report.send(writing_end, "warning", "first")
    report.send(writing_end, "warning", "second")
    both = os.read(reading, 4096)
    os.write(writing_end, both[:-3])
    os.close(writing_end)
    assert [("warning", ["first"])] == list(report.receive(reading))
    os.close(reading)
