"""``ssd-service --status-all``: declared services and init scripts, none of which can block it."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import Run as Runner
from kit.children import ended, let_go, python, shown
from kit.leaks import nothing_left

from ssd.service.initscripts import status_all as asking
from ssd.service.initscripts.program import Run
from ssd.service.initscripts.status_all import Answer, Inquiry

PATIENT = 60.0  # seconds; longer than anything here takes


def shell(text: str, *words: str) -> Run:
    """Return a run of shell code."""
    return Run("/bin/sh", ["sh", "-c", text, *words], os.environb)


def asked(runs: dict[str, Run], jobs: int = 2, timeout: float = PATIENT) -> dict[str, Answer]:
    """Run scripts and return their answers; nothing is left behind."""
    with nothing_left(), Inquiry(list(runs.items()), jobs, timeout) as inquiry:
        return dict(answered for answered in inquiry if answered is not None)


def signs(runs: dict[str, Run], jobs: int = 2, timeout: float = PATIENT) -> dict[str, str]:
    """Run scripts and return their signs."""
    return {name: answer.sign for name, answer in asked(runs, jobs, timeout).items()}


@pytest.mark.parametrize(
    "pieces",
    [
        [b"usage:"],
        [b"us", b"age:"],
        [b"x" * 99 + b"U", b"SAGE:"],
        [b"u", b"s", b"a", b"g", b"e", b":"],
        [b"us\0a", b"ge:"],
    ],
)
def test_usage_is_found_in_pieces_of_output(pieces: list[bytes]) -> None:
    """grep -i searches the whole output, but a pipe delivers it in parts."""
    answer = Answer()
    for piece in pieces:
        answer.hear(piece)
    assert answer.usage


def test_scripts_run_in_parallel(tmp_path: Path) -> None:
    """Each waits for the other, so they end only if they run in parallel."""
    for name in ("one", "other"):
        os.mkfifo(tmp_path / name)
    meet = 'echo x > "$1" & read -r line < "$2" && wait && echo met'
    one = shell(meet, "sh", str(tmp_path / "one"), str(tmp_path / "other"))
    other = shell(meet, "sh", str(tmp_path / "other"), str(tmp_path / "one"))
    assert {"one": "+", "other": "+"} == signs({"one": one, "other": other})


def test_jobs_limit_the_scripts_at_once() -> None:
    """Three of twenty run at any time, and all run in the end."""
    runs = {str(number): shell("echo yes") for number in range(20)}
    most = 0
    with Inquiry(list(runs.items()), 3, PATIENT) as inquiry:
        answers = []
        for answered in inquiry:
            most = max(most, len(inquiry.waiting_for))
            answers += [] if answered is None else [answered[0]]
    assert (3, sorted(runs)) == (most, sorted(answers))


@pytest.mark.parametrize("text", ["sleep 1000", "sleep 1000 & wait", "yes", "kill -STOP $$",
                                  "trap '' TERM HUP; while :; do sleep 1000; done"])  # fmt: skip
def test_script_that_hangs_is_killed_with_its_children(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sign is unclear, with the reason; the other scripts are not affected."""
    pipe, later = str(tmp_path / "begun"), 0.0
    os.mkfifo(pipe)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + later)
    monkeypatch.setattr(asking, "time", clock)
    hangs = shell(f'echo begun; : > "$1"; {text}', "sh", pipe)
    ends = shell('read -r line < "$1"; echo yes', "sh", pipe)
    answers = {}
    with nothing_left(), let_go(), Inquiry([("hangs", hangs), ("ends", ends)], 2, PATIENT) as both:
        for name, answer in filter(None, both):
            answers[name] = answer
            later = PATIENT  # both ran all the time, and this one is past its limit now
    assert ("+", "ends") == (answers["ends"].sign, next(iter(answers)))
    assert ("?", "no answer in 60 seconds") == (answers["hangs"].sign, answers["hangs"].problem)


def test_child_that_keeps_the_output_delays_no_answer(tmp_path: Path) -> None:
    """The end of the script counts: its daemon may keep the output open for ever."""
    pid = tmp_path / "pid"
    answers = signs({"leaves": shell(f"sleep 1000 & echo $! | tee {pid}")})
    with ended(int(pid.read_text())):
        assert {"leaves": "+"} == answers


def test_script_that_asks_gets_no_answer() -> None:
    """Its standard input is /dev/null."""
    assert {"asks": "+"} == signs({"asks": shell("read -r line || echo none; exit 0")})


def test_script_that_cannot_be_executed_is_not_running(tmp_path: Path) -> None:
    """env(1) would fail with 126 or 127 and an error message."""
    missing = Run(str(tmp_path / "none"), ["none"], {})
    assert {"none": "-", "some": "+"} == signs({"none": missing, "some": shell("echo yes")})


def test_interruption_kills_running_scripts(tmp_path: Path) -> None:
    """After an interruption no script is left running."""
    os.mkfifo(tmp_path / "pid")
    run = shell(f"echo $$ > {tmp_path}/pid; exec sleep 1000")
    with nothing_left():
        with pytest.raises(KeyboardInterrupt), Inquiry([("x", run)], 1, PATIENT) as inquiry:
            assert next(iter(inquiry)) is None
            pid = int((tmp_path / "pid").read_text())
            raise KeyboardInterrupt
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


BOARD = """
from ssd.stdio import Voice
from ssd.service.initscripts.status_all import Board
with Board(["one", "three", "two"], Voice("ssd-service")) as board:
    board.progress(["one", "three"])
    board.answer("two", "+")
    board.answer("one", "-")
    board.progress(["three"])
    board.answer("three", "?", "it hangs")
"""


def test_lines_come_in_the_order_of_the_names() -> None:
    """A slow script delays the lines after it; a file gets no progress line."""
    done = python(BOARD)
    assert b" [ - ]  one\n [ + ]  two\n" == done.stdout
    assert b"ssd-service: three: it hangs\n [ ? ]  three\n" == done.stderr


def test_terminal_shows_the_running_scripts() -> None:
    """The progress line is overwritten, and cleared before an answer."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours):
        with os.fdopen(theirs, "wb") as slave:
            subprocess.run([sys.executable, "-c", BOARD], stdout=slave, stderr=slave, check=True)
        seen = shown(ours).decode().replace("\r\n", "\n").split("\r\x1b[K")
    assert ["", "asked 0 of 3, waiting for one three", " [ - ]  one\n",
            "asked 2 of 3, waiting for three",
            "ssd-service: three: it hangs\n [ ? ]  three\n [ + ]  two\n"] == seen  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["--jobs"],
        ["--jobs", "0"],
        ["--timeout=x"],
        ["--timeout", "-1"],
        ["--all"],
        ["--jobs=1", "more"],
    ],
)
def test_bad_option_is_named(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """With the known options, or the number that is needed."""
    from ssd.service.initscripts import status_all as inquiry

    assert 3 == inquiry.main(words)
    said = capfd.readouterr().err
    assert said.startswith("ssd-service: --status-all: ")
    assert any(word in said for word in ("needs a number", "known: --jobs"))


# The machine's own scripts are hidden, and three services are declared.
SETTING = """
mkdir /tmp/init.d /tmp/declared; mount --bind /tmp/init.d /etc/init.d; cd /tmp/declared
for name in one three both; do
    printf 'executable = "/bin/sleep"\\nname = "%s"\\n' $name > $name.toml
done
for name in two both; do
    printf '#!/bin/sh\\necho from its script\\nexit 3\\n' > /etc/init.d/$name
    chmod +x /etc/init.d/$name
done
sleep 1000 & echo $! > /run/one.pid; cp /run/one.pid /run/both.pid
mkdir /run/three.pid
"""


@pytest.mark.requires_namespaces
def test_declared_services_and_scripts_share_one_order(in_namespace: Runner) -> None:
    """A declaration replaces a script of its name; an unknown state is unclear."""
    ours = Path(sys.executable).with_name("ssd-service")
    command = f"{SETTING}\n{ours} --directory /tmp/declared --status-all"
    done = in_namespace("sh", "-ec", command)
    assert " [ + ]  both\n [ + ]  one\n [ - ]  two\n" == done.stdout
    assert " [ ? ]  three\n" == done.stderr
    assert 0 == done.returncode


@pytest.mark.requires_namespaces
def test_broken_declaration_is_unclear_with_its_reason(in_namespace: Runner) -> None:
    """The message before the sign names the file."""
    ours = Path(sys.executable).with_name("ssd-service")
    command = f"{SETTING}\necho x=1 > two.toml\n{ours} --directory /tmp/declared --status-all"
    done = in_namespace("sh", "-ec", command)
    reason = "two: /tmp/declared/two.toml:1: x: unknown field"
    assert f" [ ? ]  three\nssd-service: {reason}\n [ ? ]  two\n" == done.stderr
    assert 0 == done.returncode


@pytest.mark.requires_namespaces
def test_directory_without_scripts_is_no_error(in_namespace: Runner) -> None:
    """The output is empty."""
    ours = Path(sys.executable).with_name("ssd-service")
    command = f"{ours} --directory /tmp/none --status-all"
    hidden = "mkdir /tmp/none && mount --bind /tmp/none /etc/init.d"
    done = in_namespace("sh", "-ec", f"{hidden}; {command}")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.requires_namespaces
def test_bad_number_of_jobs_is_named(in_namespace: Runner) -> None:
    """With status 3."""
    ours = Path(sys.executable).with_name("ssd-service")
    done = in_namespace(ours, "--status-all", "--jobs=none")
    expected = "ssd-service: --status-all: --jobs needs a number of at least 1, not 'none'\n"
    assert (3, expected) == (done.returncode, done.stderr)
