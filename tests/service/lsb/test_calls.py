"""Functions as commands: their options as a real shell reads them, and their exit statuses."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ssd import errors
from ssd.matching import Process
from ssd.schedule import ScheduleError
from ssd.service.lsb import cli as command
from ssd.service.lsb import daemons
from ssd.service.lsb.calls import getopts

# Prints the last value of each option, then the operands; each complaint is a separate line.
SCRIPT = """
known=$1; shift
f= n= p=
while getopts "$known" letter; do
    case $letter in
    f) f=set ;;
    n) n="set$OPTARG" ;;
    p) p="set$OPTARG" ;;
    *) echo complaint ;;
    esac
done
shift $((OPTIND - 1))
printf '<%s>' "$f" "$n" "$p"
echo
for operand; do printf '<%s>\\n' "$operand"; done
"""

WORDS = st.lists(st.text(st.sampled_from("fnpx-a"), max_size=4), max_size=5)


@settings(max_examples=150, deadline=None)
@given(WORDS)
@example(["-p"])
@example(["-fp"])
@example(["-n", "--", "a"])
@example(["-", "-f"])
@example(["--", "-f"])
@example(["-fxf", "a", "-p"])
@example(["-p", "-f"])
@example([""])
@example(["-x-"])
def test_options_are_read_as_by_the_shell(words: list[str]) -> None:
    """The same values, operands and number of complaints as in dash."""
    done = subprocess.run(
        ["dash", "-c", SCRIPT, "dash", "fn:p:", *words], capture_output=True, text=True, check=True
    )
    options, operands, complaints = getopts("fn:p:", words)
    values = "".join(f"<set{options[n]}>" if n in options else "<>" for n in "fnp")
    expected = "complaint\n" * len(complaints) + values + "\n"
    assert done.stdout == expected + "".join(f"<{word}>\n" for word in operands)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-x"], "unknown option -x"),
        (["-fp"], "option -p needs a value"),
        (["-:"], "unknown option -:"),
    ],
)
def test_complaint_names_the_option(words: list[str], complaint: str) -> None:
    """The parsing continues."""
    assert [complaint] == getopts("fp:", words)[2]


ONE = Process(123, 456)
# what killproc raises -> status and words
FAILURES = {
    "not stopped": (errors.NotStopped([ONE]), 1, "process 123 did not end"),
    "not permitted": (errors.NotPermitted([ONE]), 4, "no permission to signal process 123"),
    "unsafe": (errors.PidfileUnsafe("/p", "why"), 1, "matching on pidfile /p is insecure: why"),
    "no table": (errors.ProcessTableError("why"), 1, "unable to read the process table: why"),
    "signal": (ScheduleError("unknown signal", "X"), 2, "unknown signal: 'X'"),
    "usage": (ValueError("x"), 2, "usage: killproc [-p PIDFILE] PATHNAME [SIGNAL]"),
    "system": (OSError(24, "Too many open files"), 1, "Too many open files"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failed_stop_is_explained_with_its_status(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each failure has its LSB status."""
    error, status, words = FAILURES[name]

    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(daemons, "killproc", fail)
    assert status == command.main(["--as", "NAME", "killproc", "/usr/sbin/x"])
    out, err = capfd.readouterr()
    assert "" == out
    assert err.startswith("NAME: killproc: ")
    assert words in err
