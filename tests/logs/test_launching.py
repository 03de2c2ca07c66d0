"""The start of a logger: what it needs, and how it fails."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import ssd
from ssd.errors import StartFailed
from ssd.logs import declared, launching


def open_files() -> list[str]:
    """Return the descriptors of this process, as text."""
    return sorted(os.listdir("/proc/self/fd"))


# settings -> the detail and the reason of the failure
FAILURES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no directory": ({"path": "/no such/log"}, "/no such/log", "No such file or directory"),
    "a directory": ({"path": "/"}, "/", "Is a directory"),
    "a device": ({"path": "/dev/null"}, "/dev/null", "it is not a regular file"),
    "the second file": ({"stderr_path": "/no such/log"}, "", "No such file or directory"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_logger_that_cannot_open_its_log_fails_the_start(case: str, tmp_path: Path) -> None:
    """Before the daemon: the reason is the logger's, and nothing is left open or running."""
    values, detail, reason = FAILURES[case]
    values = {"path": str(tmp_path / "log"), **values}
    before = open_files()
    with pytest.raises(StartFailed) as caught:
        launching.start("web", values, None, None)
    error = caught.value
    assert ("logger", detail or values["path"]) == (error.stage, error.detail)
    assert reason in str(error.reason)
    assert before == open_files()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_failure_is_told_if_sigchld_is_ignored() -> None:
    """The kernel has reaped the logger by then, which is no reason of its own."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with pytest.raises(StartFailed, match="No such file or directory"):
            launching.start("web", {"path": "/no such/log"}, None, None)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_interpreter_that_fails_is_told_by_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A Python that finds no ssd, and one that is none."""
    program = tmp_path / "program.py"
    program.write_text("import sys\nraise SystemExit('no ssd here')\n")
    monkeypatch.setattr(launching, "PROGRAM", str(program))
    with pytest.raises(StartFailed, match="the logger has ended: no ssd here"):
        launching.start("web", {"path": str(tmp_path / "log")}, None, None)
    monkeypatch.setattr(sys, "executable", "/no such python")
    with pytest.raises(StartFailed, match="No such file or directory"):
        launching.start("web", {"path": str(tmp_path / "log")}, None, None)


def test_log_without_a_path_is_where_a_supervisor_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its directory is made."""
    monkeypatch.setattr(declared, "log_directory", lambda uid: str(tmp_path / "logs"))
    out, err, pid = launching.start("web", {"keep": 2}, None, None)
    assert out == err
    os.write(out, b"line\n")
    os.close(out)
    os.waitpid(pid, 0)
    assert "line\n" == (tmp_path / "logs" / "web.log").read_text()


@pytest.mark.requires_root
def test_logger_needs_no_right_to_give_its_pipe_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container without CAP_CHOWN the daemon can write, and not open /dev/stdout anew."""
    log = tmp_path / "log"
    monkeypatch.setattr(os, "fchown", refused)
    out, _, pid = launching.start("web", {"path": str(log)}, 65534, 65534)
    os.write(out, b"line\n")
    os.close(out)
    assert (pid, 0) == os.waitpid(pid, 0)
    assert "line\n" == log.read_text()


def refused(fd: int, uid: int, gid: int) -> None:
    """Refuse to change an owner."""
    raise PermissionError


def test_log_of_nothing_needs_no_process() -> None:
    """Kind none without syslog is /dev/null."""
    out, err, pid = launching.start("web", {"kind": "none", "forward": True}, None, None)
    assert (os.devnull, out, 0) == (os.readlink(f"/proc/self/fd/{out}"), err, pid)
    os.close(out)


def test_finish_waits_for_loggers_alone(tmp_path: Path) -> None:
    """Of our children those that have something to write; others, and for ever, it does not."""
    log = tmp_path / "log"
    out, _, pid = launching.start("web", {"path": str(log)}, None, None)
    os.kill(pid, signal.SIGSTOP)
    os.write(out, b"last words\n")
    launching.finish([pid, os.getpid()], 0.01)
    assert "" == log.read_text()
    os.close(out)
    os.kill(pid, signal.SIGCONT)
    launching.finish([os.getpid(), pid, 2**30], 60)
    assert "last words\n" == log.read_text()
    os.waitpid(pid, 0)


def test_logger_runs_from_a_zip_file(tmp_path: Path) -> None:
    """As all of ssd does: the script in there cannot be executed, its module can be imported."""
    package = Path(ssd.__file__).parent
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        for file in package.rglob("*.py"):
            archive.write(file, file.relative_to(package.parent))
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from ssd.logs import launching\n"
        "out, _, pid = launching.start('web', {'path': sys.argv[2]}, None, None)\n"
        "os.write(out, b'line\\n'); os.close(out)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    words = [sys.executable, "-IS", "-c", code, tmp_path / "app.pyz", tmp_path / "log"]
    assert 0 == subprocess.run(words, timeout=60).returncode
    assert "line\n" == (tmp_path / "log").read_text()
