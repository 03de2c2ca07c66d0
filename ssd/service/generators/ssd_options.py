"""A declaration as options of start-stop-daemon(8), in lists of words without quotes."""

from math import ceil

from ssd.cli.added import LONG
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service
    from ssd.service.generators.sheet import Sheet

SHELL = "/bin/sh"


def matching(service: "Service", start: bool = False) -> list[str]:
    """Return the matching options for the criteria of ``Service.match``.

    At a ``start`` with --chroot start-stop-daemon looks for the file of --exec in the new root.
    """
    match = service.match()
    program = service.executable if start and match.exec is not None else match.exec
    words = []
    for option, value in (
        ("--pidfile", match.pidfile),
        ("--exec", program),
        ("--name", match.name),
    ):
        if value is not None:
            words += [option, str(value)]
    words += ["--interpreted"] if match.interpreted else []
    return words + (["--same-namespace"] if match.same_namespace else [])


def tool(*words: str) -> str:
    """Return shell text for the command that has all options among these words.

    It is ssd if that is there, and ssd alone if one of them is not the original's.
    """
    return "ssd" if _are_ours(words) else "$(command -v ssd || command -v start-stop-daemon)"


def _are_ours(words: "Iterable[str]") -> bool:
    return any(word.startswith("--") and word[2:] in LONG for word in words)


def user_and_root(service: "Service") -> list[str]:
    """Return the options that change user, group and root directory."""
    words = []
    if service.user:
        both = f"{service.user}:{service.group}" if service.group else service.user
        words += ["--chuid", both]
    elif service.group:
        words += ["--group", service.group]
    return [*words, "--chroot", service.root] if service.root is not None else words


def starting(service: "Service") -> list[str]:
    """Return the options of a start, without matching and program."""
    words = user_and_root(service)
    for option, value in (
        ("--chdir", service.working_directory if service.working_directory != "/" else None),
        ("--umask", service.umask),
        ("--nicelevel", str(service.nice) if service.nice else None),
        ("--procsched", service.cpu_scheduling),
        ("--iosched", service.io_scheduling),
    ):
        if value is not None:
            words += [option, value]
    if service.background and not service.task:
        words.append("--background")
        if service.pidfile != "none":
            words.append("--make-pidfile")
        words += outputs(service)
    if service.readiness["kind"] == "notify":
        words += ["--notify-await", "--notify-timeout", str(ceil(service.readiness["timeout"]))]
    return words


def outputs(service: "Service") -> list[str]:
    """Return the options of the output; a log is written by the logger of ssd."""
    words = ["--output", service.output] if service.output else []
    for option, path in (("--stdout", service.stdout), ("--stderr", service.stderr)):
        words += [option, path] if path else []
    log = service.log
    if service.output or service.console == "none":
        return words
    if log["kind"] == "file" and log["path"]:
        words += ["--logger", log["path"]]
    return [*words, "--logger", "syslog"] if log["kind"] == "none" and log["syslog"] else words


def lose_outputs(sheet: "Sheet") -> None:
    """Record what of the output the options do not express."""
    service = sheet.service
    if not service.background or service.task:
        for field in {"output", "stdout", "stderr", "log"} & {*sheet.declared}:
            sheet.lose(field, "ssd redirects only programs that it sends to the background")
    elif "log" in sheet.declared and not service.output:
        if "--logger" not in outputs(service):
            sheet.lose("log", "it has no path, or console is none: the output goes nowhere")
        elif {*sheet.declared["log"]} - {"kind", "path", "syslog"}:  # type: ignore[misc]
            sheet.lose("log", "it is rotated at 10 MB and has both streams; 5 old files are kept")


def bounds(service: "Service", words: list[str]) -> tuple[list[str], list[str]]:
    """Return what sets limits and rights in a start by ``words``: the command before it, options.

    The command is prlimit(1) and setpriv(1), unless ssd alone can do the start: low limits would
    hinder ssd itself.
    """
    pairs = (("--capabilities", service.capabilities), ("--securebits", service.securebits))
    options = [word for pair in pairs if pair[1] is not None for word in (pair[0], pair[1])]
    if not _are_ours([*words, *options]):
        forbidden = ["setpriv", "--no-new-privs"] if service.no_new_privs else []
        return limits(service) + forbidden, options
    for name, limit in service.limits.items():
        options += ["--limit", f"{name}={limit}"]
    return [], options + (["--no-new-privs"] if service.no_new_privs else [])


def stopping(service: "Service") -> list[str]:
    """Return the options of a stop, without matching."""
    words = ["--retry", service.stop_schedule]
    if service.background and service.pidfile != "none":
        words.append("--remove-pidfile")
    return words


def hook(service: "Service", field: str) -> list[str]:
    """Return the command that runs a hook as ``ssd-service`` does; empty without the hook."""
    text = getattr(service, field)
    return [SHELL, "-e", "-c", text, service.name] if text else []


def limits(service: "Service") -> list[str]:
    """Return a prlimit(1) command that sets the limits, empty without limits."""
    names = {"ofile": "nofile"}  # its old name
    words = [
        f"--{names.get(name, name)}={limit if ':' in str(limit) else f'{limit}:{limit}'}"
        for name, limit in service.limits.items()
    ]
    return ["prlimit", *words] if words else []


def login(service: "Service", failing: str) -> list[str]:
    """Return lines of shell that set the variables of a login, or fail; none without ``login``."""
    if not service.login:
        return []
    who = quote(service.user) if service.user else '"$(id -u)"'
    return [
        f"entry=$(getent passwd {who}) || {failing}",
        "USER=${entry%%:*} LOGNAME=${entry%%:*} SHELL=${entry##*:}",
        "entry=${entry%:*} SHELL=${SHELL:-/bin/sh}",
        "HOME=${entry##*:}",
        '[ -d "$HOME" ] || HOME=/',
        "export HOME USER LOGNAME SHELL",
    ]


def lose_home(sheet: "Sheet") -> None:
    """Report that start-stop-daemon sets HOME even over one that is declared with ``login``."""
    service = sheet.service
    if service.login and service.user and "HOME" in service.environment:
        sheet.lose("login", "start-stop-daemon sets HOME, whatever the environment says")
