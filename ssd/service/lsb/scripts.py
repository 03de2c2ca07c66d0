"""get_lsb_header_val and init_is_upstart: read a script's header, recognize the init system."""

import os

from ssd.service.sources.header import BEGIN, END

INITCTL = "/sbin/initctl"


def get_lsb_header_val(script: str, keyword: str) -> list[str]:
    """Return the text after ``# KEYWORD: `` of each such line in the header.

    Keywords are case-sensitive. Raises OSError.
    """
    with open(script, "rb") as file:
        text = os.fsdecode(file.read())
    return values(text, keyword)


def values(text: str, keyword: str) -> list[str]:
    """Return the result of ``get_lsb_header_val`` for the text of a script.

    The rules are those of the original's sed command: a delimiter may stand anywhere in its
    line, every header counts, a header without an end extends to the end of the text, and text
    before the keyword is kept.
    """
    mark = f"# {keyword}: "
    found = []
    inside = False
    for line in text.split("\n"):
        ends = inside and END in line
        inside = inside or BEGIN in line
        before, marked, value = line.partition(mark)
        if inside and marked:
            found.append(before + value.lstrip(" "))
        inside = inside and not ends
    return found


def init_is_upstart(initctl: str = INITCTL) -> bool:
    """Return whether the running init is Upstart, according to its initctl."""
    if not os.access(initctl, os.X_OK):
        return False
    import subprocess

    done = subprocess.run(
        [initctl, "version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return b"upstart" in done.stdout
