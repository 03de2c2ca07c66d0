"""The wait for a service that sends no notification."""

import pytest
from kit.children import child

from ssd import NotReady, Process
from ssd.errors import ProcessTableError
from ssd.processes import table_named
from ssd.processes.contract import Handle
from ssd.processes.linux import LinuxTable
from ssd.service.declaration import Service
from ssd.service.verbs.until_ready import wait


class Blind(LinuxTable):
    """The kernel's table when it can read nothing any more: no descriptor, no /proc."""

    def process(self, pid: int) -> Process | None:
        """Have no descriptor left."""
        raise ProcessTableError("unable to read /proc: Too many open files in system")

    def open(self, process: Process) -> Handle:
        """Have no /proc."""
        raise ProcessTableError("no processes in /proc: is it mounted?")


def service(kind: str, command: str) -> Service:
    """Return a service that says by a command, or by its pidfile, that it is ready."""
    readiness = {"kind": kind, "command": [command], "timeout": 60}
    return Service(name="nap", executable="/bin/sleep", pidfile="/nowhere/pid", readiness=readiness)


@pytest.mark.parametrize("blind", [False, True])
def test_wait_works_if_no_process_can_be_read(blind: bool) -> None:
    """The service has been started, so this is no failure; its end is noticed."""
    table = Blind() if blind else table_named("kernel")
    with child() as started:
        seen = table_named("kernel").process(started.pid)
        assert seen is not None
        wait(service("command", "/bin/true"), seen, 60.0, table)
        with pytest.raises(NotReady) as caught:
            wait(service("pidfile", ""), seen, 0.0, table)
        assert "timeout" == caught.value.reason
        started.kill()
        started.wait()
        with pytest.raises(NotReady) as caught:
            wait(service("command", "/bin/false"), seen, 60.0, table)
        assert "exited" == caught.value.reason
