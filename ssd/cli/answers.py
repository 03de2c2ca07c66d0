"""``--json`` and ``--timeline``: run the command on a table with a record, and show the record.

The command itself is the same: what it prints is kept for the answer, what it does is written down.
"""

import os
import sys

from ssd import answers
from ssd.cli import options as opts
from ssd.errors import Error
from ssd.finding import look, resolve
from ssd.matched_by import STRONGEST
from ssd.processes import default_table
from ssd.processes.recorded import STARTED, Facts, recorded
from ssd.statuses import FATAL, UNKNOWN, USAGE, lsb_status
from ssd.stdio import Voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.processes.recorded import Record, RecordedTable

    Run = Callable[[list[str], Voice, ProcessTable | None, bool, opts.Options, bool], int]

JSON, TIMELINE = "json", "timeline"
ASKING = (opts.STATUS, opts.PIDOF)
# The events of a start whose values have names; those of any other are "detail".
VALUES = {"awaiting": ("seconds",), "notified": ("kind", "value")}
# What the title of a picture says: not the variables of --env, which may be secrets.
TITLE = (*(name for name, _ in STRONGEST), "startas", "signal", "retry", "tree")


class Teller(Voice):
    """A voice that keeps what it says for the answer: standard output instead of printing it.

    Warnings and the error go to standard error, too. With ``--timeline`` alone all is printed.
    """

    def __init__(
        self, voice: Voice, options: opts.Options, words: list[str], record: "Record"
    ) -> None:
        super().__init__(voice.program)
        self.messages: list[str] = []
        self.error: str | None = None
        self._voice = voice
        self._options = options
        self._record = record
        own = words[: words.index("--")] if "--" in words else words
        # Also behind a fault, which ends the reading. No other option begins with --j.
        self._asked = any(len(word) > 2 and f"--{JSON}".startswith(word) for word in own)

    @property
    def will_answer(self) -> bool:
        """Whether there will be an answer in JSON."""
        if self._options.command in (opts.HELP, opts.VERSION):
            return False
        return self._options.has(JSON) or (self.error is not None and self._asked)

    def note(self, event: str, *values: object) -> None:
        """Take note of a step of a start."""
        facts = dict(zip(VALUES.get(event, ("detail",)), values))
        if event == STARTED:
            self._started(values[0])  # type: ignore[arg-type]
        else:
            self._record.note(event, **facts)

    def _started(self, process: "Process", status: int | None = None) -> None:
        self._record.meet(process)
        self._record.note(STARTED, pid=process.pid)
        more = {} if status is None else {"exit_status": status}
        self._record.look_after(process, **more)

    def warn(self, text: str) -> None:
        """Write a warning to standard error, and keep it."""
        self.messages.append(f"warning: {text}")
        super().warn(text)

    def complain(self, text: str, hint: str = "") -> None:
        """Write an error to standard error, and keep it."""
        self.error = text
        error = sys.exc_info()[1]
        process = getattr(error, "process", None)
        if process is not None:  # it was started, and is not what was hoped for
            self._started(process, getattr(error, "status", None))
        super().complain(text, hint)

    def write(self, fd: int, text: str) -> None:
        """Write a text, or keep it for the answer."""
        if fd == 1 and self.will_answer:
            self.messages += text.splitlines()
        else:
            self._voice.write(fd, text)

    def on_terminal(self, fd: int = 1) -> bool:
        """Tell whether a descriptor is a terminal; all of standard output is kept for an answer."""
        return (fd == 1 and self.will_answer) or self._voice.on_terminal(fd)


def run_recorded(
    run: "Run",
    words: list[str],
    voice: Voice,
    table: "ProcessTable | None",
    own: bool,
    options: opts.Options,
) -> int:
    """Run the command by ``run``, and show what it did, also if it fails.

    Without one of the two options among the words, which may be meant for the program to start, it
    is the command as it is.
    """
    table, recording = recorded(table or default_table(own))
    teller = Teller(voice, options, words, recording.record)
    status = FATAL
    try:
        status = run(words, teller, table, own, options, True)
    except BaseException as error:
        from ssd.sentences import describe

        teller.error = describe(error)
        status = UNKNOWN if options.command in ASKING else FATAL
        raise
    finally:
        if _has_picture(options, status):
            _draw(options, teller, recording.record, table)
        if teller.will_answer:
            steps = answers.steps_of(recording.record)
            state, processes = answers.STATES[UNKNOWN], list[dict[str, object]]()
            try:
                state, processes = _now(options, status, table, recording)
            except (Error, OSError) as error:  # the work is done: its status stays
                from ssd.sentences import describe

                teller.warn(describe(error))
            voice.write(1, answers.text(answers.answer(
                options.command, status, state, options.value("pidfile"), processes,
                steps=steps, messages=teller.messages, error=teller.error,
            )))  # fmt: skip
    return status


def _now(
    options: opts.Options, status: int, table: "ProcessTable", recording: "RecordedTable"
) -> tuple[str, list[dict[str, object]]]:
    """Return the state, and the processes that were met or match now, by pid."""
    if options.command in ASKING:
        state, running = answers.STATES[status], recording.found if not status else []
    else:
        state, running = _look(options, status, table)
    met = {**recording.record.processes}
    for process in running:
        met.setdefault(process, Facts(process, table))
    matched, evidence = recording.matched, _evidence(options)
    return state, [
        answers.facts_of(
            facts,
            table,
            matched[process] or evidence if process in matched else None,
            not process.is_still(table.process(process.pid)),
        )
        for process, facts in sorted(met.items(), key=lambda pair: pair[0].pid)
    ]


def _look(options: opts.Options, status: int, table: "ProcessTable") -> "tuple[str, list[Process]]":
    """Return the state after a start or stop, and the processes that match now."""
    unknown = answers.STATES[UNKNOWN]
    if options.command is None or status == USAGE:
        return unknown, []
    try:
        match = options.match()
        finding = look(match, resolve(match, table), table)
    except (Error, OSError):
        return unknown, []
    asked = match.pidfile is not None
    found = lsb_status(bool(finding.processes), finding.pidfile_holds, asked)
    return answers.STATES[found], finding.processes


def _has_picture(options: opts.Options, status: int) -> bool:
    """Tell whether --timeline draws: --test takes no action, and a wrong command line has none."""
    wanted = options.has(TIMELINE) and not options.has("test")
    return wanted and options.command not in ASKING and status != USAGE


def _evidence(options: opts.Options) -> str | None:
    return next((what for name, what in STRONGEST if options.has(name)), None)


def _draw(options: opts.Options, teller: Teller, record: "Record", table: "ProcessTable") -> None:
    """Write the picture of --timeline; a failure is a warning, because the work is done."""
    from ssd.paths import UntrustedLink
    from ssd.pidfile.writing import replace

    path = str(options.value(TIMELINE))
    os.umask(umask := os.umask(0o077))
    begin = f"{teller.program} --{options.command}"
    shown = [(name, options.value(name)) for name in TITLE if options.has(name)]
    words = [f"--{name}" if value is None else f"--{name} {value}" for name, value in shown]
    picture = answers.picture(record, table, " ".join([begin, *words]), teller.program)
    try:
        replace(os.fsencode(path), picture.encode(), 0o666 & ~umask).close()
    except (UntrustedLink, OSError) as error:
        reason = error.reason if isinstance(error, UntrustedLink) else error.strerror
        teller.warn(f"--timeline {path} is not written: {reason}")
