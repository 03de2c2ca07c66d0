"""Capabilities, securebits and no_new_privs of real programs, as the kernel tells them."""

import errno
import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from kit.children import NOBODY
from kit.users import NOBODY as UID
from kit.users import as_nobody, shared, skip_without_nobody

import ssd
from ssd import Command
from ssd.accounts import Account
from ssd.errors import StartFailed
from ssd.starting.rare import privileges
from ssd.starting.rare.steps import before_root
from ssd.surroundings.capability_calls import capget

STATUS = "grep -E '^(Cap|NoNew)' /proc/self/status"
KILL, BIND, ADMIN = 1 << 5, 1 << 10, 1 << 21
REFUSED = """
import ssd
command = ssd.Command(["/bin/echo", "it runs"], **{fields})
try:
    ssd.start(ssd.Match(name="none"), command, background=False)
except ssd.StartFailed as error:
    print(error.stage, error.errno)
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these are features of Linux")


def told(lines: str) -> dict[str, int]:
    """Read fields of /proc/PID/status: their names without Cap, in lower case."""
    pairs = (line.split() for line in lines.splitlines())
    return {name.strip(":").removeprefix("Cap").lower(): int(bits, 16) for name, bits in pairs}


def start(text: str, **fields: Any) -> str:
    """Start a shell as a child of this process, by the library; return what it prints."""
    reading, writing = os.pipe()
    try:
        command = Command(["/bin/sh", "-c", text], **fields)
        child = ssd.start(NOBODY, command, background=False, stdio=(0, writing, 2))
    finally:
        os.close(writing)
    with child, open(reading) as output:
        printed = output.read()
        assert 0 == child.wait()
    return printed


@pytest.mark.requires_root
def test_daemon_of_a_user_has_what_is_ambient_and_no_more(ssd: Run, tmp_path: Path) -> None:
    """After the change of user; what is blocked is out of the bounding set, and nothing is gained.

    setpriv(1) agrees, and knows the securebits.
    """
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv(1) is missing: apt-get install util-linux")
    pidfile, output, done = tmp_path / "pid", tmp_path / "output", tmp_path / "done"
    os.mkfifo(done)
    done.chmod(0o666)
    with shared(tmp_path, 0o755):
        ssd(
            *f"--start --background --make-pidfile --pidfile {pidfile} --output {output}".split(),
            *f"--chuid {UID} --no-new-privs --securebits noroot,no-setuid-fixup".split(),
            *"--capabilities ^cap_net_bind_service,!cap_sys_admin --startas /bin/sh --".split(),
            *("-c", f"exec 3> {done}; setpriv --dump; {STATUS}"),
            check=True,
        )
        done.read_text()  # until the daemon has ended
    text = output.read_text()
    dump, _, rest = text.partition("CapInh")
    found = told(f"CapInh{rest}")
    assert {BIND} == {found[name] for name in ("inh", "prm", "eff", "amb")}
    assert (0, 1) == (found["bnd"] & ADMIN, found["nonewprivs"])
    assert "\nSecurebits: noroot,no_setuid_fixup\n" in dump
    assert "\nAmbient capabilities: net_bind_service\n" in dump
    assert f"uid: {UID}\n" in dump


@pytest.mark.requires_root
def test_root_loses_what_is_blocked() -> None:
    """It has all others; none but the named ones are inheritable, or ambient."""
    found = told(start(STATUS, capabilities="!kill,%cap_net_bind_service"))
    assert (BIND, 0) == (found["inh"], found["amb"])
    assert capget()[1] & ~KILL == found["eff"] == found["bnd"]
    assert 0 == found["nonewprivs"]


@pytest.mark.requires_root
def test_securebits_alone_leave_a_user_without_capabilities() -> None:
    """Though ssd keeps its own over the change of user, to set them."""
    found = told(start(STATUS, user=UID, securebits="noroot-locked"))
    assert (0, 0, 0) == (found["prm"], found["eff"], found["amb"])


@pytest.mark.requires_root
def test_ambient_capabilities_come_before_what_forbids_them() -> None:
    """Securebits, which are set later, are about what the program does."""
    bits = "no-cap-ambient-raise no-cap-ambient-raise-locked"
    found = told(start(STATUS, user=UID, capabilities="^cap_kill", securebits=bits))
    assert (KILL, KILL) == (found["amb"], found["eff"])


@pytest.mark.requires_root
def test_program_is_looked_at_as_its_user(tmp_path: Path) -> None:
    """ssd's own capabilities, which it keeps until then, do not execute what the user may not."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    command = Command([program], user=UID, capabilities="^cap_kill", securebits="noroot")
    with shared(tmp_path, 0o755), pytest.raises(StartFailed) as caught:
        ssd.start(NOBODY, command, background=False)
    assert ("exec", errno.EACCES) == (caught.value.stage, caught.value.errno)


@pytest.mark.requires_root
def test_ambient_capabilities_of_the_caller_are_replaced(run: Run, ssd_path: Path) -> None:
    """One that is named as inheritable alone does not stay ambient."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv(1) is missing: apt-get install util-linux")
    words = "--start --pidfile /dev/null --capabilities %kill --startas /bin/grep -- Cap".split()
    caller = ["setpriv", "--inh-caps", "+kill", "--ambient-caps", "+kill"]
    done = run(*caller, ssd_path, *words, "/proc/self/status", check=True)
    found = told(done.stdout)
    assert (KILL, 0) == (found["inh"], found["amb"])


@pytest.mark.requires_root
@pytest.mark.parametrize("fields", [{"capabilities": "^cap_kill"}, {"securebits": "noroot"}])
def test_user_cannot_give_what_it_does_not_have(fields: dict[str, str], run: Run) -> None:
    """The start fails with the stage, and the program does not run."""
    skip_without_nobody()
    done = run(sys.executable, "-c", REFUSED.format(fields=fields), **as_nobody())
    assert f"{next(iter(fields))} 1\n" == done.stdout, done.stderr


@pytest.mark.parametrize("fields", [{}, {"no_new_privs": True}])
def test_anybody_may_forbid_new_privileges(fields: dict[str, bool]) -> None:
    """And nothing else changes."""
    found = told(start(STATUS, **fields))
    assert int(bool(fields)) == found["nonewprivs"]
    assert capget()[1] == found["prm"]


LATE = """
import resource, sys
from ssd.accounts import Account
from ssd.starting import become
from ssd.starting.command import Command
for fields in ({"limits": {resource.RLIMIT_NOFILE: (0, 0)}}, {"no_new_privs": True},
               {"oom_score_adj": 5}, {"capabilities": "^cap_kill", "securebits": "noroot"}):
    command = Command(["/bin/true"], **fields)
    from ssd.starting.rare.steps import before_exec, before_root
    list(before_root(command, Account(None, None), {}, None, print))
    before = set(sys.modules)
    list(before_exec(command))
    print(set(sys.modules) - before)
"""


def test_all_modules_are_loaded_before_the_change_of_root(run: Run) -> None:
    """The new root has none, and the new user may not read them."""
    done = run(sys.executable, "-c", LATE)
    assert ("set()\n" * 4, "") == (done.stdout, done.stderr)


# the hard limit of this process, the one that is wanted, and what is set before a change of user
ALLOWED = [(7, 9, (5, 9)), (7, 7, None), (7, 6, None), (7, -1, (5, -1)), (-1, 7, None)]


@pytest.mark.parametrize(("hard", "wanted", "made"), ALLOWED)
def test_hard_limit_is_raised_while_root_may(
    hard: int, wanted: int, made: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the soft one stays, so that ssd can do the rest; -1 is unlimited."""
    done: list[object] = []
    monkeypatch.setattr(resource, "getrlimit", lambda number: (5, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda number, limit: done.append(limit))
    limits = {resource.RLIMIT_NOFILE: (0, wanted), resource.RLIMIT_NPROC: (1, 2)}
    steps = before_root(Command(["/x"], limits=limits), Account(None, None), {}, None, print)
    for stage, _, function, arguments in steps:
        assert "limit" == stage
        function(*arguments)
    assert ([made] if made else []) + [(1, 2)] == done  # setuid(2) looks at that of processes


def test_capability_that_the_kernel_lacks_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel would ignore it. The names of a later one are tried on the last bit."""
    names = [f"later_{bit}" for bit in range(63)]
    monkeypatch.setattr("ssd.surroundings.capabilities.CAPABILITIES", (*names, "newest"))
    monkeypatch.setattr(privileges, "CAPABILITIES", (*names, "newest"))
    command = Command(["/bin/true"], capabilities="!newest")
    (stage, detail, function, arguments), *_ = privileges.before_user(command)
    with pytest.raises(OSError, match="this kernel does not have it"):
        function(*arguments)
    assert ("capabilities", "cap_newest") == (stage, detail)


def test_score_of_the_caller_is_taken_back(run: Run, ssd_path: Path) -> None:
    """A score of 0 is one, too; and a variable needs no login."""
    own = Path("/proc/self/oom_score_adj").read_text().strip()
    words = f"--start --pidfile /dev/null --env A=1 --oom-score-adj {own} --startas /bin/sh --"
    script = f'echo $(({own} + 5)) > /proc/$$/oom_score_adj && exec "$@"'
    program = 'echo "$A $(cat /proc/self/oom_score_adj)"'
    done = run("/bin/sh", "-c", script, "sh", ssd_path, *words.split(), "-c", program)
    assert (f"1 {own}\n", "") == (done.stdout, done.stderr)


def test_missing_file_of_the_score_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a system that is not Linux, or without /proc."""
    monkeypatch.setattr("ssd.starting.rare.steps.OOM_SCORE_ADJ", "/no/such")
    command = Command(["/x"], oom_score_adj=5)
    ((_, _, function, arguments),) = before_root(command, Account(None, None), {}, None, print)
    with pytest.raises(OSError, match="this system has no /no/such"):
        function(*arguments)


def test_score_is_adjusted_and_a_refusal_is_an_error() -> None:
    """A higher one by anybody; the stage of a failure is its own."""
    own = int(Path("/proc/self/oom_score_adj").read_text())
    assert f"{own + 1}\n" == start("cat /proc/self/oom_score_adj", oom_score_adj=own + 1)
    if capget()[0] >> 24 & 1 or own == -1000:
        return  # CAP_SYS_RESOURCE
    with pytest.raises(StartFailed) as caught:
        start(":", oom_score_adj=-1000)
    assert ("oom", "-1000") == (caught.value.stage, caught.value.detail)
