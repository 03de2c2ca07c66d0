"""A program to be executed, in this process's place or as a child."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Run:
    """A program about to be executed: its file, its words (argv[0] too), its environment."""

    __slots__ = ("file", "argv", "environment")

    def __init__(
        self, file: str, argv: "Sequence[str]", environment: "Mapping[bytes, bytes]"
    ) -> None:
        self.file = file
        self.argv = list(argv)
        self.environment = dict(environment)

    def by_shell(self) -> "Run":
        """Return the same for a script whose first line names no interpreter, as execvp(3)."""
        return Run("/bin/sh", ["/bin/sh", self.file, *self.argv[1:]], self.environment)
