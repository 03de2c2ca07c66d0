"""``python -m ssd``: the same command as the script ``ssd``."""

import os
import sys

_FLAGS = "bCmoqtv"  # options of one letter that take no value


def go(words: list[str]) -> int:
    """Run the command; return its exit status, even if nothing can be imported."""
    try:
        _settle_path()
        from ssd.cli import main

        return main(["ssd", *words])
    except BaseException as error:  # noqa: BLE001 - status 1 would look like an answer
        text = f"ssd: unforeseen error: {type(error).__name__}: {error}".replace("\n", " ")
        os.write(2, os.fsencode(f"{text} ({sys.executable})\n"))
        return fault(words)


def fault(words: list[str]) -> int:
    """Return the exit status of a failure: 4 if the words look like a status query, else 2."""
    for word in words:
        if word == "--":
            break
        rest = word[1:].lstrip(_FLAGS) if word.startswith("-") else ""
        status = rest.startswith("T") and rest[1:2] not in ("E", "R", "S", "T")  # -TERM, -TSTP
        if status or word.startswith(("--stat", "--pido")):
            return 4
    return 2


def _settle_path() -> None:
    """Import from the interpreter's directories, then ssd's, and not the working directory.

    The directories of PYTHONPATH come last. Modules that are already imported stay.
    """
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    standard = os.path.dirname(os.__file__)
    if not getattr(sys.flags, "safe_path", False) and sys.path[0] != home:
        del sys.path[0]
    order = (standard, os.path.join(standard, "lib-dynload"), home)
    sys.path.sort(key=lambda entry: order.index(entry) if entry in order else len(order))


if __name__ == "__main__":
    try:
        status = go(sys.argv[1:])
    finally:
        # Everything is written now, and the interpreter's clean-up would cost time.
        os._exit(status)
