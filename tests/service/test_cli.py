"""The command ssd-service with real processes: lives, statuses, lines that make no sense."""

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


def test_whole_life_has_lsb_statuses(place) -> None:
    """Start, start again, restart, death, start, stop."""
    place.declare('description = "A nap"\n')
    assert "nap is not running\n" == place.expect(3, "nap", "status")
    assert "Starting A nap: nap.\n" == place.expect(0, "nap", "start")
    first = place.pid
    assert "Starting A nap: nap is already running.\n" == place.expect(0, "nap", "start")
    assert first == place.pid
    with ended(first):
        assert "Restarting A nap: nap.\n" == place.expect(0, "nap", "restart")
    assert first != place.pid
    with ended(place.pid):
        pass
    place.expect(1, "nap", "status")
    place.expect(0, "nap", "start")
    before = time.monotonic()
    place.expect(0, "nap", "--full-restart")
    shown = place.expect(0, "nap", "status")
    words = re.match(rf"nap is running \(process {place.pid}\), up (\d+) s, ", shown)
    assert words is not None, shown
    assert int(words[1]) <= time.monotonic() - before
    place.expect(0, "nap", "stop")
    assert not place.pidfile.exists()
    place.expect(0, "nap", "stop")


def test_environment_is_that_of_service(place) -> None:
    """Locale, PATH, TERM and what is declared; not what the caller happens to have."""
    pipe = place.folder / "pipe"
    os.mkfifo(pipe)
    place.declare(f'executable = "/usr/bin/env"\noutput = "{pipe}"\n[environment]\nMINE = "yes"\n')
    given = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SECRET": "x", "TERM": "dumb"}
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)) as output:
        assert 0 == place("nap", "start", env=given).returncode
        os.set_blocking(output.fileno(), True)
        lines = dict(line.split("=", 1) for line in output.read().splitlines())
    assert {"LANG": "C.UTF-8", "TERM": "dumb", "MINE": "yes"}.items() <= lines.items()
    assert "SECRET" not in lines
    assert lines["PATH"].startswith("/usr/bin:/bin:/usr/local/sbin:")


@pytest.mark.parametrize(("verb", "status"), [("start", 6), ("stop", 6), ("status", 4)])
def test_what_a_service_cannot_be_known_by_is_named(place, verb, status) -> None:
    """The declaration makes no sense, and that of another service does."""
    (place.folder / "a.toml").write_text('script = "sleep 1000"\npidfile = "none"\n')
    done = place("a", verb)
    reason = f"ssd-service: {place.folder}/a.toml: executable: it is known by no pidfile"
    assert (status, True) == (done.returncode, done.stderr.startswith(reason)), done.stderr
    place.declare(name="b")
    done = place("all", verb)
    assert (True, True) == ("b" in done.stdout, reason in done.stderr)
    assert ["b"] == [each["name"] for each in json.loads(place("all", "status", "--json").stdout)]


def test_systemd_start_becomes_the_program(place) -> None:
    """With the environment of whoever called, NOTIFY_SOCKET for one."""
    place.declare('executable = "/usr/bin/printenv"\n' + 'arguments = ["NOTIFY_SOCKET"]\n')
    done = place("nap", "systemd-start", env={"NOTIFY_SOCKET": "@here", "PATH": "/bin"})
    assert (0, "@here\n", "") == (done.returncode, done.stdout, done.stderr)


def test_what_nobody_declared_is_unrecognized(place) -> None:
    """In the words and with the status of service(8)."""
    done = place("nosuch", "start")
    assert (1, "nosuch: unrecognized service\n") == (done.returncode, done.stderr)


def test_excess_words_are_an_error(place) -> None:
    """LSB: invalid or excess arguments."""
    place.declare()
    for words in (("start", "now"), ("status", "--json", "now"), ("start", "--json")):
        done = place("nap", *words)
        assert 2 == done.returncode
        assert "Usage:" in done.stderr


def test_relative_path_needs_a_working_directory(place, run) -> None:
    """It is named where that is gone."""
    gone = place.folder / "gone"
    ours = f"rmdir {gone}; exec {place.command}"
    ours_elsewhere = "--directory=rel nap"
    for words, status in (
        (f"{ours_elsewhere} start", 1), (f"{ours_elsewhere} status", 4), ("./rel status", 4),
    ):  # fmt: skip
        gone.mkdir()
        done = run("sh", "-c", f"cd {gone}; {ours} {words}")
        assert (status, True) == (done.returncode, "rel: the working" in done.stderr), done.stderr


@pytest.mark.parametrize("words", ["all status", "nap status", "all start", "generate sysv nap"])
def test_directory_that_was_named_has_to_be_there(place, run, words) -> None:
    """Or a slip of the pen would start nothing, and succeed."""
    typo = f"{place.folder}/typo"
    done = run(place.command, f"--directory={typo}", *words.split())
    expected = 4 if "status" in words else 1, f"ssd-service: {typo}: No such file or directory\n"
    assert expected == (done.returncode, done.stderr)


@pytest.mark.parametrize(("verb", "status"), [("start", 4), ("status", 4), ("stop", 4)])
def test_declaration_that_the_caller_may_not_read_is_a_denial(
    tmp_path, monkeypatch, capfd, verb, status
) -> None:
    """Also where root runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (tmp_path / "nap.toml").touch()

    def denied(path: str, *words: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(toml, "_content", denied)
    assert status == main(["ssd-service", f"--directory={tmp_path}", "nap", verb])
    assert f"ssd-service: {tmp_path}/nap.toml: Permission denied\n" == capfd.readouterr().err


@pytest.mark.parametrize("words", [(), ("--frob",), ("--directory",)])
def test_line_without_sense_is_shown_the_usage(ssd_path, run, words) -> None:
    """Status 3, and nothing on standard output."""
    done = run(ssd_path.with_name("ssd-service"), *words)
    assert (3, "", True) == (done.returncode, done.stdout, "Usage:" in done.stderr)


def test_help_and_version_are_printed(ssd_path, run) -> None:
    """On standard output."""
    command = ssd_path.with_name("ssd-service")
    assert "NAME VERB" in run(command, "--help").stdout
    assert run(command, "--version").stdout.startswith("ssd-service ")


def test_name_is_looked_up_before_any_file(place) -> None:
    """In whatever folder the command is called."""
    (place.folder / "nap").mkdir()
    done = place("nap", "status", cwd=place.folder)
    assert 1 == done.returncode
    assert os.path.isdir(place.folder / "nap")


def test_command_takes_a_table_of_processes(tmp_path, monkeypatch, capfd) -> None:
    """As ``ssd.cli.main`` does, so that a program can be tested without real ones."""
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
