"""Arguments of the library: errors name the parameter, and subclasses of plain types work."""

import asyncio
import math
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from copy import copy, deepcopy
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.children import SLEEP, until_ended
from kit.leaks import nothing_left

import ssd
from ssd import Command, Match
from ssd import aio as loops
from ssd.service import Service, lsb
from ssd.service.verbs.performing import perform
from ssd.testing import FakeProcesses, check_process_table

HERE = Match(name="no such")
LONG = "a-name-of-16-byt"  # one byte more than the kernel keeps

# mistake -> the call, the class of the exception, and a pattern of its text
SLIPS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "seconds for a schedule": (lambda: ssd.stop(HERE, 30), TypeError, "schedule must be .*'30'"),
    "seconds for many": (lambda: ssd.stop_all([HERE], 30), TypeError, "schedule must be"),
    "seconds in a loop": (lambda: asyncio.run(loops.stop(HERE, 30)), TypeError, "schedule must"),
    "seconds for a stop": (lambda: ssd.Stop(HERE, 30), TypeError, "schedule must be .*'30'"),
    "a name for a stop": (
        lambda: ssd.Stop("x", "TERM/5").advance(),
        TypeError,
        r"an ssd\.Match says .* 'x'",
    ),
    "a bad text for a stop": (lambda: ssd.Stop(HERE, "TERM"), ssd.ScheduleError, "at least two"),
    "no list of matches": (lambda: ssd.stop_all(HERE), TypeError, r"matches must .*\[match\]"),
    "words for a Command": (
        lambda: ssd.start(HERE, ["/bin/true"]),
        TypeError,
        r"command must be an ssd\.Command, .* not \['/bin/true'\]",
    ),
    "words for a Command on fakes": (
        lambda: ssd.start(HERE, ["/bin/true"], table=FakeProcesses()),
        TypeError,
        "command must be",
    ),
    "no pidfile to make": (
        lambda: ssd.start(HERE, SLEEP, make_pidfile=True),
        ValueError,
        "make_pidfile writes match.pidfile",
    ),
    "no pidfile to make on fakes": (
        lambda: ssd.start(HERE, SLEEP, make_pidfile=True, table=FakeProcesses()),
        ValueError,
        "make_pidfile writes match.pidfile",
    ),
    "a text for seconds": (
        lambda: ssd.start(HERE, SLEEP, notify_timeout="5"),
        ValueError,
        "notify_timeout must be a number of seconds or None, not '5'",
    ),
    "seconds below none": (
        lambda: ssd.start(HERE, SLEEP, notify_timeout=-1),
        ValueError,
        "notify_timeout must be",
    ),
    "no number of seconds": (
        lambda: ssd.start(HERE, SLEEP, notify_timeout=math.nan, table=FakeProcesses()),
        ValueError,
        "notify_timeout must be",
    ),
    "a policy alone": (
        lambda: Command(["/x"], cpu_scheduling="fifo"),
        ValueError,
        r"cpu_scheduling must be .*\('fifo', 0\), not 'fifo'",
    ),
    "a short policy alone": (
        lambda: Command(["/x"], cpu_scheduling="rr"),
        ValueError,
        r"cpu_scheduling must be .*\('rr', 0\)",
    ),
    "a priority that is a text": (
        lambda: Command(["/x"], cpu_scheduling=("fifo", "10")),
        ValueError,
        "cpu_scheduling must be a name and a priority",
    ),
    "a class alone": (
        lambda: Command(["/x"], io_scheduling="idle"),
        ValueError,
        r"io_scheduling must be .*\('idle', 0\)",
    ),
    "limits by name": (
        lambda: Command(["/x"], limits={"nofile": (1, 1)}),
        ValueError,
        "limits must be by number, .*RLIMIT_NOFILE.* not by 'nofile'",
    ),
    "a limit alone": (
        lambda: Command(["/x"], limits={7: 1024}),
        ValueError,
        r"limits\[7\] must be a soft and a hard limit, .* not 1024",
    ),
    "a limit of texts": (
        lambda: Command(["/x"], limits={7: ("1", "1")}),
        ValueError,
        r"limits\[7\] must be a soft and a hard",
    ),
    "a limit beyond all": (
        lambda: Command(["/x"], limits={7: (1, 2**63)}),
        ValueError,
        r"limits\[7\] must be a soft and a hard",
    ),
    "limits in a list": (lambda: Command(["/x"], limits=[(7, 1)]), ValueError, "limits must be a"),
    "an environment in a list": (
        lambda: Command(["/x"], environment=["A=b"]),
        TypeError,
        "environment must be a mapping",
    ),
    "a number for a variable": (
        lambda: Command(["/x"], environment={"A": 1}),
        TypeError,
        r"environment\['A'\] must be a text",
    ),
    "a number for an argument": (lambda: Command(["/x", 5]), TypeError, "argv must be a text .* 5"),
    "a number for all arguments": (lambda: Command(5), ValueError, "argv must be a sequence"),
    "a path for all arguments": (
        lambda: Command(Path("/x")),
        ValueError,
        "argv must be a sequence",
    ),
    "a number for a directory": (lambda: Command(["/x"], directory=5), TypeError, "directory must"),
    "a number for a file": (lambda: Command(["/x"], output=5), TypeError, "output must be a text"),
    "a pid in a text": (lambda: Match(pid="12"), ValueError, "pid must be a number"),
    "a number for a pidfile": (lambda: Match(pidfile=12), TypeError, "pidfile must be a text"),
    "a number for a path": (lambda: Match(exec=12), TypeError, "exec must be a text or a path"),
    "a number for a name": (lambda: Match(name=12), TypeError, "name must be a text"),
    "a fraction for a user": (lambda: Match(user=1.5), TypeError, "user must be a text"),
    "a pidfile with a NUL byte": (
        lambda: ssd.start(Match(pidfile="/x\0"), SLEEP),
        ValueError,
        "pidfile has a NUL",
    ),
    "a path with a NUL byte": (
        lambda: ssd.start(Match(exec=b"/x\0"), SLEEP),
        ValueError,
        "exec has a NUL byte",
    ),
    "a name with a NUL byte": (
        lambda: ssd.start(Match(name="x\0"), SLEEP),
        ValueError,
        "name has a NUL byte",
    ),
    "an account with a NUL byte": (
        lambda: ssd.start(Match(user="x\0"), SLEEP),
        ValueError,
        "user has a NUL byte",
    ),
    "a user with a NUL byte": (
        lambda: ssd.start(HERE, Command(["/x"], user="x\0"), background=False),
        ValueError,
        "user has a NUL byte",
    ),
    "a group with a NUL byte": (
        lambda: ssd.start(HERE, Command(["/x"], group="x\0"), background=False),
        ValueError,
        "group has a NUL byte",
    ),
}
# None of them is three descriptors.
NO_STDIO: list[Any] = [
    None, 1, (0, 1), (0, 1, 2, 2), (0, 1, None), (0, 1, True), (0, 1, 2.0), "012",
    (sys.stdin, sys.stdout, sys.stderr), (subprocess.PIPE, 1, 2), (0, 1, 2**31),
]  # fmt: skip
TABLED: dict[str, Callable[[Any], object]] = {
    "find": lambda table: ssd.find(HERE, table=table),
    "status": lambda table: ssd.status(HERE, table=table),
    "stop": lambda table: ssd.stop(HERE, table=table),
    "start": lambda table: ssd.start(HERE, SLEEP, table=table),
    "loops.start": lambda table: asyncio.run(loops.start(HERE, SLEEP, table=table)),
    "loops.stop": lambda table: asyncio.run(loops.stop(HERE, table=table)),
    "Stop": lambda table: ssd.Stop(HERE, "1", table=table).advance(),
    "PIDLockFile": lambda table: ssd.PIDLockFile("/run/x.pid", table=table),
    "pidofproc": lambda table: lsb.pidofproc("no such", table=table),
    "killproc": lambda table: lsb.killproc("no such", table=table),
    "a verb": lambda table: perform(
        Service(name="x", executable="/bin/sh"), "start", program="x", script="x", table=table
    ),
    "check_process_table": check_process_table,
}


@pytest.mark.parametrize("case", SLIPS)
def test_slip_names_the_parameter_and_the_way_out(case: str) -> None:
    """Before the library looks for, starts or signals a process."""
    call, kind, text = SLIPS[case]
    with nothing_left(), pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize("stdio", NO_STDIO, ids=repr)
@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("table", [None, FakeProcesses()], ids=["real", "fake"])
def test_stdio_of_other_than_three_descriptors_is_named(
    stdio: Any, background: bool, table: Any
) -> None:
    """It takes descriptors: no files, and no constants of subprocess (PIPE is -1)."""
    with nothing_left(), pytest.raises(ValueError, match=r"stdio must be three .*fileno\(\)"):
        ssd.start(HERE, SLEEP, background=background, stdio=stdio, table=table)


@pytest.mark.parametrize("call", TABLED.values(), ids=TABLED)
def test_name_is_no_table(call: Callable[[Any], object]) -> None:
    """The error shows the call that returns a table."""
    for name in ("psutil", "kernel"):
        with pytest.raises(TypeError, match=rf"table must be .*table_named\('{name}'\)"):
            call(name)


@pytest.mark.parametrize("call", TABLED.values(), ids=TABLED)
def test_table_that_lacks_members_is_told_where_to_get_them(call: Callable[[Any], object]) -> None:
    """A table that keeps the contract of version 0.1.0, with ``select`` and no ``launcher``."""
    with pytest.raises(TypeError, match=r"table lacks members .*processes\.base\.PidByPidTable"):
        call(SimpleNamespace(select=lambda criteria: []))


# A name that is too long ------------------------------------------------------------------


@pytest.mark.parametrize("name", [LONG, LONG.encode(), "ü" * 8])
def test_name_that_no_process_has_is_warned_of(name: str | bytes) -> None:
    """As the original does; otherwise each start would start one more."""
    with pytest.warns(ssd.MatchWarning, match="at most 15 bytes; give exec") as caught:
        match = Match(name=name)
    assert [__file__] == [warning.filename for warning in caught]
    assert [] == ssd.find(match)


def test_start_does_not_warn_a_second_time(capfd: pytest.CaptureFixture[str]) -> None:
    """The helper does not repeat the caller's warning."""
    with pytest.warns(ssd.MatchWarning):
        match = Match(name=LONG)
    with ssd.start(match, Command(["/bin/true"]), background=False) as child:
        assert isinstance(child, ssd.Child)
        assert 0 == child.wait()
    assert ("", "") == tuple(capfd.readouterr())


def test_name_that_just_fits_is_fine() -> None:
    """15 bytes is the limit; there is none for the name that a program itself has."""
    assert [] == ssd.find(Match(name=LONG[:15]))
    for name in (LONG, LONG.encode()):
        assert [] == ssd.find(Match(name=name, interpreted=True))


# Values of any class ----------------------------------------------------------------------


class Text(str):
    """A subclass of str, as tomlkit's String is."""

    __slots__ = ("style",)


class Word(StrEnum):
    """Programs use such classes instead of constants."""

    SH = "/bin/sh"
    FLAG = "-c"
    SCRIPT = 'umask; echo "$NAME"; cat /proc/self/limits | grep open'
    ROOT = "/"
    NAME = "NAME"
    VALUE = "some text"
    POLICY = "other"


class Old(str, Enum):  # noqa: UP042
    """Its str() is not its text."""

    USER = "root"
    VALUE = "some text"


class Number(IntEnum):
    """An enumeration of ints."""

    ONE = 1
    MASK = 0o027
    NOFILE = resource.RLIMIT_NOFILE
    MANY = 64


@pytest.mark.parametrize("value", [Old.VALUE, Word.VALUE, Text("some text")])
@pytest.mark.parametrize("background", [True, False], ids=["daemon", "child"])
def test_subclasses_of_plain_types_are_taken_everywhere(
    value: str, background: bool, tmp_path: Path
) -> None:
    """In every field; the request to the helper once failed for them."""
    out = tmp_path / "out"
    command = Command(
        [Word.SH, Word.FLAG, Word.SCRIPT],
        startas=Path("/bin/sh"),
        directory=Word.ROOT,
        umask=Number.MASK,
        nice=Number.ONE,
        cpu_scheduling=(Word.POLICY, Number.ONE - 1),
        environment={Word.NAME: value, "PATH": Text("/bin:/usr/bin")},
        limits={Number.NOFILE: (Number.MANY, Number.MANY)},
        output=out if background else None,
    )
    match = Match(pidfile=tmp_path / "pid", user=Text("0"), name=Text("no such"))
    if background:
        process = ssd.start(match, command, make_pidfile=True)
        until_ended(process.pid)
    else:
        with open(out, "wb") as file:
            stdio = (Number.ONE - 1, file.fileno(), 2)
            with ssd.start(match, command, background=False, stdio=stdio) as child:
                assert isinstance(child, ssd.Child)
                assert 0 == child.wait()
    lines = out.read_text().splitlines()
    assert ["0027", "some text"] == lines[:2]
    assert ["64", "64", "files"] == lines[2].split()[-3:]


def test_users_and_pids_are_taken_whatever_class_says_them() -> None:
    """To find processes, and as the account of the program."""
    table = FakeProcesses()
    process = table.add("webd")
    table.register("/bin/webd")
    assert ssd.find(Match(user=Old.USER), table=table)
    assert [process.identity] == ssd.find(
        Match(pid=IntEnum("Pid", {"W": process.pid}).W), table=table
    )
    assert "root" == Command(["/x"], user=Old.USER).user
    assert type(Command(["/x"], user=Text("root"), group=Text("root")).group) is str
    ssd.start(Match(name="other"), Command([Path("/bin/webd")], user=Old.USER), table=table)


def test_signals_are_taken_by_their_enumeration() -> None:
    """signal.Signals is an int."""
    table = FakeProcesses()
    table.add("webd")
    schedule = ssd.Schedule([("send", signal.SIGTERM), ("wait", 5)])
    assert 1 == len(ssd.stop(Match(name="webd"), schedule, table=table))
    assert ssd.Schedule.once(signal.SIGTERM) == ssd.Schedule.once(15)
    assert ssd.Schedule.parse(Text("5"), signal.SIGINT) == ssd.Schedule.parse("INT/5/KILL/5")
    assert [] == ssd.stop(Match(name="webd"), Text("TERM/5"), table=table)


# Values that compare ----------------------------------------------------------------------


def test_equal_matches_are_one_key() -> None:
    """For texts of any class; but a str does not equal bytes."""
    one, other = (
        Match(name="x", pidfile=Path("/run/x.pid")),
        Match(name=Text("x"), pidfile="/run/x.pid"),
    )
    assert (one, {one}) == (other, {other})
    assert one == copy(one) == deepcopy(one) == pickle.loads(pickle.dumps(one))
    for different in (Match(name="x"), Match(name=b"x", pidfile="/run/x.pid"), "x", None):
        assert one != different


def test_equal_commands_are_equal() -> None:
    """They hold lists and tables that can change, so they cannot be keys."""
    given: dict[str, Any] = {"umask": 0o27, "environment": {"A": "b"}, "limits": {7: (1, 2)}}
    one, other = Command(["/bin/x", "y"], **given), Command([b"/bin/x", Text("y")], **given)
    assert one == other == copy(one) == deepcopy(one) == pickle.loads(pickle.dumps(one))
    for different in (Command(["/bin/x", "y"]), Command(["/bin/x"], **given), None):
        assert one != different
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_command_shows_what_it_was_given() -> None:
    """Like the call that makes it, without the values of the environment, which may be secret."""
    command = Command(["/bin/x"], nice=3, environment={"PASSWORD": "secret"}, limits={7: (1, 2)})
    shown = "Command([b'/bin/x'], nice=3, environment=<b'PASSWORD'>, limits={7: (1, 2)})"
    assert shown == repr(command)
    assert "Command([b'/bin/x', b'y'])" == repr(Command(["/bin/x", "y"]))
