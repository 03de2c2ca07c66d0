"""Read a file of variables as systemd reads an EnvironmentFile=: systemd.exec(5).

Lines are ``NAME=value``. Empty lines and those that begin with ``#`` or ``;`` say nothing. A value
may be in quotes, single or double, or in several pieces; outside of quotes blanks at its ends are
left out. A backslash takes its meaning from the next character, and at the end of a line joins it
with the next. Nothing is expanded, no command is run: a ``$`` is a ``$``.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 4 << 20  # bytes; execve(2) takes no more variables than that by far
_BLANKS = b" \t\r\n"
_ENDS = (b"\n", b"\r")  # what ends a line, for systemd
_KEPT = b'"\\`$'  # what a backslash protects within double quotes; it stays before all else


def read(path: str) -> dict[bytes, bytes]:
    """Return the variables of a file; of one that is missing, none if ``path`` begins with "-".

    Raises OSError, and ValueError with the number of the line that is wrong.
    """
    name = path.removeprefix("-")
    if not name:
        raise ValueError("it has no name; standard input is /dev/stdin")
    try:
        with open(name, "rb") as file:
            text = file.read(LARGEST + 1)
    except FileNotFoundError:
        if path.startswith("-"):
            return {}
        raise
    if len(text) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes: is it a file of variables?")
    return parse(text)


def parse(text: bytes) -> dict[bytes, bytes]:
    """Return the variables in a text. Raises ValueError where systemd ignores the line."""
    return dict(_Reader(text).assignments())


class _Reader:
    """A place in a text that is read once."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0
        self.counted = 0, 1  # a place, and the number of its line

    def assignments(self) -> "Iterator[tuple[bytes, bytes]]":
        """Yield names and values."""
        while True:
            while self.peek() and self.peek() in _BLANKS:
                self.at += 1
            if not self.peek():
                return
            if self.peek() in b"#;":
                self.at = self.end_of_line()
                continue
            line = self.line()
            name = self.name(line)
            value = self.value(line)
            if b"\0" in value:
                raise _fault(line, "a variable cannot hold a NUL byte")
            yield name, value

    def peek(self) -> bytes:
        """Return the next byte; b"" at the end."""
        return self.text[self.at : self.at + 1]

    def take(self) -> bytes:
        """Return the next byte, and go on."""
        self.at += 1
        return self.text[self.at - 1 : self.at]

    def line(self) -> int:
        """Return the number of the line, from 1."""
        place, number = self.counted
        self.counted = self.at, number + self.text.count(b"\n", place, self.at)
        return self.counted[1]

    def end_of_line(self) -> int:
        """Return where the line ends."""
        found = self.text.find(b"\n", self.at)
        end = len(self.text) if found < 0 else found
        early = self.text.find(b"\r", self.at, end)
        return end if early < 0 else early

    def name(self, line: int) -> bytes:
        """Read up to the "=", and return the name before it.

        No error shows the text: it may be the second line of a password.
        """
        end = self.end_of_line()
        name, equals, _ = self.text[self.at : end].partition(b"=")
        if name.startswith(b"export "):
            raise _fault(line, "must be NAME=value; leave out export")
        if not equals:
            raise _fault(line, "must be NAME=value; put a value of several lines in quotes")
        self.at += len(name) + 1
        name = name.rstrip()
        if not _is_name(name):
            raise _fault(line, "a name has letters, digits and _, and begins with no digit")
        return name

    def value(self, line: int) -> bytes:
        """Read a value to the end of its last line, and return what it means."""
        made = bytearray()
        begun = False  # whether a piece without quotes has: in it a quote is an ordinary character
        kept = 0  # so many bytes are not blanks at the end
        while (byte := self.take()) and byte not in _ENDS:
            if byte == b"\\":
                begun = True
                byte = self.take()
                made += b"" if byte in _ENDS else byte
                kept = len(made)
            elif not begun and byte in (b"'", b'"'):
                made += self.quoted(byte, line)
                kept = len(made)
            elif begun or byte not in _BLANKS:
                begun = True
                made += byte
                kept = kept if byte in _BLANKS else len(made)
        return bytes(made[:kept])

    def quoted(self, quote: bytes, line: int) -> bytes:
        """Read to the quote that ends a piece of a value, and return the piece."""
        made = bytearray()
        while (byte := self.take()) != quote:
            if not byte:
                raise _fault(line, f"the quote {quote.decode()} is never closed")
            if byte == b"\\" and quote == b'"':
                byte = self.take()
                if byte == b"\n":
                    continue
                if byte not in _KEPT:
                    made += b"\\"
            made += byte
        return bytes(made)


def _is_name(name: bytes) -> bool:
    text = name.decode("latin-1")
    return text.isascii() and text.isidentifier()


def _fault(line: int, reason: str) -> ValueError:
    return ValueError(f"line {line}: {reason}")
