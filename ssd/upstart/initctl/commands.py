"""The commands: what each takes, and which module does it."""

from ssd.upstart.initctl.options import GLOBALLY, NO_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.initctl.options import Row

_JOB = "JOB [KEY=VALUE]..."
_WAITS: "tuple[Row, ...]" = (NO_WAIT,)
_TABLE: "tuple[Row, ...]" = (GLOBALLY,)
# Name -> the words behind it, its own options, and the module of the function ``perform``.
COMMANDS: "dict[str, tuple[str, tuple[Row, ...], str]]" = {
    "start": (_JOB, _WAITS, "jobs"),
    "stop": (_JOB, _WAITS, "jobs"),
    "restart": (_JOB, _WAITS, "jobs"),
    "reload": (_JOB, (), "jobs"),
    "status": (_JOB, (), "jobs"),
    "list": ("", (), "requests"),
    "emit": ("EVENT [KEY=VALUE]...", _WAITS, "requests"),
    "get-env": ("VARIABLE", _TABLE, "variables"),
    "list-env": ("", _TABLE, "variables"),
    "reset-env": ("", _TABLE, "variables"),
    "set-env": ("VARIABLE[=VALUE]", (GLOBALLY, ("r", "retain", "")), "variables"),
    "unset-env": ("VARIABLE", _TABLE, "variables"),
    "reload-configuration": ("", (), "requests"),
    "version": ("", (), "requests"),
    "log-priority": ("[PRIORITY]", (), "requests"),
    "show-config": ("[CONF]", (("e", "enumerate", ""),), "configuration"),
    "check-config": (
        "[CONF]",
        (("i", "ignore-events", "EVENT_LIST"), ("w", "warn", "")),
        "configuration",
    ),
    "usage": ("JOB", (), "jobs"),
    "notify-disk-writeable": ("", (), "requests"),
    "notify-dbus-address": ("ADDRESS", (), "requests"),
    "notify-cgroup-manager-address": ("ADDRESS", (), "requests"),
    "telinit": ("RUNLEVEL", (("e", "", "KEY=VALUE"), ("t", "", "SECONDS")), "runlevel"),
    "help": ("", (), "help"),
}
