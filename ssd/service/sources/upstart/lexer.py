"""The words, commands and blocks of a job file: init(5), "Format".

The rules are those of Upstart's own reader, also where they surprise: ``#`` begins a comment in
the middle of a word too, a newline in quotes becomes one blank, and a backslash is kept before
any character but a backslash, a blank and a newline.
"""

from ssd.service.sources.upstart.faults import (
    EXPECTED_TOKEN,
    NUL_BYTE,
    TRAILING_SLASH,
    UNEXPECTED_TOKEN,
    UNTERMINATED_BLOCK,
    UNTERMINATED_QUOTE,
    JobFault,
)

BLANKS = " \t\r"
LINE_ENDS = "#\n"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-=$[]!*?")
WORD_ENDS = BLANKS + LINE_ENDS


def quote(text: str) -> str:
    """Return a text without newlines as one word of a job file.

    A backslash before a quote would stay in the word. So double quotes are written in single
    quotes, and everything else in double quotes.
    """
    parts = text.replace("\\", "\\\\").split('"')
    return "'\"'".join(f'"{part}"' for part in parts)


def word_of(text: str) -> str:
    """Return a text as one word of a job file, in quotes if it needs them."""
    return text if text and _PLAIN.issuperset(text) else quote(text)


class Reader:
    """A job file that is read from its start to its end.

    position: index of the next character. line: its number, from 1. Every method raises
    JobFault.
    """

    __slots__ = ("text", "position", "line", "file")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.position = 0
        self.line = 1
        self.file = file
        nul = text.find("\0")
        if nul >= 0:
            raise JobFault(NUL_BYTE, file, text.count("\n", 0, nul) + 1)

    def fault(self, reason: str, nearest: "str | None" = None, line: int = 0) -> JobFault:
        """Make the fault of a place; the current line unless one is given."""
        return JobFault(reason, self.file, line or self.line, nearest)

    def at_end(self) -> bool:
        """Tell whether nothing is left."""
        return self.position >= len(self.text)

    def next_is(self, characters: str) -> bool:
        """Tell whether the next character is one of these."""
        return not self.at_end() and self.text[self.position] in characters

    def has_word(self) -> bool:
        """Tell whether a word follows in this line."""
        return not self.at_end() and self.text[self.position] not in LINE_ENDS

    def skip_indent(self) -> None:
        """Go to the first character of a line that is no blank."""
        while self.next_is(BLANKS):
            self.position += 1

    def skip_blanks(self) -> None:
        """Go to the next word or the end of the line; a backslash continues the line."""
        while True:
            if self.text.startswith("\\\n", self.position):
                self.position += 2
                self.line += 1
            elif self.next_is(BLANKS):
                self.position += 1
            else:
                return

    def skip_line(self) -> None:
        """Go to the next line."""
        end = self.text.find("\n", self.position)
        if end < 0:
            self.position = len(self.text)
        else:
            self.position = end + 1
            self.line += 1

    def end_line(self) -> None:
        """Go to the next line, which only a comment may separate from here."""
        if self.has_word():
            raise self.fault(UNEXPECTED_TOKEN)
        self.skip_line()

    def word(self, ends: str = WORD_ENDS, unquote: bool = True) -> str:
        """Read a word, and the blanks after it. ``ends``: the characters that end it."""
        text, is_empty = self._token(ends, unquote)
        if is_empty:
            raise self.fault(EXPECTED_TOKEN)
        self.skip_blanks()
        return text

    def last_word(self) -> str:
        """Read a word that must be the last one of its line."""
        text = self.word()
        self.end_line()
        return text

    def words(self) -> "list[str]":
        """Read the words up to the end of the line, at least one."""
        found = [self.word()]
        while self.has_word():
            found.append(self.word())
        self.skip_line()
        return found

    def command(self) -> str:
        """Read a command up to the end of the line; quotes are left in it."""
        if not self.has_word():
            raise self.fault(EXPECTED_TOKEN)
        text, _ = self._token(LINE_ENDS, unquote=False)
        self.skip_line()
        return text

    def _token(self, ends: str, unquote: bool) -> "tuple[str, bool]":
        """Read up to one of ``ends``; return the text, and whether it is empty."""
        text, position, size = self.text, self.position, len(self.text)
        made: list[str] = []
        blanks = quote = ""
        newline = False  # whether there was one since the last character
        is_empty = True
        while position < size:
            character = text[position]
            before = ""
            is_quote = False
            if character == "\\":
                is_empty = False
                position += 1
                if position == size:
                    raise self.fault(TRAILING_SLASH)
                character = text[position]
                if character == "\n":
                    newline = True
                    self.line += 1
                    position += 1
                    continue
                if character == "\\" or character in BLANKS:
                    before = "" if unquote else "\\"
                else:
                    made.append("\\")
                    # A defect of Upstart that jobs may rely on: of the blanks before such a
                    # backslash the first is lost, and the backslash is there twice.
                    blanks = blanks and f"{blanks[1:]}\\"
            elif quote:
                if character == quote:
                    quote = ""
                    is_quote = True
                elif character == "\n":
                    is_empty = False
                    newline = True
                    self.line += 1
                    position += 1
                    continue
                elif character in BLANKS:
                    blanks += character
                    position += 1
                    continue
            elif character in "\"'":
                quote = character
                is_quote = True
            elif character in ends:
                break
            elif character in BLANKS:
                blanks += character
                position += 1
                continue
            if newline:
                made.append(" ")  # for all blanks around it too
            elif blanks:
                made.append(blanks)
            if blanks or not (is_quote and unquote):
                is_empty = False
            if not (is_quote and unquote):
                made += (before, character)
            blanks, newline = "", False
            position += 1
        self.position = position
        if quote:
            raise self.fault(UNTERMINATED_QUOTE)
        return "".join(made), is_empty

    def block(self, kind: str) -> str:
        """Read the lines up to ``end KIND``, without the indentation that all of them have."""
        lines: list[str] = []
        indent: str | None = None
        while True:
            start = self.position
            self.skip_line()
            line = self.text[start : self.position]
            if _ends_block(line, kind):
                break
            if self.at_end():
                raise self.fault(UNTERMINATED_BLOCK)
            lines.append(line)
            own = line[: len(line) - len(line.lstrip(BLANKS))]
            indent = own if indent is None else _common(indent, line)
        return "".join(line[len(indent or "") :] for line in lines)


def _ends_block(line: str, kind: str) -> bool:
    """Tell whether a line says ``end KIND``, with a comment or without."""
    stripped = line.rstrip("\n").strip(BLANKS)
    if stripped[:3] != "end" or stripped[3:4] not in BLANKS or len(stripped) < 4:
        return False
    rest = stripped[3:].strip(BLANKS)
    after = rest[len(kind) :].lstrip(BLANKS)
    return rest.startswith(kind) and after[:1] in ("", "#")


def _common(first: str, second: str) -> str:
    """Return how both texts begin."""
    size = min(len(first), len(second))
    for index in range(size):
        if first[index] != second[index]:
            return first[:index]
    return first[:size]
