"""Every field of a declaration, as a table for the sources, the generators and the docs.

Its names are the keys of a TOML file and the keywords and attributes of ``Service``. A shell
file has ``SERVICE_`` and the name in capitals, or Debian's variable
(``ssd.service.sources.debian``).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Row = tuple[str, str, object, str, str | None, str | None, str | None]

# name, kind (ssd.service.kinds), default, meaning, and its names in LSB, Upstart and systemd
TABLE: "tuple[Row, ...]" = (
    ("name", "name", None, "name of the service", "Provides", None, None),
    ("description", "line", "", "its name in console lines; the service's name if empty",
     "Short-Description", "description", "Description"),
    ("executable", "path", None, "the program", None, "exec", "ExecStart"),
    ("arguments", "words", [], "its arguments", None, "exec", "ExecStart"),
    ("script", "text", "", "shell text run by /bin/sh -e instead of the executable",
     None, "script", "ExecStart"),
    ("pidfile", "pidfile", None, "file with its pid, or none; /run/NAME.pid unless given",
     None, None, "PIDFile"),
    ("process_name", "word", None,
     "the kernel's name of the process, which must match too if given", None, None, None),
    ("match_executable", "flag", False, "whether the running program must match too",
     None, None, None),
    ("match_interpreted", "flag", False, "the same, also for a script", None, None, None),
    ("same_namespace", "flag", False, "whether containers are left out", None, None, None),
    ("user", "word", None, "account to run as, by name or number", None, "setuid", "User"),
    ("group", "word", None, "group to run as", None, "setgid", "Group"),
    ("directories", "directories", [], "directories to make before a start if they are missing",
     None, None, "RuntimeDirectory"),
    ("working_directory", "path", "/", "working directory", None, "chdir", "WorkingDirectory"),
    ("root", "path", None, "root directory (chroot(2))", None, "chroot", "RootDirectory"),
    ("environment", "table", {}, "variables added to the environment", None, "env", "Environment"),
    ("pass_environment", "words", [], "variables of its starter's environment that "
     "clear_environment leaves, and other systems pass on", None, "env", "PassEnvironment"),
    ("environment_files", "paths", [], "files of shell assignments, read before a start",
     None, None, "EnvironmentFile"),
    ("clear_environment", "flag", False, "whether it inherits no variables", None, None, None),
    ("login", "flag", False, "whether it gets HOME and such of its user", None, None, "User"),
    ("umask", "octal", "022", "file mode creation mask, in octal", None, "umask", "UMask"),
    ("limits", "limits", {}, "resource limits: a number, unlimited, or SOFT:HARD",
     None, "limit", "Limit*"),
    ("nice", "nice", 0, "increment of the niceness", None, "nice", "Nice"),
    ("cpu_scheduling", "cpu", None, "POLICY[:PRIORITY], the policy other, fifo or rr",
     None, None, "CPUSchedulingPolicy"),
    ("io_scheduling", "io", None, "CLASS[:PRIORITY], the class real-time, best-effort or idle",
     None, None, "IOSchedulingClass"),
    ("capabilities", "capabilities", None, "capabilities(7)", None, None, "AmbientCapabilities"),
    ("no_new_privs", "flag", False, "whether it cannot gain rights", None, None, "NoNewPrivileges"),
    ("securebits", "securebits", None, "securebits, names or a number", None, None, "SecureBits"),
    ("output", "path", None, "file that standard output and error are appended to",
     None, None, "StandardOutput"),
    ("stdout", "path", None, "file of standard output alone", None, None, "StandardOutput"),
    ("stderr", "path", None, "file of standard error alone", None, None, "StandardError"),
    ("log_file", "path", None, "file that the program itself logs to", None, None, None),
    ("stop_schedule", "schedule", "TERM/30/KILL/5",
     "signals that a stop sends, and how long it waits after each", None, "kill signal",
     "KillSignal"),
    ("reload_signal", "reload", "none", "signal for a reload; none if it can only be restarted",
     None, "reload signal", "ExecReload"),
    ("background", "flag", True, "whether a start sends it to the background; if not, it goes "
     "there itself and writes its pidfile", None, "expect", "Type"),
    ("before_start", "hook", "", "run as root by /bin/sh -e before a start",
     None, "pre-start", "ExecStartPre"),
    ("after_start", "hook", "", "run after a start", None, "post-start", "ExecStartPost"),
    ("before_stop", "hook", "", "run before a stop", None, "pre-stop", "ExecStop"),
    ("after_stop", "hook", "", "run after a stop", None, "post-stop", "ExecStopPost"),
    ("readiness", "readiness", {"kind": "exec", "timeout": 60, "command": [], "address": ""},
     "how a start knows that the service is ready", None, None, "Type"),
    ("respawn", "respawn",
     {"when": "never", "limit": 10, "interval": 5, "delay": 0, "backoff": 0.1, "delay_max": 60,
      "reset": 10, "normal_exit": []},
     "whether a supervisor restarts it", None, "respawn", "Restart"),
    ("health", "health", {"kind": "none", "command": [], "address": "", "interval": 30,
     "timeout": 5, "retries": 3, "action": "restart"},
     "how a supervisor checks that it works", None, None, None),
    ("watchdog", "seconds", 0, "seconds in which it must say WATCHDOG=1 by sd_notify(3); 0 for "
     "no such check", None, None, "WatchdogSec"),
    ("kill_mode", "choice main group tree cgroup", None, "which processes a stop ends; unless "
     "given, tree by a supervisor and main by ssd-service", None, None, "KillMode"),
    ("log", "log", {"kind": "file", "path": None, "stderr_path": None, "max_size": 10_000_000,
     "max_age": 0, "keep": 5, "form": "plain", "syslog": False, "forward": False},
     "where a supervisor or a logger writes its output", None, None, "StandardOutput"),
    ("requires", "words", [], "services that must run before it", None, None, "Requires"),
    ("after", "words", [], "services that should run before it", None, None, "After"),
    ("on_required_failure", "choice fail ignore stop", "fail", "what it does if a service that it "
     "requires is given up", None, None, "BindsTo"),
    ("documentation", "words", [], "URLs and manual pages", None, None, "Documentation"),
    # LSB, "Comment Conventions for Init Scripts"
    ("provides", "words", [], "facilities that it provides; its name if empty",
     "Provides", None, None),
    ("required_start", "words", [], "what must run before it", "Required-Start", None, "Requires"),
    ("required_stop", "words", [], "what must run until it has stopped", "Required-Stop",
     None, None),
    ("should_start", "words", [], "what should run before it", "Should-Start", None, "After"),
    ("should_stop", "words", [], "what should run until it has stopped", "Should-Stop", None, None),
    ("default_start", "runlevels", [], "runlevels in which it is started", "Default-Start",
     None, "WantedBy"),
    ("default_stop", "runlevels", [], "runlevels in which it is stopped", "Default-Stop",
     None, None),
    ("short_description", "line", "", "one line for a list of services", "Short-Description",
     None, "Description"),
    # Upstart, init(5)
    ("start_on", "text", "", "events that start it", None, "start on", None),
    ("stop_on", "text", "", "events that stop it", None, "stop on", None),
    ("author", "line", "", "who wrote the job", None, "author", None),
    ("version", "line", "", "version of the job", None, "version", None),
    ("emits", "words", [], "events that it emits", None, "emits", None),
    ("export", "words", [], "variables that its events carry", None, "export", None),
    ("expect", "choice none fork daemon stop", "none", "how often it forks, or stop if it "
     "stops itself when it is ready", None, "expect", None),
    ("task", "flag", False, "whether it runs to an end, for which a start waits",
     None, "task", "Type"),
    ("manual", "flag", False, "whether its events are ignored", None, "manual", None),
    ("console", "choice none log output owner", "log", "where its output goes", None, "console",
     None),
    ("instance", "line", "", "what makes its instances differ", None, "instance", None),
    ("instances", "instances", [], "names of its instances, of which this file is the template",
     None, None, None),
    ("usage", "text", "", "how to call it", None, "usage", None),
    ("oom_score", "oom", None, "adjustment of the kernel's out-of-memory score, or never",
     None, "oom score", "OOMScoreAdjust"),
    ("apparmor_load", "path", None, "file of an AppArmor profile to load before a start",
     None, "apparmor load", None),
    ("apparmor_profile", "line", "", "AppArmor profile to switch to",
     None, "apparmor switch", "AppArmorProfile"),
    ("cgroups", "words", [], "control groups: controller and its arguments", None, "cgroup", None),
    ("debug", "flag", False, "whether the job is marked for debugging", None, "debug", None),
)  # fmt: skip

NAMES = tuple(row[0] for row in TABLE)
KINDS: dict[str, str] = {row[0]: row[1] for row in TABLE}
DEFAULTS: dict[str, object] = {row[0]: row[2] for row in TABLE}

# The entries of the fields that are tables, with their kinds.
DIRECTORY = {"path": "path", "mode": "octal", "user": "word", "group": "word"}
TABLES = {
    "readiness": {
        "kind": "choice exec notify command pidfile port socket stays", "timeout": "seconds",
        "command": "words", "address": "address",
    },
    "respawn": {
        "when": "choice never always failure", "limit": "count", "interval": "seconds",
        "delay": "seconds", "backoff": "seconds", "delay_max": "seconds", "reset": "seconds",
        "normal_exit": "exits",
    },
    "health": {
        "kind": "choice none command port socket", "command": "words", "address": "address",
        "interval": "seconds", "timeout": "seconds", "retries": "count",
        "action": "choice restart mark",
    },
    "log": {
        "kind": "choice file none", "path": "path", "stderr_path": "path", "max_size": "count",
        "max_age": "seconds", "keep": "count", "form": "choice plain timestamp json",
        "syslog": "flag", "forward": "flag",
    },
}  # fmt: skip
