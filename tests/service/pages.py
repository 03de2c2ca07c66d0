"""The tables of docs/service.md, made from the data that they show."""

from ssd.service.fields import TABLE as FIELDS
from ssd.service.sources.debian import OWN
from ssd.service.verbs import TABLE as VERBS


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table as the page has it."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def decisions() -> str:
    """Return what each verb does next, by its last step and what came of that."""
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


def fields() -> str:
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
