"""What the start of a traced script is in a declaration: which program, and in what surroundings.

Pure but for the names of accounts. ``record`` is that of ``ssd.service.importing.trace.running``.
"""

import grp
import os
import pwd

from ssd.cli.options import Options, read
from ssd.service.importing import openrc
from ssd.service.importing.trace import tools
from ssd.service.importing.trace.sandbox import OUTPUT
from ssd.service.sources.start_args import fields_of_start
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssd.service.importing.trace.calls import Call

    Fields = dict[str, object]
    Tell = Callable[..., None]

# Variables that shells set by themselves.
OWN_VARIABLES = ("PWD", "OLDPWD", "SHLVL", "_", openrc.MARK)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # ssd.service.environment
NOWHERE = ("", "/dev/null")
POLICIES = {os.SCHED_OTHER: "other", os.SCHED_FIFO: "fifo", os.SCHED_RR: "rr"}
IO_CLASSES = {1: "real-time", 2: "best-effort", 3: "idle"}
IDLE = 3
TEMPORARY = ("/tmp/", "/var/tmp/")


class Started:
    """The daemon of a start: its call, and the options if start-stop-daemon started it.

    others: calls of the same start that are not in the declaration.
    """

    def __init__(self, call: "Call", others: "list[Call]") -> None:
        self.call = call
        self.others = others
        self.options: Options | None = None
        if call["role"] == "starter":
            self.options = Options()
            read(call["words"][1:], self.options)
        self.argv: list[str] = call["started"] if self.options else call["words"]
        self.program: str = self.argv[0] if self.options else call["program"]
        # Whether something else must send it to the background.
        self.background: bool = call["background"] or call["orphan"]
        if self.options is not None and self.options.has("background"):
            self.background = True


def started(record: "dict[str, Any]") -> "Started | None":
    """Return the daemon that a start has started: the first, or None."""
    calls = [e for e in record["events"] if e["kind"] == "call" and e["verb"] == "start"]
    by_tool = [call for call in calls if "started" in call]
    direct = [call for call in calls if call["role"] == "daemon"]
    staying = [call for call in direct if call["background"] or call["orphan"]]
    staying.sort(key=lambda call: int(call["pid"]))  # they run at the same time
    main = (by_tool or staying or direct[-1:] or [None])[0]
    if main is None:
        return None
    return Started(main, [call for call in [*by_tool, *direct] if call is not main])


def fields(found: Started, record: "dict[str, Any]", tell: "Tell") -> "Fields":
    """Return the fields of the start. ``tell`` takes an option, words, and whether it is a loss."""
    made: Fields = {"executable": found.program, "arguments": found.argv[1:]}
    made |= _surroundings(found, record["base"], tell)
    if found.options is not None:
        made |= fields_of_start(found.options)
        _tell_options(found.options, tell)
        if found.options.has("nicelevel"):
            made["nice"] = found.options.nicelevel + found.call["nice"] - record["base"]["nice"]
    made["background"] = found.background
    made |= _environment(found, made)
    made |= _streams(found, tell)
    directories = _directories(record, tell)
    if directories:
        made["directories"] = directories
    lines = [line for change in record["changes"] if (line := making(change))]
    if lines:
        made["before_start"] = "\n".join(lines)
    _tell_others(found, record, tell)
    return made


def _surroundings(found: Started, base: "Call", tell: "Tell") -> "Fields":
    """Return who it runs as, where, and with what limits, as the script gave it."""
    call = found.call
    made: Fields = {}
    own = _own_group(call["uid"])
    if call["gid"] != own:
        made["group"] = group_name(call["gid"])
    if call["uid"]:
        user = made["user"] = user_name(call["uid"])
        account = [] if own is None else os.getgrouplist(user, call["gid"])
        if not {*call["groups"]} <= {*account, call["gid"]}:
            names = " ".join(map(group_name, sorted(call["groups"])))
            tell("user", f"its groups were {names}; a start gives it those of its account")
    if found.options is None and call["cwd"] != "/":
        made["working_directory"] = call["cwd"]
    if call["umask"] != 0o022:
        made["umask"] = f"{call['umask']:03o}"
    limits = {
        name: _limit(limit)
        for name, limit in call["limits"].items()
        if limit != base["limits"].get(name)
    }
    if limits:
        made["limits"] = limits
    if call["nice"] != base["nice"]:
        made["nice"] = call["nice"] - base["nice"]
    if call["oom"] != base["oom"]:
        made["oom_score"] = call["oom"]
    if call["cpu"] != base["cpu"] and call["cpu"][0] in POLICIES:
        made["cpu_scheduling"] = f"{POLICIES[call['cpu'][0]]}:{call['cpu'][1]}"
    if call["io"] != base["io"] and call["io"] and call["io"][0] in IO_CLASSES:
        number, priority = call["io"]
        made["io_scheduling"] = IO_CLASSES[number] + ("" if number == IDLE else f":{priority}")
    return made


def _limit(text: str) -> str:
    soft, _, hard = text.partition(":")
    return soft if soft == hard else text


def user_name(uid: int) -> str:
    """Return the name of an account, its number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return the name of a group, its number if it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _own_group(uid: int) -> "int | None":
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return None


def _home(user: object) -> str:
    try:
        text = str(user)
        found = pwd.getpwuid(int(text)) if text.isdigit() else pwd.getpwnam(text)
    except KeyError:
        return ""
    return found.pw_dir


def _environment(found: Started, made: "Fields") -> "Fields":
    """Return the variables that the script gave, without those that a start sets itself."""
    given = found.call["environment"]
    variables = {
        name: value
        for name, value in sorted(given.items())
        if name not in OWN_VARIABLES and not (name == "PATH" and value == PATH)
    }
    home = variables.get("HOME", "")
    if "user" in made and home == _home(made["user"]) and os.path.isdir(home):
        del variables["HOME"]  # a start sets it, too, if it exists
    own = made.get("environment", {})  # of options of ssd
    fields: Fields = {}
    if "PATH" not in given:
        fields["clear_environment"] = True
    elif made.get("clear_environment"):
        variables = {}
    if variables or own:
        fields["environment"] = {**variables, **(own if isinstance(own, dict) else {})}
    return fields


def _streams(found: Started, tell: "Tell") -> "Fields":
    """Return where its output went, if the script said so."""
    source, out, err = found.call["streams"]
    options = found.options
    if options is not None and options.has("background") and not options.has("no-close"):
        return {}
    if source not in NOWHERE:
        tell("standard input", f"was {source}; it is /dev/null")
    targets = [_target(each) for each in (out, err)]
    for name, target in zip(("standard output", "standard error"), targets):
        if target is not None and not target.startswith("/"):
            tell(name, "went to another program: a declaration has no pipe")
    files = [each for each in targets if each and each.startswith("/") and each != "/dev/null"]
    if not files or options is not None and options.has("output"):
        return {}
    if not found.background:
        tell("output", f"went to {files[0]}: a daemon that goes to the background itself keeps it")
        return {}
    if not all(found.call["appends"][1:]):
        tell("output", f"{files[0]} was emptied first; it is appended to", False)
    if targets[0] == targets[1]:
        return {"output": files[0]}
    pairs = zip(("stdout", "stderr"), targets)
    return {name: each for name, each in pairs if each in files}


def _target(stream: str) -> "str | None":
    """Return where a stream goes; None if it is the script's own."""
    return None if stream == OUTPUT or not stream else stream.removesuffix(" (deleted)")


def _directories(record: "dict[str, Any]", tell: "Tell") -> "list[dict[str, str]]":
    """Return the directories that the start made."""
    made = []
    for change in record["changes"]:
        path = change["path"]
        if change["kind"] != "directory" or path.startswith(TEMPORARY):
            continue
        entry = {"path": path}
        if change["mode"] != 0o755:
            entry["mode"] = f"{change['mode']:04o}"
        if change["uid"]:
            entry["user"] = user_name(change["uid"])
        if change["gid"]:
            entry["group"] = group_name(change["gid"])
        made.append(entry)
    return sorted(made, key=lambda entry: entry["path"])


def making(change: "dict[str, Any]") -> str:
    """Return a command that gives a path away, or makes an empty file so, as logs are; or ""."""
    path = change["path"]
    if change["kind"] == "given" and not path.startswith(TEMPORARY):
        owner = f"{user_name(change['uid'])}:{group_name(change['gid'])}"
        return f"chown {owner} {quote(path)}; chmod {change['mode']:04o} {quote(path)}"
    if change["kind"] != "file" or change["content"] or path.startswith(TEMPORARY):
        return ""
    if not change["uid"] and not change["gid"]:
        return ""
    owner = f"-o {user_name(change['uid'])} -g {group_name(change['gid'])}"
    file = quote(path)
    return f"[ -e {file} ] || install -m {change['mode']:04o} {owner} /dev/null {file}"


def _tell_options(options: Options, tell: "Tell") -> None:
    """Tell the options that a declaration has no field for."""
    if options.has("user"):
        words = "is no criterion of a declaration: pidfile, program and name are"
        tell(f"--user {options.value('user')}", words, False)
    for name in ("pid", "ppid"):
        if options.has(name):
            tell(f"--{name}", "is no criterion of a declaration")


def _tell_others(found: Started, record: "dict[str, Any]", tell: "Tell") -> None:
    """Tell what else the start runs."""
    for call in found.others:
        words = " ".join(call["started"] if "started" in call else call["words"])
        if "started" in call or call["background"] or call["orphan"]:
            tell("start", f"starts {words}, too: it needs a declaration of its own")
        else:
            tell("start", f"runs {words} before: write it as before_start if it is needed")
    for call in record["events"]:
        if call["kind"] != "call" or call["verb"] != "start":
            continue
        if call["role"] == "query":
            words = f"reads what {' '.join(call['words'])} prints"
            if call.get("ran"):
                tell("start", f"{words}, as it is now", False)
            else:
                tell("start", f"{words}: it printed nothing")
        elif call["role"] == "effect":
            tell("start", f"runs {' '.join(call['words'])}: write it as before_start")


def is_script(path: str) -> bool:
    """Tell whether a program is a script: the kernel then knows its interpreter."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def runs_others(path: str) -> bool:
    """Tell whether a program is a shell, an interpreter or the like: it may run anything."""
    name = path.rpartition("/")[2].rstrip("0123456789.")
    return tools.is_shell(path) or tools.runs(path) or name in tools.INTERPRETERS
