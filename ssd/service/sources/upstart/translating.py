"""Make of a job the declaration from which a file for another init system is generated.

Other init systems have no events, but runlevels and an order of services; and they must know the
process of a service by a pidfile or its program. What only Upstart can do is said in ``doubts``.
"""

from fnmatch import fnmatchcase

from ssd.service.sources.upstart.conditions import Condition, Event
from ssd.service.sources.upstart.declaring import HOOKS, fields_of, make, words_of
from ssd.service.sources.upstart.unwrapping import unwrap
from ssd.service.words import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd.service.declaration import Service
    from ssd.service.sources.upstart.jobfile import JobFile

LEVELS = "0123456"
# Events of Debian's and Ubuntu's boot, and the facility that is there after them.
FACILITIES = {
    "virtual-filesystems": "$local_fs", "local-filesystems": "$local_fs",
    "filesystem": "$remote_fs", "remote-filesystems": "$remote_fs",
    "net-device-up": "$network", "static-network-up": "$network",
}  # fmt: skip
# Commands of Upstart, which scripts of jobs call.
COMMANDS = frozenset("start stop restart reload status initctl".split())
VARIABLES = ("UPSTART_EVENTS", "UPSTART_STOP_EVENTS", "UPSTART_SESSION")
_KEYWORDS = frozenset("if then else elif while until do ! exec time".split())
_BETWEEN = str.maketrans(dict.fromkeys(";&|(){}`", "\n"))
# Stands for the main process of a job that has none: such a job is a state that is on or off.
NOTHING = ("/bin/sleep", ["infinity"])


def translate(job: "JobFile", kind: str) -> "Service":
    """Return the declaration for a generator. ``kind``: systemd, sysv or openrc."""
    said = [pair for pair in fields_of(job) if pair[0] not in ("pidfile", "start_on", "stop_on")]
    doubts = list(_doubts(job))
    said += _events(job)
    main = job.stages.get("main")
    program = (
        unwrap(words_of(main)) if main else {"executable": NOTHING[0], "arguments": NOTHING[1]}
    )
    if program is not None:
        said = [pair for pair in said if pair[0] != "script"] + [*program.items()]
    if main is None:
        doubts.append(f"it has no main process; {NOTHING[0]} stands for one")
    said += _variables(job)
    service, without = make(job, _as_stages(job, kind, said))
    _find_process(service, kind, doubts)
    doubts += [f"{field}: {reason}" for field, reason in without]
    told = tuple(f"{job.file or job.name}: {doubt}" for doubt in doubts)
    service.find_doubts = (lambda: told) if told else None
    return service


def _as_stages(
    job: "JobFile", kind: str, said: "list[tuple[str, object]]"
) -> "Iterator[tuple[str, object]]":
    """Give hooks the directory, the variables and the user of the job, as its stages have them.

    systemd gives hooks the variables by itself. It runs them as root, as all others do.
    """
    variables: dict[str, str] = {}
    for field, value in said:
        if field == "environment" and isinstance(value, dict):
            variables |= value
    for field, value in said:
        if field not in HOOKS.values():
            yield field, value
            continue
        before = [
            f"export {name}={quote(each)}\n"
            for name, each in variables.items()
            if kind != "systemd" and name.isascii() and name.isidentifier()
        ]
        before += [f"cd {quote(job.chdir)}\n"] if job.chdir else []
        text = str(value)
        if job.setuid or job.setgid:
            text = (
                f"exec setpriv {_identity(job)} -- {join(['/bin/sh', '-e', '-c', text, job.name])}"
            )
        yield field, "".join(before) + text


def _identity(job: "JobFile") -> str:
    """Return the options of setpriv(1) for the user and the group of a job."""
    if job.setuid is None:
        return f"--regid {quote(job.setgid or '')} --clear-groups"
    user = quote(job.setuid)
    group = quote(job.setgid) if job.setgid else f'"$(id -g {user})"'
    return f"--reuid {user} --regid {group} --init-groups"


def _find_process(service: "Service", kind: str, doubts: "list[str]") -> None:
    """Say how the process of the service is found: a job does not need to."""
    if service.background or "pidfile" in service.to_dict():
        return
    if kind == "systemd" or service.executable is not None:
        service.pidfile = "none"
    else:
        doubts.append(f"it does not say in which pidfile its daemon writes; {service.pidfile}?")


# Events -------------------------------------------------------------------------------------


def _events(job: "JobFile") -> "Iterator[tuple[str, object]]":
    """Yield runlevels and order; the condition itself only if they do not say all of it."""
    if job.start_on is None:
        yield "manual", True
    else:
        levels = _levels(job.start_on)
        yield "default_start", levels
        if not (levels and isinstance(job.start_on, Event)):
            yield "start_on", job.start_on.source()
        yield "after", list(dict.fromkeys(_jobs(job.start_on)))
        yield "should_start", list(dict.fromkeys(_facilities(job.start_on)))
    if job.stop_on is not None:
        levels = _levels(job.stop_on)
        yield "default_stop", levels
        if not (levels and isinstance(job.stop_on, Event)):
            yield "stop_on", job.stop_on.source()


def _levels(condition: Condition) -> "list[str]":
    """Return the runlevels that an event of a condition names."""
    found = {level for event in condition.events() for level in _of_event(event)}
    return sorted(found)


def _of_event(event: Event) -> str:
    """Return the runlevels of an event; none for one with other variables."""
    if event.name != "runlevel" or len(event.arguments) != 1:
        return ""
    (argument,) = event.arguments
    if argument.key not in ("", "RUNLEVEL") or "$" in argument.value:
        return ""
    return "".join(
        level for level in LEVELS if fnmatchcase(level, argument.value) != argument.negated
    )


def _jobs(condition: Condition) -> "Iterator[str]":
    """Yield the jobs that have started, or have done their task, when an event comes."""
    for event in condition.events():
        first = event.arguments[0] if event.arguments else None
        if event.name not in ("started", "stopped") or first is None or first.negated:
            continue
        if first.key in ("", "JOB") and not {*first.value} & {*"*?[$/ "}:
            yield first.value


def _facilities(condition: Condition) -> "Iterator[str]":
    """Yield the facilities of the boot's events; the loopback device is no network."""
    for event in condition.events():
        loopback = any(argument.word == "IFACE=lo" for argument in event.arguments)
        if event.name in FACILITIES and not loopback:
            yield FACILITIES[event.name]


# Scripts ------------------------------------------------------------------------------------


def _doubts(job: "JobFile") -> "Iterator[str]":
    """Yield what of the job's processes has no counterpart elsewhere."""
    for stage, process in job.stages.items():
        calls = sorted(_commands(process.text)) if stage != "security" else []
        if calls:
            yield f"{HOOKS.get(stage, 'script')}: it calls {' and '.join(calls)} of Upstart"
        for name in VARIABLES:
            if name in process.text:
                yield f"{HOOKS.get(stage, 'script')}: only Upstart sets {name}"
    for fault in job.faults:
        yield f"the override acts only up to a fault: {fault}"


def _commands(text: str) -> "set[str]":
    """Return the commands of Upstart that a piece of shell calls, as far as its words tell."""
    found = set()
    for line in text.translate(_BETWEEN).split("\n"):
        words = line.split()
        while words and (words[0] in _KEYWORDS or "=" in words[0]):
            del words[0]
        if words and words[0] in COMMANDS:
            found.add(words[0])
    return found


def _variables(job: "JobFile") -> "Iterator[tuple[str, object]]":
    """Yield the variables that Upstart sets for every job, if a script uses them."""
    whole = "".join(stage.text for stage in job.stages.values())
    for name, value in (("UPSTART_JOB", job.name), ("UPSTART_INSTANCE", job.instance)):
        if name in whole:
            yield "environment", {name: value}
