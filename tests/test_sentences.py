"""Every failure has a sentence, and every sentence is used."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import ssd
from ssd import errors
from ssd.accounts import Account, changes
from ssd.denials import status_of
from ssd.errors import NotReady, StartFailed
from ssd.matching import Process
from ssd.sentences import NOT_READY, PROGRESS, SENTENCES, STAGES, describe, progress

PACKAGE = Path(str(ssd.__file__)).parent
# The modules that take part in a start.
ROOMS = ("", "starting/", "starting/rare/", "children/", "pidfile/", "logs/")
SOURCES = [file for room in ROOMS for file in sorted(PACKAGE.glob(f"{room}*.py"))]
ONE = Process(123, 456)

# One of each class that can end the command, and words that its sentence must have.
EXAMPLES: list[tuple[errors.Error, list[str]]] = [
    (errors.UnknownUser("nova"), ["nova", "user"]),
    (errors.UnknownGroup("nova"), ["nova", "group"]),
    (errors.ExecutableMissing("/x", 2, "No such file"), ["/x", "No such file"]),
    (errors.ProcessTableError("/proc is not mounted"), ["/proc is not mounted"]),
    (errors.ProcessUnreadable(123), ["123", "may not read", "out of date"]),
    (errors.PidfileUnreadable("/p", "Permission denied", 13), ["/p", "Permission denied"]),
    (errors.PidfileUnsafe("/p", "it is world-writable"), ["/p", "it is world-writable"]),
    (errors.PidfileUnwritable("/p", "No space left", 28), ["/p", "No space left"]),
    (errors.StartFailed("exec", "/x", 2, "No such file"), ["/x", "No such file"]),
    (errors.StartBlocked("/run/.x.lock", 60.0), ["/run/.x.lock", "60"]),
    (errors.NotReady(ONE, "exited"), ["123"]),
]
# These do not end it: base classes, and errors for which a verb prints a sentence on standard
# output. They have the text of a traceback.
ANSWERED = {
    errors.Error, errors.PidfileError, errors.AlreadyRunning, errors.NotStopped,
    errors.NotPermitted,
}  # fmt: skip


def test_every_failure_has_a_sentence() -> None:
    """Each class of the family has a row, or is in the list of those that need none."""
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.Error)
    }
    assert classes == {type(error) for error, _ in EXAMPLES} | ANSWERED
    assert classes == {kind for kind in SENTENCES if issubclass(kind, errors.Error)} | ANSWERED


class Mine(errors.PidfileUnsafe):
    """A caller's class."""


# error -> its words
WORDS: list[tuple[BaseException, str]] = [
    (Mine("/p", "it is odd"), "matching on pidfile /p is insecure: it is odd"),
    (errors.NotStopped([ONE]), str(errors.NotStopped([ONE]))),
    (errors.PidfileError("/p", "it is odd"), "pidfile /p: it is odd"),
    (OSError(24, "Too many open files"), "Too many open files"),
    (FileNotFoundError(2, "No such file", b"/\xff"), "/\udcff: No such file"),
    (OSError(9, "Bad file descriptor", 7), "7: Bad file descriptor"),
    (OSError("a text alone"), "a text alone"),
    (KeyError("x"), "unforeseen error: KeyError: 'x'"),
]


@pytest.mark.parametrize("example", WORDS, ids=[type(error).__name__ for error, _ in WORDS])
def test_error_of_another_class_is_worded_as_its_nearest_base(
    example: tuple[BaseException, str],
) -> None:
    """A subclass has its parent's row, any other failure one of the last rows."""
    error, words = example
    assert words == describe(error)


def test_unforeseen_error_is_named_with_its_place() -> None:
    """In one line, with the last file and line of the traceback."""
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 // 0
    line = caught.tb.tb_lineno
    assert describe(caught.value).endswith(f" ({__file__}:{line})")


# (error, verb) -> LSB status
STATUSES = [
    (errors.PidfileUnwritable("/p", "Permission denied", 13), "start", 4),
    (errors.PidfileUnwritable("/p", "No space left", 28), "start", 6),
    (errors.StartFailed("user", "nova", 1, "Operation not permitted"), "start", 4),
    (errors.StartFailed("exec", "/x", 13, "Permission denied"), "start", 6),
    (PermissionError(13, "Permission denied", "/x"), "stop", 4),
    (OSError(24, "Too many open files"), "stop", 1),
    (KeyError("x"), "stop", 1),
    (PermissionError(13, "Permission denied", "/x"), "status", 4),
    (KeyError("x"), "status", 4),
]


@pytest.mark.parametrize(("error", "verb", "status"), STATUSES)
def test_status_of_a_failure_is_lsbs(error: BaseException, verb: str, status: int) -> None:
    """4 no privilege, 6 not configured, 1 anything else; a status question has 4 for all."""
    assert status == status_of(error, verb)


@pytest.mark.parametrize("example", EXAMPLES, ids=[type(error).__name__ for error, _ in EXAMPLES])
def test_sentence_says_what_and_why(example: tuple[errors.Error, list[str]]) -> None:
    """It has path and reason, and no placeholder."""
    error, parts = example
    text = describe(error)
    assert [] == [part for part in parts if part not in text]
    assert ("{" in text, "None" in text) == (False, False)


@pytest.mark.parametrize("example", EXAMPLES, ids=[type(error).__name__ for error, _ in EXAMPLES])
def test_traceback_says_what_and_why_too(example: tuple[errors.Error, list[str]]) -> None:
    """str() of an exception is for users of the library."""
    error, parts = example
    assert [] == [part for part in parts[:1] if part not in str(error)]


def test_path_with_braces_is_shown_as_it_is() -> None:
    """Data is not used as a template."""
    assert "{0} {error}" in describe(errors.PidfileUnsafe("{0} {error}", "{x}"))


# Stages ---------------------------------------------------------------------------------


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Find the calls of functions or methods of these names in the package."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", None))
                if called in names:
                    yield path.name, node


def first_words(*names: str) -> set[str]:
    """Return the literal first arguments of those calls."""
    return {
        str(call.args[0].value)
        for _, call in calls(*names)
        if call.args and isinstance(call.args[0], ast.Constant)
    }


def stages() -> set[str]:
    """Return the stages at which a start can fail or warn."""
    everything = Account("root", "root")
    by_identity = {stage for stage, _, _, _ in changes(everything, 4_000_000, 4_000_000)}
    return first_words("StartFailed", "attempt", "warn") | by_identity | rare_stages()


def rare_stages() -> set[str]:
    """Return the first word of each step that a module of rare steps yields."""
    files = [PACKAGE / f"starting/rare/{name}.py" for name in ("steps", "privileges")]
    found = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    steps = [node.value for node in found if isinstance(node, ast.Yield)]
    words = [step.elts[0] for step in steps if isinstance(step, ast.Tuple)]
    return {str(word.value) for word in words if isinstance(word, ast.Constant)}


def test_search_for_stages_finds_them() -> None:
    """A few that are known, from each kind of call."""
    assert {"exec", "fork", "lock", "groups", "group", "user", "chdir"} <= stages()


def test_stages_of_a_start_and_their_sentences_agree() -> None:
    """A stage without a sentence would be a KeyError."""
    assert set(STAGES) == stages()


@pytest.mark.parametrize("stage", STAGES)
def test_failed_start_says_at_which_stage_and_why(stage: str) -> None:
    """The reason of a system call is in parentheses."""
    sentence = STAGES[stage].format(detail="DETAIL")
    assert f"{sentence} (REASON)" == describe(StartFailed(stage, "DETAIL", 2, "REASON"))
    assert sentence == describe(StartFailed(stage, "DETAIL", None, ""))


# Readiness ------------------------------------------------------------------------------

READINESS = {
    "timeout": (
        NotReady(ONE, "timeout", None, "60"),
        "60 seconds (see --notify-timeout or readiness.timeout)",
    ),
    "exited": (NotReady(ONE, "exited"), "123"),
    "errno": (NotReady(ONE, "errno", 13), os.strerror(13)),
    "invalid": (NotReady(ONE, "invalid", None, "ERRNO=x"), "ERRNO=x"),
    "unheard": (NotReady(ONE, "unheard", None, "its helper was killed"), "helper was killed"),
}


@pytest.mark.parametrize("reason", READINESS)
def test_program_that_is_not_ready_says_why(reason: str) -> None:
    """Each of the five reasons has its own sentence."""
    error, part = READINESS[reason]
    assert part in describe(error)


def test_every_reason_not_to_be_ready_has_a_sentence() -> None:
    """The sentences are exactly those of the reasons in the code."""
    used = {
        str(call.args[1].value)
        for _, call in calls("NotReady")
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    }
    assert (set(NOT_READY), set(NOT_READY)) == (set(READINESS), used)


# Progress -------------------------------------------------------------------------------


def test_every_event_of_a_start_has_words() -> None:
    """The start reports events; --verbose shows them."""
    assert set(PROGRESS) == first_words("say")


EVENTS = {
    ("starting",): "Starting WHAT...\n",
    ("detaching",): "Detaching to start WHAT...\n",
    ("detached",): "Detaching complete...\n",
    ("awaiting", 60.0): "Waiting for notifications... (timeout 60sec 0nsec)\n",
    ("awaiting", 1.5): "Waiting for notifications... (timeout 1sec 500000000nsec)\n",
    ("notified", "ready", 1): (
        "Child sent some notification...\n-> Notification => ready for service.\n"
    ),
    ("notified", "line", "X=1"): (
        "Child sent some notification...\n-> Notification line 'X=1' received\n"
    ),
}


@pytest.mark.parametrize("event", EVENTS)
def test_progress_is_told_in_the_originals_words(event: tuple) -> None:
    """Standard output is byte for byte that of start-stop-daemon."""
    name, *values = event
    assert EVENTS[event] == progress(name, "WHAT", *values)
