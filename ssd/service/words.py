"""Quote words for sh(1), and split a text into words as sh(1) does.

This module knows quotes, but no variables and no commands. ``shlex`` does the same and more, but
importing it takes half as long as an interpreter's start.
"""

_SPACE = " \t\n"
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-"
_ESCAPED = '$`"\\\n'  # the characters that a backslash quotes inside double quotes


def quote(word: str) -> str:
    """Return a word quoted for sh(1), if that is necessary."""
    if word and not word.strip(_PLAIN):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def join(words: "list[str]") -> str:
    """Return the text that ``split`` splits into these words."""
    return " ".join(map(quote, words))


def split(text: str) -> "list[str]":
    """Return the words of a text. Raises ValueError for an unclosed quote."""
    if not any(mark in text for mark in "'\"\\"):
        return text.split()
    words: list[str] = []
    word: str | None = None
    rest = text
    while rest:
        mark, rest = rest[0], rest[1:]
        if mark in _SPACE:
            if word is not None:
                words.append(word)
            word = None
            continue
        if mark in "'\"":
            piece, rest = _quoted(mark, rest)
        elif mark == "\\" and rest:
            mark, rest = rest[0], rest[1:]
            if mark == "\n":  # a continued line
                continue
            piece = mark
        else:
            piece = mark
        word = (word or "") + piece
    return words if word is None else [*words, word]


def _quoted(mark: str, text: str) -> "tuple[str, str]":
    """Return the text before the closing quote, and the text after it."""
    if mark == "'":
        inner, closed, rest = text.partition("'")
        if not closed:
            raise ValueError("a quote is not closed")
        return inner, rest
    piece = ""
    while text:
        here, text = text[0], text[1:]
        if here == '"':
            return piece, text
        if here == "\\" and text and text[0] in _ESCAPED:
            here, text = text[0].replace("\n", ""), text[1:]
        piece += here
    raise ValueError("a quote is not closed")
