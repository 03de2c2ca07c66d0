"""Each fault of psutil, at each question: what psutil's table answers, as its contract says.

What cannot be read reads as "cannot tell", and never as not running or as a success; what has
vanished is gone. ``kit.psutil_system`` plays BSD and macOS below the installed psutil.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from kit import psutil_system
from kit.psutil_system import ZOMBIE, Declared, System

from ssd.errors import ProcessTableError
from ssd.evidence import More
from ssd.matching import UNKNOWN_START, Criteria, Process
from ssd.processes.handles import CheckedHandle, open_handle
from ssd.processes.kin import Kin
from ssd.processes.portable import PortableKinship, PortableTable

PID, PARENT, UID = 4242, 77, 1000
PYTHON = os.path.realpath(sys.executable)
STARTED = 1_700_000_060_250_000
TABLE = PortableTable()
DAEMON = Process(PID, STARTED)
kinship = PortableKinship(TABLE)


def numbers(path: str) -> tuple[int, int]:
    """Return device and inode of a file."""
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino


def daemon(**facts: Any) -> Declared:
    """Declare the process that all questions are about."""
    declared = Declared(ppid=PARENT, uid=UID, group=PID, session=PID, name="webd", exe=PYTHON)
    declared.cmdline, declared.environ = [sys.executable, "-I", __file__], {"A": "b"}
    vars(declared).update(facts)
    return declared


NAMED = Criteria(PID, uid=UID, name=b"webd")
RUNNING = Criteria(PID, ppid=PARENT, file=numbers(PYTHON))
SCRIPT = Criteria(PID, file=numbers(__file__), more=More(True))


def held() -> CheckedHandle:
    """Hold the daemon without a look at it, as if it was found before."""
    return CheckedHandle(DAEMON, TABLE.process)


RIGHT_KIN = Kin(DAEMON, PARENT, PID, PID, b"webd")
QUESTIONS: dict[str, tuple[Callable[[], object], object]] = {
    "process": (lambda: TABLE.process(PID), DAEMON),
    "named": (lambda: TABLE.select(NAMED), [DAEMON]),
    "runs": (lambda: TABLE.select(RUNNING), [DAEMON]),
    "script": (lambda: TABLE.select(SCRIPT), [DAEMON]),
    "unread n": (lambda: TABLE.unreadable(NAMED), False),
    "unread r": (lambda: TABLE.unreadable(RUNNING), False),
    "unread s": (lambda: TABLE.unreadable(SCRIPT), False),
    "children": (lambda: TABLE.children(PARENT), [DAEMON]),
    "open": (lambda: type(open_handle(DAEMON, TABLE.process)), CheckedHandle),
    "ended": (lambda: held().ended(), False),
    "signal": (lambda: held().signal(0), None),
    "kin": (lambda: kinship.of(PID), RIGHT_KIN),
    "kinder": (lambda: kinship.children(PARENT), [PID]),
    "words": (lambda: TABLE.command_line(PID), [*map(os.fsencode, daemon().cmdline)]),
    "environ": (lambda: kinship.environment(PID), [b"A=b"]),
    "pids": (lambda: TABLE.pids(), sorted((os.getpid(), PID))),
}

# The answer to each question, row by row:
#   +  right, as without the fault     -  no process, nothing, or that it has ended
#   ?  cannot tell: a process with UNKNOWN_START, that a criterion cannot be read, no permission
#   !  ProcessTableError: there is no table to tell from
CELLS = """
the fault                process named runs script unread_n unread_r unread_s children open ended signal kin kinder words environ pids
none                     +       +     +    +      +        +        +        +        +    +     +      +   +      +     +       +
gone                     -       -     -    -      +        +        +        -        -    -     -      -   -      -     -       -
reused                   ~       -     -    -      +        +        +        -        -    -     -      ~   -      ~     ~       +
zombie                   -       -     -    -      +        +        +        -        -    -     -      -   +      +     +       +
zombie without a start   -       -     -    -      +        +        +        -        -    -     -      -   +      +     +       +
all NoSuchProcess        ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all ZombieProcess        -       -     -    -      +        +        +        -        -    -     -      -   -      -     -       +
all AccessDenied         ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all TimeoutExpired       ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all RuntimeError         ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all NotImplementedError  ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all SystemError          ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all ENOENT               ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all EIO                  ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all EINVAL               ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all EBUSY                ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all EAGAIN               ?       -     -    -      ?        ?        ?        -        -    +     ?      -   -      -     -       +
all EMFILE               !       !     !    !      !        !        !        !        !    !     !      !   !      !     !       +
all ENFILE               !       !     !    !      !        !        !        !        !    !     !      !   !      !     !       +
all ENOMEM               !       !     !    !      !        !        !        !        !    !     !      !   !      !     !       +
list RuntimeError        +       +     +    +      +        +        +        !        +    +     +      +   !      +     +       !
list AccessDenied        +       +     +    +      +        +        +        !        +    +     +      +   !      +     +       !
list EIO                 +       +     +    +      +        +        +        !        +    +     +      +   !      +     +       !
list ENOMEM              +       +     +    +      +        +        +        !        +    +     +      +   !      +     +       !
clock AccessDenied       !       !     !    !      !        !        !        !        !    !     !      !   +      +     +       +
clock RuntimeError       !       !     !    !      !        !        !        !        !    !     !      !   +      +     +       +
clock set at each call   !       !     !    !      !        !        !        !        !    !     !      !   +      +     +       +
clock set before         +       +     +    +      +        +        +        +        +    +     +      +   +      +     +       +
status AccessDenied      ?       -     -    -      ?        ?        ?        -        -    +     ?      -   +      +     +       +
ppid AccessDenied        +       +     -    +      +        ?        +        -        +    +     +      -   -      +     +       +
uids NotImplementedError +       -     +    +      ?        +        +        +        +    +     +      +   +      +     +       +
name EIO                 +       -     +    +      ?        +        +        +        +    +     +      +   +      +     +       +
exe AccessDenied         +       +     -    +      +        ?        +        +        +    +     +      +   +      +     +       +
exe ENOENT               +       +     -    -      +        ?        ?        +        +    +     +      +   +      +     +       +
no name                  +       -     +    +      ?        +        +        +        +    +     +      +   +      +     +       +
no exe                   +       +     -    +      +        ?        +        +        +    +     +      +   +      +     +       +
exe too long             +       +     -    +      +        ?        +        +        +    +     +      +   +      +     +       +
exe deleted              +       +     -    +      +        +        +        +        +    +     +      +   +      +     +       +
cmdline AccessDenied     +       +     +    -      +        +        ?        +        +    +     +      +   +      -     +       +
no cmdline               +       +     +    -      +        +        ?        +        +    +     +      +   +      -     +       +
no cwd                   +       +     +    +      +        +        +        +        +    +     +      +   +      +     +       +
relative, no cwd         +       +     +    -      +        +        ?        +        +    +     +      +   +      ~     +       +
environ AccessDenied     +       +     +    +      +        +        +        +        +    +     +      +   +      +     -       +
""".strip().splitlines()  # noqa: E501
HEAD = [word.replace("_", " ") for word in CELLS[0][9:].split()]
ROWS = {line[:24].strip(): line[24:].split() for line in CELLS[1:]}


ERRORS: dict[str, Callable[[], Exception]] = {
    "NoSuchProcess": lambda: psutil.NoSuchProcess(PID),
    "ZombieProcess": lambda: psutil.ZombieProcess(PID),
    "AccessDenied": lambda: psutil.AccessDenied(PID),
    "TimeoutExpired": lambda: psutil.TimeoutExpired(1, PID),
    "RuntimeError": lambda: RuntimeError("sysctl() failed"),
    "NotImplementedError": lambda: NotImplementedError("not on this system"),
    "SystemError": lambda: SystemError("returned NULL without setting an exception"),
}
MISSING: dict[str, dict[str, Any]] = {
    "no name": {"name": ""},
    "no exe": {"exe": ""},
    "exe too long": {"exe": "/" + "x" * 5000},
    "exe deleted": {"exe": "/no/such/python3"},
    "no cmdline": {"cmdline": []},
    "no cwd": {"cwd": None},
    "relative, no cwd": {"cwd": "", "cmdline": ["python3", "script"]},
    "zombie": {"status": ZOMBIE},
    "zombie without a start": {"status": ZOMBIE, "create_time": 0.0},
}
OTHER = vars(Declared(
    create_time=psutil_system.BOOT + 99, ppid=1, uid=0, name="other", exe="/bin/true",
    cmdline=["true"], environ={"C": "d"}, group=1, session=1,
))  # fmt: skip


def error(name: str) -> Exception:
    """Make an error by its name, or by that of its number."""
    if name in ERRORS:
        return ERRORS[name]()
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


def afflict(system: System, fault: str) -> None:
    """Give a system a fault for good, by its row."""
    subject, _, name = fault.partition(" ")
    if fault == "gone":
        del system.processes[PID]
    elif fault == "reused":
        system.processes[PID] = daemon(**OTHER)
    elif fault in MISSING:
        vars(system.processes[PID]).update(MISSING[fault])
    elif fault == "clock set before":
        TABLE.process(PID)
        system.shift = -86400.0
    elif fault != "none":
        of_one = {"list": ("pids", 0), "clock": ("create_time", os.getpid()), "uids": ("uid", PID)}
        wanted = of_one.get(subject, (subject, PID))

        def fail(fact: str, pid: int) -> None:
            """Fail at the facts that the row means."""
            if pid == PID and fact != "pid_exists" if subject == "all" else (fact, pid) == wanted:
                if name == "set at each call":
                    system.shift += 3600
                else:
                    raise error(name)

        system.fault = fail


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Return a system with the daemon, on which the clock moves all starts."""
    with psutil_system.installed(System(getattr(request, "param", False))) as system:
        system.processes[PID] = daemon()
        yield system


def answer(question: str) -> object:
    """Return the answer to a question: a value, or the name of an error of the contract."""
    try:
        return QUESTIONS[question][0]()
    except (ProcessLookupError, PermissionError, ProcessTableError) as error:
        return type(error).__name__


def symbols(question: str, given: object) -> str:
    """Return which symbol of the table an answer has."""
    right = QUESTIONS[question][1]
    if given == "ProcessTableError":
        return "!"
    if given == right:
        return "+"
    if given in (Process(PID, UNKNOWN_START), "PermissionError") or (given, right) == (True, False):
        return "-" if question == "ended" else "?"
    if given in (None, [], "ProcessLookupError") or given == [os.getpid()]:
        return "-"
    return "~"


def at_each_call(system: System, question: str, happens: psutil_system.Fault) -> Iterator[object]:
    """Yield the answers to a question with something that happens at the first, second ... call."""
    system.processes[PID], system.shift, system.calls = daemon(), 0.0, 0
    system.fault = lambda fact, pid: None
    assert QUESTIONS[question][1] == answer(question)
    for call in range(1, system.calls + 1):
        system.processes[PID], system.shift, system.calls = daemon(), 0.0, 0
        system.fault = lambda fact, pid, call=call: (
            happens(fact, pid) if system.calls == call else None
        )
        yield answer(question)


def each_call(system: System, happens: psutil_system.Fault) -> dict[str, set[str]]:
    """Return the symbols of all answers, by question, with something that happens at one call."""
    found: dict[str, set[str]] = {}
    for question in QUESTIONS:
        given = at_each_call(system, question, happens)
        found[question] = {symbols(question, each) for each in given}
    return found


@pytest.mark.parametrize("name", [*ERRORS, "ENOENT", "EIO", "EINVAL", "EAGAIN"])
def test_fault_of_a_moment_changes_no_answer(name: str, system: System) -> None:
    """An error at any one call leaves the answer right; only the list needs all of its calls.

    A zombie that psutil reports has ended.
    """

    def fail(fact: str, pid: int) -> None:
        if pid != os.getpid() and fact != "pid_exists":
            raise error(name)

    listed = ("pids", "children", "kinder")
    for question, given in each_call(system, fail).items():
        allowed = {"+", *("!" if question in listed else ""), *("-" * name.startswith("Zombie"))}
        assert given <= allowed, question


@pytest.mark.parametrize("name", ["EMFILE", "ENFILE", "ENOMEM"])
def test_shortage_of_a_moment_is_told(name: str, system: System) -> None:
    """Wherever it strikes, the answer is right or an error, and never "not running"."""

    def fail(fact: str, pid: int) -> None:
        raise error(name)

    for question, given in each_call(system, fail).items():
        assert {"!"} <= given <= {"!", "+"}, question


def test_process_that_vanishes_at_any_call_is_gone_or_there(system: System) -> None:
    """It lived at the first call and not at the last, so either answer was right."""

    def vanish(fact: str, pid: int) -> None:
        system.processes.pop(PID, None)

    for question, given in each_call(system, vanish).items():
        assert given <= {"+", "-"}, question


def test_pid_that_gets_another_owner_at_any_call(system: System) -> None:
    """No answer mixes the two: it is right for one of them, or there is none."""

    def reuse(fact: str, pid: int) -> None:
        system.processes[PID] = daemon(**OTHER)

    for question in QUESTIONS:
        reuse("before", PID)
        other = answer(question)
        system.processes[PID] = daemon()
        for given in at_each_call(system, question, reuse):
            assert given == other or symbols(question, given) in "+-", question


def test_owner_before_does_not_get_what_the_next_one_meets(system: System) -> None:
    """Facts of the next owner of a pid prove nothing of the one whose start was read before."""
    successor = Process(PID, STARTED + 38_750_000)
    asks = (
        Criteria(PID, uid=0),
        Criteria(PID, name=b"other"),
        Criteria(PID, 1, numbers("/bin/true")),
    )
    for criteria in asks:
        for call in range(1, 30):
            system.processes[PID], system.calls = daemon(), 0

            def reuse(fact: str, pid: int, call: int = call) -> None:
                if system.calls == call:
                    system.processes[PID] = daemon(**OTHER)

            system.fault = reuse
            assert TABLE.select(criteria) in ([], [successor]), (criteria, call)


@pytest.mark.parametrize("seconds", [3600.0, -86400.0, 0.25])
@pytest.mark.parametrize("system", [False, True], indirect=True)
def test_clock_set_at_any_call_changes_no_answer(seconds: float, system: System) -> None:
    """A process is the one that was found before, and none seems to have ended."""

    def set_clock(fact: str, pid: int) -> None:
        system.shift = seconds

    for question, given in each_call(system, set_clock).items():
        assert {"+"} == given, question


@pytest.mark.parametrize("fault", ROWS)
def test_fault_that_lasts_gives_the_answers_of_its_row(fault: str, system: System) -> None:
    """One table of faults and questions."""
    afflict(system, fault)
    given = {question: symbols(question, answer(question)) for question in QUESTIONS}
    assert dict(zip(HEAD, ROWS[fault], strict=True)) == given


def test_each_error_of_psutil_has_a_row() -> None:
    """Another version of psutil may bring another one."""
    kinds = {name for name, kind in vars(psutil).items()
             if isinstance(kind, type) and issubclass(kind, psutil.Error)}  # fmt: skip
    assert kinds - {"Error"} <= {row.removeprefix("all ") for row in ROWS}
