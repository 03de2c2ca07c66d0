"""The results: one row for each system, kept in a page, and a short table for the README."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

BEGIN = "<!-- made by scripts/matrix -->"
END = "<!-- end of what scripts/matrix has made -->"
_FULL = ("row", "where", "versions", "what ran", "result", "date")
_SHORT = ("system", "what ran", "result")


@dataclass(frozen=True)
class Result:
    """What came out of one row. ``result`` begins with "passed", "failed" or "not run"."""

    row: str
    where: str
    versions: str
    ran: str
    result: str
    date: str


def counted(passed: int, skipped: int, failed: int) -> str:
    """Return the text of a result for numbers of tests."""
    said = f"failed {failed:,}, passed {passed:,}" if failed else f"passed {passed:,}"
    return f"{said}, skipped {skipped:,}" if skipped else said


def summed(output: str) -> tuple[int, int, int]:
    """Return how many tests passed, were skipped and failed by the last lines of pytest's runs.

    An error counts as a failure, an expected failure as passed.
    """
    found = dict.fromkeys(("passed", "skipped", "failed", "errors", "xfailed"), 0)
    for line in re.findall(r"^=* ?((?:\d+ \w+, )*\d+ \w+) in [\d.]+s", output, re.MULTILINE):
        for number, word in re.findall(r"(\d+) (\w+)", line):
            word = "errors" if word == "error" else word
            if word in found:
                found[word] += int(number)
    return found["passed"] + found["xfailed"], found["skipped"], found["failed"] + found["errors"]


def between(page: Path) -> tuple[str, str, str]:
    """Return the text of a page before, between and after the marks.

    Raises ValueError if it has not one pair of them.
    """
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{page} has not one '{BEGIN}' and one '{END}': add them")
    before, _, rest = text.partition(BEGIN)
    inner, _, after = rest.partition(END)
    return before, inner, after


def read(page: Path) -> dict[str, Result]:
    """Return the results that a page holds, by the name of the row."""
    rows = [line.strip("| ").split(" | ") for line in between(page)[1].splitlines()]
    results = [
        Result(row[0].strip("`"), *row[1:])
        for row in rows
        if row[0].startswith("`") and len(row) == len(fields(Result))
    ]
    return {result.row: result for result in results}


def write(page: Path, lines: Iterable[str]) -> None:
    """Put lines between the marks of a page."""
    before, _, after = between(page)
    whole = "\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"])
    page.write_text(whole, encoding="utf-8")


def full(results: Iterable[Result]) -> list[str]:
    """Return the table of all rows."""
    lines = [_line(_FULL), "|---" * len(_FULL) + "|"]
    for each in results:
        row = (f"`{each.row}`", each.where, each.versions, each.ran, each.result, each.date)
        lines.append(_line(row))
    return ["", *lines, ""]


def short(groups: Iterable[tuple[str, str, list[Result]]]) -> list[str]:
    """Return the table of groups: (title, what ran, the results of its rows)."""
    lines = [_line(_SHORT), "|---" * len(_SHORT) + "|"]
    for title, ran, results in groups:
        lines.append(_line((title, ran, "; ".join(_told(each) for each in results))))
    return lines


def _told(result: Result) -> str:
    """Return one row in the words of a group: its versions, and the result."""
    return f"{result.versions}: {result.result}" if result.versions != "-" else result.result


def _line(cells: Iterable[str]) -> str:
    """Return a line of a table; a bar in a cell would begin another one."""
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
