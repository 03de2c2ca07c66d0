"""The command: choose rows, run them, say what came out, and write the tables."""

import argparse
import datetime
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import table
from .roots import CHECKOUT, NotRun
from .rows import ROWS, Row, Setting
from .table import Result

PAGE = CHECKOUT / "docs" / "reference" / "systems.md"
README = CHECKOUT / "README.md"
USAGE = """Run ssd on the systems that this machine can reach; say which it could not, and why.

Each row takes minutes. Debian roots need root and debootstrap; MIRROR names Debian's mirror."""


def main(words: Sequence[str], page: Path = PAGE, readme: Path = README) -> int:
    """Run the rows that are named, all by default; return 1 if one has failed, 0 otherwise.

    2 and a sentence if a page or the cache cannot be used. An interruption ends the row and
    removes its root.
    """
    options = _options(words)
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return _main(options, page, readme)
    except (ValueError, OSError) as error:
        print(f"scripts/matrix: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)


def _main(options: argparse.Namespace, page: Path, readme: Path) -> int:
    """Do what ``main`` says. Raises ValueError or OSError if a file cannot be used."""
    chosen = [row for row in ROWS if row.name in options.rows or not options.rows]
    if options.list:
        print("\n".join(f"{row.name:<12}{row.where}: {row.ran}" for row in chosen))
        return 0
    known = table.read(page)
    if options.write:
        table.between(readme)
    (options.cache / "logs").mkdir(parents=True, exist_ok=True)
    failed = False
    for row in chosen:
        log = options.cache / "logs" / f"{row.name}.log"
        log.write_bytes(b"")
        print(f"scripts/matrix: {row.name} runs; its output is in {log}", flush=True)
        known[row.name] = result = outcome(row, Setting(options.cache, options.pythons, log))
        print(f"scripts/matrix: {row.name}: {result.versions}: {result.result}", flush=True)
        failed = failed or result.result.startswith("failed")
        if options.write:  # after each row: a run of an hour may be interrupted
            written(known, page, readme)
    return 1 if failed else 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    """Return the options of the command line; exit with status 2 after a wrong one."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("scripts/matrix", description=USAGE, formatter_class=formatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all by default")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument(
        "--write", action="store_true", help=f"put the tables into {PAGE.name} and {README.name}"
    )
    parser.add_argument(
        "--cache", type=Path, default=CHECKOUT / ".venv" / "out" / "roots", metavar="DIR",
        help="keeps Debian roots, environments and logs (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--pythons", nargs=1, action="extend", default=[], metavar="PATH",
        help="an interpreter besides those on PATH; may be given again",
    )  # fmt: skip
    options = parser.parse_args(words)
    if unknown := sorted(set(options.rows) - {row.name for row in ROWS}):
        parser.error(f"no row {unknown[0]}: --list names them")
    options.cache = options.cache.absolute()
    return options


def outcome(row: Row, setting: Setting) -> Result:
    """Run a row and return its result."""
    try:
        versions, said = row.run(setting)
    except (NotRun, OSError) as reason:
        versions, said = "-", f"not run: {reason}"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Result(row.name, row.where, versions, row.ran, said, today)


def written(known: dict[str, Result], page: Path, readme: Path) -> None:
    """Write all results into the page, and the groups of those that were run into the README."""
    results = [known[row.name] for row in ROWS if row.name in known]
    table.write(page, table.full(results))
    groups: dict[str, list[Row]] = {}
    for row in ROWS:
        if row.name in known:
            groups.setdefault(row.group, []).append(row)
    table.write(
        readme,
        table.short(
            (
                title,
                "; ".join(dict.fromkeys(row.ran for row in rows)),
                [known[row.name] for row in rows],
            )
            for title, rows in groups.items()
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
