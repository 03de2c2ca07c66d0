"""The options of start-stop-daemon in START_ARGS and STOP_ARGS, and the fields that they set.

This is the one module of the service layer that uses the command's own parser.
"""

from ssd.cli.grammar import Unusable, Usage
from ssd.cli.options import Options, read
from ssd.service.errors import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# option of start-stop-daemon -> field with the same text
_OPTIONS = (
    ("chdir", "working_directory"), ("chroot", "root"), ("output", "output"),
    ("name", "process_name"),
)  # fmt: skip
# The rest of a command line for the options of START_ARGS and STOP_ARGS.
_START = ["--start", "--startas", "/", "--pidfile", "/"]
_STOP = ["--stop", "--pidfile", "/"]


def start_fields(text: str) -> dict[str, object]:
    """Return the fields that the options of a start set. Raises BadValue."""
    options = _read(text, _START)
    if options.has("no-close"):
        raise BadValue("no field corresponds to the option --no-close")
    return fields_of_start(options)


def fields_of_start(options: Options) -> dict[str, object]:
    """Return the fields that the options of a start set, but for program and pidfile."""
    fields: dict[str, object] = {}
    for option, field in _OPTIONS:
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
    if options.has("wait"):
        if "readiness" in fields:
            raise BadValue("no field corresponds to both --notify-await and --wait")
        fields["readiness"] = {"kind": "stays", "timeout": options.for_start["wait"]}
    return fields


def stop_fields(text: str) -> dict[str, object]:
    """Return the fields that the options of a stop set. Raises BadValue."""
    return fields_of_stop(_read(text, _STOP), "/30/KILL/5")


def fields_of_stop(options: Options, after_signal: str) -> dict[str, object]:
    """Return the fields that the options of a stop set.

    ``after_signal``: how its schedule goes on after the signal, if it has no --retry.
    """
    if options.has("retry"):
        return {"stop_schedule": options.value("retry")}
    if options.has("signal"):
        name = str(options.value("signal"))
        signal = f"-{name}" if name.isdigit() else name
        return {"stop_schedule": f"{signal}{after_signal}"}
    return {}


def _read(text: str, rest: list[str]) -> Options:
    options = Options()
    words = list(_before_program(text.split()))
    try:
        read([*rest, *words], options)
    except (Usage, Unusable) as error:
        raise BadValue(str(error)) from None
    return options


def _before_program(words: list[str]) -> "Iterator[str]":
    """Yield the words before ``--``: the arguments of the program follow it."""
    for word in words:
        if word == "--":
            return
        yield word
