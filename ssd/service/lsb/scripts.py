"""get_lsb_header_val and init_is_upstart: what a script says, and who runs it."""

import os

from ssd.service.sources.header import BEGIN, END

INITCTL = "/sbin/initctl"


def get_lsb_header_val(script: str, keyword: str) -> list[str]:
    """Return the text behind ``# KEYWORD:`` and a space, for each such line of the header.

    Keywords are compared with regard to case. Raises OSError.
    """
    with open(script, "rb") as file:
        text = os.fsdecode(file.read())
    return values(text, keyword)


def values(text: str, keyword: str) -> list[str]:
    """Return what ``get_lsb_header_val`` does, of a script's text.

    As sed has it: a delimiter counts wherever in its line it stands, every header in the
    text counts, one without an end goes on to the end of the text, and what stands in the
    line before the mark is kept.
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
    """Tell whether the running init is Upstart: its initctl has to say so."""
    if not os.access(initctl, os.X_OK):
        return False
    import subprocess  # rare: hardly a machine has one

    done = subprocess.run(
        [initctl, "version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return b"upstart" in done.stdout
