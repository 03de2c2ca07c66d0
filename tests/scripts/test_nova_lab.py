"""scripts/nova-lab without a lab: the uses that it refuses, and interruptions."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, child, ended, until_executed, until_readable
from kit.users import shared
from lab import building, layout, running, steps
from lab.__main__ import main
from lab.layout import Lab
from lab.steps import StepFailed

needs_root = pytest.mark.requires_root


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Restore the signal handlers that ``main`` sets in this very process."""
    before = {number: signal.getsignal(number) for number in steps.ENDING_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path in NOVA_LAB: it does not exist, and any user can reach its place."""
    if not Path("/etc/debian_version").exists():
        pytest.skip("the lab needs Debian")
    directory = tmp_path / "lab"
    monkeypatch.setenv("NOVA_LAB", str(directory))
    monkeypatch.setattr(layout, "closed_to_others", lambda _: None)
    return directory


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "a verb is missing"),
        (["bogus"], "no verb bogus"),
        (["up", "now"], "up: too many"),
        (["start"], "start: missing"),
        (["stop", "bogus"], "stop: no service bogus"),
        (["ready", "soon"], "ready: soon is not a number of seconds"),
    ],
    ids=str,
)
def test_bad_usage_shows_the_usage(words, reason, capsys) -> None:
    """Status 2 for any user, with or without a lab."""
    assert 2 == main(words)
    told = capsys.readouterr().err
    assert reason in told
    assert "usage: scripts/nova-lab up | down" in told


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [(["status"], 3), (["down"], 0), (["ready"], 1), (["start", "broker"], 1)],
    ids=str,
)
@needs_root
def test_verbs_make_no_lab_where_there_is_none(verb, wanted, directory, capsys) -> None:
    """Nothing runs, so down succeeds; the others say what to do first."""
    assert wanted == main(verb)
    told = capsys.readouterr()
    assert f"there is no lab in {directory}" in told.out + told.err
    assert wanted != 1 or "first: scripts/nova-lab up" in told.err
    assert not directory.exists()


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_users_other_than_root_are_refused(verb, directory, capsys, monkeypatch) -> None:
    """The error says why root is needed."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert 1 == main([verb])
    assert "needs root: it makes the user nova" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["/etc/debian_version", "/usr/bin/apt-get"])
def test_other_systems_are_refused(missing, directory, capsys, monkeypatch) -> None:
    """The error says what they lack."""
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path != missing and exists(path))
    assert 1 == main(["up"])
    assert f"there is no {missing}" in capsys.readouterr().err


@needs_root
def test_unsuitable_directory_is_refused(directory, capsys, monkeypatch) -> None:
    """Blanks would split words in the written files; a file is not a directory."""
    monkeypatch.setenv("NOVA_LAB", f"{directory}/a lab")
    assert 1 == main(["up"])
    assert not directory.exists()
    assert "allow only letters, digits" in capsys.readouterr().err
    directory.write_text("")
    monkeypatch.setenv("NOVA_LAB", f"{directory}/below")
    assert 1 == main(["up"])
    assert f"Not a directory: '{directory}/below'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        ((0, 0, 0, 0, 3, 3), 0),
        ((0, 0, 0, 0, 0, 0), 0),
        ((0, 0, 1, 0, 0, 0), 1),
        ((3, 3, 3, 3, 0, 3), 1),
        ((3, 3, 3, 3, 3, 0), 1),
        ((3, 3, 4, 3, 3, 3), 1),
        ((3, 3, 1, 3, 3, 3), 3),
        ((3, 3, 3, 3, 3, 3), 3),
    ],
    ids=str,
)
@needs_root
def test_status_counts_what_runs(codes, wanted, directory, monkeypatch) -> None:
    """The last two, nova-compute and api, are optional; an unknown state is not a stopped one."""
    directory.mkdir()
    answers = iter(codes)
    monkeypatch.setattr(running, "tell", lambda lab, name: next(answers))
    assert wanted == main(["status"])


# scripts/nova-lab for a directory that others cannot reach, such as pytest's.
ANYWHERE = """
import sys
from lab import layout
layout.closed_to_others = lambda directory: None
from lab.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
# One step, whose command has a child of its own and prints its pid.
STEP = """
import sys
from pathlib import Path
from lab.layout import Lab
from lab.steps import Interrupted, call, heed_signals, shown
heed_signals()
command = 'sleep 1000 & echo $! > "$0"; wait'
try:
    with shown("sleeping"):
        call(Lab(Path(sys.argv[1])), "sleeping", "sh", "-c", command, sys.argv[2])
except Interrupted as error:
    sys.exit(str(error))
"""


def run(program: str, checkout: Path, *words: object) -> subprocess.Popen[str]:
    """Begin a program that has the lab's modules."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        env={**os.environ, "PYTHONPATH": f"{checkout / 'scripts'}:{checkout}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@needs_root
def test_verb_that_waits_for_another_says_so(checkout: Path, directory: Path) -> None:
    """Two in one directory take turns."""
    directory.mkdir()
    with open(directory / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = run(ANYWHERE, checkout, "down")
        assert waiting.stdout is not None
        first = waiting.stdout.readline()
    rest, _ = waiting.communicate(timeout=WAIT_TIMEOUT)
    assert first.startswith("nova-lab: waits for another nova-lab")
    assert "no process of the lab is left" in rest
    assert 0 == waiting.returncode


@needs_root
def test_user_nova_can_read_what_root_makes(checkout: Path, tmp_path: Path) -> None:
    """With any umask of root: the lock is the first file that is made."""
    directory = tmp_path / "lab"
    directory.mkdir()
    command = ["sh", "-c", 'umask 077; exec "$0" down', checkout / "scripts/nova-lab"]
    with shared(directory, 0o755, 0, 0):
        subprocess.run(command, env={**os.environ, "NOVA_LAB": str(directory)}, check=True)
        assert 0o644 == stat.S_IMODE((directory / ".lock").stat().st_mode)


def test_installation_that_was_interrupted_begins_anew(tmp_path: Path, monkeypatch) -> None:
    """Pip would take it for complete, so neither environment nor ssd is kept."""
    lab = Lab(tmp_path)
    lab.done.mkdir()
    for name in ("venv", "ssd"):
        (lab.done / name).touch()

    def fail(_: Lab, name: str, *_others: object) -> None:
        raise StepFailed(name, "")

    monkeypatch.setattr(building, "_make_account", lambda: None)
    monkeypatch.setattr(building, "once", fail)
    with pytest.raises(StepFailed):
        building.build(lab)
    assert [] == list(lab.done.iterdir())


def test_variables_that_redirect_pip_are_removed(monkeypatch) -> None:
    """It installs into the lab, whatever the caller's settings are."""
    for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PYTHONPATH"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org")
    kept = set(steps.environment())
    assert "PIP_INDEX_URL" in kept
    assert set() == {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PYTHONPATH"} & kept


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_step_leaves_no_process(signum, checkout: Path, tmp_path: Path) -> None:
    """Not even a child of its command, which would disturb the next up."""
    os.mkfifo(tmp_path / "pid")
    (tmp_path / "log").mkdir()
    step = run(STEP, checkout, tmp_path, tmp_path / "pid")
    child = int((tmp_path / "pid").read_text())
    with ended(child) as end:
        step.send_signal(signum)
        told, _ = step.communicate(timeout=WAIT_TIMEOUT)
        until_readable(end)
    assert "sleeping ......" in told
    assert f"interrupted by {signum.name}; run the same command again to continue" in told


# The signal comes when the command runs and Popen has not returned.
BEGINNING = """
import os, signal, subprocess, sys
begin = subprocess.Popen._execute_child
def interrupted(*arguments, **options):
    begin(*arguments, **options)
    print("child", open(sys.argv[2]).read(), flush=True)
    open(sys.argv[2], "w").close()  # once it is read
    os.kill(os.getpid(), signal.SIGTERM)
subprocess.Popen._execute_child = interrupted
"""


def test_step_interrupted_at_its_beginning_leaves_no_process(checkout, tmp_path) -> None:
    """Popen would lose the command to a handler that raises."""
    os.mkfifo(tmp_path / "pid")
    (tmp_path / "log").mkdir()
    step = run(BEGINNING + STEP, checkout, tmp_path, tmp_path / "pid")
    assert step.stdout is not None
    told = step.stdout.readline()
    while not told.endswith("\n") or "child" not in told:
        told += step.stdout.readline()
    with ended(int(told.split("child")[1])) as end:
        (tmp_path / "pid").read_text()
        rest, _ = step.communicate(timeout=WAIT_TIMEOUT)
        until_readable(end)
    assert "interrupted by SIGTERM; run the same command again to continue" in rest


def test_reader_of_a_log_is_no_process_of_the_lab(tmp_path: Path) -> None:
    """A program of the lab is one, also after the name of its interpreter."""
    lab = Lab(tmp_path / "lab")
    lab.root.mkdir()
    program, log = lab.root / "program", lab.root / "a.log"
    shutil.copy("/bin/sleep", program)
    log.touch()
    with child("tail", "-f", str(log)), child(str(program), "1000") as ours:
        until_executed(ours.pid)
        left = running.leftovers(lab, seconds=0)
    assert [(ours.pid, f"{program} 1000")] == left
