"""scripts/matrix: what it counts, what it finds, and the tables that it writes."""

import datetime
import os
import signal
import sys
import tarfile
from pathlib import Path

import pytest
from conftest import Run
from systems import roots, rows, table
from systems.__main__ import main
from systems.roots import NotRun
from systems.rows import ROWS, Row, Setting
from systems.table import Result

TODAY = datetime.datetime.now(datetime.UTC).date().isoformat()
OLD = Result("debian12", "a fresh root", "Debian 12.1", "all", "passed 3", "2026-01-02")


@pytest.fixture
def pages(tmp_path: Path) -> tuple[Path, Path]:
    """Return a page that has one result, and a README."""
    for name in ("page", "readme"):
        (tmp_path / name).write_text(f"Before.\n\n{table.BEGIN}\n{table.END}\n\nAfter.\n")
    table.write(tmp_path / "page", table.full([OLD]))
    return tmp_path / "page", tmp_path / "readme"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pages):
    """Return a function that runs the command with rows of our own, and returns its status."""

    def passes(setting: Setting) -> tuple[str, str]:
        code = "print('== 4 failed, 1 passed, 2 skipped in 0.10s ==')"
        return "1.2 | 3", setting.tested([sys.executable, "-c", code])

    def lacks(_: Setting) -> tuple[str, str]:
        raise NotRun("there is none")

    ours = [
        Row("one", "Both", "here", "all", passes),
        Row("debian12", "Both", "there", "all", lacks),
        Row("other", "Other", "-", "nothing", lacks),
    ]
    monkeypatch.setattr("systems.__main__.ROWS", ours)
    return lambda *words: main(["--cache", str(tmp_path), *words], *pages)


@pytest.mark.parametrize(
    ("output", "numbers"),
    [
        ("====== 87 passed in 0.46s ======\n", (87, 0, 0)),
        ("2 failed, 6 passed, 1 skipped, 9 deselected, 1 xfailed in 70.37s (0:01:10)", (7, 1, 2)),
        ("= 1 passed, 1 error in 1.00s =\n= 2 passed, 2 errors in 1.00s =\n", (3, 0, 3)),
        ("collected 976 items\nno tests ran in 0.01s\n", (0, 0, 0)),
    ],
)
def test_numbers_are_of_the_last_lines_of_pytest(output: str, numbers: tuple) -> None:
    """Of each run; what was not selected does not count."""
    assert numbers == table.summed(output)


def test_result_names_failures_first() -> None:
    """A reader must not take a row with failures for a good one."""
    assert "passed 1,200, skipped 3" == table.counted(1200, 3, 0)
    assert "failed 2, passed 5" == table.counted(5, 0, 2)


def test_rows_are_written_and_others_kept(told, pages) -> None:
    """A bar in a cell is replaced; the README has a line for each group that was run."""
    page, readme = pages
    assert 1 == told("--write", "one")
    result = Result("one", "here", "1.2 / 3", "all", "failed 4, passed 1, skipped 2", TODAY)
    assert {"one": result, "debian12": OLD} == table.read(page)
    shown = readme.read_text()
    assert f"| Both | all | {result.versions}: {result.result}; Debian 12.1: passed 3 |" in shown
    assert "Other" not in shown
    assert shown.startswith("Before.\n\n") and shown.endswith("\n\nAfter.\n")


def test_row_that_cannot_run_says_why(told, pages, capsys) -> None:
    """It is no failure, and replaces an older result."""
    assert 0 == told("--write", "debian12")
    assert "not run: there is none" == table.read(pages[0])["debian12"].result
    assert "debian12: -: not run: there is none\n" in capsys.readouterr().out


def test_results_are_only_printed_without_write(told, pages) -> None:
    """Both pages stay as they are."""
    before = [page.read_bytes() for page in pages]
    assert 1 == told()
    assert before == [page.read_bytes() for page in pages]


def test_page_without_marks_is_refused(told, pages, capsys) -> None:
    """Before any row runs."""
    pages[1].write_text("No marks.\n")
    assert 2 == told("--write")
    captured = capsys.readouterr()
    assert f"{pages[1]} has not one" in captured.err and "runs" not in captured.out


def test_cache_that_cannot_be_made_is_an_error(told, tmp_path: Path, capsys) -> None:
    """One sentence, and not the status of a row that has failed."""
    (tmp_path / "file").touch()
    assert 2 == told("one", "--cache", str(tmp_path / "file"))
    captured = capsys.readouterr()
    assert "scripts/matrix: " in captured.err and "file/logs" in captured.err
    assert "" == captured.out


def hollow(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let roots be made, by whoever runs the tests, of a Debian that has only directories."""
    with tarfile.open(cache / "base12.tar", "w") as tar:
        directory = tarfile.TarInfo("etc/apt/apt.conf.d")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(directory)
    monkeypatch.setattr(roots, "obstacle", lambda: None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_removes_the_root(number: int, told, tmp_path: Path, monkeypatch) -> None:
    """No traceback; the exit status is that of the signal, as a shell tells it."""

    def waits(_: Setting) -> tuple[str, str]:
        with roots.root("12", tmp_path):
            if number == signal.SIGINT:
                raise KeyboardInterrupt  # what Python's handler does, where SIGINT is not ignored
            os.kill(os.getpid(), number)
        return "-", "passed 1"

    hollow(tmp_path, monkeypatch)
    monkeypatch.setattr(roots, "_COPY", "")
    monkeypatch.setattr("systems.__main__.ROWS", [Row("one", "One", "here", "all", waits)])
    try:
        status = told("one")
    except SystemExit as ended:
        status = ended.code
    assert 128 + number == status
    assert ["base12.tar", "logs"] == sorted(
        path.name for path in tmp_path.iterdir() if path.name not in ("page", "readme")
    )


def test_root_has_the_checkout_without_git(tmp_path: Path, monkeypatch) -> None:
    """As in an sdist, and as in a clone of another user, which git refuses to read."""
    hollow(tmp_path, monkeypatch)
    monkeypatch.setenv("GIT_DIR", "/dev/null")
    with roots.root("12", tmp_path) as made:
        assert (made.directory / "ssd/scripts/test").is_file()


def test_unknown_row_is_refused(told, capsys) -> None:
    """With the option that names the rows."""
    with pytest.raises(SystemExit) as ended:
        told("nosuch")
    assert 2 == ended.value.code
    assert "no row nosuch: --list names them" in capsys.readouterr().err


def test_command_lists_its_rows(run: Run, checkout: Path) -> None:
    """One a line, as the page of the results names them; nothing runs."""
    done = run(checkout / "scripts" / "matrix", "--list")
    assert 0 == done.returncode, done.stderr
    assert [row.name for row in ROWS] == [line.split()[0] for line in done.stdout.splitlines()]


def test_interpreter_is_asked_for_its_version(tmp_path: Path) -> None:
    """A wrapper that finds none is passed over, and a missing file named."""
    own = "{}.{}".format(*sys.version_info)
    wrapper = tmp_path / "python"
    wrapper.write_text("#!/bin/sh\nexit 127\n")
    wrapper.chmod(0o755)
    found = rows.interpreter(own, [str(wrapper), sys.executable])
    assert found is not None and sys.executable == found
    assert None is rows.interpreter("2.0", [sys.executable])
    with pytest.raises(NotRun, match="/no/such: No such file"):
        rows.interpreter(own, ["/no/such"])


def test_run_without_tests_is_no_result(tmp_path: Path) -> None:
    """The reason is the last line of the output."""
    setting = Setting(tmp_path, [], tmp_path / "log")
    with pytest.raises(NotRun, match=r"no test ran \(status 3\): no pip"):
        setting.tested(["sh", "-c", "echo no pip; exit 3"])


def test_failure_without_a_failed_test_counts(tmp_path: Path) -> None:
    """As one: a check that ran beside pytest."""
    setting = Setting(tmp_path, [], tmp_path / "log")
    result = setting.tested(["sh", "-c", "echo '2 passed in 0.1s'; exit 1"])
    assert "failed 1, passed 2" == result


def test_readme_has_the_commands_of_a_debian_row(checkout: Path) -> None:
    """To install, to put ssd in start-stop-daemon's place, and to remove both."""
    install, divert, undo = rows.installing(checkout)
    assert "python3 -m venv /opt/ssd" == install[0]
    assert "dpkg-divert" in divert[0] and "--remove" in undo[1]


def test_page_has_only_rows_that_there_are(checkout: Path) -> None:
    """A row that was renamed leaves no old result behind."""
    page = checkout / "docs" / "reference" / "systems.md"
    assert set(table.read(page)) <= {row.name for row in ROWS}
