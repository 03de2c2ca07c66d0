"""The command ssd-compute as a process: its exit statuses, and the effects of signals."""

import json
import socket
import subprocess
import sys

import pytest
from kit.children import WAIT_TIMEOUT


def test_ready_is_said_once_rpc_answers(compute, tmp_path) -> None:
    """STOPPING follows at a graceful end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(WAIT_TIMEOUT)
        channel.bind(str(tmp_path / "notify"))
        service = compute({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert b"READY=1" == channel.recv(100)
        assert 1 == json.loads(service.state.read_text())["rpc_answers"]
        service.signal("TERM")
        assert b"STOPPING=1" == channel.recv(100)
    assert 0 == service.end()
    assert "down" == json.loads(service.state.read_text())["state"]


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_term_and_int_end_it_gracefully(compute, name) -> None:
    """RPC is closed, then the host is released, then the process ends with 0."""
    service = compute()
    service.await_line("Waiting for signals")
    service.signal(name)
    for text in (f"Caught SIG{name}", "RPC server closed", "Cleaned up", "Stopped in good order"):
        service.await_line(text)
    assert 0 == service.end()


def test_hup_reloads_and_rpc_goes_on(compute) -> None:
    """The process stays, the new interval applies, and a ping is answered as before."""
    service = compute()
    service.await_line("Waiting for signals")
    for interval in (1800, 900):
        service.configure(report_interval=interval)
        service.signal("HUP")
        service.await_line(f"Reporting state every {interval} s")
        service.await_line("Reloaded")
    service.signal("TERM")
    assert 0 == service.end()
    state = json.loads(service.state.read_text())
    # One answer and one report at the start, an answer at each reload, a report at the end.
    assert (3, 2) == (state["rpc_answers"], state["report_count"])


def test_reload_that_cannot_be_used_changes_nothing(compute) -> None:
    """It is logged, and the next reload works."""
    service = compute()
    service.await_line("Waiting for signals")
    service.configure(report_interval="junk")
    service.signal("HUP")
    assert "junk" in service.await_line("Configuration not applied")
    service.configure(report_interval=1800)
    service.signal("HUP")
    service.await_line("Reporting state every 1800 s")
    service.signal("TERM")
    assert 0 == service.end()


def test_stop_has_a_time_limit(compute) -> None:
    """graceful_shutdown_timeout is oslo.service's; the exit status is 1."""
    service = compute(compute_manager="managers.Hanging", graceful_shutdown_timeout=1)
    service.await_line("Waiting for signals")
    service.signal("TERM")
    service.await_line("Not stopped within 1 s")
    assert 1 == service.end()


def test_missing_broker_gives_no_ready(compute, tmp_path) -> None:
    """The service keeps trying, and TERM ends it at once."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        port = closed.getsockname()[1]
        service = compute(transport_url=f"rabbit://nobody:secret@127.0.0.1:{port}/")
        log = service.await_line("refused")
        assert "secret" not in log
        service.signal("TERM")
        assert -15 == service.end()
    assert not service.state.exists()


def test_service_that_cannot_start_says_why(compute) -> None:
    """In the log, because an init script closes standard error; exit status 1."""
    service = compute(compute_manager="managers.Broken")
    assert "no hypervisor" in service.await_line("Cannot start")
    assert 1 == service.end()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--version"], 0, ""),
        (["--no-such-option"], 2, "no-such-option"),
        (["--config-file", "/nonexistent/file"], 6, "/nonexistent/file"),
        (["--log-file", "/nonexistent/directory/log"], 6, "/nonexistent/directory"),
    ],
    ids=["version", "usage", "no configuration", "no log"],
)
def test_failures_have_their_exit_statuses(run, arguments, status, said) -> None:
    """Standard error names the program and the cause."""
    program = "import sys; from ssd.compute.cli import main; sys.exit(main(sys.argv[1:]))"
    done = run(sys.executable, "-c", program, *arguments)
    assert status == done.returncode, done.stderr
    assert said in done.stderr
    assert not done.stderr or "ssd-compute: " in done.stderr


def test_missing_extra_is_named_with_its_command(monkeypatch, capsys) -> None:
    """LSB's status for a program that is not installed, and one line."""
    from ssd.compute import cli as command

    assert 0 == command.main(["--installed"])  # starts nothing
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert 5 == command.main(["--installed"])
    assert "brings it" in capsys.readouterr().err
    assert 5 == command.main([])
    said = capsys.readouterr().err
    assert 1 == said.count("\n")
    assert "pip install 'start-stop-daemon[compute]'" in said


def test_command_checks_libraries_before_it_loads_them() -> None:
    """Otherwise it could not report a missing library."""
    program = "import sys, ssd.compute.cli; print(*[m for m in sys.modules if 'oslo' in m])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ("\n", "") == (found.stdout, found.stderr)
