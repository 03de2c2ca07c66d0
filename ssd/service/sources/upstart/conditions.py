"""The conditions of ``start on`` and ``stop on``: events, joined by and and or.

``and`` and ``or`` bind equally, from the left; parentheses may go over several lines.
"""

from ssd.service.sources.upstart.faults import (
    EXPECTED_EVENT,
    EXPECTED_OPERATOR,
    EXPECTED_VARIABLE,
    MISMATCHED_PARENS,
    UNEXPECTED_TOKEN,
)
from ssd.service.sources.upstart.lexer import WORD_ENDS, Reader, quote, word_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDS = WORD_ENDS + "()"


class Condition:
    """An event, or two conditions. ``str()`` gives it as show-config of initctl(8) does."""

    __slots__ = ()

    def __str__(self) -> str:
        return _written(self, lambda event: " ".join(event.words()), plain=False)

    def source(self) -> str:
        """Return it as a job file has it, with as few parentheses as possible."""
        return _written(self, lambda event: " ".join(map(_quoted, event.words())), plain=True)

    def events(self) -> "Iterator[Event]":
        """Yield its events, from left to right."""
        return (each for each in _postfix(self) if isinstance(each, Event))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Condition):
            return NotImplemented
        return _shape(self) == _shape(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"<Condition {self}>"


class Argument:
    """What a variable of an event must be: ``KEY=VALUE``, ``KEY!=VALUE``, or a value by its place.

    key: empty for a value that is compared with the variable at the same place. value: a
    glob, fnmatch(3), which may name variables. word: the whole, without quotes.
    """

    __slots__ = ("key", "value", "negated", "word")

    def __init__(self, key: str, value: str, negated: bool = False, word: str = "") -> None:
        self.key = key
        self.value = value
        self.negated = negated
        sign = "!=" if negated else "=" if key else ""
        self.word = word or f"{key}{sign}{value}"

    @classmethod
    def read(cls, word: str) -> "Argument":
        """Make it from its word in a job file."""
        key, equals, value = word.partition("=")
        if not equals:
            return cls("", word)
        if key.endswith("!"):
            return cls(key[:-1], value, True, word)
        return cls(key, value, False, word)

    def __str__(self) -> str:
        return self.word

    def __eq__(self, other: object) -> bool:
        return self.word == other.word if isinstance(other, Argument) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.word)

    def __repr__(self) -> str:
        return f"Argument({self.key!r}, {self.value!r}, {self.negated!r})"


class Event(Condition):
    """An event by its name, and what its variables must be."""

    __slots__ = ("name", "arguments")

    def __init__(self, name: str, arguments: "list[Argument] | None" = None) -> None:
        self.name = name
        self.arguments: list[Argument] = arguments or []

    def words(self) -> "list[str]":
        """Return its name and its arguments as words, without quotes."""
        return [self.name, *map(str, self.arguments)]


class And(Condition):
    """Both conditions must come true."""

    __slots__ = ("left", "right")

    def __init__(self, left: Condition, right: Condition) -> None:
        self.left = left
        self.right = right


class Or(Condition):
    """One of the conditions must come true."""

    __slots__ = ("left", "right")

    def __init__(self, left: Condition, right: Condition) -> None:
        self.left = left
        self.right = right


_OPERATORS: "dict[str, type[And] | type[Or]]" = {"and": And, "or": Or}


# The functions that go through a tree do without recursion: a file may nest as it likes.


def _postfix(condition: Condition) -> "list[Condition]":
    """Return all parts, each operator after its operands."""
    found: list[Condition] = []
    left = [condition]
    while left:
        part = left.pop()
        found.append(part)
        if isinstance(part, (And, Or)):
            left += (part.left, part.right)
    return found[::-1]


def _shape(condition: Condition) -> "list[object]":
    return [
        (part.name, part.arguments) if isinstance(part, Event) else type(part)
        for part in _postfix(condition)
    ]


def _written(condition: Condition, write: "Callable[[Event], str]", plain: bool) -> str:
    """Return the text. ``plain``: only the parentheses that are needed."""
    done: list[tuple[str, bool]] = []  # text, and whether it has an operator outside
    for part in _postfix(condition):
        if isinstance(part, Event):
            done.append((write(part), False))
            continue
        (left, _), (right, is_open) = done[-2], done[-1]
        del done[-2:]
        right = f"({right})" if is_open else right
        text = f"{left} {'and' if isinstance(part, And) else 'or'} {right}"
        done.append((text, True) if plain else (f"({text})", False))
    return done[0][0]


def _quoted(word: str) -> str:
    """Return a word as a job file must write it; that of an operator needs quotes."""
    return quote(word) if word in _OPERATORS else word_of(word)


def parse_condition(text: str) -> Condition:
    """Read a condition, as it is after ``start on``. Raises JobFault."""
    reader = Reader(text, "condition")
    condition = read_condition(reader)
    if not reader.at_end():
        raise reader.fault(UNEXPECTED_TOKEN)
    return condition


def read_condition(reader: Reader) -> Condition:
    """Read a condition up to the end of its line. Raises JobFault."""
    pile = _Pile(reader)
    while True:
        reader.skip_blanks()
        while True:
            line = reader.line
            if reader.next_is("()"):
                pile.parenthesis()
            else:
                pile.word()
            if not reader.has_word():
                break
        reader.skip_line()
        if reader.at_end() or not pile.depth:
            break
    pile.collect(line)
    if pile.open_groups():
        raise reader.fault(MISMATCHED_PARENS)
    assert pile.root is not None  # collect() has made it
    return pile.root


class _Half:
    """An operator that waits for its right side."""

    __slots__ = ("kind", "left")

    def __init__(self, kind: "type[And] | type[Or]", left: Condition) -> None:
        self.kind = kind
        self.left = left


class _Pile:
    """What was read of a condition.

    root: the condition that is complete, up to the last open parenthesis. waiting: the event
    that is being read, operators without a right side, and None for an open parenthesis.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.root: Condition | None = None
        self.waiting: list[Event | _Half | None] = []
        self.depth = 0

    def open_groups(self) -> bool:
        return bool(self.waiting)

    def word(self) -> None:
        """Read an operator, the name of an event, or an argument of the event before."""
        reader = self.reader
        position, line = reader.position, reader.line
        kind = _OPERATORS.get(reader.word(ENDS, unquote=False))
        if kind is not None:
            self.collect(line)
            assert self.root is not None
            self.waiting.append(_Half(kind, self.root))
            self.root = None
            return
        reader.position, reader.line = position, line
        self._operand(reader.word(ENDS))

    def _operand(self, word: str) -> None:
        event = self.waiting[-1] if self.waiting else None
        if not isinstance(event, Event):
            self.waiting.append(Event(word))
            return
        by_name = bool(event.arguments) and "=" in event.arguments[-1].word
        if by_name and "=" not in word:
            raise self.reader.fault(EXPECTED_VARIABLE)
        event.arguments.append(Argument.read(word))

    def parenthesis(self) -> None:
        reader = self.reader
        if reader.text[reader.position] == "(":
            self.depth += 1
            if self.root is not None or (self.waiting and isinstance(self.waiting[-1], Event)):
                raise reader.fault(EXPECTED_OPERATOR)
            self.waiting.append(None)
        else:
            self.depth -= 1
            self.collect(reader.line)
            if not self.waiting:
                raise reader.fault(MISMATCHED_PARENS)
            self.waiting.pop()
        reader.position += 1
        reader.skip_blanks()

    def collect(self, line: int) -> None:
        """Complete what was read since the last open parenthesis. ``line``: that of a fault."""
        while self.waiting and self.waiting[-1] is not None:
            part = self.waiting.pop()
            if isinstance(part, Event):
                if self.root is not None:
                    raise self.reader.fault(EXPECTED_OPERATOR, line=line)
                self.root = part
            elif isinstance(part, _Half):
                if self.root is None:
                    raise self.reader.fault(EXPECTED_EVENT, line=line)
                self.root = part.kind(part.left, self.root)
        if self.root is None:
            raise self.reader.fault(EXPECTED_EVENT, line=line)
