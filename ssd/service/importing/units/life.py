"""How a unit is started, judged ready, stopped and restarted: systemd.service(5), systemd.kill(5).

It is ``ssd.service.generators.systemd`` read backwards. Times and counts that a unit leaves out
are systemd's own defaults, written out.
"""

from math import ceil, log2

from ssd.service.importing.units import words
from ssd.service.importing.units.reader import UNIT
from ssd.service.importing.values import integer, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.importing.units.reader import Fields, Reader

# systemd's defaults: systemd-system.conf(5)
START_TIMEOUT = STOP_TIMEOUT = 90
RESTART_DELAY = 0.1
LIMIT_INTERVAL, LIMIT_BURST = 10, 5
AFTER_KILL = 5  # seconds
ENDLESS = 999_999_999  # seconds: the longest time of a field
FORKING, ONESHOT = "forking", "oneshot"
TYPES = ("simple", "exec", FORKING, ONESHOT, "dbus", "notify", "notify-reload", "idle")
# KillMode= -> kill_mode; mixed is what a supervisor does unless the field says otherwise
KILL_MODES = {"mixed": None, "process": "main", "control-group": "tree", "none": "main"}
RESTARTS = {
    "no": "never", "on-watchdog": "never", "always": "always", "on-failure": "failure",
    "on-abnormal": "failure", "on-abort": "failure", "on-success": "never",
}  # fmt: skip
INEXACT = {
    "on-abnormal": "a status other than 0 is a failure, too",
    "on-abort": "a status other than 0 and a time that runs out are failures, too",
    "on-success": "it is not restarted: no service is restarted after a success alone",
}


def kind(reader: "Reader") -> str:
    """Return the Type= of a unit. Raises DeclarationError."""
    default = "dbus" if reader.given("BusName") else "simple"
    if not reader.given("ExecStart"):
        default = ONESHOT
    found = reader.text("Type", default)
    if found not in TYPES:
        raise reader.error("Type", f"must be one of {', '.join(TYPES)}, not {found!r}")
    return found


def process(reader: "Reader") -> "Fields":
    """Return the fields of the main process: how it goes to the background, and its pidfile."""
    found = kind(reader)
    pidfile = reader.text("PIDFile")
    if pidfile and not pidfile.startswith("/"):
        pidfile = f"{reader.specifiers['t']}/{pidfile}"
    if found == ONESHOT:
        if reader.value("RemainAfterExit", words.flag, False):
            told = "a task that has ended is not running; its before_stop is not run then"
            reader.note("RemainAfterExit", told)
        return {"task": True, **({} if reader.root else {"pidfile": "none"})}
    if reader.value("RemainAfterExit", words.flag, False):
        reader.note("RemainAfterExit", "a service whose process has ended is not running")
    if found == FORKING:
        reader.value("GuessMainPID", words.flag, True)
        if not pidfile:
            told = "it goes to the background itself: name its pidfile, by which it is known"
            reader.note("Type", told)
        return {"background": False, "pidfile": pidfile or "none"}
    return {} if reader.root else {"pidfile": "none"}


def readiness(reader: "Reader", made: "Fields", probe: "list[str]") -> "Fields":
    """Return how a start knows that it is ready; ``probe`` is our generator's own command."""
    timeout = _timeout(reader, "TimeoutStartSec", START_TIMEOUT)
    said = reader.given("TimeoutStartSec") or reader.given("TimeoutSec")
    found = kind(reader)
    if found == "dbus":
        reader.note("Type", "a start does not wait for its name on the bus")
    table: Fields = {}
    if probe:
        own = ["test", "-s", made.get("pidfile")]
        table = {"kind": "pidfile"} if probe == own else {"kind": "command", "command": probe}
    elif found.startswith("notify"):
        table = {"kind": "notify"}
        access = reader.text("NotifyAccess", "main")
        if access == "all":
            reader.note("NotifyAccess", "only the main process may say that it is ready")
    if said or found.startswith("notify"):
        table["timeout"] = timeout
    return {"readiness": table} if table else {}


def _timeout(reader: "Reader", name: str, default: int) -> "int | float":
    """Return a time limit: its own, or that of TimeoutSec=; 0 means none to systemd."""
    setting = name if reader.given(name) or not reader.given("TimeoutSec") else "TimeoutSec"
    found = reader.seconds(setting, default)
    if found is None or found == 0:
        return ENDLESS
    return 0 if found == 0.001 else found  # what our generator writes for 0


def stop(reader: "Reader") -> "Fields":
    """Return how it is stopped. Raises DeclarationError."""
    made: Fields = {}
    mode = reader.text("KillMode", "control-group")
    if mode not in KILL_MODES:
        raise reader.error("KillMode", f"must be one of {', '.join(KILL_MODES)}, not {mode!r}")
    if mode == "none":
        reader.note("KillMode", "a stop always sends its signals, to the main process")
    if KILL_MODES[mode]:
        made["kill_mode"] = KILL_MODES[mode]
    first = reader.value("KillSignal", signal, "TERM")
    seconds = _timeout(reader, "TimeoutStopSec", STOP_TIMEOUT)
    last = reader.value("FinalKillSignal", signal, "KILL")
    if reader.value("SendSIGHUP", words.flag, False):
        reader.note("SendSIGHUP", f"there is no HUP right after {first}; stop_schedule can have it")
    whole = ceil(seconds)
    if seconds == ENDLESS:
        made["stop_schedule"] = f"{first}/forever/{whole}"
    elif reader.value("SendSIGKILL", words.flag, True):
        made["stop_schedule"] = f"{first}/{whole}/{last}/{AFTER_KILL}"
    else:
        made["stop_schedule"] = f"{first}/{whole}"
    return made


def restart(reader: "Reader") -> "Fields":
    """Return whether, when and how often it is restarted. Raises DeclarationError."""
    when = reader.text("Restart", "no")
    if when not in RESTARTS:
        raise reader.error("Restart", f"must be one of {', '.join(RESTARTS)}, not {when!r}")
    if when in INEXACT:
        reader.note("Restart", INEXACT[when])
    delay = reader.seconds("RestartSec", RESTART_DELAY)
    statuses = _statuses(reader, RESTARTS[when])
    interval = reader.seconds("StartLimitIntervalSec", LIMIT_INTERVAL, UNIT)
    burst = reader.value("StartLimitBurst", integer, LIMIT_BURST, UNIT)
    if RESTARTS[when] == "never":
        return {}
    made: Fields = {"when": RESTARTS[when], **_delays(reader, delay)}
    made["limit"] = burst if interval != 0 else 0
    if made["limit"]:
        made["interval"] = ENDLESS if interval is None else interval
    if statuses:
        made["normal_exit"] = statuses
    return {"respawn": made}


def _statuses(reader: "Reader", when: str) -> "list[int | str]":
    """Return the ends after which it is not restarted."""

    def read(name: str) -> "list[int | str]":
        try:
            return [words.exit_status(word) for word in reader.words(name)]
        except ValueError as error:
            raise reader.error(name, str(error)) from None

    success, prevented = read("SuccessExitStatus"), read("RestartPreventExitStatus")
    if reader.given("RestartForceExitStatus"):
        told = "it is not restarted after these unless respawn.when is always"
        reader.note("RestartForceExitStatus", told)
    found = [*prevented, *(success if when == "failure" else ())]
    return list(dict.fromkeys(found))


def _delays(reader: "Reader", first: "int | float | None") -> "Fields":
    """Return the delays before restarts: always the same, or growing to RestartMaxDelaySec=."""
    seconds = ENDLESS if first is None else first
    longest = reader.seconds("RestartMaxDelaySec", None)
    steps = reader.value("RestartSteps", integer, 0)
    if steps and longest and 0 < seconds < longest:
        if steps != ceil(log2(longest / seconds)):
            told = f"the delay doubles up to {longest} seconds, in other steps"
            reader.note("RestartSteps", told, lost=False)
        return {"delay": seconds, "backoff": seconds, "delay_max": longest}
    return {"delay": seconds, "backoff": seconds, "delay_max": seconds}


def watchdog(reader: "Reader") -> "Fields":
    """Return how often it must say that it lives."""
    found = reader.seconds("WatchdogSec", 0)
    if found and reader.text("WatchdogSignal") not in ("", "SIGABRT", "6"):
        reader.note("WatchdogSignal", "a stop by stop_schedule ends it")
    return {"watchdog": found} if found else {}
