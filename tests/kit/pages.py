"""Run the fenced examples of a page, and write the tables of the page of ssd-service.

usage: pages.py PAGE [DIRECTORY] (in an empty directory, best in a namespace)

It prints each example that does not give what the page shows. DIRECTORY stands for /tmp in the
examples, where that is not a private one.

``console``: a line ``$ COMMAND`` (continued by ``> ``) is run by sh, the lines after it are its
output; one block is one shell. ``python``: with ``>>>`` a doctest, with ``def test_`` run by
pytest, otherwise executed; one page is one module. ``...`` and its one-character form stand for
any text. ``text`` and ``ini`` are only shown, and MyST's ``{directives}`` belong to Sphinx.
Nothing else is allowed.
"""

import doctest
import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from ssd.service.fields import TABLE as FIELDS
from ssd.service.sources.debian import OWN
from ssd.service.verbs import TABLE as VERBS

SHOWN = ("text", "ini")
FENCE = re.compile(r"^(```+)([^`\n]*)\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS
TEST = re.compile(r"^def test_", re.MULTILINE)

# Each command's own status is the next one's $?, and its output ends with a line of its own.
SHELL = """
for file in "$1"/*; do
    (exit "${status:-0}")
    eval "$(cat "$file")"
    status=$?
    printf '\\n%s\\n' "$2"
done
"""
END = "-- end of one command --"


def blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line number, the info string and the content of each fenced block."""
    for found in FENCE.finditer(text):
        yield text.count("\n", 0, found.start()) + 2, found[2].strip(), found[3]


def commands(content: str) -> list[tuple[str, str]]:
    """Take a console block apart into commands and what each is said to print."""
    parsed: list[tuple[str, str]] = []
    for line in content.splitlines(keepends=True):
        if line.startswith("$ "):
            parsed.append((line[2:], ""))
        elif not parsed:
            raise ValueError(f"output before the first command: {line!r}")
        elif line.startswith("> ") and not parsed[-1][1]:
            parsed[-1] = (parsed[-1][0] + line[2:], "")
        else:
            parsed[-1] = (parsed[-1][0], parsed[-1][1] + line)
    return parsed


def console(content: str) -> Iterator[str]:
    """Run a console block; yield a text for each command that printed something else."""
    parsed = commands(content)
    with tempfile.TemporaryDirectory(prefix="examples-") as directory:
        script, printed = Path(directory, "commands"), Path(directory, "printed")
        script.mkdir()
        for index, (command, _) in enumerate(parsed):
            Path(script, f"{index:03}").write_text(command)
        # A file, not a pipe: a daemon that keeps our stdout must not make us wait.
        with printed.open("wb") as stdout:
            shell = ["sh", "-c", SHELL, "sh", str(script), END]
            subprocess.run(shell, stdout=stdout, stderr=subprocess.STDOUT, timeout=300, check=False)
        outputs = printed.read_text().split(f"\n{END}\n")
    for (command, wanted), got in zip(parsed, outputs, strict=False):
        wanted = wanted.replace("…", "...")
        if got and not got.endswith("\n"):
            got += "\n"
        if not doctest.OutputChecker().check_output(wanted, got, FLAGS):
            yield f"$ {command}should print\n{wanted}and prints\n{got}"
    if len(outputs) <= len(parsed):
        yield f"the shell ended before {parsed[len(outputs) - 1][0]}"


def python(content: str, names: dict[str, object], page: str, line: int) -> Iterator[str]:
    """Run a Python block among the page's names; yield a text for each failure."""
    if ">>> " not in content:
        try:
            exec(compile("\n" * (line - 1) + content, page, "exec"), names)
        except Exception:  # noqa: BLE001 - an example may fail in any way
            yield traceback.format_exc()
        return
    content = content.replace("…", "...")
    test = doctest.DocTestParser().get_doctest(content, {}, page, page, line)
    test.globs = names
    report: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(
        test, out=report.append, clear_globs=False
    )
    if report:
        yield "".join(report)


def tests(found: list[tuple[int, str]]) -> Iterator[str]:
    """Run blocks that hold tests by pytest, at their lines of one module; yield what fails."""
    text = ""
    for line, content in found:
        text += "\n" * (line - 1 - text.count("\n")) + content
    wanted = len(TEST.findall(text))
    with tempfile.TemporaryDirectory(prefix="examples-") as directory:
        Path(directory, "test_page.py").write_text(text, encoding="utf-8")
        options = ["-q", "-c", os.devnull, "--rootdir", directory, "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *options, "-p", "no:asyncio", "test_page.py"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode or f"{wanted} passed in" not in done.stdout:
        yield f"not all {wanted} tests pass:\n{done.stdout}{done.stderr}"


def failures(page: Path, place: str = "/tmp") -> Iterator[str]:
    """Run all examples of a page, in ``place`` for /tmp; yield a text for each that fails."""
    names: dict[str, object] = {"__name__": "__main__"}
    tested: list[tuple[int, str]] = []
    text = page.read_text(encoding="utf-8").replace("/tmp/", f"{place}/")
    for line, info, content in blocks(text):
        found: Iterator[str] = iter(())
        if info == "python" and TEST.search(content):
            tested.append((line, content))
        elif info == "console":
            found = console(content)
        elif info == "python":
            found = python(content, names, str(page), line)
        elif info not in SHOWN and not info.startswith("{"):
            found = iter([f"info string {info!r}: it says neither how to run it nor not to"])
        for failure in found:
            yield f"{page.name}:{line}: {failure}"
    if tested:
        yield from (f"{page.name}: {failure}" for failure in tests(tested))


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table in the format of the page."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def verb_table() -> str:
    """Return what each verb does next, by its last step and that step's outcome."""
    rows = []
    for verb, moves in VERBS.items():
        for (step, outcome), move in moves.items():
            end = move.step is None
            row = (
                verb,
                step,
                outcome,
                move.step or "",
                move.words,
                str(move.status) if end else "",
            )
            rows.append(row)
    return table(("verb", "after", "outcome", "next", "words", "exit status"), rows)


def field_table() -> str:
    """Return every field with its kind, its default and its meaning."""
    assert set(OWN.values()) == {row[0] for row in FIELDS}
    rows = []
    for name, kind, default, meaning, *_ in FIELDS:
        word, _, choices = kind.partition(" ")
        meaning = f"{meaning}: {', '.join(choices.split())}" if choices else meaning
        rows.append((f"`{name}`", word, shown(default), meaning))
    return table(("field", "kind", "default", "meaning"), rows)


def shown(default: object) -> str:
    """Write a default as TOML does; nothing for none."""
    if default is None or default in ("", [], {}):
        return ""
    if isinstance(default, dict):
        return ", ".join(f"`{key}` {shown(each) or 'none'}" for key, each in default.items())
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    failed = list(failures(Path(sys.argv[1]), *sys.argv[2:]))
    print("\n".join(failed))
    sys.exit(bool(failed))
