"""The variables of Debian's init scripts, and what they declare.

Those of init-d-script(5) mean the same in a file of our own. What has no word of Debian's is
``SERVICE_`` and the field's name: ``SERVICE_UMASK=077``.
"""

from ssd.service.fields import KINDS
from ssd.service.kinds import BadValue
from ssd.service.shell_values import from_text
from ssd.service.sources.openstack import VARIABLES as OPENSTACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INIT_D = (
    "DAEMON", "DAEMON_ARGS", "DESC", "NAME", "COMMAND_NAME", "PIDFILE", "RELOAD_SIGNAL",
    "START_ARGS", "STOP_ARGS",
)  # fmt: skip
OWN = {f"SERVICE_{name.upper()}": name for name in KINDS}
VARIABLES = (*INIT_D, *OPENSTACK, *OWN)

# variable -> field, for those whose text is the field's
_TEXTS = {"NAME": "name", "DESC": "description", "PIDFILE": "pidfile"}
# keyword of an LSB header -> field
HEADER = {
    "provides": "provides", "required-start": "required_start", "required-stop": "required_stop",
    "should-start": "should_start", "should-stop": "should_stop",
    "default-start": "default_start", "default-stop": "default_stop",
}  # fmt: skip


class BadVariable(Exception):
    """A variable whose text its field cannot have."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(variable, reason)
        self.variable = variable
        self.reason = reason


def header_fields(header: "Mapping[str, str]") -> dict[str, object]:
    """Return the fields of an LSB header (``ssd.service.sources.header.parse``)."""
    made: dict[str, object] = {
        field: header[keyword].split() for keyword, field in HEADER.items() if keyword in header
    }
    short = header.get("short-description", "")
    if short:
        made["short_description"] = made["description"] = short
    return made


def plain_fields(given: "Mapping[str, str]") -> dict[str, object]:
    """Return what the variables of a file of our own declare, but for the SERVICE_ ones."""
    made: dict[str, object] = {
        field: given[name] for name, field in _TEXTS.items() if given.get(name)
    }
    if "DESC" in given:  # even if it says nothing, the header's text is not meant then
        made["description"] = given["DESC"]
    for name, field in (("DAEMON", "executable"), ("COMMAND_NAME", "process_name")):
        if given.get(name) not in (None, "", "none"):
            made[field] = given[name]
    if given.get("DAEMON_ARGS"):
        made["arguments"] = given["DAEMON_ARGS"].split()
    return made


def script_fields(given: "Mapping[str, str]", text: str) -> dict[str, object]:
    """Return what a script with code of its own declares: its daemon mostly detaches itself."""
    return {**plain_fields(given), "background": "--background" in text}


def init_d_fields(given: "Mapping[str, str]") -> dict[str, object]:
    """Return what an init-d-script declares.

    The daemon goes to the background itself and is known by pidfile, program and name
    together; a stop gives it no time after TERM but wakes it if it is stopped.
    """
    made = plain_fields(given)
    if "executable" in made:
        made["match_executable"] = True
    if given.get("COMMAND_NAME") != "none":
        made.setdefault("process_name", given["NAME"][:15])
    return {"background": False, "stop_schedule": "TERM/0/CONT/30/KILL/5", **made}


def option_fields(given: "Mapping[str, str]") -> dict[str, object]:
    """Return what RELOAD_SIGNAL, START_ARGS and STOP_ARGS declare. Raises BadVariable."""
    made: dict[str, object] = {}
    if given.get("RELOAD_SIGNAL"):
        made["reload_signal"] = given["RELOAD_SIGNAL"]
    if given.get("START_ARGS") or given.get("STOP_ARGS"):
        from ssd.service.sources.start_args import start_fields, stop_fields

        for variable, read in (("START_ARGS", start_fields), ("STOP_ARGS", stop_fields)):
            try:
                made.update(read(given.get(variable, "")))
            except BadValue as error:
                raise BadVariable(variable, error.reason) from None
    return made


def own_fields(given: "Mapping[str, str]") -> dict[str, object]:
    """Return what the SERVICE_ variables declare. Raises BadVariable."""
    found = {}
    for variable, field in OWN.items():
        if variable in given:
            try:
                found[field] = from_text(KINDS[field], given[variable])
            except BadValue as error:
                raise BadVariable(variable, error.reason) from None
    return found


def variable_of(field: str, given: "Mapping[str, str]") -> str:
    """Return the variable that gave a field its value, for an error about it."""
    own = f"SERVICE_{field.partition('.')[0].upper()}"
    words = {"executable": "DAEMON", "arguments": "DAEMON_ARGS", "process_name": "COMMAND_NAME"}
    words |= {field: name for name, field in _TEXTS.items()}
    words |= {"reload_signal": "RELOAD_SIGNAL", "stop_schedule": "RETRY"}
    return own if own in given else words.get(field, own)
