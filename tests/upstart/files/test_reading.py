"""Which files of a directory are jobs, and what is wrong with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit import users

from ssd.upstart.files import read
from ssd.upstart.files.reading import LARGEST, Text, name_of
from upstart.files.defined import SLEEP, write


def lines(path: Path, *more: Path) -> dict[str, str]:
    """Return what each job of some directories executes."""
    found = read([str(each) for each in (path, *more)]).files
    return {name: file.stages["main"].text for name, file in found.items()}


def faults(path: Path) -> list[str]:
    """Return what is wrong, with paths below the directory."""
    return [str(fault).replace(f"{path}/", "") for fault in read(str(path)).faults]


def test_jobs_are_files_that_end_in_conf(tmp_path: Path) -> None:
    """Those of sub directories, too; other endings, copies and hidden directories are none."""
    for name in ("a.conf", "b.d.conf", "sub/dir/c.conf", ".h.conf"):
        write(tmp_path / name)
    for name in (
        "d.conf~",
        "e.conf.dpkg-new",
        "f",
        ".conf",
        ".git/g.conf",
        "CVS/h.conf",
        "~/i.conf",
    ):
        write(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.conf")
    (tmp_path / "directory.conf").mkdir()
    assert {"a", "b.d", ".h", "sub/dir/c"} == set(lines(tmp_path))


def test_links_are_followed_but_in_no_circle(tmp_path: Path) -> None:
    """A link to a file or directory counts as that; one to nowhere is no file."""
    write(tmp_path / "elsewhere" / "real.conf")
    jobs = tmp_path / "jobs"
    (jobs / "sub").mkdir(parents=True)
    (jobs / "a.conf").symlink_to("../elsewhere/real.conf")
    (jobs / "linked").symlink_to("../elsewhere")
    (jobs / "sub" / "up").symlink_to("..")
    (jobs / ".#b.conf").symlink_to("user@host.1234:5678")
    assert {"a", "linked/real"} == set(lines(jobs))


def test_override_changes_the_job_of_its_name(tmp_path: Path) -> None:
    """It acts up to its first fault, which is reported with its own path."""
    write(tmp_path / "a.conf")
    write(tmp_path / "a.override", "exec sleep 301\nbogus\n")
    write(tmp_path / "alone.override", "exec sleep 302\n")
    assert {"a": "sleep 301"} == lines(tmp_path)
    (fault,) = faults(tmp_path)
    assert fault.startswith("a.override:2: Unknown stanza")


def test_first_directory_counts_and_overrides_later_ones(tmp_path: Path) -> None:
    """An override acts on its own directory and on later ones; a later one on no earlier file."""
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    write(two / "a.conf", "exec sleep 2")
    write(three / "a.conf", "exec sleep 3")
    assert {"a": "sleep 2"} == lines(one, two, three)
    write(three / "a.override", "exec sleep 33")
    assert {"a": "sleep 2"} == lines(one, two, three)
    write(one / "a.override", "exec sleep 11")
    assert {"a": "sleep 11"} == lines(one, two, three)
    write(two / "a.conf", "bogus")
    write(one / "a.override", "manual")
    assert {"a": "sleep 3"} == lines(one, two, three)


def test_fault_names_file_and_line_and_others_are_read(tmp_path: Path) -> None:
    """A broken file is no job; a missing directory has none and is no fault."""
    write(tmp_path / "a.conf", "exec sleep 1\n\nbogus\n")
    write(tmp_path / "b.conf")
    assert {"b"} == set(lines(tmp_path))
    (fault,) = faults(tmp_path)
    assert fault.startswith("a.conf:3: Unknown stanza")
    assert {} == lines(tmp_path / "missing")
    assert [] == faults(tmp_path / "missing")


def test_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """So are a link to itself and a file that is too large."""
    write(tmp_path / "a.conf")
    (tmp_path / "loop.conf").symlink_to("loop.conf")
    with open(tmp_path / "huge.conf", "wb") as file:
        file.truncate(LARGEST + 1)
    assert {"a"} == set(lines(tmp_path))
    assert [
        "huge.conf: Error while loading configuration file: it is too large for a job file",
        "loop.conf: Error while loading configuration file: Too many levels of symbolic links",
    ] == faults(tmp_path)


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Which a file may have become since it was found: nobody writes to it."""
    os.mkfifo(tmp_path / "a.conf")
    assert "" == Text(str(tmp_path / "a.conf")).text
    assert {} == lines(tmp_path)


def test_mode_without_a_right_to_read_is_a_fault(tmp_path: Path) -> None:
    """Of a file, and of a directory that may not be listed; the kernel's reason is told."""
    users.skip_without_nobody()
    for name in ("a.conf", "b.conf", "sub/c.conf"):
        write(tmp_path / name)
    (tmp_path / "a.conf").chmod(0)
    (tmp_path / "sub").chmod(0)
    code = (
        "import sys; from ssd.upstart.files import read; found = read(sys.argv[1]); "
        "print(*found.files, *found.faults, sep='\\n')"
    )
    with users.shared(tmp_path, 0o755):
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path], check=True, capture_output=True, text=True,
            **users.as_nobody(),
        )  # fmt: skip
    assert [
        "b",
        f"{tmp_path}/sub: Unable to load configuration: Permission denied",
        f"{tmp_path}/a.conf: Error while loading configuration file: Permission denied",
    ] == done.stdout.splitlines()


def test_bytes_that_are_no_text_reach_the_job(tmp_path: Path) -> None:
    """A job file has no encoding: what is executed has the same bytes."""
    (tmp_path / "a.conf").write_bytes(b"exec echo \xff\xc3\xa4\n")
    assert os.fsdecode(b"echo \xff\xc3\xa4") == lines(tmp_path)["a"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/init/a.conf", "a"),
        ("/etc/init/net/a.override", "net/a"),
        ("/etc/init/a.conf.new", None),
        ("/etc/init/.conf", None),
        ("/etc/init/.svn/a.conf", None),
        ("/etc/initial/a.conf", None),
    ],
)
def test_name_is_the_path_below_the_directory(path: str, name: str | None) -> None:
    """Without its ending."""
    assert name == name_of("/etc/init", path)


def test_empty_file_is_a_job(tmp_path: Path) -> None:
    """It has no process (init(5))."""
    write(tmp_path / "a.conf", "")
    write(tmp_path / "b.conf", SLEEP)
    assert ["a", "b"] == list(read(str(tmp_path)).files)
