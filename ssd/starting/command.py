"""What to start, and how, in the words of start-stop-daemon(8)."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from ssd.starting.types import CommandFields, RareFields

    Text = str | bytes | os.PathLike[str]
else:
    CommandFields = object


class Command(CommandFields):
    """A program to start, and the user, directory, environment and limits that it gets.

    argv: the program's path, also its argv[0], and its arguments.
    startas: the file to execute instead of argv[0]; it becomes argv[0], too.
    directory: working directory, entered after the change of root; "/" by default.
    root: new root directory (chroot(2)).
    user, group: account and group to run as, by name or number. A user alone gets the
        groups of its account; a group alone keeps the caller's supplementary groups.
    umask: file mode creation mask; None keeps the caller's.
    nice: increment of the niceness (nice(2)).
    cpu_scheduling: (policy, priority), the policy "other", "fifo" or "rr".
    io_scheduling: (class, priority), the class "real-time", "best-effort" or "idle".
    output: file to which a background start appends standard output and error; None is
        /dev/null.
    close: whether a background start closes and redirects descriptors (``--no-close``).
    environment: the whole environment; None inherits the caller's. HOME is set to the
        user's home directory if ``user`` is given and the directory exists.
    limits: {resource number: (soft, hard)} for setrlimit(2).
    rare: the fields of ``ssd.starting.rare``, which start-stop-daemon lacks.

    Two Commands are equal if all their fields are equal. Raises ValueError for an empty argv, an
    unknown policy or class, and invalid limits; TypeError for a value that is not a text or path.
    """

    __slots__ = (
        "argv", "startas", "directory", "root", "user", "group", "umask", "nice",
        "cpu_scheduling", "io_scheduling", "output", "close", "environment", "limits",
        "__dict__",  # of the rare fields, those that differ from their defaults
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
        **rare: "Unpack[RareFields]",
    ) -> None:
        if not argv or isinstance(argv, (str, bytes)) or not hasattr(argv, "__iter__"):
            raise ValueError("argv must be a sequence that begins with the program's path")
        self.argv: list[bytes] = [_bytes("argv", word) for word in argv]
        self.startas: bytes = self.argv[0] if startas is None else _bytes("startas", startas)
        self.argv[0] = self.startas
        self.directory: bytes = _bytes("directory", directory)
        self.root: bytes | None = None if root is None else _bytes("root", root)
        self.user: str | int | None = user[:] if isinstance(user, str) else user
        self.group: str | int | None = group[:] if isinstance(group, str) else group
        self.umask: int | None = umask
        self.nice: int = nice
        self.cpu_scheduling: tuple[str, int] | None = cpu_scheduling
        self.io_scheduling: tuple[str, int] | None = io_scheduling
        self.output: bytes | None = None if output is None else _bytes("output", output)
        self.close: bool = close
        if environment is not None and not hasattr(environment, "items"):
            raise TypeError("environment must be a mapping, {'NAME': 'text'}")
        self.environment: dict[bytes, bytes] | None = None
        if environment is not None:
            given = environment.items()
            self.environment = {
                _bytes("environment", k): _bytes(f"environment[{k!r}]", v) for k, v in given
            }
        self.limits: dict[int, tuple[int, int]] | None = None
        if not (cpu_scheduling is io_scheduling is None and limits is None):
            from ssd.starting import command_checks as checks

            self.cpu_scheduling = checks.pair("cpu_scheduling", cpu_scheduling, CPU_POLICIES)
            self.io_scheduling = checks.pair("io_scheduling", io_scheduling, tuple(IO_CLASSES))
            self.limits = checks.limits(limits)
        if rare:
            from ssd.starting.rare import checked

            self.__dict__ = checked(rare)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Return the default of a rare field: few commands have any of them."""
            from ssd.starting.rare import default

            return default(vars(self), name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Command):
            return NotImplemented
        names = {*Command.__slots__, *vars(self), *vars(other)} - {"__dict__"}
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]  # a Command is mutable

    def __repr__(self) -> str:
        from ssd.starting.command_checks import shown

        return shown(self, Command([self.startas]))


def has_rare_steps(command: Command) -> bool:
    """Tell whether a start takes steps of ``ssd.starting.rare.steps``."""
    scheduled = command.cpu_scheduling is not None or command.io_scheduling is not None
    return scheduled or bool(command.limits or vars(command))


def _bytes(what: str, value: "Text") -> bytes:
    try:
        return os.fsencode(value)
    except TypeError:
        raise TypeError(f"{what} must be a text or a path, not {value!r}") from None


CPU_POLICIES = ("other", "fifo", "rr")
IO_CLASSES = {"real-time": 1, "best-effort": 2, "idle": 3}  # ioprio_set(2)
