"""See through start-stop-daemon(8), by which many jobs start their program.

It does for them what a Service says by itself: the user, the directory, the niceness.
"""

import os

from ssd.cli.grammar import Unusable, Usage
from ssd.cli.options import START, Options, read

TOOLS = ("start-stop-daemon", "ssd")
# Options without a meaning once the program is started by another init.
_IDLE = {"start", "exec", "startas", "quiet", "verbose", "oknodo", "chuid", "group", "no-close"}
# option -> field with the same text
_TEXTS = (("chroot", "root"), ("output", "output"), ("name", "process_name"))


def unwrap(words: "list[str]") -> "dict[str, object] | None":
    """Return the fields that a command by start-stop-daemon sets; None for any other command.

    The command is that of a main process, so its program must stay in the foreground: one with
    --background is another command, and so is one with an option that no field can express.
    """
    if not words or os.path.basename(words[0]) not in TOOLS:
        return None
    options = Options()
    try:
        read(words[1:], options)
    except (Usage, Unusable):
        return None  # it fails, and Upstart reports that
    program = options.value("startas") or options.value("exec")
    if options.command != START or not program or not program.startswith("/"):
        return None
    fields: dict[str, object] = {
        "executable": program,
        "arguments": options.operands,
        # start-stop-daemon goes there itself, whatever directory the job names.
        "working_directory": options.value("chdir") or "/",
    }
    known = _IDLE | {"chdir", "pidfile", "make-pidfile"}
    for name, field in _TEXTS:
        if options.has(name):
            known.add(name)
            fields[field] = options.value(name)
    for field, value in (("user", options.chuid), ("group", options.group)):
        if value is not None:
            fields[field] = value
    if options.umask is not None:
        known.add("umask")
        fields["umask"] = f"{options.umask:03o}"
    if options.has("nicelevel"):
        known.add("nicelevel")
        fields["nice"] = options.nicelevel
    if options.has("pidfile"):
        fields["pidfile"] = options.value("pidfile")
    return fields if known >= {*options.given} else None
