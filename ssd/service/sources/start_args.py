"""The options of start-stop-daemon in START_ARGS and STOP_ARGS, and the fields that they set.

This is the one module of the service layer that uses the command's own parser.
"""

from ssd.cli.grammar import Unusable, Usage
from ssd.cli.options import Options, read
from ssd.service.errors import BadValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# option -> field with the same text
_OPTIONS = (
    ("chdir", "working_directory"), ("chroot", "root"), ("output", "output"),
    ("name", "process_name"), ("stdout", "stdout"), ("stderr", "stderr"),
    ("capabilities", "capabilities"), ("securebits", "securebits"),
)  # fmt: skip
# option without a value -> field
_FLAGS = (
    ("background", "background"), ("login", "login"), ("clear-env", "clear_environment"),
    ("no-new-privs", "no_new_privs"), ("interpreted", "match_interpreted"),
    ("same-namespace", "same_namespace"),
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
    fields |= {field: True for option, field in _FLAGS if options.has(option)}
    if options.has("notify-await"):
        fields["readiness"] = {"kind": "notify", "timeout": options.notify_timeout}
    if options.has("wait"):
        if "readiness" in fields:
            raise BadValue("no field corresponds to both --notify-await and --wait")
        fields["readiness"] = {"kind": "stays", "timeout": options.for_start["wait"]}
    return fields | _added(options)


def _added(options: Options) -> dict[str, object]:
    """Return the fields of options that may be repeated, or whose field has another form."""
    fields: dict[str, object] = {}
    tables: dict[str, dict[str, str]] = {"environment": {}, "limits": {}}
    for option, text in options.added:
        name, _, value = str(text).partition("=")
        if option in ("env", "limit"):
            tables["environment" if option == "env" else "limits"][name] = value
    files = [text for option, text in options.added if option == "env-file"]
    if files:
        fields["environment_files"] = files
    if options.has("oom-score-adj"):
        fields["oom_score"] = int(str(options.value("oom-score-adj")))
    if options.has("logger"):
        target = str(options.value("logger"))
        fields["log"] = {"path": target}
        if not target.startswith("/"):
            fields["log"] = {"kind": "none", "syslog": True}
    return fields | {name: table for name, table in tables.items() if table}


def stop_fields(text: str) -> dict[str, object]:
    """Return the fields that the options of a stop set. Raises BadValue."""
    return fields_of_stop(_read(text, _STOP), "/30/KILL/5")


def fields_of_stop(options: Options, after_signal: str) -> dict[str, object]:
    """Return the fields that the options of a stop set.

    ``after_signal``: how its schedule goes on after the signal, if it has no --retry.
    """
    fields: dict[str, object] = {"kill_mode": "tree"} if options.has("tree") else {}
    if options.has("retry"):
        fields["stop_schedule"] = options.value("retry")
    elif options.has("signal"):
        name = str(options.value("signal"))
        signal = f"-{name}" if name.isdigit() else name
        fields["stop_schedule"] = f"{signal}{after_signal}"
    return fields


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
