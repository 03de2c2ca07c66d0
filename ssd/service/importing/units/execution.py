"""What systemd.exec(5) says of a unit's processes, as fields: account, directories, limits, output.

It is ``ssd.service.generators.systemd`` read backwards, and what other units have besides.
"""

import os

from ssd.service.generators.quoting import VARIABLE
from ssd.service.generators.systemd import IO_CLASSES, MANAGED
from ssd.service.importing.units import words
from ssd.service.importing.values import integer, octal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.importing.units.reader import Fields, Reader

# Limit*= -> the unit of its numbers
LIMITS = {
    "AS": "bytes", "CORE": "bytes", "CPU": "seconds", "DATA": "bytes", "FSIZE": "bytes",
    "MEMLOCK": "bytes", "MSGQUEUE": "bytes", "NICE": "nice", "NOFILE": "", "NPROC": "",
    "RSS": "bytes", "RTPRIO": "", "RTTIME": "microseconds", "SIGPENDING": "", "STACK": "bytes",
}  # fmt: skip
SPECIFIERS_OF = {  # the bases of the managed directories in a user's unit
    "RuntimeDirectory": "t", "StateDirectory": "S", "CacheDirectory": "C", "LogsDirectory": "L",
    "ConfigurationDirectory": "E",
}  # fmt: skip
POLICIES = ("other", "fifo", "rr")
# Destinations of the output that are the default: the journal, which is a log of the supervisor.
LOGGED = ("", "inherit", "journal", "kmsg", "journal+console", "kmsg+console")


def fields(reader: "Reader") -> "Fields":
    """Return the fields of the execution environment. Raises DeclarationError."""
    made: Fields = {**account(reader)}
    _tell_accounts(reader)
    made |= paths(reader)
    made |= variables(reader)
    none: int | str = 0
    limits = {
        name.lower(): reader.value(f"Limit{name}", _limit_reader(unit), none)
        for name, unit in LIMITS.items()
        if reader.given(f"Limit{name}")
    }
    if limits:
        made["limits"] = limits
    made |= scheduling(reader)
    made |= output(reader)
    score = reader.value("OOMScoreAdjust", integer, None)
    if score is not None:
        made["oom_score"] = score
    profile = reader.text("AppArmorProfile")
    if profile:
        made["apparmor_profile"] = profile.removeprefix("-")
    return made


def account(reader: "Reader") -> "dict[str, str]":
    """Return user and group; root is what a unit of the system has without them."""
    made = {}
    user, group = reader.text("User"), reader.text("Group")
    dynamic = reader.value("DynamicUser", words.flag, False)
    if dynamic and not user:
        user = reader.unit.prefix
    if user not in ("", "root", "0"):
        made["user"] = user
    if group and (group not in ("root", "0") or "user" in made):
        made["group"] = group
    return made


def _tell_accounts(reader: "Reader") -> None:
    if reader.value("DynamicUser", words.flag, False):
        name = account(reader).get("user", "")
        reader.note("DynamicUser", f"there are no dynamic users: make a system account {name}")
    if reader.words("SupplementaryGroups"):
        told = "a process gets the groups that /etc/group gives its user: usermod -aG does it"
        reader.note("SupplementaryGroups", told)


def paths(reader: "Reader") -> "Fields":
    """Return the directories: those to be in, and those to be made."""
    made: Fields = {}
    root = reader.text("RootDirectory")
    if root not in ("", "/"):
        made["root"] = root
    inside = reader.text("WorkingDirectory").removeprefix("-")
    if inside == "~":
        inside = _home(reader)
    if inside not in ("", "/"):
        made["working_directory"] = inside
    umask = reader.value("UMask", octal, "022")
    if umask != "022":
        made["umask"] = umask
    managed = [each for setting in MANAGED for each in _managed(reader, setting)]
    if managed:
        made["directories"] = managed
    return made


def _home(reader: "Reader") -> str:
    import pwd

    user = reader.text("User") or "root"
    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        reader.note("WorkingDirectory", f"~ is unknown: there is no user {user} here")
        return "/"
    reader.note("WorkingDirectory", f"~ is {entry.pw_dir} now", lost=False)
    return entry.pw_dir


def _managed(reader: "Reader", setting: str) -> "list[dict[str, str]]":
    """Return the directories of RuntimeDirectory= and its like: systemd.exec(5)."""
    base = reader.specifiers[SPECIFIERS_OF[setting]] + "/"
    mode = reader.value(f"{setting}Mode", octal, "755")
    owner: dict[str, str] = {}
    if setting != "ConfigurationDirectory":  # systemd leaves that to root
        owner = {key: str(name) for key, name in account(reader).items()}
    found = []
    for word in reader.words(setting):
        name, colon, link = word.partition(":")
        if colon and link:
            reader.note(setting, f"the link {link} to {base}{name} is not made")
        found.append({"path": base + name, "mode": f"{mode:0>4}", **owner})
    if setting == "RuntimeDirectory":
        reader.text("RuntimeDirectoryPreserve")  # here a directory always stays
    return found


def fixed(reader: "Reader") -> "dict[str, str]":
    """Return the variables of a command that name the managed directories."""
    made = {}
    for setting, mark in SPECIFIERS_OF.items():
        names = [word.partition(":")[0] for word in reader.words(setting)]
        if names:
            variable = f"{setting.removesuffix('Directory').upper()}_DIRECTORY"
            made[variable] = ":".join(f"{reader.specifiers[mark]}/{name}" for name in names)
    return made


def environment(reader: "Reader") -> "dict[str, str]":
    """Return the variables of Environment=. Raises DeclarationError."""
    made = {}
    for word in reader.words("Environment"):
        name, equals, value = word.partition("=")
        if equals and VARIABLE.match(name):
            made[name] = value
        else:
            reader.note("Environment", f"systemd ignores {word!r}: it is no NAME=value")
    return made


def variables(reader: "Reader") -> "Fields":
    """Return the fields of the environment."""
    made: Fields = {}
    own = environment(reader)
    if own:
        made["environment"] = own
    files = []
    for path in reader.texts("EnvironmentFile"):
        bare = path.removeprefix("-")
        if {*"*?["} & {*bare}:
            reader.note("EnvironmentFile", f"name the files that {bare} means")
            continue
        if bare != path and not os.path.exists(bare):
            told = f"{bare} is not there, and left out: here a file must be there"
            reader.note("EnvironmentFile", told)
            continue
        files.append(bare)
    if files:
        made["environment_files"] = files
        told = "read as shell: quote values with blanks and special characters"
        reader.note("EnvironmentFile", told, lost=False)
        if own:
            told = "a variable of environment wins over a file, which wins under systemd"
            reader.note("Environment", told)
    passed = reader.words("PassEnvironment")
    if passed:
        made["pass_environment"] = passed
    return made


def _limit_reader(unit: str) -> "Callable[[str], int | str]":
    return lambda text: words.limit(text, unit)


def scheduling(reader: "Reader") -> "Fields":
    """Return niceness and schedulers."""
    made: Fields = {}
    nice = reader.value("Nice", integer, 0)
    if nice:
        made["nice"] = nice
    policy = reader.text("CPUSchedulingPolicy")
    priority = reader.value("CPUSchedulingPriority", integer, 1)
    if policy in POLICIES:
        made["cpu_scheduling"] = policy if policy == "other" else f"{policy}:{priority}"
    elif policy:
        reader.note("CPUSchedulingPolicy", f"must be one of {', '.join(POLICIES)}, not {policy}")
    of_disk = reader.text("IOSchedulingClass")
    level = reader.value("IOSchedulingPriority", integer, 4)
    names = {system: own for own, system in IO_CLASSES.items()}
    names |= {"1": "real-time", "2": "best-effort", "3": "idle"}
    if of_disk in names or not of_disk and reader.given("IOSchedulingPriority"):
        name = names[of_disk or "best-effort"]
        made["io_scheduling"] = name if name == "idle" else f"{name}:{level}"
    return made


def output(reader: "Reader") -> "Fields":
    """Return where the output goes."""
    out = reader.text("StandardOutput", "journal")
    err = reader.text("StandardError", "inherit")
    files = {"StandardOutput": _file(reader, "StandardOutput", out)}
    both = err == "inherit" or err == out
    files["StandardError"] = "" if both else _file(reader, "StandardError", err)
    source = reader.text("StandardInput", "null")
    if out.startswith("tty") or source.startswith("tty"):
        reader.text("TTYPath")
        return {"console": "owner" if source.startswith("tty") else "output"}
    if source != "null":
        reader.note("StandardInput", "standard input is /dev/null")
    if out == "null" and (both or err == "null"):
        return {"log": {"kind": "none"}}
    if out.startswith("syslog") or err.startswith("syslog"):
        return {"log": {"syslog": True}}
    path, errors = files["StandardOutput"], files["StandardError"]
    if path and both:
        return {"output": path}
    return {name: each for name, each in (("stdout", path), ("stderr", errors)) if each}


def _file(reader: "Reader", setting: str, text: str) -> str:
    """Return the file of a destination, empty without one."""
    kind, colon, path = text.partition(":")
    if colon and kind in ("append", "file", "truncate"):
        if kind != "append":
            reader.note(setting, f"{path} is appended to", lost=kind == "truncate")
        return path
    if text == "null" or text in LOGGED or text.startswith(("tty", "syslog")):
        return ""
    reader.note(setting, f"there is no {text}: the output goes where the default is")
    return ""
