"""Reactions that are made of others, and how a process has them to itself."""

from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.process import FakeProcess
    from ssd.testing.reactions import Reaction


class Together:
    """Several reactions as one."""

    words = "does several things"

    def __init__(self, reactions: "Sequence[Reaction]") -> None:
        self.reactions = reactions

    def __call__(self, process: "FakeProcess") -> None:
        """Take a signal: all of them do."""
        for reaction in self.reactions:
            if not process.ended:
                reaction(process)

    def own(self) -> "Reaction":
        """Return the same for another process."""
        return Together([own(each) for each in self.reactions])


class Turns:
    """Reactions of which the first is next; the last one stays."""

    words = "has its turn"

    def __init__(self, reactions: "Sequence[Reaction]") -> None:
        self.reactions = reactions

    def __call__(self, process: "FakeProcess") -> None:
        """Take a signal: the next one does."""
        first, *rest = self.reactions
        self.reactions = rest or [first]
        first(process)

    def own(self) -> "Reaction":
        """Return the same for another process, which has its turns to itself."""
        return Turns([own(each) for each in self.reactions])


def own(reaction: "Reaction") -> "Reaction":
    """Return a reaction as a process of its own has it: what counts, counts for that one."""
    return reaction.own() if isinstance(reaction, (Together, Turns)) else reaction
