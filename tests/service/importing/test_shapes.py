"""Init scripts of every shape that the field has: the import starts what the script starts.

Each daemon is started by its script with the real start-stop-daemon, and by ssd-service from the
declaration that was made of the script; the kernel must say the same of both.
"""

import json
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kit import namespace

SHAPES = Path(__file__).parent / "shapes"
MACHINE = Path(__file__).parent / "machine.py"
NAMES = sorted(file.name for file in SHAPES.iterdir() if file.is_file())
NEEDED = ("start-stop-daemon", "dash", "bash", "su", "runuser", "setpriv", "ionice", "setsid", "ps")
FILES = ("/lib/lsb/init-functions", "/lib/init/init-d-script")
USERS = "daemon sys games man lp mail uucp proxy backup list irc".split()
# Fields that the kernel does not show, or only in part.
FIELDS: dict[str, dict[str, object]] = {
    "skeleton": {"pidfile": "/var/run/skeleton.pid", "required_start": ["$remote_fs", "$syslog"]},
    "openstack": {"user": "games", "working_directory": "/var/lib/cloud"},
    "reload-hup": {"reload_signal": "USR1", "stop_schedule": "QUIT/5/TERM/3/KILL/2"},
    "redhat-plain": {"reload_signal": "HUP", "nice": 5, "background": False},
    "signal-int": {"stop_schedule": "INT/30"},
    "kill-cat": {"reload_signal": "HUP"},
    "setuidgid": {"stop_schedule": "TERM/10/KILL/10"},
    "lsb-functions": {"default_stop": ["0", "1", "2", "6"], "reload_signal": "HUP"},
    "by-name": {"process_name": "bynamed"},
    "no-close": {"output": "/var/log/no-close.log"},
    "scheduling": {"io_scheduling": "best-effort:6"},
    "su": {"pidfile": "/run/su-shape.pid", "output": "/var/log/su-shape.log"},
}
# What an import of a shape must say that it did not see, or that is lost.
NOTES = {
    "two-daemons": "/srv/two-daemons/record --worker",
    "enabled": "reads /etc/default/enabled",
    "skeleton": "reads /etc/default/rcS, which is not here",
    "setsid": "/var/log/setsid.log",
    "own-daemon": "does not wait for the end",
}


def obstacle() -> str | None:
    """Return why the shapes cannot be started here; None if they can."""
    for name in NEEDED:
        if shutil.which(name) is None:
            return f"{name} is missing"
    for file in FILES:
        if not Path(file).exists():
            return f"{file} is missing: apt-get install sysvinit-utils"
    known = {entry.pw_name for entry in pwd.getpwall()}
    if not known.issuperset(USERS):
        return f"there are no users {', '.join({*USERS} - known)}"
    return namespace.obstacle()


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Any]]:
    """Return what was seen of each shape."""
    reason = obstacle()
    if reason is not None:
        pytest.skip(reason)
    words = namespace.command([sys.executable, str(MACHINE), *NAMES])
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert 0 == done.returncode, done.stderr
    return {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}


def test_corpus_has_the_shapes_of_the_field() -> None:
    """Thirty at least, each with a word on what it is about."""
    assert len(NAMES) >= 30
    assert [] == [name for name in NAMES if "# Shape: " not in (SHAPES / name).read_text()]
    assert {*FIELDS, *NOTES} <= {*NAMES}


@pytest.mark.requires_root
@pytest.mark.parametrize("name", NAMES)
def test_shape_is_started_as_its_script_does(name: str, told: dict[str, Any]) -> None:
    """Same user, groups, directory, umask, environment, arguments, limits, scheduling, output."""
    seen = told[name]
    assert [] == seen["failures"]
    by_argv = {str(each["argv"]): each for each in seen["script"]}
    declared = seen["declared"][0]
    script = by_argv[str(declared["argv"])]
    differ = [key for key in declared if declared[key] != script[key]]
    assert [] == [(key, declared[key], script[key]) for key in differ]
    fields = {field: seen["fields"].get(field) for field in FIELDS.get(name, {})}
    assert FIELDS.get(name, {}) == fields
    assert NOTES.get(name, "") in seen["notes"]
