"""The command ssd-supervise, in namespaces of its own."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from kit import namespace
from kit.supervise import NAP, declare, supervise

pytestmark = pytest.mark.requires_namespaces

ALWAYS = NAP + '[respawn]\nwhen = "always"\n'


@pytest.fixture
def script(ssd_path: Path) -> Path:
    """Return the installed command."""
    return ssd_path.with_name("ssd-supervise")


def refused(
    script: Path, directory: Path, *words: str, keep: "Path | None" = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command where it ends by itself."""
    argv = [str(script), f"--directory={directory}", *words]
    argv = namespace.command(argv, keep=[keep or directory])
    return subprocess.run(argv, capture_output=True, text=True)


def test_services_run_until_term_and_are_restarted(script, tmp_path) -> None:
    """TERM stops them all; nothing is left, and the exit status is 0."""
    with supervise(script, tmp_path / "d", {"one": ALWAYS, "two": NAP}) as running:
        running.until("one runs as process", "two runs as process")
        first = running.pid_of("one")
        os.kill(host_pid(running, first), signal.SIGKILL)
        running.until("one was ended by SIGKILL")
        running.until("one runs as process")
        assert first != running.pid_of("one")
        assert 0 == running.stop()
    assert "one has stopped" in running.said[-1] or "two has stopped" in running.said[-1]


def host_pid(running, inside: int) -> int:
    """Return the pid outside of a process inside: a child of the supervisor."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    for each in children:
        status = Path(f"/proc/{each}/status").read_text()
        if status.partition("NSpid:")[2].split("\n")[0].split()[-1] == str(inside):
            return int(each)
    raise AssertionError(f"process {inside} is no child of the supervisor")


def test_names_start_only_those_and_what_they_require(script, tmp_path) -> None:
    """A broken declaration of another service does not matter then."""
    services = {
        "app": f'requires = ["base"]\n{NAP}', "base": NAP, "other": NAP, "broken": "no = [",
    }  # fmt: skip
    with supervise(script, tmp_path / "d", services, "app") as running:
        running.until("app runs as process")
        assert "base runs as process" in running.said[-2]
        assert 0 == running.stop()
    assert not any("other" in line for line in running.said)


def test_broken_declaration_starts_nothing(script, tmp_path) -> None:
    """It is named, with its line; the exit status is LSB's 6."""
    declare(tmp_path / "d", {"good": NAP, "bad": NAP + "unknown = 1\n"})
    done = refused(script, tmp_path / "d")
    assert (6, "") == (done.returncode, done.stdout)
    assert f"{tmp_path}/d/bad.toml:3: unknown: unknown field" in done.stderr


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"a": f'requires = ["b"]\n{NAP}', "b": f'requires = ["a"]\n{NAP}'}, "a -> b -> a"),
        ({"a": f'requires = ["c"]\n{NAP}'}, "a requires c, which is not declared"),
    ],
    ids=["circle", "missing"],
)
def test_order_that_cannot_be_is_an_error(script, tmp_path, services, said) -> None:
    """It names the services; the exit status is 6."""
    declare(tmp_path / "d", services)
    done = refused(script, tmp_path / "d")
    assert (6, True) == (done.returncode, said in done.stderr), done.stderr


def test_directory_that_is_missing_is_an_error(script, tmp_path) -> None:
    """An empty one is not: services may come later."""
    (tmp_path / "kept").mkdir()
    done = refused(script, tmp_path / "kept" / "none", keep=tmp_path / "kept")
    assert (1, True) == (done.returncode, "No such file or directory" in done.stderr)
    with supervise(script, tmp_path / "empty", {}) as running:
        running.until("no service is declared")
        declare(tmp_path / "empty", {"late": NAP})
        running.send(signal.SIGHUP)
        running.until("new: late", "late runs as process")
        assert 0 == running.stop()


def test_second_supervisor_is_refused(script, tmp_path) -> None:
    """With the pid of the first one, which is not disturbed."""
    nested = f"""
        {script} --directory={tmp_path}/d & first=$!
        until [ -s /run/nap.pid ]; do sleep 0.05; done
        {script} --directory={tmp_path}/d; echo "status $?, first is $first"
        kill $first; wait $first; echo "ended with $?"
    """
    declare(tmp_path / "d", {"nap": NAP})
    argv = namespace.command(["sh", "-c", nested], keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True)
    first = done.stdout.partition("first is ")[2].split()[0]
    assert f"process {first} supervises its services already" in done.stderr
    assert "status 1, " in done.stdout and "ended with 0" in done.stdout
