"""The walk to a file: which symbolic links are followed, and which are not."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.leaks import nothing_left
from kit.users import NOBODY

from ssd.paths import UntrustedLink, only_ours, walk


@contextmanager
def walked(path: str | Path | bytes, follow_last: bool = True) -> Iterator[tuple[str, str]]:
    """Walk; return the true path of the directory, and the name in it."""
    directory, name = walk(os.fsencode(path), follow_last)
    try:
        yield os.readlink(f"/proc/self/fd/{directory}"), name
    finally:
        os.close(directory)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Return a directory of our own, by its true path, with a directory and a file in it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_text("x")
    return tmp_path.resolve()


# links (name -> target), the path to walk, and the result, all below ``here``
TRUSTED = {
    "a plain path": ({}, "inner/file", "inner", "file"),
    "a file that is not there": ({}, "inner/none", "inner", "none"),
    "double slashes and dots": ({}, "./inner//.//file", "inner", "file"),
    "two dots": ({}, "inner/../inner/file", "inner", "file"),
    "a link to a directory": ({"link": "inner"}, "link/file", "inner", "file"),
    "a link to a file": ({"link": "inner/file"}, "link", "inner", "file"),
    "a dangling link": ({"link": "inner/none"}, "link", "inner", "none"),
    "an absolute link": ({"link": "{here}/inner"}, "link/file", "inner", "file"),
    "a link through a link": ({"a": "b", "b": "inner"}, "a/file", "inner", "file"),
    "a link upwards": ({"inner/up": ".."}, "inner/up/inner/file", "inner", "file"),
    "a link with two dots": ({"link": "inner/../inner"}, "link/file", "inner", "file"),
}


@pytest.mark.parametrize("case", TRUSTED)
def test_links_in_directories_of_our_own_are_followed(case: str, here: Path) -> None:
    """If only root and the caller can write a directory, its links are trusted."""
    links, path, directory, name = TRUSTED[case]
    for link, target in links.items():
        (here / link).symlink_to(target.format(here=here))
    with walked(here / path) as found:
        assert (str(here / directory), name) == found


def test_last_link_is_left_alone_if_it_is_to_be(here: Path) -> None:
    """Without ``follow_last`` the name is the link's own."""
    (here / "link").symlink_to("inner/file")
    with walked(here / "link", follow_last=False) as found:
        assert (str(here), "link") == found


def test_relative_path_begins_at_the_working_directory(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path without a leading slash is looked up from here."""
    monkeypatch.chdir(here)
    with walked("inner/file") as found:
        assert (str(here / "inner"), "file") == found


@pytest.mark.parametrize(("path", "expected"), [("/", ("/", ".")), ("/..", ("/", ".."))])
def test_path_without_a_name_is_its_directory(path: str, expected: tuple) -> None:
    """The root directory has no parent with a name for it."""
    with walked(path) as found:
        assert expected == found


def test_name_that_is_not_utf_8_is_walked(here: Path) -> None:
    """Names are bytes."""
    os.mkdir(os.fsencode(here) + b"/\xff")
    directory, name = walk(os.fsencode(here) + b"/\xff/\xfe", follow_last=True)
    os.close(directory)
    assert b"\xfe" == os.fsencode(name)


# mode, owner, group of the directory with the link, which others can write
OTHERS_WRITE = {
    "world-writable": (0o777, -1, -1),
    "world-writable and sticky": (0o1777, -1, -1),
    "another's": (0o755, NOBODY, -1),
    "another's, and closed to us by its mode": (0o700, NOBODY, -1),
    "writable by a foreign group": (0o775, -1, NOBODY),
}
PLANTED = {
    "the last name": ("link", {"link": "{here}/inner/file"}),
    "a directory on the way": ("link/file", {"link": "{here}/inner"}),
    "a dangling one": ("link", {"link": "{here}/none"}),
    "one to itself": ("link", {"link": "link"}),
}


@pytest.mark.requires_root
@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("rights", OTHERS_WRITE)
def test_link_that_others_could_have_planted_is_refused(
    rights: str, planted: str, here: Path
) -> None:
    """If anyone except root and the caller can write the directory, the error names the link."""
    directory = here / "theirs"
    directory.mkdir()
    path, links = PLANTED[planted]
    for link, target in links.items():
        (directory / link).symlink_to(target.format(here=here))
    mode, uid, gid = OTHERS_WRITE[rights]
    os.chown(directory, uid, gid)
    directory.chmod(mode)
    with nothing_left(), pytest.raises(UntrustedLink) as caught:
        walk(os.fsencode(directory / path), follow_last=True)
    assert "link" == caught.value.name


@pytest.mark.requires_root
@pytest.mark.parametrize("rights", OTHERS_WRITE)
def test_path_without_links_may_pass_directories_of_others(rights: str, here: Path) -> None:
    """As in Debian's nova-compute script: root's pidfile in nova's directory."""
    mode, uid, gid = OTHERS_WRITE[rights]
    os.chown(here / "inner", uid, gid)
    (here / "inner").chmod(mode)
    with walked(here / "inner" / "file") as found:
        assert (str(here / "inner"), "file") == found


@pytest.mark.requires_root
def test_trusted_link_does_not_lead_to_a_planted_one(here: Path) -> None:
    """Each link is trusted or not by the directory that holds it."""
    directory = here / "theirs"
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    (directory / "link").symlink_to("/etc/passwd")
    (here / "good").symlink_to("theirs/link")
    with pytest.raises(UntrustedLink):
        walk(os.fsencode(here / "good"), follow_last=True)


FAILURES = {
    "a loop": ({"a": "b", "b": "a"}, "a", errno.ELOOP),
    "a missing directory": ({}, "none/file", errno.ENOENT),
    "a file for a directory": ({}, "inner/file/x", errno.ENOTDIR),
    "a link to a file for a directory": ({"a": "inner/file"}, "a/x", errno.ENOTDIR),
    "too long a name": ({}, "x" * 300, errno.ENAMETOOLONG),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failed_walk_raises_oserror_and_keeps_nothing_open(case: str, here: Path) -> None:
    """The errno is the one that open(2) would give."""
    links, path, expected = FAILURES[case]
    for link, target in links.items():
        (here / link).symlink_to(target)
    with nothing_left(), pytest.raises(OSError) as caught:
        walk(os.fsencode(here / path), follow_last=True)
    assert expected == caught.value.errno


def test_forty_links_are_followed_and_no_more(here: Path) -> None:
    """As in the kernel."""
    for number in range(41):
        (here / str(number)).symlink_to(str(number + 1))
    (here / "41").write_text("x")
    with walked(here / "1") as found:
        assert (str(here), "41") == found
    with pytest.raises(OSError) as caught:
        walk(os.fsencode(here / "0"), follow_last=True)
    assert errno.ELOOP == caught.value.errno


# mode, uid, gid -> whether only root or the caller can write; the caller is root
RIGHTS = {
    (0o755, 0, 0): True,
    (0o700, 0, NOBODY): True,
    (0o775, 0, 0): True,
    (0o755, 0, NOBODY): True,
    (0o777, 0, 0): False,
    (0o1777, 0, 0): False,
    (0o775, 0, NOBODY): False,
    (0o755, NOBODY, 0): False,
    (0o000, NOBODY, 0): False,
}


@pytest.mark.requires_root
@pytest.mark.parametrize("rights", RIGHTS)
def test_directory_is_ours_if_nobody_else_can_write_it(rights: tuple[int, int, int]) -> None:
    """Owner, writing group and others decide; the owner may chmod(2) at any time."""
    mode, uid, gid = rights
    facts = os.stat_result((0o040000 | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))
    assert RIGHTS[rights] == only_ours(facts)
