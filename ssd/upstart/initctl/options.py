"""The options of the command, read as the original's library reads them.

Options and arguments may be mixed, a long option has no short form, and the word ``-`` is never an
option's value. Before the command itself, the first word that is no option ends them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Row = tuple[str, str, str]  # the letter or "", the long name or "", the name of its value or ""

NO_WAIT: "Row" = ("n", "no-wait", "")
GLOBALLY: "Row" = ("g", "global", "")
# Every command has these; its own come before them.
COMMON: "tuple[Row, ...]" = (
    ("", "session", ""),
    ("", "system", ""),
    ("", "dest", "NAME"),
    ("", "user", ""),
    ("q", "quiet", ""),
    ("v", "verbose", ""),
    ("", "debug", ""),
    ("", "help", ""),
    ("", "version", ""),
)
# Only before a command.
MAKE_LINKS: "Row" = ("", "make-links", "DIR")
ENDING = ("help", "version")  # what comes behind them is not read


class Misuse(Exception):
    """The command line is wrong; the text says how. It is shown with a hint to ``--help``."""


class Asked(Exception):
    """``--help`` or ``--version`` was given: its name."""


class Words:
    """What a command line has: ``options`` as names with values, in order, and ``arguments``.

    The name of an option is its long one, or its letter. The value of one that takes none is "".
    """

    __slots__ = ("options", "arguments", "_words", "_rows", "_at", "_taken", "_end")

    def __init__(self, words: "Sequence[str]", rows: "Sequence[Row]", stops: bool = False) -> None:
        """Read words by a table of options. Raises Misuse and Asked.

        stops: the first argument ends the options.
        """
        self.options: list[tuple[str, str]] = []
        self.arguments: list[str] = []
        self._words = words
        self._rows = rows
        self._taken = -1  # the last word that is the value of an option in front of it
        self._end = len(words)  # behind this word there are no options
        for self._at, word in enumerate(words):
            if self._at > self._end or word[:1] != "-" or word == "-":
                if self._at > self._taken:
                    self.arguments.append(word)
                    if stops:
                        self._end = self._at
            elif word == "--":
                self._end = self._at
            elif word.startswith("--"):
                self._read_long(word[2:])
            else:
                self._read_letters(word)

    def _read_long(self, given: str) -> None:
        name, equals, value = given.partition("=")
        row = next((row for row in self._rows if row[1] == name), None)
        if row is None:
            raise Misuse(f"invalid option: --{given}")
        if equals and not row[2]:
            raise Misuse(f"unexpected argument: --{given}")
        self._take(row, value if equals else None)

    def _read_letters(self, word: str) -> None:
        for place, letter in enumerate(word[1:], 1):
            row = next((row for row in self._rows if row[0] == letter), None)
            if row is None:
                raise Misuse(f"invalid option: -{letter}")
            if row[2] and place == 1 and word[2:]:  # the rest is its value
                self._take(row, word[2:])
                return
            self._take(row, None)

    def _take(self, row: "Row", value: "str | None") -> None:
        name = row[1] or row[0]
        if name in ENDING:
            raise Asked(name)
        if value is None:
            value = self._next_value() if row[2] else ""
        self.options.append((name, value))

    def _next_value(self) -> str:
        """Return the next word that is no option and no other option's value."""
        self._taken = max(self._taken, self._at)
        while self._taken + 1 < len(self._words):
            self._taken += 1
            word = self._words[self._taken]
            if self._taken > self._end or word[:1] != "-":
                return word
            if word == "--":
                self._end = self._taken
        raise Misuse(f"missing argument: {self._words[self._at]}")


class Call:
    """How the command was called.

    program: its name. command: what to do. options, arguments: those of ``Words``.
    """

    __slots__ = ("path", "program", "command", "options", "arguments")

    def __init__(self, path: str, command: str, options: "list[tuple[str, str]]") -> None:
        self.path = path
        self.program = path.rpartition("/")[2]
        self.command = command
        self.options = options
        self.arguments: list[str] = []

    def has(self, name: str) -> bool:
        """Tell whether an option was given."""
        return any(name == each for each, _ in self.options)

    def values(self, name: str) -> "Iterator[str]":
        """Yield the values of an option that may be given several times."""
        return (value for each, value in self.options if each == name)

    @property
    def first(self) -> "str | None":
        """The first argument; None without any."""
        return self.arguments[0] if self.arguments else None

    @property
    def is_quiet(self) -> bool:
        """Whether only errors are shown: the last option of that kind counts."""
        levels = [name for name, _ in self.options if name in ("quiet", "verbose", "debug")]
        return levels[-1:] == ["quiet"]
