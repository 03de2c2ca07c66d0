"""The environment of a service."""

import os

from kit.children import python
from kit.loading import HOME

# Enters it with an ``os`` that is not complete, as in the commands, and asks the C library, too.
LIGHT = f"""
import sys
sys.path[:0] = [{HOME!r}]
from ssd.bundle import light_os
sys.modules["os"] = os = light_os()
from ssd.service.environment import LEFT_OUT, enter
enter()
print("__getattr__" in vars(os), LEFT_OUT, os.environ["PATH"][:6], os.environ.get("SECRET"))
sys.stdout.flush()
os.system("env")
"""


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


def test_environment_is_entered_without_the_whole_of_os() -> None:
    """It is what os is made of later, and what the C library gives to programs."""
    done = python(LIGHT, flags=("-I", "-S"), env={"PATH": "/bin", "SECRET": "x", "LANG": "C"})
    first, *lines = done.stdout.decode().splitlines()
    assert "True {'SECRET': 'x'} /bin:/ None" == first
    assert {"LANG", "PATH"} == {line.partition("=")[0] for line in lines} - {"PWD", "LC_CTYPE"}
