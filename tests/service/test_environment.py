"""The environment of a service."""

import os


def test_environment_is_that_of_service8(services) -> None:
    """The locale, PATH, TERM and declared variables; nothing else of the caller's."""
    pipe = services.directory / "pipe"
    os.mkfifo(pipe)
    services.declare(
        f'executable = "/usr/bin/env"\noutput = "{pipe}"\n[environment]\nMINE = "yes"\n'
    )
    given = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SECRET": "x", "TERM": "dumb"}
    given["LC_OF_TOMORROW"] = "C"
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)) as output:
        assert 0 == services("nap", "start", env=given).returncode
        os.set_blocking(output.fileno(), True)
        lines = dict(line.split("=", 1) for line in output.read().splitlines())
    kept = {"LANG": "C.UTF-8", "LC_OF_TOMORROW": "C", "TERM": "dumb", "MINE": "yes"}
    assert kept.items() <= lines.items()
    assert "SECRET" not in lines
    assert lines["PATH"].startswith("/usr/bin:/bin:/usr/local/sbin:")


def test_environment_of_systemd_start_is_the_callers(services) -> None:
    """NOTIFY_SOCKET, for one."""
    services.declare('executable = "/usr/bin/printenv"\n' + 'arguments = ["NOTIFY_SOCKET"]\n')
    done = services("nap", "systemd-start", env={"NOTIFY_SOCKET": "@here", "PATH": "/bin"})
    assert (0, "@here\n", "") == (done.returncode, done.stdout, done.stderr)
