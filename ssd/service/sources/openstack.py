"""The rules of OpenStack's init scripts, which make a declaration of a few variables.

They are the rules of openstack-pkg-tools, which appends the same shell code to every
``SERVICE.init.in``, with the exceptions of scripts/nova-compute.
"""

from ssd.service.programs import STAND_IN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Every variable that the rules use; each may be set by the file, by the administrator's
# files in /etc/default, or in the environment (docs/reference/compute.md).
VARIABLES = (
    "ROOT_DIR", "PROJECT_NAME", "DEFAULT_DIR", "SCRIPTNAME", "SYSTEM_USER", "SYSTEM_GROUP",
    "RUN_DIR", "LOCK_DIR", "CACHE_DIR", "LOG_DIR", "STATE_DIR", "LOGFILE", "RETRY",
    "CONFIG_FILE", "SERVICE_CONFIG_FILE", "NO_OPENSTACK_CONFIG_FILE_DAEMON_ARG",
    "NO_OPENSTACK_LOGFILE_DAEMON_ARG", "USE_SYSLOG", "USE_LOGFILE", "PYARGV", "STAND_IN",
    "READY_SIGNAL",
)  # fmt: skip

READY_TIMEOUT = 60  # seconds that a start waits until the program is ready
# A Python program has a handler for HUP when it is about to serve; Python itself has none. By then
# it has loaded its code and its configuration. A program that waits for another service before
# that (nova-compute for a conductor) counts as ready after 20 seconds.
LIVES = """\
read -r pid rest < "$1" || pid=$MAINPID
[ -r /proc/self/status ] || exit 0
left=200
while [ $left -gt 0 ]; do
    caught=
    while read -r key value; do
        case $key$value in State:Z*) exit 1 ;; SigCgt:*) caught=$value ;; esac
    done < "/proc/$pid/status" || exit 1
    case $caught in '') exit 1 ;; *[13579bdf]) exit 0 ;; esac
    left=$((left - 1)); sleep .1
done
"""


def fields(
    given: "Mapping[str, str]",
    *,
    root: bool,
    exists: "Callable[[str], bool]",
    program: "Callable[[list[str]], str | None]",
    first_line: "Callable[[str], str]" = lambda path: "",
) -> dict[str, object]:
    """Return the fields that the variables declare.

    root: whether the caller is root; no other user can change accounts or make the directories
    of the project. exists(path): whether a file exists. program(candidates): the first
    executable path or name in PATH, or None. first_line(path): that of a file, which names its
    interpreter.
    """
    names = _Names(given)
    made: dict[str, object] = {
        "name": names.name,
        "description": given.get("DESC") or f"OpenStack {names.name}",
        "executable": given.get("DAEMON") or _executable(names, program),
        "arguments": _arguments(names, exists),
        "pidfile": names.pidfile,
        "directories": [_directory(path, names, root) for path in _directories(names, root)],
        "working_directory": names.state,
    }
    if given.get("RETRY"):  # the default is that of openstack-pkg-tools, TERM/30/KILL/5
        made["stop_schedule"] = given["RETRY"]
    if names.logs:
        made["log_file"] = names.log
    if root and names.user != "root":
        made["user"] = names.user
        made["group"] = names.group
    readiness = _readiness(names, str(made["executable"]), first_line)
    return {**made, "readiness": readiness} if readiness else made


def _readiness(
    names: "_Names", executable: str, first_line: "Callable[[str], str]"
) -> dict[str, object] | None:
    """Return how a start knows that the program is ready, None if that is unknown."""
    if executable.rpartition("/")[2] == STAND_IN:
        return {"kind": "notify", "timeout": READY_TIMEOUT}
    if not names.given.get("READY_SIGNAL") or "python" not in first_line(executable):
        return None
    words = ["/bin/sh", "-c", LIVES, names.name, names.pidfile]
    return {"kind": "command", "timeout": READY_TIMEOUT, "command": words}


class _Names:
    """The variables with their defaults."""

    def __init__(self, given: "Mapping[str, str]") -> None:
        def value(name: str, default: str) -> str:
            return given.get(name) or default

        self.given = given
        self.base = base = given.get("ROOT_DIR", "")
        self.project = project = given["PROJECT_NAME"]
        self.name = given["NAME"]
        self.user = value("SYSTEM_USER", project)
        self.group = given.get("SYSTEM_GROUP") or None
        self.run = value("RUN_DIR", f"{base}/var/run/{project}")
        self.lock = value("LOCK_DIR", f"{base}/var/lock/{project}")
        self.cache = value("CACHE_DIR", f"{base}/var/cache/{project}")
        self.logs_in = value("LOG_DIR", f"{base}/var/log/{project}")
        self.state = value("STATE_DIR", f"{base}/var/lib/{project}")
        self.pidfile = value("PIDFILE", f"{self.run}/{self.name}.pid")
        self.log = value("LOGFILE", f"{self.logs_in}/{self.name}.log")
        self.logs = given.get("USE_LOGFILE") != "no"

    @property
    def etc(self) -> str:
        return f"{self.base}/etc/{self.project}"


def _executable(names: _Names, program: "Callable[[list[str]], str | None]") -> str:
    """Choose the program: the project's own, or a stand-in."""
    usual = f"{names.base}/usr/bin/{names.name}"
    return program([usual, names.name, *names.given.get("STAND_IN", "").split()]) or usual


def _arguments(names: _Names, exists: "Callable[[str], bool]") -> list[str]:
    given = names.given
    words = given.get("DAEMON_ARGS", "").split()
    found = [] if given.get("NO_OPENSTACK_CONFIG_FILE_DAEMON_ARG") else _configs(names, exists)
    # DAEMON_ARGS of Debian's nova-compute contains its own file already.
    found = [word for word in found if word not in words] + words
    if given.get("USE_SYSLOG") == "yes":
        found.append("--use-syslog")
    if names.logs and not given.get("NO_OPENSTACK_LOGFILE_DAEMON_ARG"):
        found.append(f"--log-file={names.log}")
    return [*found, "--pyargv", given["PYARGV"]] if given.get("PYARGV") else found


def _configs(names: _Names, exists: "Callable[[str], bool]") -> list[str]:
    """Return options for the configuration files; a file given by name may be missing."""
    found = []
    for variable, base in (("CONFIG_FILE", names.project), ("SERVICE_CONFIG_FILE", names.name)):
        usual = f"{names.etc}/{base}.conf"
        path = names.given.get(variable) or (usual if exists(usual) else None)
        if path is not None:
            found.append(f"--config-file={path}")
    return found


def _directories(names: _Names, root: bool) -> list[str]:
    """Return the directories that the service writes to; those of the project only for root."""
    paths = [names.lock, names.run, names.cache, names.logs_in] if root else []
    paths += [names.state, names.pidfile.rpartition("/")[0] or "/"]
    if names.logs:
        paths.append(names.log.rpartition("/")[0] or "/")
    return list(dict.fromkeys(paths))


def _directory(path: str, names: _Names, root: bool) -> dict[str, str]:
    if not root:
        return {"path": path}
    owner = {"user": names.user}
    return {"path": path, **owner, **({"group": names.group} if names.group else {})}
