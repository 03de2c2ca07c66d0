"""Unforeseen errors end with a status that gives no answer, and one line."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, child, python

from ssd import __main__ as module

from .prefixes import HERE, STRANGER, Prefix

# Unforeseen errors --------------------------------------------------------------------------

# words -> the exit status of a failure
FAULTS = {
    "--start --exec /bin/true": 2,
    "--stop --pid 1": 2,
    "--status --pid 1": 4,
    "--stat --pid 1": 4,
    "-T --pid 1": 4,
    "-qT --pid 1": 4,
    "-oqT --pid 1": 4,
    "-Tp /run/x.pid": 4,
    "--pidof --name x": 4,
    "--pid 1 --status": 4,
    "-K --pid 1 --retry -TERM/5": 2,
    "--signal -TSTP --pid 1 --stop": 2,
    "--start --exec /bin/true -- --status": 2,
    "--start --exec /bin/true -- -T": 2,
    "": 2,
}
SERVICE_FAULTS = {
    "nap status": 4,
    "nap status --json": 4,
    "--directory /etc/x nap status": 4,
    "--directory=/etc/x --with-ssd nap status": 4,
    "/etc/init.d/nap status": 4,
    "all status": 4,
    "nap start": 1,
    "nap stop": 1,
    "nap restart": 1,
    "status start": 1,
    "generate systemd nap": 1,
    "lsb pidofproc /bin/x": 4,
    "lsb --as me status_of_proc /bin/x x": 4,
    "lsb start_daemon /bin/x": 2,
    "lsb killproc /bin/x": 1,
    "--status-all": 1,
    "": 1,
}


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line on standard error."""
    (line,) = done.stderr.splitlines()
    assert "" == done.stdout
    return line


@pytest.mark.parametrize("line", FAULTS)
def test_status_is_4_without_a_working_package(line: str, prefix: Prefix) -> None:
    """Status 1 would mean "already running" or "dead with a pidfile"."""
    prefix.python().break_package("raise MemoryError")
    done = prefix("ssd", *line.split())
    assert (FAULTS[line], True) == (done.returncode, said(done).startswith("ssd: "))
    assert "MemoryError" in done.stderr


@pytest.mark.parametrize("line", SERVICE_FAULTS)
def test_service_status_is_4_without_a_working_package(line: str, prefix: Prefix) -> None:
    """LSB: 4 for a status, else 1; the functions have their own."""
    prefix.python().break_package("raise MemoryError")
    done = prefix("ssd-service", *line.split())
    assert (SERVICE_FAULTS[line], True) == (done.returncode, "MemoryError" in said(done))


@pytest.mark.parametrize("line", FAULTS)
def test_module_knows_the_same_statuses(line: str) -> None:
    """``python -m ssd`` has no launcher script."""
    assert FAULTS[line] == module.fault(line.split())


BROKEN = {
    "a syntax error": ("def", "SyntaxError"),
    "a missing module": ("import no_such_module", "ModuleNotFoundError"),
    "an endless recursion": ("def f(): f()\nf()", "RecursionError"),
    "an interruption": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "an end of its own": ("raise SystemExit(1)", "SystemExit"),
    "no descriptor": ("raise OSError(24, 'Too many open files')", "Too many open files"),
    "two lines": ("raise ValueError('one\\ntwo')", "one two"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_fault_is_named_in_one_line(case: str, prefix: Prefix) -> None:
    """For each kind of fault."""
    text, name = BROKEN[case]
    prefix.python().break_package(text)
    for command, words in (("ssd", ["--status", "--pid", "1"]), ("ssd-service", ["nap", "status"])):
        done = prefix(command, *words)
        assert (4, True) == (done.returncode, name in said(done)), done.stderr


# (a module that is loaded late, the command, its words, the status)
LATE = [
    ("ssd/finding.py", "ssd", "--status --pid 1", 4),
    ("ssd/finding.py", "ssd", "--pidof --pid 1", 4),
    ("ssd/cli/stop.py", "ssd", "--stop --pid 1 --test", 2),
    ("ssd/cli/start.py", "ssd", "--start --test --exec /bin/true", 2),
    ("ssd/sentences.py", "ssd", "--status --exec /none", 4),
    ("ssd/service/verbs/performing.py", "ssd-service", "--directory={where} nap status", 4),
    ("ssd/service/verbs/performing.py", "ssd-service", "--directory={where} nap start", 1),
    ("ssd/sentences.py", "ssd-service", "--directory={where} nap status", 4),
    ("ssd/service/lsb/cli.py", "ssd-service", "lsb --as x pidofproc /bin/true", 4),
    ("ssd/service/lsb/cli.py", "ssd-service", "lsb log_end_msg 0", 1),
    ("ssd/service/lsb/calls.py", "ssd-service", "lsb pidofproc /bin/true", 4),
    ("ssd/service/lsb/calls.py", "ssd-service", "lsb start_daemon /bin/true", 2),
    ("ssd/service/lsb/log.py", "ssd-service", "lsb log_end_msg 0", 1),
    ("ssd/service/generators/systemd.py", "ssd-service", "--directory={where} generate systemd nap",
     1),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "command", "line", "status"), LATE)
def test_module_that_is_broken_fails_with_what_was_asked_for(
    broken: str, command: str, line: str, status: int, prefix: Prefix, tmp_path: Path
) -> None:
    """Also after the command line has been read."""
    prefix.furnish().python()
    (prefix.packages / "ssd").unlink()
    shutil.copytree(HERE / "ssd", prefix.packages / "ssd")
    (prefix.packages / broken).write_text("raise RecursionError('as deep as the sea')\n")
    # An impossible declaration makes the command load its sentences.
    fault = "what\n" if "sentences" in broken else "executable = '/bin/true'\n"
    (tmp_path / "nap.toml").write_text(fault)
    done = prefix(command, *line.format(where=tmp_path).split())
    assert (status, True) == (done.returncode, "as deep as the sea" in said(done)), done.stderr


def test_fault_in_the_middle_of_a_line_begins_a_new_one(prefix: Prefix, tmp_path: Path) -> None:
    """The line ends like that of any failure."""
    prefix.furnish().python()
    (prefix.packages / "ssd").unlink()
    shutil.copytree(HERE / "ssd", prefix.packages / "ssd")
    (prefix.packages / "ssd/service/verbs/starting.py").write_text("raise RecursionError('deep')\n")
    (tmp_path / "nap.toml").write_text(
        f"executable = '/bin/true'\nbackground = true\npidfile = '{tmp_path}/pid'\n"
    )
    done = prefix("ssd-service", f"--directory={tmp_path}", "nap", "start")
    assert (1, "Starting nap: nap failed!\n") == (done.returncode, done.stdout)
    assert "RecursionError: deep" in done.stderr


@pytest.mark.parametrize("line", ["nap status --json", "all status --json"])
def test_missing_psutil_leaves_the_facts_of_ssd(line: str, prefix: Prefix, tmp_path: Path) -> None:
    """As from a zipapp, which cannot hold it."""
    prefix.furnish().python()
    (prefix.packages / "psutil").unlink()
    (prefix.packages / "psutil.py").write_text("raise ModuleNotFoundError('none here')\n")
    (tmp_path / "declared").mkdir()
    (tmp_path / "declared/nap.toml").write_text(
        f"executable = '/bin/true'\npidfile = '{tmp_path}/pid'\n"
    )
    where = f"--directory={tmp_path}/declared"
    done = prefix("ssd-service", where, *line.split())
    assert (3, "") == (done.returncode, done.stderr)
    assert '"state": "stopped"' in done.stdout


def test_missing_interpreter_is_named(prefix: Prefix) -> None:
    """A release upgrade may remove the interpreter of a virtual environment."""
    prefix.python("/nonexistent/python3.5")
    (prefix.root / "pyvenv.cfg").touch()
    done = prefix("ssd-service", "nap", "status")
    assert 4 == done.returncode
    assert said(done).startswith(
        "ssd-service: "
    )  # the system's own Python is missing or has no ssd


def test_unusable_interpreter_gives_status_4(prefix: Prefix) -> None:
    """The shell's 126, or the status of a failure; never 1."""
    (prefix.bin / "python3").write_text("\x7fELF and no more")
    (prefix.bin / "python3").chmod(0o755)
    (prefix.root / "pyvenv.cfg").touch()
    done = prefix("ssd-service", "nap", "status")
    assert done.returncode in (4, 126)
    assert "" != done.stderr


@pytest.mark.parametrize("kibibytes", [8000, 12000, 14000, 16000, 18000, 20000, 24000])
def test_shortage_of_memory_gives_status_4(kibibytes: int, prefix: Prefix) -> None:
    """With so little memory either the interpreter or ssd fails; with more it works."""
    prefix.furnish().python()
    ask = f'ulimit -v {kibibytes} && exec "$0" "$@"'
    with child() as process:
        lines = {("ssd-service", "lsb", "pidofproc", "/nonexistent"): (3, 4)}
        # With less Python itself ends without a word.
        if kibibytes > (14000 if sys.version_info < (3, 14) else 16000):
            lines["ssd", "--status", "--pid", str(process.pid)] = (0, 4)
            lines["ssd", "--stop", "--test", "--quiet", "--pid", str(process.pid)] = (0, 2)
        for (command, *words), statuses in lines.items():
            argv = ["sh", "-c", ask, prefix.bin / command, *words]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
            assert done.returncode in statuses, done.stderr
            assert len(done.stderr.splitlines()) == (done.returncode in (2, 4)), done.stderr


def test_interruption_ends_ssd_as_a_c_program(prefix: Prefix) -> None:
    """From the first line of the script on."""
    prefix.python().break_package("import os; os.kill(os.getpid(), 2)")
    done = prefix("ssd", "--status", "--pid", "1")
    assert (-signal.SIGINT, "") == (done.returncode, done.stderr)


# python -m ssd ------------------------------------------------------------------------------


def test_module_run_with_m_ignores_the_working_directory(
    tmp_path: Path,
) -> None:
    """Except for the modules that Python imports before ssd."""
    for name in ("daemon", "fcntl", "resource", "marshal", "lockfile"):
        (tmp_path / f"{name}.py").write_text(STRANGER)
    words = ["--start", "--background", "--name", "nobody", "--startas", "/bin/true"]
    for variables in ({}, {"PYTHONPATH": str(tmp_path)}, {"PYTHONPATH": ":"}):
        argv = [sys.executable, "-m", "ssd", *words]
        environment = {**os.environ, **variables}
        done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True)
        assert (0, b"") == (done.returncode, done.stderr)


def test_module_that_cannot_be_imported_gives_no_answer(prefix: Prefix) -> None:
    """As the script."""
    (prefix.packages / "ssd").mkdir()
    (prefix.packages / "ssd/__init__.py").touch()
    shutil.copy(HERE / "ssd/__main__.py", prefix.packages / "ssd")
    code = "import runpy, sys; sys.argv[0] = 'x'; runpy.run_module('ssd', run_name='__main__')"
    for line in FAULTS:
        code_in_place = f"import sys; sys.path.insert(0, {str(prefix.packages)!r}); {code}"
        done = python(code_in_place, *line.split(), flags=("-I", "-S"))
        assert FAULTS[line] == done.returncode
        assert 1 == len(done.stderr.splitlines())
