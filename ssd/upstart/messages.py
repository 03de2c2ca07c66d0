"""What init says: sentences with a level, of which the lower ones are left out."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The levels of ``initctl log-priority``, with the kernel's numbers for them (syslog(2)).
LEVELS = {"debug": 7, "info": 6, "message": 5, "warn": 4, "error": 3, "fatal": 2}


class Messages:
    """The sentences of one engine.

    priority: the lowest level that is passed on. listeners: are called with level and text.
    """

    __slots__ = ("priority", "listeners")

    def __init__(self) -> None:
        self.priority = "message"
        self.listeners: list[Callable[[str, str], object]] = []

    def tell(self, level: str, text: str) -> None:
        """Pass a sentence on, unless its level is too low."""
        if LEVELS[level] <= LEVELS[self.priority]:
            for listener in self.listeners:
                listener(level, text)
