"""The job wait-for-state, which comes with ssd."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CHECKOUT
from kit.children import WAIT_TIMEOUT

from ssd.upstart.files.shipped import NAMES, shipped
from upstart.files.defined import Noting, write


@pytest.fixture
def jobs() -> Iterator[Noting]:
    """Return a supervisor that notes."""
    noting = Noting()
    yield noting
    noting.close()


class Waiter:
    """Runs the script of wait-for-state; ``status``, ``start`` and ``stop`` are stand-ins."""

    def __init__(self, path: Path) -> None:
        self.init = path / "init"
        self.commands = path / "bin"
        self.said = path / "said"
        self.commands.mkdir()
        self.init.mkdir()
        self.said.touch()
        for name in ("start", "stop"):
            self.command(name, f'echo {name} "$@" >> "{self.said}"; exit 1')
        self.command("sleep", f'echo sleep "$@" >> "{self.said}"')

    def command(self, name: str, text: str) -> None:
        """Make a command."""
        path = self.commands / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self, status: str, **variables: str) -> tuple[int, list[str]]:
        """Run it while ``status`` says this; return the exit status and the commands."""
        self.command("status", f"echo '{status}'")
        job = shipped("wait-for-state", [f"{self.init}/none of 'these'", str(self.init)])
        given = dict(pair.split("=", 1) for pair in job.environment)
        given |= {"PATH": f"{self.commands}:/usr/bin:/bin", "WAIT_FOR": "other"} | variables
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", job.stages["main"].text], env=given, timeout=WAIT_TIMEOUT,
            capture_output=True, text=True,
        )  # fmt: skip
        assert ("", "") == (done.stdout, done.stderr)
        return done.returncode, self.said.read_text().splitlines()


@pytest.fixture
def waiter(tmp_path: Path) -> Waiter:
    """Return a place to run it."""
    return Waiter(tmp_path)


def test_job_declares_what_callers_rely_on() -> None:
    """Its variables, its instance, its events, its normal exit."""
    job = shipped("wait-for-state", ["/etc/init"])
    assert job.task
    assert "$WAITER$WAIT_FOR" == job.instance
    assert "(started JOB=$WAIT_FOR or stopped JOB=$WAIT_FOR)" == str(job.stop_on)
    assert 2 in job.normal_exit
    assert {
        "TIMEOUT": "30",
        "MANUAL_OVERRIDE": "N",
        "WAIT_FOREVER": "N",
        "WAIT_STATE": "started",
        "TARGET_GOAL": "start",
    } == dict(pair.split("=", 1) for pair in job.environment)
    assert [] == job.faults


@pytest.mark.parametrize(
    ("status", "variables"),
    [
        ("other start/running, process 12", {}),
        ("other start/running, process 12", {"WAIT_STATE": "running"}),
        ("other (x) start/starting", {"WAIT_STATE": "starting"}),
        ("other stop/waiting", {"TARGET_GOAL": "stop", "WAIT_STATE": "stopped"}),
        ("other stop/waiting", {"TARGET_GOAL": "stop", "WAIT_STATE": "waiting"}),
    ],
)
def test_state_that_is_there_is_not_waited_for(
    waiter: Waiter, status: str, variables: dict[str, str]
) -> None:
    """It ends at once with success, and pushes nobody."""
    assert (0, []) == waiter.run(status, **variables)


def test_other_state_is_pushed_and_waited_for(waiter: Waiter) -> None:
    """A push that fails is no failure; at the end of the time the status is 100."""
    expected = (100, ["start --no-wait other", "sleep 30"])
    assert expected == waiter.run("other stop/waiting")
    waiter.said.write_text("")
    expected = (100, ["stop --no-wait other", "sleep 7"])
    found = waiter.run("other start/running, process 1", TARGET_GOAL="stop", TIMEOUT="7")
    assert expected == found


def test_wait_for_ever_has_no_end(waiter: Waiter) -> None:
    """Only the event of the other job, or a signal, ends it."""
    waiter.command("sleep", f'echo sleep "$@" >> "{waiter.said}"; kill -TERM "$PPID"')
    expected = (-15, ["start --no-wait other", "sleep 3600"])
    assert expected == waiter.run("other stop/waiting", WAIT_FOREVER="Y", TIMEOUT="1")


@pytest.mark.parametrize(
    ("conf", "override", "is_manual"),
    [
        ("exec a\nmanual", None, True),
        ("  manual  # really", None, True),
        ("start on a\nmanual\n", None, True),
        ("manual\nstart on a\n", None, False),
        ("start on a\n", "manual\n", True),
        ("manual\n", "start on a", False),
        ("exec manual\ndescription manual", None, False),
    ],
)
def test_manual_job_is_not_waited_for(
    waiter: Waiter, conf: str, override: str | None, is_manual: bool
) -> None:
    """By its file, and after that its override file; MANUAL_OVERRIDE waits all the same."""
    write(waiter.init / "other.conf", conf)
    if override is not None:
        write(waiter.init / "other.override", override)
    assert (0 if is_manual else 100) == waiter.run("other stop/waiting")[0]
    assert 100 == waiter.run("other stop/waiting", MANUAL_OVERRIDE="Y")[0]


def test_own_file_takes_the_place_of_the_shipped_one(tmp_path: Path, jobs: Noting) -> None:
    """The shipped one is there without it; a broken own one is no job."""
    jobs.follow(tmp_path)
    assert set(NAMES) == jobs.shipped
    write(tmp_path / "wait-for-state.conf", "task")
    jobs.wait(lambda: not jobs.shipped)
    assert "" == jobs.files["wait-for-state"].instance
    write(tmp_path / "wait-for-state.conf", "bogus")
    jobs.wait(lambda: not jobs.files)
    (tmp_path / "wait-for-state.conf").unlink()
    jobs.wait(lambda: set(NAMES) == jobs.shipped)
    assert "$WAITER$WAIT_FOR" == jobs.files["wait-for-state"].instance


def test_zip_file_has_the_shipped_jobs(tmp_path: Path) -> None:
    """The package may be one file, which nothing can write to (zipapp)."""
    archive = tmp_path / "ssd.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((CHECKOUT / "ssd").rglob("*")):
            if path.suffix in (".py", ".conf"):
                file.write(path, path.relative_to(CHECKOUT))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "from ssd.upstart.files.shipped import shipped; import ssd; print(ssd.__file__); "
        "print(shipped('wait-for-state', ['/etc/init']).instance)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, archive], check=True, capture_output=True, text=True
    )
    assert [f"{archive}/ssd/__init__.py", "$WAITER$WAIT_FOR"] == done.stdout.splitlines()
