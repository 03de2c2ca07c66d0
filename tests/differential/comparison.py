"""Name the points in which two outcomes differ, or one differs from its description."""

import re

from .cases import Case
from .inside.files import DIRECTORY

_NOT_COMPARED = frozenset({"stderr"})  # the wording may differ, but not whether there is any

# The empty files that starts lock against concurrent starts (divergence 6).
_LOCK = re.compile(r"/run/ssd(/\.[^/]+\.lock)?|.*/\.[^/]+\.lock")


def differences(
    case: Case, oracle: dict, ssd: dict, ignored: frozenset[str] = _NOT_COMPARED
) -> list[str]:
    """Return one line for each point in which the outcomes differ, but for keys `ignored`."""
    return [
        f"{where}: {left!r} of the original, {right!r} of ssd"
        for where, left, right in walk("", oracle, ssd, ignored)
        if counts(case, where)
    ]


def counts(case: Case, where: str) -> bool:
    """Return whether a case is compared in this point."""
    return not case.compare or any(f".{name}" in where for name in case.compare)


def walk(where: str, left, right, ignored: frozenset[str]):
    """Yield (place, left, right) for every leaf in which two values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys(), key=str):
            if key not in ignored and not (where == ".files" and _LOCK.fullmatch(key)):
                yield from walk(f"{where}.{key}", left.get(key), right.get(key), ignored)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, pair in enumerate(zip(left, right, strict=True)):
            yield from walk(f"{where}.{index}", *pair, ignored)
    elif left != right:
        yield where, left, right


def shortfalls(expected: dict, outcome: dict) -> list[str]:
    """Return one line for each point in which `outcome` differs from `expected`."""
    found = facts(outcome)
    return [
        f"{key}: expected {wanted!r}, found {found.get(key, False)!r}"
        for key, wanted in flat(expected)
        if found.get(key, False) != wanted
    ]


def flat(expected: dict):
    """Yield (key, value), with the keys of inner tables joined by a dot."""
    for key, value in expected.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def facts(outcome: dict) -> dict[str, object]:
    """Return the facts that a case may state of a side, by name.

    `files.NAME` is the content, or the mode of a file without content; a missing fact is False.
    `modes.NAME` is mode and owner, `saw.NAME` what the program that was started saw.
    """
    statuses = [command["status"] for command in outcome["commands"]]
    found: dict[str, object] = {
        "gives": statuses if len(statuses) > 1 else statuses[0],
        "stdout": "".join(command["stdout"] for command in outcome["commands"]),
        "stderr": "".join(command["stderr"] for command in outcome["commands"]),
        "waited": all(command["waited"] for command in outcome["commands"]),
        "starts": len(outcome["started"]),
        "strays": outcome["strays"],
    }
    for seen in outcome["started"]:
        found.update({f"saw.{key}": value for key, value in seen.items()})
    for kind in ("targets", "programs", "logged"):
        found.update({f"{kind}.{name}": end for name, end in outcome[kind].items()})
    for path, about in outcome["files"].items():
        name = path.removeprefix(f"{DIRECTORY}/")
        found[f"files.{name}"] = about.get("text", about["mode"])
        found[f"modes.{name}"] = f"{about['mode']} {about['owner']}"
    return found
