"""The import and supervisord's own reader make the same of a configuration."""

import json
import os
import random
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ssd.schedule import Schedule
from ssd.service import DeclarationError, Service
from ssd.service.importing.imported import Imported
from ssd.service.importing.supervisord import read

SEEDS = int(os.environ.get("SUPERVISORD_SEEDS", "60"))
ORIGINAL = Path(__file__).with_name("original.py")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/root", "SECRET": "a'b"}

# Options, and values that meet every rule of their kind, and some that break it.
VALUES: dict[str, list[str]] = {
    "command": ["/bin/cat", "cat -n", "/bin/sh -c 'exec sleep %%d' \"a b\"", "bin/own x\\ y",
                "/bin/echo %(program_name)s %(group_name)s %(ENV_HOME)s", "no-such-program -x",
                "/bin/echo %(process_num)03d %(numprocs)d ; note", "/bin/echo a#b 'c",
                "/bin/echo %d"],
    "environment": ["A=1", "A=\"x,y\",B='z w'", "KEY=/usr/bin:/x,N=%(process_num)d",
                    "A=\"it's\" , B=2,", "P=%(here)s", "A=1 # no", "A", "A=%(ENV_SECRET)s"],
    "directory": ["/tmp", "%(here)s", "/srv/%(ENV_A)s"],
    "user": ["root", "daemon", "1"],
    "umask": ["022", "77", "0", "9"],
    "autostart": ["true", "no", "OFF", "maybe"],
    "autorestart": ["true", "false", "unexpected", "Unexpected", "1", "often"],
    "exitcodes": ["0", "0,2", "2, 3", "", "256"],
    "startsecs": ["0", "5", "x"],
    "startretries": ["3", "0", "20"],
    "stopsignal": ["TERM", "int", "SIGQUIT", "9", "WINCH", "NOPE"],
    "stopwaitsecs": ["10", "3", "0"],
    "stopasgroup": ["true", "false"],
    "killasgroup": ["true", "false"],
    "redirect_stderr": ["true", "false"],
    "stdout_logfile": ["AUTO", "NONE", "/tmp/%(program_name)s.log", "syslog", "/dev/stdout", "off"],
    "stderr_logfile": ["AUTO", "none", "/tmp/err.log", "/dev/stderr", "/dev/null"],
    "stdout_logfile_maxbytes": ["0", "5MB", "1kb", "2 GB", "7", "5M"],
    "stdout_logfile_backups": ["0", "3"],
    "stdout_syslog": ["true", "false"],
    "priority": ["1", "999", "5"],
    "numprocs": ["1", "2", "3"],
    "numprocs_start": ["0", "7"],
    "process_name": ["%(program_name)s", "%(program_name)s_%(process_num)02d", "%(process_num)d",
                     "x-%(process_num)s"],
}  # fmt: skip


@cache
def supervisord_python() -> str | None:
    """Return the Python that runs supervisord: the first line of the command names it."""
    found = os.environ.get("SUPERVISORD") or shutil.which("supervisord")
    if found is None:
        return None
    return Path(found).read_text(errors="replace").partition("\n")[0].removeprefix("#!").strip()


def original(path: Path) -> Any:
    """Return what supervisord makes of a file: a list of processes, or its complaint."""
    python = supervisord_python()
    if python is None:
        pytest.skip("supervisord is not installed: apt-get install supervisor")
    words = [python, str(ORIGINAL), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def configuration(chance: random.Random) -> str:
    """Return a random file."""
    lines = ["[supervisord]"]
    if chance.random() < 0.4:
        lines.append('environment=BASE="%(ENV_HOME)s",A=base')
    names = ["web", "work-er", "third"][: chance.randint(1, 3)]
    for name in names:
        lines.append(f"[program:{name}]")
        count = chance.choice([0, 1, 2, 5, 9])
        for option in ["command", *chance.sample([*VALUES][1:], count)]:
            values = VALUES[option]
            value = chance.choice(values[:1] if chance.random() < 0.5 else values)
            lines.append(f"{option}{chance.choice(['=', ' = ', ': '])}{value}")
    if chance.random() < 0.3:
        lines += ["[group:many]", f"programs={','.join(names[:2])}", "priority=3"]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_import_reads_what_supervisord_reads(seed: int, tmp_path: Path) -> None:
    """Process by process; what supervisord refuses is refused, with the line."""
    file = tmp_path / "supervisord.conf"
    file.write_text(configuration(random.Random(seed)))
    expected = original(file)
    try:
        made = read(str(file), ENVIRONMENT)
    except DeclarationError as error:
        assert isinstance(expected, str), f"{error}\n{file.read_text()}"
        assert error.line is not None
        return
    assert isinstance(expected, list), f"{expected}\n{file.read_text()}"
    compare(expected, made, file.read_text())


def compare(expected: list[dict[str, Any]], made: Imported, text: str) -> None:
    """Compare the processes, which are in another order."""
    assert len(expected) == len(made.services), text
    left = list(made.services)
    for process in expected:
        twins = [each for each in left if same(process, each)]
        assert twins, f"{process}\n{left}\n{text}"
        left.remove(twins[0])


def same(process: dict[str, Any], service: Service) -> bool:
    """Tell whether a declaration has all that supervisord says of a process."""
    return all(
        (
            service.name.endswith(process["name"]),
            runs(process, service),
            (process["environment"] or {}) == service.environment,
            user(process["uid"]) == user(service.user),
            process["directory"] in (None, service.working_directory),
            (18 if process["umask"] is None else process["umask"]) == int(service.umask, 8),
            process["autostart"] is not service.manual,
            restarts(process) == service_restarts(service),
            stops(process) == Schedule.parse(service.stop_schedule).steps[:3],
            logs(process, service),
        )
    )


def runs(process: dict[str, Any], service: Service) -> bool:
    """Tell whether the program, as it is found, and its arguments are the same."""
    first, *rest = process["argv"]
    if "/" in first:
        return str(service.executable).endswith(first) and rest == service.arguments
    found = shutil.which(first, path=ENVIRONMENT["PATH"])
    expected = ["/usr/bin/env", first, *rest] if found is None else [found, *rest]
    return expected == [service.executable, *service.arguments]


def user(name: int | str | None) -> int | None:
    """Return the number of an account."""
    import pwd

    if name is None or isinstance(name, int) or name.isdigit():
        return None if name is None else int(name)
    return pwd.getpwnam(name).pw_uid


def restarts(process: dict[str, Any]) -> list[bool]:
    """Return whether supervisord starts it again after each exit status, and after a signal."""
    if process["autorestart"] != "unexpected":
        return [process["autorestart"] == "always"] * 257
    return [*(status not in process["exitcodes"] for status in range(256)), True]


def service_restarts(service: Service) -> list[bool]:
    """Return the same of a declaration, by the rules of docs/reference/service.md."""
    policy = service.respawn
    ends = [
        status not in policy["normal_exit"] and (status != 0 or policy["when"] == "always")
        for status in range(256)
    ]
    return [each and policy["when"] != "never" for each in [*ends, True]]


def stops(process: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the first steps of its stop."""
    return [("send", process["stopsignal"]), ("wait", process["stopwaitsecs"]),
            ("send", signal.SIGKILL)]  # fmt: skip


def logs(process: dict[str, Any], service: Service) -> bool:
    """Tell whether the output goes to the same file of the same size."""
    path = process["stdout_logfile"]
    log = service.log
    if path in ("AUTO", None) or path.startswith("/dev/"):
        return True  # the tests of the translation have these
    size = process["stdout_logfile_maxbytes"]
    sizes = (max(size, 1000) if size else 0, process["stdout_logfile_backups"])
    # Several processes with one file get one each.
    named = path == log["path"] or service.name in Path(str(log["path"])).name
    return named and sizes == (log["max_size"], log["keep"])
