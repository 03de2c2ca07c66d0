"""The identity of a started program: users, groups, capabilities, root directory."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from .alone import MS_BIND, alone, mount, open_ways
from .processes import LONG, facts
from .programs import Ear, Program, Tool, recorded, spawn, teller

PIDFILE = "/run/stage/d.pid"
BOTH_WAYS = pytest.mark.parametrize(
    "where", [["--background"], []], ids=["background", "foreground"]
)

USERS = """\
root:x:0:0:root:/root:/bin/sh
walker:x:5001:5001:has a home:/run/home:/bin/sh
lonely:x:5002:5002:is in no group:/nonexistent:/bin/sh
"""
GROUPS = """\
root:x:0:
walker:x:5001:
lonely:x:5002:
crew:x:6000:walker
deck:x:6001:walker,somebody
"""

# Tries to be root again by every call there is, and prints what it has become.
_CLIMBER = """\
#!{python} -IS
import json, os

ways = {{
    "setuid": lambda: os.setuid(0), "seteuid": lambda: os.seteuid(0),
    "setreuid": lambda: os.setreuid(0, 0), "setresuid": lambda: os.setresuid(-1, -1, 0),
    "setgid": lambda: os.setgid(0), "setegid": lambda: os.setegid(0),
    "setregid": lambda: os.setregid(0, 0), "setresgid": lambda: os.setresgid(-1, -1, 0),
    "setgroups": lambda: os.setgroups([0]), "initgroups": lambda: os.initgroups("root", 0),
    "chroot": lambda: os.chroot("/"), "nice": lambda: os.nice(-1),
    "shadow": lambda: open("/run/stage/secret"), "pidfile": lambda: open("/run/stage/d.pid", "w"),
}}
open_ways = []
for name, way in ways.items():
    try:
        way()
    except PermissionError:
        continue
    open_ways.append(name)
with open({ear!r}, "w") as ear:
    print(json.dumps([os.getpid(), open_ways, os.getresuid(), os.getresgid()]), file=ear)
os.read(os.pipe()[0], 1)
"""


def accounts() -> None:
    """Give the namespace users and groups of its own."""
    os.makedirs("/run/etc", exist_ok=True)
    texts = {"passwd": USERS, "group": GROUPS, "nsswitch.conf": "passwd: files\ngroup: files\n"}
    for name, text in texts.items():
        Path(f"/run/etc/{name}").write_text(text)
        if os.path.exists(f"/etc/{name}"):
            mount(f"/run/etc/{name}", f"/etc/{name}", flags=MS_BIND)


@alone
@BOTH_WAYS
def test_root_cannot_be_regained(tool: Tool, where: list[str]) -> None:
    """A program started as a user has that user's rights only, and keeps no way back to root."""
    open_ways()
    accounts()
    os.mkdir("/run/stage")
    ear = Ear("/run/stage/ear")
    secret = Path("/run/stage/secret")
    secret.touch(0o600)
    climber = Path("/run/stage/climber")
    climber.write_text(_CLIMBER.format(python=sys.executable, ear=ear.path))
    climber.chmod(0o755)
    words = ["--make-pidfile", "--pidfile", PIDFILE, "--chuid", "walker", "--startas", climber]
    start = spawn(tool.path, "--start", *where, *words)
    pid, succeeded, uids, gids = json.loads(ear.line())
    assert ([], 3 * [5001], 3 * [5001]) == (succeeded, uids, gids)
    held = {name: int(value, 16) for name, value in facts(pid).items() if name[:3] == "Cap"}
    del held["CapBnd"]  # a limit, not a possession
    assert {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0} == held
    os.kill(pid, signal.SIGKILL)
    start.communicate(timeout=LONG)


# Options, then the user, the group and the supplementary groups that they mean.
IDENTITIES = [
    ("--chuid walker", 5001, 5001, [5001, 6000, 6001]),
    ("--chuid lonely", 5002, 5002, [5002]),
    ("--chuid 5001", 5001, 5001, [5001, 6000, 6001]),
    ("--chuid walker:crew", 5001, 6000, [6000, 6001]),
    ("--chuid walker:lonely", 5001, 5002, [5002, 6000, 6001]),
    ("--chuid walker --group root", 5001, 0, [0, 6000, 6001]),
    # The caller's groups, if the user is unknown or does not change.
    ("--group crew", 0, 6000, [7, 8]),
    ("--chuid root", 0, 0, [7, 8]),
    ("", 0, 0, [7, 8]),
]


@alone
@BOTH_WAYS
def test_program_has_the_groups_of_its_user_and_no_others(tool: Tool, where: list[str]) -> None:
    """All four user ids and group ids are the one that was asked for; groups are the account's."""
    accounts()
    program = Program()
    seen = []
    for options, *_ in IDENTITIES:
        words = [*where, "--pidfile", PIDFILE, *options.split(), "--startas", program.path]
        start = spawn(tool.path, "--start", *words, "--", *program.words, extra_groups=[7, 8])
        pid = program.started()
        is_now = facts(pid)
        (uid,), (gid,) = set(is_now["Uid"].split()), set(is_now["Gid"].split())
        groups = sorted(map(int, is_now["Groups"].split()))
        seen.append((options, int(uid), int(gid), groups))
        os.kill(pid, signal.SIGKILL)
        start.communicate(timeout=LONG)
    assert IDENTITIES == seen


# In a user namespace (user_namespaces(7)): the ids it maps, whether setgroups(2) is denied there,
# options, and the status, with the ids or the stage that has failed.
WITHOUT_ROOT, ONLY_WALKER = "1 1 65534", "5001 5001 1"
MAPPED = {
    "no root": (WITHOUT_ROOT, False, "--chuid walker", 0, "5001 5001 5001 5001"),
    "one id": (ONLY_WALKER, False, "--chuid walker", 0, "5001 5001 5001 5001"),
    "no root, and root asked for": (WITHOUT_ROOT, False, "--chuid root", 2, "set gid to 0"),
    "one id, and another": (ONLY_WALKER, False, "--chuid lonely", 2, "set gid to 5002"),
    "denied groups": (
        WITHOUT_ROOT,
        True,
        "--chuid walker",
        2,
        "set initgroups() with gid 5001|initialize user groups with gid 5001",
    ),
    "denied groups, and a group": (WITHOUT_ROOT, True, "--group walker", 0, "65534"),
}
_WAIT_FOR_MAPS = 'echo; read -r _; exec "$@"'
_START = """
import sys, ssd
command = ssd.Command(sys.argv[2:], user=sys.argv[1])
ssd.start(ssd.Match(name="nobody"), command, background=False).wait()
"""
SHOW = ["/bin/sed", "-n", "s/^Uid:[[:space:]]*//p", "/proc/self/status"]


def in_user_namespace(ids: str, deny: bool, words: list[str]) -> tuple[int, str, str]:
    """Run a command with all capabilities in a user namespace; return its status and texts."""
    unshare = ["unshare", "--user", "--keep-caps", "sh", "-c", _WAIT_FOR_MAPS, "sh", *words]
    command = spawn(*unshare, stdin=subprocess.PIPE)
    assert command.stdout is not None
    if command.stdout.readline() != "\n":
        pytest.skip(f"no user namespace: {command.communicate()[1]}")
    if deny:
        Path(f"/proc/{command.pid}/setgroups").write_text("deny")
    for name in ("gid_map", "uid_map"):
        Path(f"/proc/{command.pid}/{name}").write_text(ids)
    said, wrong = command.communicate("\n", timeout=LONG)
    return command.returncode, " ".join(said.split()), wrong


@alone
@pytest.mark.parametrize("case", MAPPED)
def test_user_namespace_allows_a_mapped_user(tool: Tool, case: str) -> None:
    """Without a mapped root there is no root to regain; an unmapped user is an error."""
    open_ways()
    accounts()
    ids, deny, options, expected, shown = MAPPED[case]
    words = [tool.path, "--start", "--name", "nobody", *options.split(), "--startas", SHOW[0]]
    status, said, wrong = in_user_namespace(ids, deny, [*words, "--", *SHOW[1:]])
    assert expected == status, wrong
    # The words since dpkg 1.23 are after the bar.
    assert any(text in (wrong if expected else said) for text in shown.split("|")), wrong


@alone
def test_library_starts_as_a_user_where_root_is_not_mapped() -> None:
    """A helper does it, with the same proof."""
    open_ways()
    accounts()
    words = [sys.executable, "-c", _START, "walker", *SHOW]
    assert (0, "5001 5001 5001 5001", "") == in_user_namespace(WITHOUT_ROOT, False, words)


WALKER, ROOT = 5001, 0
# Real, effective and saved ids that are not the same, as a set-user-ID program has them.
DIVIDED = [[WALKER, ROOT, ROOT], [ROOT, WALKER, WALKER]]


@alone
@BOTH_WAYS
@pytest.mark.parametrize("ids", DIVIDED, ids=["by a bit", "for a while"])
def test_program_has_the_callers_ids_without_a_change_of_user(
    tool: Tool, ids: list[int], where: list[str]
) -> None:
    """Real and effective ids stay, also of a set-user-ID root and after dropped ids."""
    open_ways()
    accounts()
    os.mkdir("/run/stage")
    ear = Ear("/run/stage/ear")
    words = [*where, "--name", "nobody", "--startas", teller(ear)]
    start = spawn(tool.path, "--start", *words, preexec_fn=lambda: os.setresuid(*ids))
    pid, uids, gids = json.loads(ear.line())
    assert (ids, 3 * [ROOT]) == (uids, gids)
    os.kill(pid, signal.SIGKILL)
    start.communicate(timeout=LONG)


def small_root() -> str:
    """Make a directory that serves as a root: the system's programs, and nothing else of it."""
    root = "/run/jail"
    for name in ("bin", "lib", "lib32", "lib64", "usr"):
        if os.path.islink(f"/{name}"):
            os.makedirs(root, exist_ok=True)
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
        elif os.path.isdir(f"/{name}"):
            os.makedirs(f"{root}/{name}")
            mount(f"/{name}", f"{root}/{name}", flags=MS_BIND)
    return root


@alone
@BOTH_WAYS
def test_changed_root_has_no_way_out(tool: Tool, where: list[str]) -> None:
    """Root, directory and descriptors of the program are in its new root; the pidfile is not."""
    root = small_root()
    program = Program(directory=f"{root}/stage")
    inside = program.path.removeprefix(root)
    script = Path(program.words[0])
    script.write_text(script.read_text().replace(root, ""))
    os.mkdir("/run/stage")
    words = ["--make-pidfile", "--pidfile", PIDFILE, "--chroot", root, "--chdir", "/stage"]
    words += ["--startas", inside, "--", str(script).removeprefix(root)]
    start = spawn(tool.path, "--start", *where, *words)
    pid = program.started()
    assert pid == recorded(PIDFILE)
    place = Path(f"/proc/{pid}")
    assert [root, f"{root}/stage"] == [os.readlink(place / "root"), os.readlink(place / "cwd")]
    assert not [link for link in (place / "fd").iterdir() if link.is_dir()]
    os.kill(pid, signal.SIGKILL)
    start.communicate(timeout=LONG)


@alone
@BOTH_WAYS
def test_program_of_a_user_may_have_a_lower_nice_value(tool: Tool, where: list[str]) -> None:
    """Niceness, scheduling and I/O class that only root may give stay with the user's program."""
    accounts()
    program = Program()
    more = ["--nicelevel", "-7", "--procsched", "rr:5", "--iosched", "real-time:2"]
    words = ["--pidfile", PIDFILE, "--chuid", "walker", *more, "--startas", program.path]
    start = spawn(tool.path, "--start", *where, *words, "--", *program.words)
    pid = program.started()
    assert max(-20, os.nice(0) - 7) == os.getpriority(os.PRIO_PROCESS, pid)
    assert (os.SCHED_RR, 5) == (os.sched_getscheduler(pid), os.sched_getparam(pid).sched_priority)
    assert psutil.Process(pid).ionice() == (psutil.IOPRIO_CLASS_RT, 2)
    os.kill(pid, signal.SIGKILL)
    start.communicate(timeout=LONG)


@alone
def test_few_descriptors_take_no_group_away(ssd: Tool) -> None:
    """The limit is for the program: initgroups(3), which opens files, comes before it."""
    accounts()
    os.mkdir("/run/stage")
    ear = Ear("/run/stage/ear")
    words = ["--background", "--output", ear.path, "--limit", "nofile=4", "--chuid", "walker"]
    words += ["--pidfile", PIDFILE, "--startas", "/bin/grep", "--", "Groups", "/proc/self/status"]
    assert 0 == ssd("--start", *words).returncode
    assert ["Groups:", "5001", "6000", "6001"] == ear.line().split()


@alone
@BOTH_WAYS
def test_program_holds_no_lock(ssd: Tool, where: list[str]) -> None:
    """The lock of its start is released when it runs, and no descriptor of it is left."""
    program = Program()
    words = ["--pidfile", PIDFILE, "--startas", program.path, "--", *program.words]
    start = spawn(ssd.path, "--start", *where, "--make-pidfile", *words)
    pid = program.started()
    kinds = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    assert not [kind for kind in kinds if "lock" in kind or kind.startswith("/run/stage/d.pid")]
    assert "already running" in ssd("--start", *words).stdout
    os.kill(pid, signal.SIGKILL)
    start.communicate(timeout=LONG)
