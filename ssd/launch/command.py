"""What to start, and how: the words of start-stop-daemon(8) for a program to come."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Text = str | bytes


class Command:
    """A program to start and the surroundings that it is given.

    argv: the program's path, also its argv[0], and its arguments.
    startas: the file to execute instead of argv[0]; argv[0] becomes it too.
    directory: working directory, entered after the change of root; "/" by default.
    root: new root directory (chroot(2)).
    user, group: account and group to run as, by name or number. A user alone gets the
        groups of its account; a group alone keeps the caller's supplementary groups.
    umask: file mode creation mask; None keeps the caller's.
    nice: increment of the niceness, see nice(2).
    cpu_scheduling: (policy, priority), the policy "other", "fifo" or "rr".
    io_scheduling: (class, priority), the class "real-time", "best-effort" or "idle".
    output: file that standard output and error are appended to, for a background start;
        None is /dev/null.
    close: whether a background start closes and redirects descriptors (``--no-close``).
    environment: the whole environment; None inherits the caller's. HOME is set to the
        user's home directory if ``user`` is given and that directory exists.
    limits: {resource number: (soft, hard)} for setrlimit(2).

    Raises ValueError for an empty argv or an unknown policy or class.
    """

    __slots__ = (
        "argv", "startas", "directory", "root", "user", "group", "umask", "nice",
        "cpu_scheduling", "io_scheduling", "output", "close", "environment", "limits",
    )  # fmt: skip

    def __init__(
        self,
        argv: "Sequence[Text]",
        *,
        startas: "Text | None" = None,
        directory: "Text" = "/",
        root: "Text | None" = None,
        user: str | int | None = None,
        group: str | int | None = None,
        umask: int | None = None,
        nice: int = 0,
        cpu_scheduling: tuple[str, int] | None = None,
        io_scheduling: tuple[str, int] | None = None,
        output: "Text | None" = None,
        close: bool = True,
        environment: "Mapping[str, Text] | Mapping[bytes, Text] | None" = None,
        limits: "Mapping[int, tuple[int, int]] | None" = None,
    ) -> None:
        if isinstance(argv, (str, bytes)) or not argv:
            raise ValueError("argv is a sequence that begins with the program's path")
        if cpu_scheduling is not None and cpu_scheduling[0] not in CPU_POLICIES:
            raise ValueError(f"unknown scheduling policy {cpu_scheduling[0]!r}: {CPU_POLICIES}")
        if io_scheduling is not None and io_scheduling[0] not in IO_CLASSES:
            raise ValueError(f"unknown I/O class {io_scheduling[0]!r}: {tuple(IO_CLASSES)}")
        self.argv = [os.fsencode(word) for word in argv]
        self.startas = self.argv[0] if startas is None else os.fsencode(startas)
        self.argv[0] = self.startas
        self.directory = os.fsencode(directory)
        self.root = None if root is None else os.fsencode(root)
        self.user = user
        self.group = group
        self.umask = umask
        self.nice = nice
        self.cpu_scheduling = cpu_scheduling
        self.io_scheduling = io_scheduling
        self.output = None if output is None else os.fsencode(output)
        self.close = close
        self.environment = (
            None
            if environment is None
            else {os.fsencode(name): os.fsencode(text) for name, text in environment.items()}
        )
        self.limits = None if limits is None else dict(limits)

    def pack(self) -> dict[str, object]:
        """Return the fields as plain values that ``marshal`` can carry to a helper."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def unpack(cls, fields: "dict[str, object]") -> "Command":
        """Make the Command again that ``pack`` took apart."""
        command = cls.__new__(cls)
        for name, value in fields.items():
            setattr(command, name, value)
        return command


CPU_POLICIES = ("other", "fifo", "rr")
IO_CLASSES = {"real-time": 1, "best-effort": 2, "idle": 3}  # ioprio_set(2)
