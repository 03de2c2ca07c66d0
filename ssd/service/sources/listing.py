"""The names of the services that a directory declares, by the names of its files."""

import os


def listed(directory: str) -> "list[str]":
    """Return the names in byte order; none for a directory that does not exist.

    Any other name with a dot is ignored, as by run-parts(8): editors and packages leave such files.
    """
    try:
        with os.scandir(directory) as found:
            files = [each.name for each in found if not _is_directory(each)]
    except (FileNotFoundError, NotADirectoryError):  # the latter inside a zip file
        return []
    plain = {each.removesuffix(".toml") for each in files if _is_name(each)}
    return sorted(plain, key=os.fsencode)


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, say: reading it gives the error
        return False


def _is_name(file: str) -> bool:
    name = file.removesuffix(".toml")
    before = name if name == file else name.partition("@")[0]  # web@10.0.0.1.toml is an instance
    return bool(name) and "." not in before and name[0] != "-" and name[-1] != "~"
