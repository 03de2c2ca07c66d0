"""Options for start-stop-daemon that a script hands over in START_ARGS and STOP_ARGS."""

from ssd.cli.faults import Unusable, Usage
from ssd.cli.options import Options, read
from ssd.service.kinds import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# What makes a command line whole that the options could be in.
_START = ["--start", "--startas", "/", "--pidfile", "/"]
_STOP = ["--stop", "--pidfile", "/"]


def start_fields(text: str) -> dict[str, object]:
    """Return the fields that options of a start mean. Raises BadValue."""
    options = _read(text, _START)
    fields: dict[str, object] = {}
    for option, field in _TEXTS:
        if options.has(option):
            fields[field] = options.value(option)
    for field, value in (("user", options.chuid), ("group", options.group)):
        if value is not None:
            fields[field] = value
    if options.umask is not None:
        fields["umask"] = f"{options.umask:03o}"
    if options.has("nicelevel"):
        fields["nice"] = options.nicelevel
    for field, pair in (("cpu_scheduling", options.procsched), ("io_scheduling", options.iosched)):
        if pair is not None:
            fields[field] = "{}:{}".format(*pair)
    if options.has("background"):
        fields["background"] = True
    if options.has("notify-await"):
        fields["readiness"] = {"kind": "notify", "timeout": options.notify_timeout}
    return fields


def stop_fields(text: str) -> dict[str, object]:
    """Return the fields that options of a stop mean. Raises BadValue."""
    options = _read(text, _STOP)
    if options.has("retry"):
        return {"stop_schedule": options.value("retry")}
    if options.has("signal"):
        name = str(options.value("signal"))
        signal = f"-{name}" if name.isdigit() else name
        return {"stop_schedule": f"{signal}/30/KILL/5"}
    return {}


_TEXTS = (
    ("chdir", "working_directory"), ("chroot", "root"), ("output", "output"),
    ("name", "process_name"),
)  # fmt: skip


def _read(text: str, rest: list[str]) -> Options:
    options = Options()
    words = list(_own(text.split()))
    if any(word.startswith(("-C", "--no-c")) for word in words):
        raise BadValue("--no-close is an option for which there is no field")
    try:
        read([*rest, *words], options)
    except (Usage, Unusable) as error:
        raise BadValue(str(error)) from None
    return options


def _own(words: list[str]) -> "Iterator[str]":
    """Leave out what ends the options: the arguments of the program are not among these."""
    for word in words:
        if word == "--":
            return
        yield word
