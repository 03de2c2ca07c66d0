"""Make the files of a case, and describe them afterwards."""

import os
import re
import shutil
import stat

DIRECTORY = "/tmp/case"
WATCHED = (DIRECTORY, "/run", "/dev/null")

_READ_AT_MOST = 4096


def clear() -> None:
    """Empty the directories that cases write to."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    os.mkdir(DIRECTORY)
    os.chmod(DIRECTORY, 0o755)
    shutil.rmtree("/tmp/bin", ignore_errors=True)
    os.mkdir("/tmp/bin")
    os.makedirs("/tmp/streams", exist_ok=True)
    for name in os.listdir("/run"):
        path = f"/run/{name}"
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    os.mkdir("/run/lock")
    os.chmod("/run/lock", 0o1777)


def make(path: str, wanted: dict, content: bytes) -> None:
    """Make one file: its kind from the keys of `wanted`, then its mode and owner."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if wanted.get("directory"):
        os.mkdir(path)
    elif "link" in wanted:
        os.symlink(wanted["link"], path)
    elif "hard" in wanted:
        os.link(f"{DIRECTORY}/{wanted['hard']}", path)
    elif wanted.get("pipe"):
        os.mkfifo(path)
    else:
        with open(path, "wb") as file:
            file.write(content)
    if "mode" in wanted:
        os.chmod(path, int(wanted["mode"], 8))
    if "owner" in wanted:
        os.chown(path, *wanted["owner"], follow_symlinks=False)


def seen(names: dict[int, str]) -> dict[str, dict]:
    """Return everything under the watched paths, pids in contents replaced by `names`."""
    found = {}
    for top in WATCHED:
        paths = [top] if os.path.lexists(top) else []
        for directory, directories, files in os.walk(top):
            paths += [os.path.join(directory, name) for name in directories + files]
        found.update({path: describe(path, names) for path in sorted(paths)})
    return found


def describe(path: str, names: dict[int, str]) -> dict[str, object]:
    """Return kind, mode, owner and content of one file."""
    facts = os.lstat(path)
    about: dict[str, object] = {
        "mode": stat.filemode(facts.st_mode),
        "owner": f"{facts.st_uid}:{facts.st_gid}",
    }
    if stat.S_ISREG(facts.st_mode):
        about["links"] = facts.st_nlink
        with open(path, "rb") as file:
            about["text"] = named(file.read(_READ_AT_MOST), names)
    elif stat.S_ISLNK(facts.st_mode):
        about["leads_to"] = os.readlink(path)
    return about


def named(data: bytes, names: dict[int, str]) -> str:
    """Return `data` as text, with every number that is a known pid replaced by its name."""
    return re.sub(r"\d+", lambda digits: _name(digits[0], names), data.decode("latin-1"))


def _name(digits: str, names: dict[int, str]) -> str:
    name = None if digits.startswith("0") else names.get(int(digits[:20]))
    return f"<{name}>" if name else digits
