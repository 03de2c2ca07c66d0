"""The command ssd-service with real processes: lives, statuses, invalid command lines."""

import errno
import json
import os
import re
import signal
import time

import pytest
from kit.children import ended

from ssd.service.cli import main
from ssd.service.sources import toml
from ssd.testing import FakeProcesses


def test_life_of_a_service_has_lsb_statuses(services) -> None:
    """Start, start again, restart, death, start, stop."""
    services.declare('description = "A nap"\n')
    assert "nap is not running\n" == services.expect(3, "nap", "status")
    assert "Starting A nap: nap.\n" == services.expect(0, "nap", "start")
    first = services.pid
    assert "Starting A nap: nap is already running.\n" == services.expect(0, "nap", "start")
    assert first == services.pid
    with ended(first):
        assert "Restarting A nap: nap.\n" == services.expect(0, "nap", "restart")
    assert first != services.pid
    with ended(services.pid):
        pass
    services.expect(1, "nap", "status")
    services.expect(0, "nap", "start")
    before = time.monotonic()
    services.expect(0, "nap", "--full-restart")
    shown = services.expect(0, "nap", "status")
    words = re.match(rf"nap is running \(process {services.pid}\), up (\d+) s, ", shown)
    assert words is not None, shown
    assert int(words[1]) <= time.monotonic() - before
    services.expect(0, "nap", "stop")
    assert not services.pidfile.exists()
    services.expect(0, "nap", "stop")


@pytest.mark.parametrize(("verb", "status"), [("start", 6), ("stop", 6), ("status", 4)])
def test_service_that_cannot_be_identified_is_an_error(services, verb, status) -> None:
    """The declaration is invalid; that of another service still works."""
    (services.directory / "a.toml").write_text('script = "sleep 1000"\npidfile = "none"\n')
    done = services("a", verb)
    reason = f"ssd-service: {services.directory}/a.toml: executable: must be declared"
    assert (status, True) == (done.returncode, done.stderr.startswith(reason)), done.stderr
    services.declare(name="b")
    done = services("all", verb)
    assert (True, True) == ("b" in done.stdout, reason in done.stderr)
    told = json.loads(services("all", "status", "--json").stdout)
    assert [("a", "declaration"), ("b", None)] == [(e["name"], e["error_kind"]) for e in told]


def test_unknown_service_is_unrecognized(services) -> None:
    """In the words and with the status of service(8)."""
    done = services("nosuch", "start")
    assert (1, "nosuch: unrecognized service\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize(("verb", "status"), [("start", 3), ("stop", 3), ("status", 4)])
def test_job_of_upstart_is_not_started_half(services, tmp_path, verb, status) -> None:
    """A verb knows neither its events nor its stages; the message names what does."""
    path = tmp_path / "nap.conf"
    path.write_text("expect daemon\nexec sleep 1000\n")
    done = services(str(path), verb)
    told = f"ssd-service: {path}: a job of Upstart: ssd-supervise --upstart runs it, "
    assert (status, f"{told}ssd-service generate translates it\n") == (
        done.returncode,
        done.stderr,
    )


def test_unknown_service_may_be_a_job_of_upstart(tmp_path, monkeypatch, capfd) -> None:
    """The sentence of service(8) stays, a second one names the file."""
    monkeypatch.setattr("ssd.service.sources.upstart.JOBS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nosuchjob.conf").touch()
    assert 1 == main(["ssd-service", "nosuchjob", "start"])
    first, second = capfd.readouterr().err.splitlines()
    assert "nosuchjob: unrecognized service" == first
    assert second.startswith(f"{tmp_path}/nosuchjob.conf: a job of Upstart: ")


def test_excess_words_are_an_error(services) -> None:
    """LSB: invalid or excess arguments."""
    services.declare()
    for words in (("start", "now"), ("status", "--json", "now"), ("--full-restart", "--json")):
        done = services("nap", *words)
        assert 2 == done.returncode
        assert "Usage:" in done.stderr


def test_relative_path_needs_a_working_directory(services, run) -> None:
    """The error names the path if that directory was removed."""
    gone = services.directory / "gone"
    ours = f"rmdir {gone}; exec {services.command}"
    ours_elsewhere = "--directory=rel nap"
    for words, status in (
        (f"{ours_elsewhere} start", 1), (f"{ours_elsewhere} status", 4), ("./rel status", 4),
    ):  # fmt: skip
        gone.mkdir()
        done = run("sh", "-c", f"cd {gone}; {ours} {words}")
        assert (status, True) == (done.returncode, "rel: the working" in done.stderr), done.stderr


@pytest.mark.parametrize(
    "words", ["all status", "nap status", "all start", "generate sysv nap", "lsb log_end_msg 0"]
)
def test_directory_option_needs_an_existing_directory(services, run, words) -> None:
    """Otherwise a typing error would start nothing, and succeed."""
    typo = f"{services.directory}/typo"
    done = run(services.command, f"--directory={typo}", *words.split())
    expected = 4 if "status" in words else 1, f"ssd-service: {typo}: No such file or directory\n"
    assert expected == (done.returncode, done.stderr)


@pytest.mark.parametrize(("verb", "status"), [("start", 4), ("status", 4), ("stop", 4)])
def test_unreadable_declaration_is_status_4(tmp_path, monkeypatch, capfd, verb, status) -> None:
    """Also if root runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "nap.toml").touch()

    def denied(path: str, *words: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(toml, "_content", denied)
    assert status == main(["ssd-service", f"--directory={tmp_path}", "nap", verb])
    assert f"ssd-service: {tmp_path}/nap.toml: Permission denied\n" == capfd.readouterr().err


@pytest.mark.parametrize("words", [(), ("--frob",), ("--directory",)])
def test_invalid_command_line_prints_the_usage(ssd_path, run, words) -> None:
    """Status 3, and nothing on standard output."""
    done = run(ssd_path.with_name("ssd-service"), *words)
    assert (3, "", True) == (done.returncode, done.stdout, "Usage:" in done.stderr)


def test_help_and_version_are_printed(ssd_path, run) -> None:
    """On standard output."""
    command = ssd_path.with_name("ssd-service")
    assert "NAME VERB" in run(command, "--help").stdout
    assert run(command, "--version").stdout.startswith("ssd-service ")


def test_name_is_not_a_file_in_the_working_directory(services) -> None:
    """In any directory."""
    (services.directory / "nap").mkdir()
    done = services("nap", "status", cwd=services.directory)
    assert 1 == done.returncode
    assert os.path.isdir(services.directory / "nap")


def test_main_takes_a_process_table(tmp_path, monkeypatch, capfd) -> None:
    """Like ``ssd.cli.main``: a program can be tested without real processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    table = FakeProcesses()
    table.add("sleep", pid=200)
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n')
    (tmp_path / "pid").write_text("200\n")
    argv = ["ssd-service", f"--directory={tmp_path}", "nap"]
    assert 0 == main([*argv, "status"], table)
    assert 0 == main([*argv, "stop"], table)
    assert 3 == main([*argv, "status"], table)
    shown = "nap is running (process 200)\nStopping nap: nap.\nnap is not running\n"
    assert shown == capfd.readouterr().out
    assert [signal.SIGTERM] == [sent.signum for sent in table.signals]
