"""Trace a script from outside: a sandbox for each try, until every daemon has a stand-in."""

import errno
import json
import os
import resource
import signal as signals
import time
from select import select

from ssd.service.errors import DeclarationError
from ssd.service.importing.trace import calls, kernel, sandbox
from ssd.service.importing.trace.answers import Unknown
from ssd.service.importing.trace.tracer import Tracer
from ssd.surroundings import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Record = dict[str, Any]

VERB_TIMEOUT = 20.0  # seconds for a verb of a script
SETUP_TIMEOUT = 20.0  # seconds for the sandbox
MOST_TRIES = 40  # programs that are replaced one after the other
# Where start-stop-daemon and sleep are; both are replaced from the beginning.
FIRST = (
    "/sbin/start-stop-daemon", "/usr/sbin/start-stop-daemon", "/usr/bin/start-stop-daemon",
    "/bin/sleep", "/usr/bin/sleep",
)  # fmt: skip
BASE = ("limits", "nice", "oom", "cpu", "io")  # what a script inherits, of a call
NEARLY_UNLIMITED = 1 << 60
ODD_LIMITS = ("nofile", "nproc", "memlock", "core")  # that scripts set
MOST_OUTPUT = 1 << 16  # characters of what a verb prints
WAY_OUT = "a trace needs root, or user namespaces, and overlayfs"


class Work:
    """What to trace: verbs of a script, in one sandbox.

    files: texts to write first, by path. pidfiles, leave, failing, asks, stubborn: see ``Answers``
    and ``Tracer``.
    programs: paths to replace besides start-stop-daemon; those that do not exist are made.
    """

    def __init__(self, script: str, verbs: "Sequence[str]", environment: "Mapping[str, str]",
                 files: "Mapping[str, str]", pidfiles: "list[str]") -> None:  # fmt: skip
        self.script = script
        self.verbs = list(verbs)
        self.environment = dict(environment)
        self.files = dict(files)
        self.pidfiles = pidfiles
        self.interpreter: list[str] = []  # of a script that is not executable
        self.programs: list[str] = []
        self.leave: list[str] | None = None
        self.failing: list[list[str]] = []
        self.asks = False
        self.stubborn = False


def trace(work: Work) -> "Record":
    """Run the verbs, again and again until no program is unknown; return the record.

    Its keys: events, changes (``Sandbox.changes``, after the first verb), statuses and output by
    verb; there is no second verb if the first took too long and left no daemon. Raises
    DeclarationError if there can be no sandbox, or the script executes no end of programs.
    """
    for _ in range(MOST_TRIES):
        record = _once(work)
        unknown = record.get("unknown")
        if unknown is None:
            return record
        work.programs.append(unknown)
    raise DeclarationError(f"starts more than {MOST_TRIES} programs", file=work.script)


def _once(work: Work) -> "Record":
    """Run the verbs in a fresh sandbox. Raises DeclarationError."""
    reading, writing = os.pipe()
    caller = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            _inside(work, writing, caller)
        finally:
            os._exit(1)
    os.close(writing)
    deadline = time.monotonic() + SETUP_TIMEOUT + len(work.verbs) * (VERB_TIMEOUT + 2)
    text = b""
    try:
        while select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            piece = os.read(reading, 1 << 20)
            if not piece:
                break
            text += piece
    finally:
        os.close(reading)
        os.kill(pid, signals.SIGKILL)  # the first process of the namespace dies with it
        os.waitpid(pid, 0)
    if not text:
        raise DeclarationError("the trace was ended, or took too long", file=work.script)
    record: Record = json.loads(text)
    if "refused" in record:
        reason = f"cannot be traced here: {record['refused']}; {WAY_OUT}"
        raise DeclarationError(reason, file=work.script)
    if "broken" in record:
        raise RuntimeError(f"{work.script}: the tracer failed: {record['broken']}")
    return record


def _inside(work: Work, writing: int, caller: int) -> None:
    """Enter the namespaces, and let their first process trace; report on the pipe."""
    root = os.geteuid() == 0
    try:
        sandbox.separate(root)
        kernel.die_with_parent()  # not before: a new user namespace makes the kernel forget it
        if os.getppid() != caller:
            return
        parent = os.pidfd_open(os.getpid())
        pid = os.fork()
    except OSError as error:
        _report(writing, {"refused": f"unshare: {error.strerror}"})
        return
    if pid == 0:
        try:
            kernel.die_with_parent()
            # In its own namespace it cannot see by getppid(2) whether that came too late.
            if not select([parent], [], [], 0)[0]:
                _report(writing, _traced(work, root))
        except Exception as error:
            _report(writing, {"broken": f"{type(error).__name__}: {error}"})
            raise
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)


def _report(writing: int, record: "Record") -> None:
    with open(writing, "w", encoding="ascii") as file:
        json.dump(record, file)


def _lower_limits() -> None:
    """Make soft limits odd, so that a script is seen to set even those that are here already."""
    for name in ODD_LIMITS:
        number = limits.number(name)
        soft, hard = resource.getrlimit(number)
        if soft == resource.RLIM_INFINITY:
            resource.setrlimit(number, (NEARLY_UNLIMITED, hard))
        elif soft > 1:
            resource.setrlimit(number, (soft - 1, hard))


def _traced(work: Work, root: bool) -> "Record":
    """Make the sandbox, run the verbs, and return the record."""
    try:
        made = sandbox.Sandbox(root)
        for path, text in work.files.items():
            made.write(path, text)
        first = [path for path in FIRST if os.path.exists(path)]
        programs = {path: made.replace(path) for path in [*first, *work.programs]}
        _lower_limits()
        base = calls.read(os.getpid(), "")
        made.hide_first()
        tracer = Tracer(work.script, programs, work.pidfiles, work.leave, work.stubborn)
        tracer.answers.failing, tracer.answers.asks = work.failing, work.asks
        record: Record = {
            "events": tracer.events,
            "base": {name: base[name] for name in BASE},
            "statuses": {},
            "output": {},
            "changes": [],
        }
        for verb in work.verbs:
            begin = os.path.getsize(sandbox.OUTPUT) if os.path.exists(sandbox.OUTPUT) else 0
            argv = [*work.interpreter, work.script, verb]
            record["statuses"][verb] = tracer.run(argv, verb, work.environment, VERB_TIMEOUT)
            with open(sandbox.OUTPUT, encoding="utf-8", errors="replace") as file:
                file.seek(begin)
                record["output"][verb] = file.read(MOST_OUTPUT)
            if verb == work.verbs[0]:
                record["changes"] = list(made.changes())
                living = tracer.answers.living.values()
                record["daemons"] = [[each.program, each.pid] for each in living]
                if record["statuses"][verb] is None and not record["daemons"]:
                    break  # it hangs, and there is nothing to stop
    except Unknown as program:
        return {"unknown": str(program)}
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return {"refused": f"{where}{error.strerror or errno.errorcode.get(error.errno or 0, '')}"}
    return record
