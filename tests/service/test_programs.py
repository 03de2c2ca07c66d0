"""Finding programs as a shell does, and what a stand-in lacks."""

from pathlib import Path

import pytest

from ssd.service.programs import NOT_INSTALLED, STAND_IN, chooser, first_line, lacks, runnable


def script(path: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    """Write a script; return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_runnable_is_an_executable_regular_file(tmp_path: Path) -> None:
    """A directory is not, nor a file without a mode bit for execution, nor a missing one."""
    plain = script(tmp_path / "plain", mode=0o644)
    asked = [script(tmp_path / "x"), str(tmp_path), plain, f"{tmp_path}/none"]
    assert [True, False, False, False] == [runnable(path) for path in asked]


def test_chooser_takes_the_first_runnable_candidate(tmp_path: Path) -> None:
    """A name is searched for in the directories, a path is taken as it is."""
    first, second = script(tmp_path / "a" / "prog"), script(tmp_path / "b" / "prog")
    other = script(tmp_path / "b" / "other")
    choose = chooser(f"{tmp_path}/a:{tmp_path}/b", "/etc/init.d/prog")
    assert [first, other, second, None] == [
        choose(["prog"]), choose(["none", "other"]), choose([second, "prog"]), choose(["none"]),
    ]  # fmt: skip


def test_chooser_never_takes_the_script_itself(tmp_path: Path) -> None:
    """As ``command -v``, it looks no further in the search path, but at the next candidate."""
    own = script(tmp_path / "a" / "prog")
    script(tmp_path / "b" / "prog")
    stand_in = script(tmp_path / "b" / "stand-in")
    choose = chooser(f"{tmp_path}/a:{tmp_path}/b", own)
    assert (None, stand_in) == (choose(["prog"]), choose(["prog", "stand-in"]))


@pytest.mark.parametrize(
    ("name", "status", "lack"),
    [(STAND_IN, NOT_INSTALLED, "no nova"), (STAND_IN, 0, None), ("sleep", NOT_INSTALLED, None)],
)
def test_lacks_asks_only_the_stand_in(name, status, lack, tmp_path: Path) -> None:
    """It prints what is missing and exits with LSB's status for a program not installed."""
    path = script(tmp_path / name, f"#!/bin/sh\necho no nova >&2\nexit {status}\n")
    assert lack == lacks(path)


def test_first_line_of_an_unreadable_file_is_empty(tmp_path: Path) -> None:
    """That of another is without its end."""
    path = script(tmp_path / "x", "#!/bin/sh -e\ntrue\n")
    assert ("#!/bin/sh -e", "", "") == (
        first_line(path), first_line(f"{tmp_path}/none"), first_line(str(tmp_path)),
    )  # fmt: skip
