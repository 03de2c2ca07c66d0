"""What an import gives: declarations, and notes on what is lost, changed or chosen."""

from ssd.service.errors import DeclarationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service


# An instance of this name stands for any: its declaration is written as that of a template.
ANY_INSTANCE = "instance00of00template"


class Place:
    """A line of a file, for messages."""

    __slots__ = ("file", "line")

    def __init__(self, file: str, line: int | None) -> None:
        self.file = file
        self.line = line

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def error(self, key: str, reason: str) -> DeclarationError:
        """Return the error about this line."""
        return DeclarationError(reason, key, file=self.file, line=self.line)


class Note:
    """What an import has to say about an option: the place, and the words.

    lost: whether something is lost or changed, or else only chosen.
    """

    __slots__ = ("place", "option", "words", "lost")

    def __init__(self, place: Place, option: str, words: str, lost: bool = True) -> None:
        self.place = place
        self.option = option
        self.words = words
        self.lost = lost

    def __str__(self) -> str:
        return f"{self.place}: {self.option}: {self.words}"


class Imported:
    """What a file declares: services, notes, and the least mode of the files that were read.

    A service NAME@ANY_INSTANCE stands for a template NAME@.
    """

    def __init__(self) -> None:
        self.services: list[Service] = []
        self.notes: list[Note] = []
        self.mode = 0o644
