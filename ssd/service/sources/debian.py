"""The variables of a shell declaration, and the fields that they set.

The variables of Debian's init-d-script(5) have the same meaning in a file of our own. Any other
field is set by ``SERVICE_`` and its name: ``SERVICE_UMASK=077``. A shell file may also have its
own variables, so an unknown name is an error only if it is similar to a known one and the file
does not use it.
"""

from ssd.service.errors import BadValue, DeclarationError
from ssd.service.fields import KINDS
from ssd.service.sources.openstack import VARIABLES as OPENSTACK
from ssd.service.sources.shell_values import from_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INIT_D = (
    "DAEMON", "DAEMON_ARGS", "DESC", "NAME", "COMMAND_NAME", "PIDFILE", "RELOAD_SIGNAL",
    "START_ARGS", "STOP_ARGS",
)  # fmt: skip
# functions of an init-d-script that become hooks
FUNCTIONS = ("do_start_prepare", "do_start_cleanup", "do_stop_prepare", "do_stop_cleanup")
OWN = {f"SERVICE_{name.upper()}": name for name in KINDS}
VARIABLES = (*INIT_D, *OPENSTACK, *OWN)

# variable -> field with the same text
_TEXTS = {"NAME": "name", "DESC": "description", "PIDFILE": "pidfile"}
# keyword of an LSB header -> field
HEADER = {
    "provides": "provides", "required-start": "required_start", "required-stop": "required_stop",
    "should-start": "should_start", "should-stop": "should_stop",
    "default-start": "default_start", "default-stop": "default_stop",
}  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"  # of a variable's name


class BadVariable(Exception):
    """A variable with an invalid value for its field."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(variable, reason)
        self.variable = variable
        self.reason = reason


def header_fields(header: "Mapping[str, str]") -> "dict[str, object]":
    """Return the fields of an LSB header (``ssd.service.sources.header.parse``)."""
    made: dict[str, object] = {
        field: header[keyword].split() for keyword, field in HEADER.items() if keyword in header
    }
    short = header.get("short-description", "")
    if short:
        made["short_description"] = made["description"] = short
    return made


def plain_fields(given: "Mapping[str, str]") -> "dict[str, object]":
    """Return the fields that the variables of our own files set, without the SERVICE_ ones."""
    made: dict[str, object] = {
        field: given[name] for name, field in _TEXTS.items() if given.get(name)
    }
    if "DESC" in given:  # an empty DESC hides the description of the header too
        made["description"] = given["DESC"]
    for name, field in (("DAEMON", "executable"), ("COMMAND_NAME", "process_name")):
        if given.get(name) not in (None, "", "none"):
            made[field] = given[name]
    if given.get("DAEMON_ARGS"):
        made["arguments"] = given["DAEMON_ARGS"].split()
    return made


def script_fields(given: "Mapping[str, str]", text: str) -> "dict[str, object]":
    """Return the fields of a script with code; in most cases its daemon detaches itself."""
    return {**plain_fields(given), "background": "--background" in text}


def init_d_fields(given: "Mapping[str, str]") -> "dict[str, object]":
    """Return the fields that an init-d-script declares.

    The daemon goes to the background itself, and must match pidfile, program and name. A stop
    sends CONT right after TERM, for a process that is stopped.
    """
    made = plain_fields(given)
    if "executable" in made:
        made["match_executable"] = True
    if given.get("COMMAND_NAME") != "none":
        made.setdefault("process_name", given["NAME"][:15])
    return {"background": False, "stop_schedule": "TERM/0/CONT/30/KILL/5", **made}


def option_fields(given: "Mapping[str, str]") -> "dict[str, object]":
    """Return the fields of RELOAD_SIGNAL, START_ARGS and STOP_ARGS. Raises BadVariable."""
    made: dict[str, object] = {}
    if given.get("RELOAD_SIGNAL"):
        made["reload_signal"] = given["RELOAD_SIGNAL"]
    if given.get("START_ARGS") or given.get("STOP_ARGS"):
        from ssd.service.sources.start_args import start_fields, stop_fields

        for variable, fields in (("START_ARGS", start_fields), ("STOP_ARGS", stop_fields)):
            try:
                made.update(fields(given.get(variable, "")))
            except BadValue as error:
                raise BadVariable(variable, error.reason) from None
    return made


def own_fields(given: "Mapping[str, str]") -> "dict[str, object]":
    """Return the fields that the SERVICE_ variables set. Raises BadVariable."""
    found = {}
    for variable, field in OWN.items():
        if variable in given:
            try:
                found[field] = from_text(KINDS[field], given[variable])
            except BadValue as error:
                raise BadVariable(variable, error.reason) from None
    return found


def variable_of(field: str, given: "Mapping[str, str]") -> str:
    """Return the variable that set a field, for an error about it."""
    own = f"SERVICE_{field.partition('.')[0].upper()}"
    words = {"executable": "DAEMON", "arguments": "DAEMON_ARGS", "process_name": "COMMAND_NAME"}
    words |= {field: name for name, field in _TEXTS.items()}
    words |= {"reload_signal": "RELOAD_SIGNAL", "stop_schedule": "RETRY"}
    return own if own in given else words.get(field, own)


def check_spelling(text: str, file: str) -> None:
    """Raise DeclarationError for the first misspelt variable."""
    for number, name in assigned(text):
        if name in VARIABLES or uses(text, name):
            continue
        near = meant(name)
        if near is not None or name.startswith("SERVICE_"):
            raise DeclarationError("unknown variable", name, file=file, line=number, nearest=near)


def uses(text: str, name: str) -> bool:
    """Tell whether a text refers to a variable."""
    return f"${name}" in text or f"${{{name}" in text


def meant(name: str) -> "str | None":
    """Return the known variable of which an unknown one is a misspelling, or None."""
    from ssd.service.errors import nearest

    near = nearest(name, VARIABLES)
    if near is None or not name.startswith("SERVICE_") and not _alike(name, near):
        return None
    return near


def assigned(text: str) -> "Iterator[tuple[int, str]]":
    """Yield line number and variable of each line that begins like an assignment."""
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, _ = line.strip().removeprefix("readonly ").partition("=")
        if equals and name and not name.strip(LETTERS):
            yield number, name


def _alike(name: str, known: str) -> bool:
    """Tell whether two names differ by one or two letters only: a misspelling, not another word."""
    short, long = sorted((name, known), key=len)
    left = list(long)
    for letter in short:
        if letter in left:
            left.remove(letter)
    return len(left) <= 1
