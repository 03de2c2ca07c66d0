"""Whatever is done to directories of job files, the jobs are as the files say in the end."""

import random
import shutil
from pathlib import Path

import pytest

from ssd.upstart.files import inotify, read
from upstart.files.defined import Noting, write

NAMES = ("a", "b", "net/c", "net/deep/d", "x/e")
STEPS = 150


def texts(jobs: Noting) -> dict[str, str]:
    """Return what each job executes."""
    return {name: jobs.line(name) for name in jobs.own}


def on_disk(roots: list[Path]) -> dict[str, str]:
    """Return the same of a reading of everything."""
    found = read([str(root) for root in roots]).files
    return {name: file.stages["main"].text for name, file in found.items()}


def change(chance: random.Random, roots: list[Path], away: Path) -> None:
    """Do one thing to files or directories; what cannot be done now is left out."""
    root, number = chance.choice(roots), chance.randrange(1000)
    path = root / f"{chance.choice(NAMES)}{chance.choice(('.conf', '.conf', '.override'))}"
    text = chance.choice((f"exec sleep {number}\n", f"exec sleep {number}\n", "bogus\n"))
    kind = chance.choice(("rename", "rename", "write", "remove", "move", "back", "tree", "link"))
    try:
        if kind == "rename":
            write(path, text)
        elif kind == "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif kind == "remove":
            path.unlink()
        elif kind == "move":
            chance.choice((root, root / "net", root / "x")).rename(away / str(number))
        elif kind == "back":
            chance.choice(sorted(away.iterdir())).rename(root / chance.choice(("net", "x")))
        elif kind == "tree":
            shutil.rmtree(chance.choice((root, root / "net")))
        else:
            target = away / f"{number}.txt"
            target.write_text(text)
            path.symlink_to(target)
    except (OSError, IndexError):
        return  # it is not there, or is there already


@pytest.mark.parametrize("seed", range(6))
def test_jobs_are_as_their_files_say_in_the_end(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turns of the supervisor fall between any two changes, or not; seed 5 has no inotify."""
    if seed == 5:
        monkeypatch.setattr("ssd.upstart.files.polling.INTERVAL", 0.02)
        monkeypatch.setattr(inotify.Inotify, "add", lambda self, path, mask=0: None)
    chance, jobs = random.Random(seed), Noting()
    roots, away = [tmp_path / "one", tmp_path / "two"], tmp_path / "away"
    for place in (*roots, away):
        place.mkdir()
    jobs.follow(*roots)
    for _ in range(STEPS):
        change(chance, roots, away)
        if chance.random() < 0.5:
            jobs.advance()
    jobs.wait(lambda: texts(jobs) == on_disk(roots))
    jobs.close()
