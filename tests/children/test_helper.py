"""The Python that a start runs its helper on: our own or the one in ssd.interpreter."""

import sys
from pathlib import Path

import pytest
from kit.children import ended
from kit.leaks import nothing_left

import ssd
from ssd import Command, Match
from ssd.children import helper

NAP = Command(["/bin/sleep", "1000"])


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """Return a program that records each run; it stands for a frozen application."""
    program = tmp_path / "application"
    program.write_text(f"#!/bin/sh\necho again >> {tmp_path}/runs\n")
    program.chmod(0o755)
    return program


def refused(tmp_path: Path) -> str:
    """Start in the background, which must fail and leave nothing; return the reason."""
    with nothing_left(), pytest.raises(ssd.StartFailed) as caught:
        ssd.start(Match(pidfile=tmp_path / "pid"), NAP, make_pidfile=True)
    assert "interpreter" == caught.value.stage
    assert not (tmp_path / "runs").exists(), "the application was run again"
    assert not (tmp_path / "pid").exists()
    return f"{caught.value.detail}: {caught.value.reason}"


@pytest.mark.parametrize("frozen", [True, False])
def test_application_is_not_run_again(
    frozen: bool, application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is marked as frozen or only embeds Python; the error names the remedy."""
    if frozen:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        application = application.rename(tmp_path / "python3")
    monkeypatch.setattr(sys, "executable", str(application))
    assert f"{application}: {helper.NO_PYTHON}" == refused(tmp_path)
    assert "ssd.interpreter" in helper.NO_PYTHON


@pytest.mark.parametrize("executable", ["", None, "/bin/true"])
def test_missing_interpreter_is_a_start_failure(
    executable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedded Python may know no interpreter."""
    monkeypatch.setattr(sys, "executable", executable)
    assert f"{executable or '(none)'}: {helper.NO_PYTHON}" == refused(tmp_path)


def test_application_starts_children_without_interpreter(
    application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They need no interpreter, unless they ask for what subprocess.Popen cannot do."""
    monkeypatch.setattr(sys, "executable", str(application))
    with nothing_left(), ssd.start(Match(name="none"), NAP, background=False) as child:  # type: ignore[attr-defined]
        child.signal(9)
        assert -9 == child.wait()
        with pytest.raises(ssd.StartFailed, match="interpreter"):
            ssd.start(Match(name="none"), Command(["/bin/true"], nice=1), background=False)
    assert not (tmp_path / "runs").exists()


def test_interpreter_can_be_named(
    application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An application starts daemons with it."""
    monkeypatch.setattr(ssd, "interpreter", sys.executable)
    monkeypatch.setattr(sys, "executable", str(application))
    process = ssd.start(Match(pidfile=tmp_path / "pid"), NAP, make_pidfile=True)
    with ended(process.pid):
        assert [process] == ssd.find(Match(pidfile=tmp_path / "pid"))


def test_interpreter_is_a_path_or_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty text (no program was found) does not mean our own; a number is a mistake."""
    monkeypatch.setattr(ssd, "interpreter", Path(sys.executable))
    process = ssd.start(Match(pidfile=tmp_path / "pid"), NAP, make_pidfile=True)
    with ended(process.pid):
        assert [process] == ssd.find(Match(pidfile=tmp_path / "pid"))
    (tmp_path / "pid").unlink()
    monkeypatch.setattr(ssd, "interpreter", "")
    assert f"(none): {helper.NO_PYTHON}" == refused(tmp_path)
    monkeypatch.setattr(ssd, "interpreter", 5)
    with nothing_left(), pytest.raises(TypeError, match="ssd.interpreter must be a text"):
        ssd.start(Match(pidfile=tmp_path / "pid"), NAP, make_pidfile=True)


WITHOUT_SSD = f"""exec {sys.executable} -IS -c '
import sys
sys.modules["ssd"] = None
exec(sys.argv[1])' "$3"
"""
NAMED: dict[str, tuple[str | None, str]] = {
    "missing": (None, "No such file or directory: set ssd.interpreter to a Python"),
    "silent": ("exit 3", "it ended with status 3 and ran no helper"),
    "without ssd": (WITHOUT_SSD, "it cannot import ssd: ModuleNotFoundError"),
}


@pytest.mark.parametrize("case", NAMED)
def test_unusable_interpreter_is_named_with_the_reason(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With its status, or with the failure of its import of ssd; nothing is printed."""
    script, reason = NAMED[case]
    path = tmp_path / "python3"
    if script is not None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setattr(ssd, "interpreter", str(path))
    assert f"{path}: {reason}" in refused(tmp_path)
    assert ("", "") == tuple(capfd.readouterr())


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("python", True), ("python3", True), ("python3.11", True), ("pypy3", True),
        ("python3.13t", True), ("python3.11d", True), ("python3.11-dbg", True), ("pypy3.10", True),
        ("pythonw.exe", True),
        ("uwsgi", False), ("httpd", False), ("true", False), ("pythonista", False), ("", False),
        ("my-python", False), ("python-app", False),
    ],
)  # fmt: skip
def test_python_is_known_by_its_name(name: str, python: bool) -> None:
    """It is not run to find out: it might be the application."""
    assert python == helper._is_python(name)
