"""``ssd --stop``."""

import errno
import os

from ssd import pidfile
from ssd.cli.options import Options
from ssd.finding import look, resolve
from ssd.processes import default_table
from ssd.schedule import Schedule
from ssd.statuses import FATAL, NOTHING_DONE, SUCCESS
from ssd.stdio import Voice
from ssd.stopping import NOTHING, SURVIVED, Round, Stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Match
    from ssd.processes.contract import ProcessTable

# The matching options, as the messages name the processes, in the order of the original.
DESCRIPTIONS = (
    ("name", "{}"),
    ("exec", "{}"),
    ("pidfile", "process in pidfile '{}'"),
    ("pid", "process with pid {}"),
    ("ppid", "process(es) with parent pid {}"),
    ("user", "process(es) owned by '{}'"),
)


def stop(options: Options, voice: Voice, table: "ProcessTable | None" = None) -> int:
    """Stop by the schedule of --retry, or send one signal; return the exit status."""
    match = options.match()
    if options.has("test"):
        return _test(options, voice, match, table)
    schedule = options.schedule or Schedule.once(options.signal)
    what = _description(options)
    with Stop(match, schedule, tree=options.has("tree"), table=table) as work:
        report, line = _Report(voice, what), None
        if options.schedule is not None and voice.quietness <= 0 and voice.on_terminal(2):
            from ssd.answers.waiting_line import watch

            line = watch(work, lambda text: voice.write(2, text), 2)
        while not work.advance():
            report.rounds(work.rounds)
            voice.flush()
            line.wait() if line else work.table.wait(work.handles, work.until)
        report.rounds(work.rounds)
    unreached = []
    if work.outcome == NOTHING and work.rounds and not work.rounds[0].found:
        unreached = _unused_pid(match, work.table)
        report.unreached(unreached, work.rounds[0].signum)
    if options.schedule is None:
        failed = sum(len(each.denied) for each in work.rounds) + len(unreached)
        if failed:
            from ssd import sentences

            voice.info(sentences.NOT_KILLED.format(count=failed))
    if work.outcome == SURVIVED:
        from ssd import sentences

        voice.info(sentences.REFUSED_TO_DIE.format(what=what, count=len(work.remaining)))
        return FATAL
    if options.has("remove-pidfile"):
        _remove(str(options.value("pidfile")), work, voice)
    return _nothing(options, voice, what) if work.outcome == NOTHING else SUCCESS


def _test(options: Options, voice: Voice, match: "Match", table: "ProcessTable | None") -> int:
    """Say which processes would get the signal."""
    from ssd import sentences

    criteria = resolve(match)  # before any output: an unknown user is fatal
    if options.schedule is not None:
        voice.info(sentences.RETRY_IGNORED)
    table = table or default_table()
    found = look(match, criteria, table).processes
    if options.has("tree"):
        from ssd.trees import Tree

        found = Tree().look(found, table)
    pids = [process.pid for process in found] or _unused_pid(match, table)
    # Descending, because the original's list grows at its head.
    for pid in reversed(pids):
        voice.info(sentences.WOULD_SIGNAL.format(signum=options.signal, pid=pid))
    return SUCCESS if pids else _nothing(options, voice, _description(options))


def _unused_pid(match: "Match", table: "ProcessTable") -> list[int]:
    """Return the pid that is the only criterion, if no process has it, not even a zombie.

    The original signals such a pid without a look, and reports the failure.
    """
    if any(each is not None for each in (match.ppid, match.exec, match.name, match.user)):
        return []
    pid = match.pid
    if match.pidfile is not None:
        try:
            pid = pidfile.read(match.pidfile)
        except FileNotFoundError:
            return []
    return [] if pid is None or pid in table.pids() else [pid]


def _description(options: Options) -> str:
    """Name the processes to stop, as the original does."""
    name, template = next(row for row in DESCRIPTIONS if options.has(row[0]))
    if name == "exec":
        return str(options.executable())
    number = {"pid": options.pid, "ppid": options.ppid}.get(name)
    return template.format(options.value(name) if number is None else number)


def _nothing(options: Options, voice: Voice, what: str) -> int:
    """Say that no process was found; with --oknodo that is a success."""
    from ssd import sentences

    voice.info(sentences.NONE_FOUND.format(what=what))
    return SUCCESS if options.has("oknodo") else NOTHING_DONE


def _remove(path: str, work: Stop, voice: Voice) -> None:
    """Remove the pidfile, unless it is special or holds the pid of a process that still runs."""
    from ssd.pidfile_removal import clear

    kept = clear(path, work)
    if kept is not None:
        from ssd import sentences

        voice.warn(sentences.WARN_KEPT.format(path=path, reason=kept))


class _Report:
    """Reports each round once: failed signals always, stopped processes with --verbose."""

    def __init__(self, voice: Voice, what: str) -> None:
        self._voice = voice
        self._what = what
        self._told = 0
        self._pids = ""

    def rounds(self, rounds: list[Round]) -> None:
        """Report the rounds since the last call."""
        for number in range(self._told, len(rounds)):
            self._tell(rounds[number], number)
        self._told = len(rounds)

    def unreached(self, pids: list[int], signum: int) -> None:
        """Report pids that no process has."""
        for pid in pids:
            self._failed(pid, errno.ESRCH, signum)

    def _failed(self, pid: int, code: int, signum: int) -> None:
        if signum:  # signal 0 only tests
            from ssd import sentences

            reason = os.strerror(code)
            self._voice.warn(sentences.WARN_SIGNAL.format(pid=pid, reason=reason))

    def _tell(self, done: Round, number: int) -> None:
        for process, error in done.denied:
            self._failed(process.pid, error.errno or 0, done.signum)
        if done.found:
            self._pids = "".join(f" {process.pid}" for process in done.signalled)
        # A round that finds nothing reports the last one again, as the original does.
        if self._pids and self._voice.quietness < 0:
            from ssd import sentences

            retry = sentences.RETRY.format(number=number) if number else ""
            text = sentences.STOPPED.format(what=self._what, pids=self._pids, retry=retry)
            self._voice.debug(text)
