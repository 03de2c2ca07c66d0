"""Turn a case's text into words for the command.

Placeholders: {dir} the case's directory, {kit} the programs, {probe} and {sh} two of them, {root}
the small root, {hold} the silent pipe, {halt} shell text that stops itself, {bin:NAME} and
{pid:NAME} a target's executable and pid, {pid:startedN} that of the Nth program started,
{gone} an unused pid, {byte:XX} one byte, {repeat:N:TEXT}, {uid:NAME}.
"""

import os
import pwd
import re
import shlex

from . import files, kit

GONE = 29999

_FIXED = {
    "dir": files.DIRECTORY,
    "kit": kit.KIT,
    "probe": f"{kit.KIT}/probe",
    "sh": f"{kit.KIT}/sh",
    "root": kit.ROOT,
    "hold": kit.HOLD,
    "halt": kit.HALT,
    "gone": str(GONE),
}


def split(line: str, pids: dict[str, int]) -> list[bytes]:
    """Return the words of a command line, placeholders replaced."""
    return [os.fsencode(fill(word, pids)) for word in shlex.split(line)]


def fill(text: str, pids: dict[str, int]) -> str:
    """Return `text` with its placeholders replaced, odd bytes as surrogates.

    Raises KeyError for a placeholder that is not known.
    """
    return re.sub(r"\{(\w+)(?::([^}]*))?\}", lambda found: _meaning(found, pids), text)


def _meaning(found: re.Match, pids: dict[str, int]) -> str:
    kind, argument = found.groups()
    if argument is None:
        return _FIXED[kind]
    if kind == "repeat":
        times, _, unit = argument.partition(":")
        return unit * int(times)
    return {
        "pid": lambda: str(pids[argument]),
        "bin": lambda: f"/tmp/bin/{argument}",
        "byte": lambda: os.fsdecode(bytes.fromhex(argument)),
        "uid": lambda: str(pwd.getpwnam(argument).pw_uid),
    }[kind]()
