"""Match a text against a glob as fnmatch(3) does without flags: only the decision."""

_SPECIAL = frozenset("*?[\\")


def matches(text: str, pattern: str) -> bool:
    """Tell whether the whole text matches. ``[^...]`` is ``[!...]``; a backslash quotes."""
    if _SPECIAL.isdisjoint(pattern):
        return text == pattern
    from fnmatch import fnmatchcase

    return fnmatchcase(text, _translated(pattern))


def _translated(pattern: str) -> str:
    """Write a glob of fnmatch(3) in the words of Python's fnmatch, which knows no backslash."""
    parts: list[str] = []
    at, size = 0, len(pattern)
    while at < size:
        character = pattern[at]
        if character == "\\" and at + 1 < size:
            quoted = pattern[at + 1]
            parts.append(f"[{quoted}]" if quoted in "*?[" else quoted)
            at += 2
        elif pattern.startswith("[^", at):
            parts.append("[!")
            at += 2
        else:
            parts.append(character)
            at += 1
    return "".join(parts)
