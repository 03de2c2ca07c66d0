"""show-config and check-config."""

import pytest

from ssd.upstart.initctl.configuration import Checker, enumerated

from .fake import FakeJobs

AND, OR = ["/AND"], ["/OR"]


def job(name: str, start: list | None = None, stop: list | None = None, emits=()) -> dict:
    """Return a job as the supervisor describes it."""
    return {"name": name, "emits": list(emits), "start_words": start or [],
            "stop_words": stop or [], "start_on": None, "stop_on": None}  # fmt: skip


A = job("a", [["started", "b"], ["x", "FOO=1"], ["y"], AND, OR], [["runlevel", "[016]"]], ["made"])
A |= {"start_on": "(started b or (x FOO=1 and y))", "stop_on": "runlevel [016]"}
B = job("b", [["made"]]) | {"start_on": "made"}
M = job("m")


def test_conditions_are_shown_in_the_words_of_the_supervisor(jobs: FakeJobs) -> None:
    """What a job emits, then what it starts and stops on; a job without has its name alone."""
    jobs.answers["config"] = [{"jobs": [A]}, {"jobs": [B, M]}, {}]
    assert (
        0,
        "a\n  emits made\n  start on (started b or (x FOO=1 and y))\n  stop on runlevel [016]\n"
        "b\n  start on made\nm\n",
        "",
    ) == jobs.run("initctl", "show-config")
    jobs.answers["config"] = {"jobs": [M]}
    assert (0, "m\n", "") == jobs.run("initctl", "show-config", "m")
    assert [{"command": "config"}, {"command": "config", "name": "m"}] == jobs.requests


@pytest.mark.parametrize("option", ["-e", "--enumerate"])
def test_events_are_enumerated(option: str, jobs: FakeJobs) -> None:
    """Without the operators, in the order of the file."""
    jobs.answers["config"] = {"jobs": [A]}
    assert (
        0,
        "a\n  emits made\n  start on started (job: b, env:)\n  start on x (job:, env: FOO=1)\n"
        "  start on y (job:, env:)\n  stop on runlevel (job:, env: [016])\n",
        "",
    ) == jobs.run("initctl", "show-config", option, "a")


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (["stopped", "JOB=a", "B=1"], "stopped (job: a, env: B=1)"),
        (["stopped", "B=1", "JOB=a"], "stopped (job: a, env: B=1)"),
        (["stopped", "B=1", "a"], "stopped (job:, env: B=1 a)"),
        (["started", "$JOB", "A=1"], "started (job: $JOB, env: A=1)"),
        (["started", "a", "JOB=b"], "started (job: a, env: JOB=b)"),
        (["other", "JOB=a"], "other (job:, env: JOB=a)"),
        (["other", "", "A=1"], "other (job:, env:)"),
        (["starting"], "starting (job:, env:)"),
    ],
)
def test_job_of_an_event_is_its_first_word_or_variable(event: list[str], shown: str) -> None:
    """Only of the four events of jobs."""
    assert shown == enumerated(event)


def test_unknown_job_has_no_configuration(jobs: FakeJobs) -> None:
    """The two commands say it in different words."""
    jobs.answers["config"] = "Unknown job: nope"
    assert (1, "", "initctl: Unknown job: nope\n") == jobs.run("initctl", "show-config", "nope")
    jobs.answers["config"] = {"jobs": [M]}
    assert (1, "", "initctl: Invalid job class: nope\n") == jobs.run(
        "initctl", "check-config", "nope"
    )


Y = "  start on: unknown event y\n"
X = "  start on: unknown event x\n"
RUNLEVEL = "  stop on: unknown event runlevel\n"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("", f"a\n{Y}{X}{RUNLEVEL}"),
        ("a", f"a\n{Y}{X}{RUNLEVEL}"),
        ("-w a", f"a\n{Y}{X}{RUNLEVEL}"),
        ("-i x,y a", f"a\n{RUNLEVEL}"),
        ("-i x -i y,runlevel a", ""),
        ("b", ""),
        ("-q a", f"a\n{Y}{X}{RUNLEVEL}"),
    ],
)
def test_events_that_nobody_emits_are_named(words: str, shown: str, jobs: FakeJobs) -> None:
    """With status 1, the last event first; all jobs together say what is emitted."""
    jobs.answers["config"] = {"jobs": [A, B, M]}
    done = jobs.run("initctl", "check-config", *words.split())
    quiet = words.startswith("-q")
    assert (1 if shown else 0, "" if quiet else shown, "") == done
    assert [{"command": "config"}] == jobs.requests


@pytest.mark.parametrize(
    ("start", "warn", "faults"),
    [
        ([["x"]], False, ["unknown event x"]),
        ([["starting", "m"]], False, []),
        ([["starting", "gone"]], False, ["unknown job gone"]),
        ([["stopped", "JOB=gone", "A=1"]], False, ["unknown job gone"]),
        ([["started", "$N"]], False, []),
        ([["startup"]], False, []),
        ([["net-device-up"], ["control-alt-delete"], AND], False, []),
        ([["x"], ["startup"], OR], False, []),
        ([["x"], ["startup"], OR], True, ["unknown event x"]),
        ([["x"], ["y"], AND, ["p"], ["q"], AND, OR], False,
         ["unknown event q", "unknown event p", "unknown event y", "unknown event x"]),
        ([["x"], ["y"], AND, ["p"], ["q"], AND, OR, ["startup"], OR], False,
         ["unknown event q", "unknown event p", "unknown event y", "unknown event x"]),
        ([["x"], ["startup"], AND, ["p"], ["startup"], AND, ["startup"], OR, OR], False,
         ["unknown event p"]),
    ],
)  # fmt: skip
def test_first_part_that_cannot_hold_is_named(start: list, warn: bool, faults: list[str]) -> None:
    """From the top, the later side first; an `or' holds by one side but for --warn."""
    known = [job("m", emits=["net-device-*"]), job("t", start)]
    lines = Checker(known, [], warn).check(known[1])
    assert (["t", *(f"  start on: {each}" for each in faults)] if faults else []) == lines


def test_check_that_could_not_be_made_fails(jobs: FakeJobs) -> None:
    """The original ends with 0 then."""
    jobs.answers["config"] = "no"
    assert (1, "", "initctl: no\n") == jobs.run("initctl", "check-config")
