"""Write a job file from its values, so that it reads back as the same job."""

from ssd.service.sources.upstart.faults import JobFault
from ssd.service.sources.upstart.jobfile import JobFile, Stage
from ssd.service.sources.upstart.lexer import BLANKS, Reader, word_of
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
    """Return a command as it must be written to read back as this text.

    Nearly always that is the text itself. But of the blanks before a backslash Upstart loses the
    first, and doubles the backslash; what came of that must be written as it was before.
    """
    if _read(text) == text:
        return text
    # What is written so far, by the position in the text, the open quote, and whether a blank
    # was the last: the ways that lead to the same three are equal.
    ways: dict[int, dict[tuple[str, bool], str]] = {0: {("", False): ""}}
    for position in range(len(text)):
        for (quote, blank), made in ways.pop(position, {}).items():
            for size, piece, after in _pieces(text, position, quote, blank):
                last = piece[-1:] in BLANKS and not piece.startswith("\\")
                ways.setdefault(position + size, {}).setdefault((after, last), made + piece)
    found = ways.get(len(text), {})
    return found.get(("", False)) or found.get(("", True)) or text


def _pieces(text: str, position: int, quote: str, blank: bool) -> "Iterable[tuple[int, str, str]]":
    """Yield how the next characters can be written: their number, the piece, the open quote."""
    character = text[position]
    if character != "\\":
        if character in "\"'":
            after = "" if quote == character else quote or character
            yield 1, character, after
        elif character != "#" or quote:
            yield 1, character, quote
        return
    rest = text[position + 1 :]
    yield 2, text[position : position + 2], quote
    bare = rest.lstrip(BLANKS)
    blanks = rest[: len(rest) - len(bare)]
    if not blank and bare[:1] == "\\" and bare[1:2] not in (*BLANKS, "\\", ""):
        yield len(blanks) + 3, f" {blanks}{bare[:2]}", quote


def _read(text: str) -> "str | None":
    """Return how Upstart reads a command; None if it has no end."""
    try:
        return Reader(text, "").command()
    except JobFault:
        return None
