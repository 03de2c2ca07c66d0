"""Plain init scripts run as the machine's service(8) runs them."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from kit.children import python
from kit.users import skip_without_nobody

import ssd

from . import machine

PATH = "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin"
RICH = {
    "PATH": f"/opt/bin:{PATH}", "LANG": "de_DE.UTF-8", "LANGUAGE": "de:en", "LC_ALL": "C.UTF-8",
    "LC_TIME": "C", "LC_CTYPE": "C", "TERM": "vt100", "HOME": "/root", "SECRET": "x", "DAEMON": "y",
    "IFS": "x", "LC_UNKNOWN": "z", "PWD": "/somewhere", "LD_X": "1", "XDG_RUNTIME_DIR": "/x",
}  # fmt: skip
ODD_BYTES = {"PATH": PATH, "LANG": os.fsdecode(b"\xff\xfe"), "LC_PAPER": "a b\nc"}
BOOTED = {"/run/systemd/system/x": "", "/tmp/early": "0", "/tmp/can-reload": "CanReload=yes\n"}
FIXED = {**BOOTED, "/tmp/can-reload": "CanReload=no\n"}
EARLY = {**BOOTED, "/tmp/early": "1"}

CASES: dict[str, dict[str, Any]] = {
    "start": {"words": ["teller", "start"]},
    "no-verb": {"words": ["teller"]},
    "options": {"words": ["teller", "start", "one", "--two", "-3"]},
    "unknown-verb": {"words": ["teller", "frobnicate"]},
    "space-in-name": {"words": ["name with space", "status"]},
    "foreign-name": {"words": ["näme", "status"]},
    "hidden": {"words": [".hidden", "status"]},
    "suffix": {"words": ["teller.sh", "status"]},
    "link": {"words": ["link", "status"]},
    "dangling-link": {"words": ["dangling", "status"]},
    "unknown": {"words": ["nobody-knows", "start"]},
    "unknown-no-verb": {"words": ["nobody-knows"]},
    "unknown-odd-name": {"words": ["odd\nname %s", "start"]},
    "not-executable": {"words": ["not-executable", "start"]},
    "only-executable-nobody": {"words": ["only-executable", "start"], "nobody": True},
    "nobody": {"words": ["teller", "start"], "nobody": True},
    "no-first-line": {"words": ["no-first-line", "start", "a b".split()[0]]},
    "no-interpreter": {"words": ["no-interpreter", "start"], "own_stderr": True},
    "empty": {"words": ["empty", "start"]},
    "binary": {"words": ["binary", "one", "two"]},
    "killed": {"words": ["killed", "start"]},
    "input": {"words": ["listener", "start"], "input": "a line\n"},
    "loud": {"words": ["loud", "start"]},
    **{f"exit-{n}": {"words": [f"exit-{n}", "start"]} for n in (0, 1, 2, 3, 5, 150)},
    "full-restart": {"words": ["exit-0", "--full-restart"]},
    "full-restart-fails": {"words": ["exit-5", "--full-restart"]},
    "full-restart-stop-fails": {"words": ["stop-fails", "--full-restart"]},
    "full-restart-unknown": {"words": ["nobody-knows", "--full-restart"]},
    "full-restart-environment": {"words": ["teller", "--full-restart"], "environment": RICH},
    "environment": {"words": ["teller", "x"], "environment": RICH},
    "environment-bytes": {"words": ["teller", "x"], "environment": ODD_BYTES},
    "environment-bare": {"words": ["teller", "x"], "environment": {"PATH": PATH}},
    "environment-no-path": {"words": ["teller", "x"], "environment": {"LANG": "C"}},
    "environment-c-locale": {"words": ["teller", "x"], "environment": {"PATH": PATH, "LC_ALL": ""}},
    "umask": {"words": ["teller", "x"], "before": "umask 077"},
    "ignored-signals": {"words": ["teller", "x"], "before": "trap '' HUP TERM"},
    "ignored-deaths": {"words": ["exit-5", "--full-restart"], "before": "trap '' CHLD"},
    "closed-input": {"words": ["teller", "x"], "closed": [0]},
    "closed-output": {"words": ["exit-3", "x"], "closed": [1]},
    "closed-error": {"words": ["nobody-knows", "x"], "closed": [2]},
    "closed-all": {"words": ["exit-3", "--full-restart"], "closed": [0, 1, 2]},
    **{
        f"systemd-{verb or 'none'}{suffix}": {"words": ["teller", *verb.split()], "files": files}
        for verb in ("", "start", "stop", "restart", "status", "try-restart", "reload",
                     "force-reload", "force-stop", "--full-restart", "other verb")
        for suffix, files in (("", BOOTED), ("-fixed", FIXED), ("-early", EARLY))
    },
    "systemd-suffix": {"words": ["teller.sh", "restart"], "files": BOOTED},
    "systemd-unit-only": {"words": ["unit-only", "status"], "files": BOOTED},
    "systemd-unknown-verb": {"words": ["unit-only", "frobnicate"], "files": BOOTED},
    "openrc-start": {"words": ["exit-0", "start"], "files": {"/run/openrc/started/x": ""}},
    "openrc-again": {"words": ["teller", "start"], "links": ["/run/openrc/started/teller"]},
    "openrc-stop": {"words": ["teller", "stop"], "links": ["/run/openrc/started/teller"]},
    "openrc-status": {"words": ["exit-0", "status"], "files": {"/run/openrc/started/x": ""}},
    "status-all": {"words": ["--status-all"], "answers": True, "environment": RICH},
    "status-all-plain": {"words": ["--status-all"], "answers": True},
    "status-all-nobody": {"words": ["--status-all"], "answers": True, "nobody": True},
    "status-all-closed": {"words": ["--status-all"], "answers": True, "closed": [0]},
    "status-all-none": {"words": ["--status-all"], "bare": True},
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes() -> machine.Outcomes:
    """Return the outcome of every case, with service(8) and with ssd-service."""
    return machine.compared(CASES)


@pytest.mark.differential
@pytest.mark.parametrize("name", CASES)
def test_outcome_is_that_of_service8(name: str, outcomes: machine.Outcomes) -> None:
    """Same exit status, output, input of the script, and remaining files."""
    if machine.hindered(CASES[name]):
        skip_without_nobody()
    expected, actual = outcomes[name]["original"], outcomes[name]["ssd"]
    if CASES[name].get("own_stderr"):
        del expected["stderr"], actual["stderr"]
    # The shell of service(8) prints this for a script that was killed.
    elif expected["stderr"].endswith("\nKilled\n"):
        expected["stderr"] = expected["stderr"].removesuffix("Killed\n")
    if "stderr" in expected:  # its own grep's, since 1.69: it does not quote the name
        expected["stderr"] = re.sub(r"^grep: .*\n", "", expected["stderr"], flags=re.MULTILINE)
    assert expected == actual


def test_plain_script_is_run_without_anything_heavy() -> None:
    """The script's own shell takes long enough."""
    code = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from ssd.service.initscripts import cli as command
command.prepare("/etc/init.d/x", ["status"])
print(*(set(sys.modules) - before))
"""
    home = str(Path(str(ssd.__file__)).parent.parent)
    loaded = set(python(code, home, flags=("-I", "-S")).stdout.decode().split())
    assert "ssd.service.initscripts.cli" in loaded
    assert set() == loaded & {"re", "enum", "typing", "subprocess", "shlex", "shutil", "contextlib"}
