"""Write a job file from its values, so that it reads back as the same job."""

from ssd.service.sources.upstart.jobfile import JobFile, Stage
from ssd.service.sources.upstart.lexer import BLANKS, word_of
from ssd.service.sources.upstart.numbers import NAMES, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_TEXTS = (
    ("description", "description"), ("author", "author"), ("version", "version"),
    ("usage", "usage"), ("instance", "instance"), ("chroot", "chroot"), ("chdir", "chdir"),
    ("setuid", "setuid"), ("setgid", "setgid"), ("apparmor load", "apparmor_load"),
    ("apparmor switch", "apparmor_switch"),
)  # fmt: skip
_STAGES = ("pre-start", "main", "post-start", "pre-stop", "post-stop")


def write(job: JobFile) -> str:
    """Return the text of a job file, with the stanzas that differ from their defaults."""
    return "".join(f"{line}\n" for line in [*_lines(job), *_processes(job)])


def _lines(job: JobFile) -> "Iterable[str]":
    """Yield the stanzas without processes."""
    default = JobFile(job.name)
    for stanza, field in _TEXTS[:4]:
        if getattr(job, field):
            yield f"{stanza} {word_of(getattr(job, field))}"
    if job.manual:
        yield "manual"
    for stanza, condition in (("start on", job.start_on), ("stop on", job.stop_on)):
        if condition is not None:
            yield f"{stanza} {condition.source()}"
    for stanza, words in (("emits", job.emits), ("export", job.export)):
        if words:
            yield f"{stanza} {' '.join(map(word_of, words))}"
    yield from (f"env {word_of(each)}" for each in job.environment)
    for stanza, field in _TEXTS[4:]:
        if getattr(job, field):
            yield f"{stanza} {word_of(getattr(job, field))}"
    for field in ("task", "debug"):
        if getattr(job, field):
            yield field
    for field in ("expect", "console"):
        if getattr(job, field) != getattr(default, field):
            yield f"{field} {getattr(job, field)}"
    yield from _ending(job, default)
    if job.umask is not None:
        yield f"umask {job.umask:03o}"
    if job.nice is not None:
        yield f"nice {job.nice}"
    if job.oom is not None:
        yield f"oom score {job.oom}"
    for name, limits in job.limits.items():
        yield f"limit {name} {' '.join('unlimited' if n < 0 else str(n) for n in limits)}"
    yield from (f"cgroup {each}" for each in job.cgroups)


def _ending(job: JobFile, default: JobFile) -> "Iterable[str]":
    """Yield how the job is stopped, reloaded and restarted."""
    if job.kill_signal != default.kill_signal:
        yield f"kill signal {_signal(job.kill_signal)}"
    if job.kill_timeout != default.kill_timeout:
        yield f"kill timeout {job.kill_timeout:.0f}"
    if job.reload_signal != default.reload_signal:
        yield f"reload signal {_signal(job.reload_signal)}"
    if job.respawn:
        yield "respawn"
    limit = (job.respawn_limit, job.respawn_interval)
    if limit != (default.respawn_limit, default.respawn_interval):
        yield f"respawn limit {'unlimited' if limit == (0, 0) else '{} {}'.format(*limit)}"
    if job.normal_exit:
        exits = (str(n) if n >= 0 else _signal(-n) for n in sorted(job.normal_exit))
        yield f"normal exit {' '.join(exits)}"


def _signal(number: int) -> str:
    return next((name for name in NAMES if signal(name) == number), str(number))


def _processes(job: JobFile) -> "Iterable[str]":
    for stage in _STAGES:
        if stage in job.stages:
            yield ""
            yield from _process("" if stage == "main" else f"{stage} ", job.stages[stage])


def _process(prefix: str, stage: Stage) -> "Iterable[str]":
    if stage.is_script:
        yield f"{prefix}script"
        yield from stage.text.split("\n")[:-1]
        yield "end script"
    else:
        yield f"{prefix}exec {_command(stage.text)}"


def _command(text: str) -> str:
    r"""Return a command as it must be written to read back as this text.

    Upstart loses the first of several blanks before a backslash, and doubles the backslash. A
    command with a backslash, more than one blank and another backslash can only come from that.
    """
    made, position = "", 0
    while position < len(text):
        if text[position] != "\\":
            made += text[position]
            position += 1
            continue
        rest = text[position + 1 :]
        after = rest.lstrip(BLANKS)
        blanks = rest[: len(rest) - len(after)]
        if len(blanks) > 1 and after[:1] == "\\" and after[1:2] not in (*BLANKS, "\\", ""):
            made += f" {blanks}"
            position += 1 + len(blanks)
        else:
            made += text[position : position + 2]
            position += 2
    return made
