"""The stanzas of a job file: how each is read, and what it sets."""

from ssd.service.sources.upstart import faults, numbers
from ssd.service.sources.upstart.conditions import read_condition
from ssd.service.sources.upstart.jobfile import JobFile, Stage
from ssd.service.sources.upstart.lexer import Reader, word_of
from ssd.signals import INT_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Handler = Callable[[JobFile, Reader], None]

# The limits that a job can set.
LIMITS = (
    "as core cpu data fsize memlock msgqueue nice nofile nproc rss rtprio sigpending stack"
).split()
UNLIMITED = -1


def read_stanzas(job: JobFile, reader: Reader) -> None:
    """Read all stanzas into a job, which keeps those before a fault. Raises JobFault."""
    while not reader.at_end():
        reader.skip_indent()
        if not reader.has_word():
            reader.skip_line()
            continue
        name = reader.word(unquote=False)
        handler = STANZAS.get(name)
        if handler is None:
            raise _unknown(reader, name, STANZAS)
        handler(job, reader)


def _unknown(
    reader: Reader, word: str, known: "Iterable[str]", before: str = "", line: int = 0
) -> faults.JobFault:
    """Make the fault of an unknown word. ``before``: the stanza that it belongs to."""
    from ssd.service.errors import nearest

    words = list(known)
    meant = nearest(word, words) if len(words) > 1 else words[0]
    whole = meant and f"{before} {meant}".lstrip()
    return reader.fault(faults.UNKNOWN_STANZA, whole, line)


def _choice(reader: Reader, stanza: str, known: "Iterable[str]", unquote: bool = False) -> str:
    """Read a word that must be one of the known ones."""
    line = reader.line
    word = reader.word(unquote=unquote)
    if word not in known:
        raise _unknown(reader, word, known, stanza, line)
    return word


# Makers of handlers -------------------------------------------------------------------------


def _text(field: str) -> "Handler":
    """Make the handler of a stanza with one text."""

    def read(job: JobFile, reader: Reader) -> None:
        setattr(job, field, reader.last_word())

    return read


def _more(field: str) -> "Handler":
    """Make the handler of a stanza that adds words to a list."""

    def read(job: JobFile, reader: Reader) -> None:
        getattr(job, field).extend(reader.words())

    return read


def _flag(field: str) -> "Handler":
    """Make the handler of a stanza without words."""

    def read(job: JobFile, reader: Reader) -> None:
        setattr(job, field, True)
        reader.end_line()

    return read


def _one_of(stanza: str, known: "tuple[str, ...]") -> "Handler":
    """Make the handler of a stanza with one of a few words."""

    def read(job: JobFile, reader: Reader) -> None:
        setattr(job, stanza, _choice(reader, stanza, known, unquote=True))
        reader.end_line()

    return read


def _condition(stanza: str, field: str) -> "Handler":
    """Make the handler of ``start on`` and ``stop on``."""

    def read(job: JobFile, reader: Reader) -> None:
        _choice(reader, stanza, ("on",))
        setattr(job, field, read_condition(reader))

    return read


def _number(field: str, read_number: "Callable[[str], int | None]", reason: str) -> "Handler":
    """Make the handler of a stanza with one number."""

    def read(job: JobFile, reader: Reader) -> None:
        setattr(job, field, _value(reader, read_number, reason))
        reader.end_line()

    return read


def _value(reader: Reader, read_number: "Callable[[str], int | None]", reason: str) -> int:
    """Read a number. Raises JobFault with this reason."""
    line = reader.line
    number = read_number(reader.word())
    if number is None:
        raise reader.fault(reason, line=line)
    return number


# Processes ----------------------------------------------------------------------------------


def _exec(job: JobFile, reader: Reader, stage: str = "main") -> None:
    job.stages[stage] = Stage(False, reader.command())


def _script(job: JobFile, reader: Reader, stage: str = "main") -> None:
    reader.end_line()
    job.stages[stage] = Stage(True, reader.block("script"))


def _stage(stage: str) -> "Handler":
    """Make the handler of a stage that ``exec`` or ``script`` follows."""

    def read(job: JobFile, reader: Reader) -> None:
        kinds = {"exec": _exec, "script": _script}
        kinds[_choice(reader, stage, kinds)](job, reader, stage)

    return read


# Values -------------------------------------------------------------------------------------


def _natural(text: str) -> "int | None":
    number = numbers.signed(text)
    return number if number is not None and number >= 0 else None


def _mask(text: str) -> "int | None":
    number = numbers.unsigned(text, 8)
    return number if number is not None and number <= 0o777 else None


def _niceness(text: str) -> "int | None":
    number = numbers.signed(text)
    return number if number is not None and -20 <= number <= 19 else None


def _limit(text: str) -> "int | None":
    number = UNLIMITED if text == "unlimited" else numbers.unsigned(text)
    return UNLIMITED if number == numbers.ULONG_MAX else number


def _exit(text: str) -> "int | None":
    if text.removeprefix("SIG") in numbers.NAMES:
        number = numbers.signal(text)
        return None if number is None else -number
    number = numbers.unsigned(text)
    return number if number is not None and number <= INT_MAX else None


def _score(text: str) -> "int | None":
    number = -1000 if text == "never" else numbers.signed(text)
    return number if number is not None and -1000 <= number <= 1000 else None


def _adjustment(text: str) -> "int | None":
    """Read the old oom adjustment, -17 to 15, as the score that it means: proc(5)."""
    number = -17 if text == "never" else numbers.signed(text)
    if number is None or not -17 <= number <= 15:
        return None
    return -(-number * 1000 // 17) if number < 0 else number * 1000 // 15


# Stanzas of several words --------------------------------------------------------------------


def _kill(job: JobFile, reader: Reader) -> None:
    if _choice(reader, "kill", ("timeout", "signal")) == "timeout":
        job.kill_timeout = float(_value(reader, _natural, faults.ILLEGAL_INTERVAL))
    else:
        job.kill_signal = _value(reader, numbers.signal, faults.ILLEGAL_SIGNAL)
    reader.end_line()


def _reload(job: JobFile, reader: Reader) -> None:
    _choice(reader, "reload", ("signal",))
    job.reload_signal = _value(reader, numbers.signal, faults.ILLEGAL_SIGNAL)
    reader.end_line()


def _respawn(job: JobFile, reader: Reader) -> None:
    if not reader.has_word():
        job.respawn = True
        reader.skip_line()
        return
    _choice(reader, "respawn", ("limit",))
    line = reader.line
    word = reader.word()
    if word == "unlimited":
        job.respawn_limit = job.respawn_interval = 0
    else:
        limit = _natural(word)
        if limit is None:
            raise reader.fault(faults.ILLEGAL_LIMIT, line=line)
        job.respawn_limit = limit
        job.respawn_interval = _value(reader, _natural, faults.ILLEGAL_INTERVAL)
    reader.end_line()


def _normal(job: JobFile, reader: Reader) -> None:
    _choice(reader, "normal", ("exit",))
    while True:
        job.normal_exit |= {_value(reader, _exit, faults.ILLEGAL_EXIT)}
        if not reader.has_word():
            break
    reader.skip_line()


def _oom(job: JobFile, reader: Reader) -> None:
    line = reader.line
    word = reader.word()
    if word == "score":
        job.oom = _value(reader, _score, faults.ILLEGAL_OOM_SCORE)
    else:
        job.oom = _adjustment(word)
        if job.oom is None:
            raise reader.fault(faults.ILLEGAL_OOM, line=line)
    reader.end_line()


def _limits(job: JobFile, reader: Reader) -> None:
    name = _choice(reader, "limit", LIMITS, unquote=True)
    soft = _value(reader, _limit, faults.ILLEGAL_LIMIT)
    hard = _value(reader, _limit, faults.ILLEGAL_LIMIT)
    job.limits[name] = (soft, hard)
    reader.end_line()


def _apparmor(job: JobFile, reader: Reader) -> None:
    if _choice(reader, "apparmor", ("load", "switch")) == "load":
        job.apparmor_load = reader.word()
        job.stages["security"] = Stage(False, f"/sbin/apparmor_parser -r -W {job.apparmor_load}")
    else:
        job.apparmor_switch = reader.word()
    reader.end_line()


def _cgroup(job: JobFile, reader: Reader) -> None:
    words = [reader.word()]
    while reader.has_word() and len(words) < 4:  # controller, name, key, value
        words.append(reader.word())
    reader.end_line()
    job.cgroups.append(" ".join(map(word_of, words)))


def _env(job: JobFile, reader: Reader) -> None:
    job.environment.append(reader.last_word())


def _manual(job: JobFile, reader: Reader) -> None:
    job.manual = True
    job.start_on = None  # a ``start on`` after it counts


def _debug(job: JobFile, reader: Reader) -> None:
    job.debug = True


STANZAS: "dict[str, Handler]" = {
    "instance": _text("instance"), "description": _text("description"),
    "author": _text("author"), "version": _text("version"), "usage": _text("usage"),
    "env": _env, "export": _more("export"), "emits": _more("emits"),
    "start": _condition("start", "start_on"), "stop": _condition("stop", "stop_on"),
    "exec": _exec, "script": _script,
    "pre-start": _stage("pre-start"), "post-start": _stage("post-start"),
    "pre-stop": _stage("pre-stop"), "post-stop": _stage("post-stop"),
    "expect": _one_of("expect", ("none", "fork", "daemon", "stop")),
    "console": _one_of("console", ("none", "log", "output", "owner")),
    "task": _flag("task"), "manual": _manual, "debug": _debug,
    "kill": _kill, "reload": _reload, "respawn": _respawn, "normal": _normal,
    "umask": _number("umask", _mask, faults.ILLEGAL_UMASK),
    "nice": _number("nice", _niceness, faults.ILLEGAL_NICE),
    "oom": _oom, "limit": _limits,
    "chroot": _text("chroot"), "chdir": _text("chdir"),
    "setuid": _text("setuid"), "setgid": _text("setgid"),
    "apparmor": _apparmor, "cgroup": _cgroup,
}  # fmt: skip
