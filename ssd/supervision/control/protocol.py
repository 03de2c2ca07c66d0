"""The lines that a supervisor and its clients exchange: bytes in, requests or faults out.

A line is a JSON object and a newline, in UTF-8 (bytes that are no UTF-8 are lone surrogates in a
text, PEP 383). A request has an ``id`` of the client's choice, which every line of its answer
repeats. The last line of an answer, and no other, has the key ``ok``. Nothing here waits, reads or
writes; docs/reference/control.md is the description for clients in other languages.
"""

from ssd.errors import Error
from ssd.supervision.control.json_reader import Malformed, read
from ssd.supervision.control.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1  # of the protocol: raised when a client must know of a change
MAX_LINE = 8192  # bytes of a request with its newline
MAX_LINE_OF_JOBS = 1 << 20  # of one about jobs, which has variables: execve(2) takes 128 KiB each
MAX_ID = 64  # characters of an id that is a text

# Types of the fields of a request.
FIELDS: "dict[str, tuple[type, ...]]" = {
    "name": (str,),  # of a service
    "all": (bool,),  # instead of a name: all services of the supervisor
    "file": (str,),  # the declaration of that name must be this file
    "details": (bool,),  # for all: also what is declared of each
    "steps": (bool,),  # say what was done
    "nowait": (bool,),  # answer at once, and not when the service is ready or has stopped
    "follow": (bool,),  # go on with what happens from now on
    "lines": (int,),  # the last so many lines of a log
    "signal": (int, str),  # its number, or its name without SIG
    "command": (str,),  # of initctl(8), for jobs
    "instance": (str,),  # of a job; "" is the name of the only one
    "environment": (list,),  # texts KEY=VALUE
    "value": (str,),  # what else a command is about
    "retain": (bool,),  # change no variable that is set already
}
_KINDS: "dict[type, str]" = {
    str: "a text", int: "a whole number", bool: "true or false", list: "a list of texts",
}  # fmt: skip
_ACTION = ("name", "all", "file", "nowait", "steps")
# Verb -> the fields that a request may have.
VERBS: "dict[str, tuple[str, ...]]" = {
    "hello": (),
    "status": ("name", "all", "file", "details"),
    "start": _ACTION,
    "stop": _ACTION,
    "restart": _ACTION,
    "try-restart": _ACTION,
    "reload": _ACTION,
    "force-reload": _ACTION,
    "signal": ("name", "file", "signal"),
    "events": ("follow", "lines"),
    "log": ("name", "file", "lines", "follow"),
    "update": (),
    "upgrade": (),
    "job": ("command", "name", "instance", "environment", "nowait", "value", "retain"),
}
# What a request must have besides: one of these fields.
NEEDED: "dict[str, tuple[tuple[str, ...], ...]]" = {
    **dict.fromkeys(
        ("status", "start", "stop", "restart", "try-restart", "reload", "force-reload"),
        (("name", "all"),),
    ),
    "signal": (("name",), ("signal",)),
    "log": (("name",),),
    "job": (("command",),),
}

# The value of ``error`` in an answer that is not ok, and what it means. After those of FATAL
# the supervisor closes the connection.
ERRORS = {
    "malformed": "the line is no JSON object with the fields of a request",
    "too-long": f"the line has more than {MAX_LINE} bytes, {MAX_LINE_OF_JOBS} where there are jobs",
    "unknown-verb": "there is no such verb",
    "unknown-service": "the supervisor has no service of that name, or not from that file",
    "unsupported": "the service, or the supervisor, cannot do that",
    "failed": "it was tried, and failed",
    "refused": "a job is not there, or does not do that now: `message` is the text of initctl",
    "denied": "the client's user may not use this socket",
    "busy": "there are too many clients, or too many requests of this one wait",
    "slow": "the client did not read what it had asked for",
    "ending": "the supervisor ends before the answer is known",
}
FATAL = ("too-long", "denied", "slow", "ending")


class Request:
    """What a client asks for: ``verb`` with ``fields``; ``id`` goes into each line of the answer.

    The fields have the types of FIELDS, and are among those of the verb.
    """

    __slots__ = ("id", "verb", "fields")

    def __init__(self, id: "int | str | None", verb: str, fields: "Mapping[str, object]") -> None:
        self.id = id
        self.verb = verb
        self.fields = fields

    @property
    def name(self) -> "str | None":
        """The service; None if the verb has none or is for all."""
        name = self.fields.get("name")
        return name if isinstance(name, str) else None

    def text(self, name: str) -> str:
        """Return a field that is a text; without it an empty one."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def words(self, name: str) -> "list[str]":
        """Return a field that is a list of texts; without it an empty one."""
        value = self.fields.get(name)
        return [str(word) for word in value] if isinstance(value, list) else []

    def flag(self, name: str) -> bool:
        """Return a field that is true or false; without it false."""
        return self.fields.get(name) is True

    def number(self, name: str, default: int) -> int:
        """Return a field that is a number."""
        value = self.fields.get(name)
        return value if isinstance(value, int) else default

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Request):
            return NotImplemented
        return (self.id, self.verb, self.fields) == (other.id, other.verb, other.fields)

    __hash__ = None  # type: ignore[assignment]  # the fields are a dict

    def __repr__(self) -> str:
        return f"Request({self.id!r}, {self.verb!r}, {self.fields!r})"


class Fault(Exception):
    """What is wrong with a line; ``error`` is a key of ERRORS, ``id`` None if it is unknown."""

    def __init__(self, error: str, message: str, id: "int | str | None" = None) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.id = id

    @property
    def fatal(self) -> bool:
        """Whether nothing more of this client is read."""
        return self.error in FATAL

    __reduce__ = Error.__reduce__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fault):
            return NotImplemented
        mine, theirs = (self.error, self.id), (other.error, other.id)
        return mine == theirs and self.message == other.message

    __hash__ = Exception.__hash__


class Requests:
    """Bytes of a client in, its requests out.

    Holds at most so many bytes of a line without an end, and what else the caller has given in
    one piece. After a fatal fault it takes nothing more.
    """

    __slots__ = ("_data", "_longest", "_seen", "_over")

    def __init__(self, longest: int = MAX_LINE) -> None:
        self._longest = longest
        self._data = bytearray()
        self._seen = 0  # of these bytes no newline is known
        self._over = False

    def receive(self, data: bytes) -> None:
        """Take bytes as they come."""
        if not self._over:
            self._data += data

    @property
    def ready(self) -> bool:
        """Whether ``next`` has something without more bytes."""
        return len(self._data) >= self._longest or self._end() >= 0

    def next(self) -> "Request | Fault | None":
        """Return the next request, a fault for a line that is none, or None."""
        end = self._end()
        if end >= self._longest or end < 0 and len(self._data) >= self._longest:
            self._data.clear()
            self._seen, self._over = 0, True
            return Fault("too-long", f"a request has at most {self._longest} bytes")
        if end < 0:
            return None
        line = self._data[:end]
        del self._data[: end + 1]
        self._seen = 0
        try:
            return parse(bytes(line))
        except Fault as fault:
            return fault

    def _end(self) -> int:
        """Return the place of the first newline, -1 without one; look at no byte twice."""
        end = self._data.find(b"\n", self._seen)
        self._seen = len(self._data) if end < 0 else end
        return end


def parse(line: bytes) -> Request:
    """Return the request that a line is. Raises Fault."""
    try:
        value = read(line.decode("utf-8", "surrogateescape"))
    except Malformed as error:
        raise Fault("malformed", f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise Fault("malformed", "a request must be an object")
    id = value.pop("id", None)
    if not (id is None or type(id) is int or isinstance(id, str) and len(id) <= MAX_ID):
        raise Fault("malformed", f"an id is a whole number, or a text of up to {MAX_ID} characters")
    verb = value.pop("verb", None)
    if not isinstance(verb, str) or verb not in VERBS:
        raise Fault("unknown-verb", f"there is no verb {_shown(verb)}", id)
    _check(verb, value, id)
    return Request(id, verb, value)


def _check(verb: str, fields: "dict[str, object]", id: "int | str | None") -> None:
    """Check fields by the tables. Raises Fault: an unknown one could change the meaning."""
    for name, value in fields.items():
        if name not in VERBS[verb]:
            raise Fault("malformed", f"{verb} has no field {_shown(name)}", id)
        if type(value) not in FIELDS[name]:
            kinds = " or ".join(_KINDS[each] for each in FIELDS[name])
            raise Fault("malformed", f"{name} must be {kinds}", id)
        if isinstance(value, list) and not all(isinstance(word, str) for word in value):
            raise Fault("malformed", f"{name} must be {_KINDS[list]}", id)
    for choice in NEEDED.get(verb, ()):
        if sum(fields.get(name) not in (None, False) for name in choice) != 1:
            raise Fault("malformed", f"{verb} needs {' or '.join(choice)}", id)


def _shown(value: object) -> str:
    return encode(value)[:80]


def line(id: "int | str | None", **fields: object) -> bytes:
    """Write one line of an answer."""
    return encode({"id": id, **fields}).encode("ascii") + b"\n"


def success(id: "int | str | None", **fields: object) -> bytes:
    """Write the last line of an answer that went well."""
    return line(id, ok=True, **fields)


def failure(id: "int | str | None", error: str, message: str, **fields: object) -> bytes:
    """Write the last line of an answer that did not; ``error`` is a key of ERRORS."""
    return line(id, ok=False, error=error, message=message, **fields)
