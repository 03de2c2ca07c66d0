"""Make a Service of a job file.

What a Service has no field or no valid value for stays in the JobFile alone.
"""

from ssd.service.declaration import Service
from ssd.service.errors import BadValue
from ssd.service.fields import KINDS
from ssd.service.kinds import check
from ssd.service.words import split
from ssd.signal_names import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.sources.upstart.jobfile import JobFile, Stage

# With one of these outside of quotes, a shell does more with a command than to split it. A quote
# is there if it is not closed: Upstart lets a backslash escape it, and a shell does not always.
SHELL = frozenset("~`$&*()|\\{}[];<>?#!\n\"'")
LAST_SIGNAL = 64
HOOKS = {
    "pre-start": "before_start", "post-start": "after_start",
    "pre-stop": "before_stop", "post-stop": "after_stop",
}  # fmt: skip


def declare(job: "JobFile") -> Service:
    """Return the declaration of a job."""
    return make(job, fields_of(job))[0]


def make(
    job: "JobFile", fields: "Iterable[tuple[str, object]]"
) -> "tuple[Service, list[tuple[str, str]]]":
    """Return a declaration with these fields, and those that it cannot have, with the reasons.

    A table adds its entries to those before it.
    """
    service = Service(name=_name(job.name), file=job.file)
    without: list[tuple[str, str]] = []
    for field, value in fields:
        try:
            valid = check(KINDS[field], value)
        except BadValue as error:
            without.append((field, error.reason))
            continue
        default = getattr(service, field)
        setattr(service, field, {**default, **valid} if isinstance(valid, dict) else valid)
    return service, without


def _name(name: str) -> str:
    """Return a job's name as that of a service, which must be usable as the name of a file."""
    made = name.replace("/", "_").replace("\n", "_").strip()
    return f"_{made}" if made[:1] in ("", ".", "-") else made


def fields_of(job: "JobFile") -> "Iterable[tuple[str, object]]":
    """Yield the fields that differ from the defaults of a Service."""
    for field, value in (
        ("description", job.description),
        ("author", job.author),
        ("version", job.version),
        ("usage", job.usage),
        ("instance", job.instance),
        ("user", job.setuid),
        ("group", job.setgid),
        ("root", job.chroot),
        ("working_directory", job.chdir),
        ("apparmor_load", job.apparmor_load),
        ("apparmor_profile", job.apparmor_switch),
        ("emits", job.emits),
        ("export", job.export),
        ("cgroups", job.cgroups),
        ("task", job.task),
        ("manual", job.manual and job.start_on is None),
        ("debug", job.debug),
        ("start_on", job.start_on and job.start_on.source()),
        ("stop_on", job.stop_on and job.stop_on.source()),
        ("nice", job.nice),
    ):
        if value:
            yield field, value
    yield from _stages(job)
    yield from _environment(job)
    yield "pidfile", "none"
    yield "kill_mode", "group"
    yield "console", job.console
    yield "expect", job.expect
    yield "background", job.expect not in ("fork", "daemon")
    yield "umask", "022" if job.umask is None else f"{job.umask:03o}"
    yield "stop_schedule", _schedule(job)
    yield "reload_signal", _signal(job.reload_signal).lstrip("-")
    if job.oom is not None:
        yield "oom_score", "never" if job.oom == -1000 else job.oom
    for name, (soft, hard) in job.limits.items():
        yield "limits", {name: _limit(soft, hard)}
    yield "respawn", _respawn(job)


def _schedule(job: "JobFile") -> str:
    """Return how it is stopped; a number that is no signal is not sent."""
    first = f"{_signal(job.kill_signal)}/" if 0 < job.kill_signal <= LAST_SIGNAL else ""
    return f"{first}{job.kill_timeout:.0f}/KILL/5"


def _signal(number: int) -> str:
    name = signal_name(number).removeprefix("SIG")
    return f"-{name}" if name.isdigit() else name


def _stages(job: "JobFile") -> "Iterable[tuple[str, object]]":
    for stage, field in HOOKS.items():
        if stage in job.stages:
            yield field, _shell(job.stages[stage])
    main = job.stages.get("main")
    if main is None:
        return
    words = words_of(main)
    if words and words[0].startswith("/"):
        yield "executable", words[0]
        yield "arguments", words[1:]
    else:
        yield "script", _shell(main)


def words_of(stage: "Stage") -> "list[str]":
    """Return the words of a command that a shell would only split, none for any other stage."""
    if stage.is_script or not SHELL.isdisjoint(_outside_of_quotes(stage.text)):
        return []
    return split(stage.text)


def _outside_of_quotes(text: str) -> str:
    """Return what a shell looks at; in double quotes that is all that is special there."""
    found, quote = "", ""
    for character in text:
        if quote:
            if character == quote:
                quote = ""
            elif quote == '"' and character in "$`\\":
                found += character
        elif character in "\"'":
            quote = character
        else:
            found += character
    return found + quote


def _shell(stage: "Stage") -> str:
    """Return the shell text of a stage."""
    if stage.is_script:
        return stage.text
    return f"exec {stage.text}"


def _environment(job: "JobFile") -> "Iterable[tuple[str, object]]":
    """Yield the variables; of two words about the same one the last counts."""
    last = {word.partition("=")[0]: word for word in job.environment}
    for key, word in last.items():
        if "=" in word:
            yield "environment", {key: word.partition("=")[2]}
    passed = [key for key, word in last.items() if "=" not in word]
    if passed:
        yield "pass_environment", passed


def _limit(soft: int, hard: int) -> "int | str":
    texts = ["unlimited" if each < 0 else str(each) for each in (soft, hard)]
    if soft == hard:
        return "unlimited" if soft < 0 else soft
    return ":".join(texts)


def _respawn(job: "JobFile") -> "dict[str, object]":
    """Return when it is restarted: 0 is a good end of a task, and of a service that says so."""
    endless = not (job.respawn_limit and job.respawn_interval)
    when = "failure" if job.task or 0 in job.normal_exit else "always"
    exits = [
        each if each >= 0 else _signal(-each).lstrip("-")
        for each in sorted(job.normal_exit)
        if -LAST_SIGNAL <= each <= 255 and (each or when == "always")
    ]
    return {
        "when": when if job.respawn else "never",
        "limit": 0 if endless else job.respawn_limit,
        "interval": 5 if endless else job.respawn_interval,
        "normal_exit": exits,
    }
