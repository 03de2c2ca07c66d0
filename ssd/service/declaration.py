"""The declaration of a service: its fields, and what the library needs to run it."""

from ssd.service.errors import BadValue, DeclarationError
from ssd.service.fields import DEFAULTS, KINDS, NAMES
from ssd.service.kinds import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.matching import Match
    from ssd.schedule import Schedule
    from ssd.service.types import Fields
    from ssd.starting.command import Command
else:
    Fields = object


class Service(Fields):
    """A service as declared; its attributes are the fields of ``ssd.service.fields.TABLE``.

    Keywords and attributes have the types of a TOML file: texts, numbers, true and false,
    lists and tables. Two services are equal if all their fields are equal. ``file`` is the
    path of the declaration, None if it was not read from a file; ``find_doubts`` returns the
    ``doubts``, and is None if there are none.

    Raises DeclarationError for an unknown field, an invalid value, or a missing name.
    """

    __slots__ = (*NAMES, "file", "find_doubts")

    def __init__(self, *, file: "str | None" = None, **given: object) -> None:
        self.file = file
        self.find_doubts: Callable[[], tuple[str, ...]] | None = None
        if given.get("name") is None:
            raise DeclarationError("every service must have a name", "name", file=file)
        for key, value in given.items():
            if key not in KINDS:
                from ssd.service.declaring import unknown

                raise unknown(key, NAMES, "unknown field", file)
            if value is not None or DEFAULTS[key] is not None:
                setattr(self, key, self._checked(key, value))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Make a default when it is first used: with many services, few of them are."""
            if name not in KINDS:
                raise AttributeError(f"a Service has no field {name!r}")
            value = _default(name, self.name)
            setattr(self, name, value)
            return value

    def _checked(self, key: str, value: object) -> object:
        """Return a field's value in its normal form."""
        try:
            return _completed(key, check(KINDS[key], value))
        except BadValue as error:
            from ssd.service.declaring import refused

            raise refused(key, error, self.file) from None

    def to_dict(self) -> "dict[str, object]":
        """Return the fields that differ from their defaults, in the order of the table.

        ``Service(**fields)`` with these fields is equal to this service.
        """
        from ssd.service.declaring import reduced

        return {
            name: value
            for name in NAMES
            if (value := reduced(name, getattr(self, name)))
            != reduced(name, _default(name, self.name))
        }

    @property
    def doubts(self) -> "tuple[str, ...]":
        """Warnings about parts of its file that have no effect. Raises OSError."""
        return () if self.find_doubts is None else self.find_doubts()

    def match(self) -> "Match":
        """Return the criteria that its process must match.

        Without a pidfile these are program and name, as for an init-d-script. Raises
        DeclarationError if there are none.
        """
        from ssd.matching import Match

        bare = self.pidfile == "none"
        if bare and self.executable is None and self.process_name is None:
            reason = "must be declared if there is no pidfile and no process_name"
            raise self.missing("executable", reason)
        by_program = self.match_executable or self.match_interpreted or bare
        program = self.program if by_program else None
        return Match(
            pidfile=None if bare else self.pidfile,
            exec=program,
            name=self.process_name,
            interpreted=self.match_interpreted and (program or self.process_name) is not None,
            same_namespace=self.same_namespace,
        )

    @property
    def program(self) -> "str | None":
        """The path of the executable, as seen from outside its root directory."""
        root = (self.root or "").rstrip("/")
        return None if self.executable is None else root + self.executable

    @property
    def argv(self) -> "list[str]":
        """The program and its arguments; a script is run by /bin/sh -e, as Upstart runs it."""
        if self.script:
            return ["/bin/sh", "-e", "-c", self.script, self.name, *self.arguments]
        return [self.executable or "", *self.arguments]

    def command(self) -> "Command":
        """Return the command that ``ssd.start`` takes.

        Raises DeclarationError if no program is declared, and for a file of variables that
        cannot be read.
        """
        from ssd.service.commands import command

        return command(self)

    @property
    def schedule(self) -> "Schedule":
        """The signals that a stop sends, and how long it waits after each."""
        from ssd.schedule import Schedule

        return Schedule.parse(self.stop_schedule)

    def missing(self, key: str, reason: str) -> DeclarationError:
        """Return the error of a field that must be declared."""
        return DeclarationError(reason, key, file=self.file)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Service):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in NAMES)

    __hash__ = None  # type: ignore[assignment]  # its lists and tables are mutable

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Service({given})"


def _default(name: str, service: str) -> object:
    """Return a fresh default; that of a pidfile depends on the service's name."""
    if name == "pidfile":
        return f"/run/{service}.pid"
    value = DEFAULTS[name]
    if isinstance(value, dict):
        return {key: list(each) if isinstance(each, list) else each for key, each in value.items()}
    return list(value) if isinstance(value, list) else value


def _completed(name: str, value: object) -> object:
    """Add the default entries to a table."""
    default = DEFAULTS[name]
    if isinstance(value, dict) and isinstance(default, dict):
        return {**default, **value}
    return value
