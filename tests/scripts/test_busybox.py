"""What users run works with BusyBox alone: its sh, and its applets in place of GNU's tools.

The directories of programs hold nothing but BusyBox and Python, so that an option of GNU's, or a
feature of another shell, fails.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit import busybox
from kit.children import WAIT_TIMEOUT

from ssd.service.declaration import Service
from ssd.service.generators import openrc, systemd, sysv, upstart

COMMANDS = ("ssd", "ssd-service", "ssd-supervise", "ssd-initctl")
# A service that needs all that a generated file can do before and after a start.
NAP = Service(
    name="nap", executable="/bin/sleep", arguments=["1000"], umask="077",
    directories=[{"path": "/run/nap/a b", "mode": "2750", "user": "daemon"}],
    before_start="echo before > /run/hooks", after_stop="echo after >> /run/hooks",
    readiness={"kind": "command", "command": ["test", "-e", "/run/hooks"], "timeout": 30},
)  # fmt: skip
LIFE = """
say() { "$@" > /tmp/said 2>&1; echo "script ${2-} $?: $(cat /tmp/said)"; }
"""

Run = Callable[..., str]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with BusyBox and Python."""
    directory = tmp_path_factory.mktemp("busybox")
    directory.chmod(0o755)
    return busybox.programs(directory)


@pytest.fixture
def run(programs: Path, tmp_path: Path, ssd_path: Path) -> Run:
    """Return a function that runs lines of BusyBox's sh; it returns their output.

    $0 is a directory for the test with links to the commands, which PATH begins with. $1, ... are
    further words. All else comes from BusyBox.
    """
    for name in COMMANDS:
        (tmp_path / name).symlink_to(ssd_path.with_name(name))

    def run(lines: str, *words: object, status: int = 0) -> str:
        argv = ["sh", "-c", lines, str(tmp_path), *map(str, words)]
        done = subprocess.run(
            busybox.command(argv, programs, keep=[tmp_path, ssd_path.parent.parent]),
            env={"PATH": f"{tmp_path}:{busybox.PATH}"},
            capture_output=True, text=True, timeout=WAIT_TIMEOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert (status, "") == (done.returncode, done.stderr)
        return done.stdout

    return run


def test_nothing_else_is_there(run: Run) -> None:
    """The other tests would not notice a tool of GNU's that is left."""
    assert "busybox\n" == run('basename "$(readlink -f /bin/sh)"')
    left = {
        os.path.basename(line) for line in run("find /bin/ /usr/sbin/ ! -type l ! -type d").split()
    }
    assert {"busybox", os.path.basename(os.path.realpath(sys.executable))} == left


def test_commands_start_through_links(run: Run) -> None:
    """Each finds its file, its interpreter and the package."""
    for name in COMMANDS[:3]:
        assert run(f"{name} --version").startswith(f"{name} ")
    assert run("ssd-initctl --version").startswith("ssd-initctl")
    assert "1\n3\n" == run("ssd-service none status 2> /dev/null; echo $(($? != 0)); "
                           "ssd --status --pidfile /run/none; echo $?")  # fmt: skip


def test_launchers_say_what_is_missing(run: Run, tmp_path: Path, checkout: Path) -> None:
    """Without a Python the status gives no answer, and one line says why."""
    for name in ("ssd-service", "ssd-supervise", "ssd-initctl", "start-stop-daemon"):
        shutil.copy(checkout / "scripts" / name, tmp_path / f"{name}.alone")
    (tmp_path / "ssd").unlink()  # its line 1 names a Python, which may be outside of /usr
    lines = """mv /usr/bin/python3 /usr/bin/hidden 2> /dev/null
    for each in ssd-service ssd-supervise ssd-initctl start-stop-daemon; do
        ln -s "$0/$each.alone" "/tmp/$each"
        "/tmp/$each" --status 2> /tmp/said; echo $?
        wc -l < /tmp/said
    done
    mv /usr/bin/hidden /usr/bin/python3"""
    assert ["1", "1"] * 3 + ["4", "1"] == run(lines).split()


def test_start_stop_daemons_place_is_taken(run: Run, tmp_path: Path, ssd_path: Path) -> None:
    """The file that stands there runs ssd, directly and through a link."""
    shutil.copy(ssd_path.parent.parent / "share/ssd/start-stop-daemon", tmp_path / "in-place")
    lines = 'ln -s "$1" /tmp/start-stop-daemon; /tmp/start-stop-daemon --status -p /none; echo $?'
    assert "3\n" == run(lines, ssd_path.parent.parent / "share/ssd/start-stop-daemon")
    lines = '"$0/in-place" -S -b -m -p /run/p -a /bin/sleep -- 1000 && "$0/in-place" -K -p /run/p'
    assert "" == run(lines)


DAEMON = """
printf '#!/bin/sh\\nexec sleep 1000\\n' > /tmp/daemon; chmod 755 /tmp/daemon
"""
SERVICE_LIFE = (
    LIFE
    + """
S=$1
say "$S" status; say "$S" start; first=$(cat "$P"); say "$S" start; say "$S" status
[ "$first" = "$(cat "$P")" ] && echo the same
say "$S" restart; [ "$first" != "$(cat "$P")" ] && echo another
say "$S" stop; [ -e "$P" ] || echo no pidfile
say "$S" status; say "$S" nonsense
"""
)


def statuses(text: str) -> list[str]:
    """Return the verb and the status of each line that has them; other lines as they are."""
    said = [line.removeprefix("script ") for line in text.splitlines()]
    return [line.partition(":")[0] if "script " in text else line for line in said]


LIVED = ["status 3", "start 0", "start 0", "status 0", "the same",
         "restart 0", "another", "stop 0", "no pidfile", "status 3", "nonsense 3"]  # fmt: skip


@pytest.mark.packages
@pytest.mark.requires_root
def test_init_script_of_nova_lives(run: Run, checkout: Path, ssd_path: Path) -> None:
    """It makes its directories, starts, answers, starts again and stops, with our functions."""
    lines = f"""export ROOT_DIR=/run/root DAEMON=/tmp/daemon SYSTEM_USER=daemon READY_SIGNAL=
    export LSB_FUNCTIONS={ssd_path.parent.parent}/share/ssd/init-functions
    P=/run/root/var/run/nova/nova-compute.pid{DAEMON}{SERVICE_LIFE}
    ls -ld /run/root/var/lib/nova | awk '{{ print $3 }}'; "$S" show-args"""
    *given, words = statuses(run(lines, checkout / "scripts/nova-compute"))
    assert ([*LIVED, "daemon"], "/tmp/daemon") == (given, words.split()[0])


@pytest.mark.packages
@pytest.mark.requires_root
def test_declared_script_of_nova_lives(run: Run, checkout: Path) -> None:
    """Its interpreter is ssd-service, which env(1) finds."""
    lines = f"""export ROOT_DIR=/run/root DAEMON=/tmp/daemon SYSTEM_USER=daemon READY_SIGNAL=
    P=/run/root/var/run/nova/nova-compute.pid{DAEMON}{SERVICE_LIFE}"""
    assert LIVED == statuses(run(lines, checkout / "scripts/nova-compute-declared"))


@pytest.mark.packages
@pytest.mark.requires_root
def test_generated_init_script_lives(run: Run, tmp_path: Path) -> None:
    """With a directory to make, hooks and a readiness."""
    script = tmp_path / "nap"
    script.write_text(sysv.generate(NAP).text())
    script.chmod(0o755)
    lines = f"""P=/run/nap.pid{SERVICE_LIFE}
    cat /run/hooks; stat -c '%a %U' '/run/nap' '/run/nap/a b'"""
    given = run(lines, script)
    assert [*LIVED, "after", "755 root", "2750 daemon"] == [
        *statuses(given)[:-4],
        *given.splitlines()[-3:],
    ]


@pytest.mark.requires_root
def test_generated_files_make_their_directories(run: Run) -> None:
    """A unit's ExecStartPre and a job's pre-start, with a mode, an owner and a space."""
    (line,) = [line for line in upstart.generate(NAP).text().splitlines() if "mkdir" in line]
    words = 'sh -e -c "$1" sh "/run/unit/a b" 2750 daemon:; sh -ec "$2"; '
    shown = "stat -c '%a %U %G' /run/unit '/run/unit/a b' /run/nap '/run/nap/a b'"
    expected = ["755 root root", "2750 daemon daemon"]
    assert expected * 2 == run(words + shown, systemd.MAKE, line).splitlines()


def test_generated_run_script_can_be_parsed(run: Run, tmp_path: Path) -> None:
    """OpenRC runs it by sh, which is BusyBox's on Alpine."""
    (tmp_path / "nap").write_text(openrc.generate(NAP).text())
    assert "" == run('sh -n "$0/nap"')


@pytest.mark.requires_root
def test_shell_library_reads_its_hooks(run: Run, ssd_path: Path) -> None:
    """Also where run-parts(8) is BusyBox's, which has no option for LSB's names."""
    lines = """mount -t tmpfs none /lib/lsb; mkdir /lib/lsb/init-functions.d
    echo 'log_daemon_msg_post () { echo " <$*>"; }' > /lib/lsb/init-functions.d/50-one
    echo 'log_daemon_msg () { echo wrong; }' > /lib/lsb/init-functions.d/60-two.dpkg-old
    echo 'log_daemon_msg () { echo wrong; }' > /lib/lsb/init-functions.d/70-three~
    . "$1"; log_daemon_msg a b; log_end_msg 3; echo $?
    ssd --start --background --make-pidfile --pidfile /run/nap.pid --startas /bin/sleep -- 1000
    status_of_proc -p /run/nap.pid sleep nap; killproc -p /run/nap.pid sleep
    status_of_proc -p /run/nap.pid sleep nap; echo $?
    get_lsb_header_val "$2" Provides"""
    library = ssd_path.parent.parent / "share/ssd/init-functions"
    given = run(lines, library, Path(__file__).parents[2] / "scripts/nova-compute")
    said = "a: b <a b>\n failed!\n3\nnap is running.\nnap is not running ... failed!\n1\n"
    assert f"{said}nova-compute\n" == given


def test_completions_of_bash_need_no_more(
    run: Run, programs: Path, tmp_path: Path, checkout: Path
) -> None:
    """They read declarations by BusyBox's sed and tr."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    shutil.copy(bash, tmp_path / "bash")
    (tmp_path / "web@.toml").write_text('instances = ["8080", "8081"]\n')
    lines = """"$0/bash" --norc -c 'source "$1"; COMP_WORDS=(ssd-service --directory "$2" web)
    COMP_CWORD=3; _ssd_service; printf "%s\\n" "${COMPREPLY[@]}"' bash "$1" "$0" """
    completion = checkout / "scripts/completions/bash/ssd-service"
    assert ["web@", "web@8080", "web@8081"] == sorted(run(lines, completion).split())


TOOLS = """
    awk base64 basename cat chgrp chmod chown cksum cmp cp cut date df dirname du env find grep head
    id kill ln ls mkdir mktemp mv nohup nproc ps readlink realpath rm rmdir sed seq setpriv setsid
    sleep sort stat tail tee touch tr uniq wc xargs""".split()
# What BusyBox's tools do not know, of those that scripts and pages call: a regular expression.
GNUS = {
    "long options": rf"(^|[|;&($] *|show |! )({'|'.join(TOOLS)}) ([^|;&()]* )?--[a-z]",
    "find": r"\bfind\b.* -(lname|printf|fprintf|regextype|newermt)\b",
    "grep": r"\bgrep -[a-zA-Z]*P",
    "date": r"\bdate -d '?(now|today|yesterday|tomorrow|next|last|[+-]?[0-9]+ )",
    "ps": r"\bps -?[a-z]*(aux|ef|p )",
    "cp": r"\bcp -[a-zA-Z]*[bt]",
    "ln": r"\bln -[a-zA-Z]*r",
    "bash": r"\[\[|<\(|\bfunction \w+ *\{|\bdeclare -|\bread -[a-zA-Z]*a\b|\$\{\w+(\^\^|,,)",
}
# What makes systems of Debian, with Debian's tools.
ELSEWHERE = {"scripts/matrix", "scripts/packages", "scripts/systems"}


def lines_of_users(checkout: Path) -> dict[str, str]:
    """Return what users run or type, by its file and the number of its line."""
    found = {}
    for path in sorted((checkout / "scripts").iterdir()):
        name = f"scripts/{path.name}"
        if path.is_file() and name not in ELSEWHERE:
            head = path.read_text().partition('\n"""\nimport')[0]
            if head.startswith(("#!/bin/sh", "# shellcheck shell=sh")):
                found.update({f"{name}:{n}": line for n, line in enumerate(head.splitlines(), 1)})
    for path in [checkout / "README.md", *sorted((checkout / "docs").glob("**/*.md"))]:
        kind = ""
        for n, line in enumerate(path.read_text().splitlines(), 1):
            if line.lstrip("> ").startswith("```"):
                kind = "" if kind else line.lstrip("> ")[3:]
            elif kind == "console" and line.lstrip("> ").startswith(("$ ", "# ")):
                found[f"{path.relative_to(checkout)}:{n}"] = line
    for module in (openrc, systemd, sysv, upstart):
        text = module.generate(NAP).text()
        found.update({f"{module.KIND}:{n}": line for n, line in enumerate(text.splitlines(), 1)})
    return found


def wrong(line: str) -> list[str]:
    """Return what a line has that BusyBox does not know."""
    code = re.sub(r"(^|\s)#(?!!).*", "", line)
    return [what for what, pattern in GNUS.items() if re.search(pattern, code)]


def test_no_line_needs_gnus_tools(checkout: Path) -> None:
    """Also those that the tests above do not reach: of the demo, and of the pages."""
    assert {} == {
        f"{place}: {line}": found
        for place, line in lines_of_users(checkout).items()
        if (found := wrong(line))
    }


@pytest.mark.parametrize(
    "line",
    ["setsid --wait x", "stat --format %n", "find /x -lname y", "grep -oP x", "cp -at /x y",
     "date -d yesterday", "ln -sr x y", "[[ -f x ]]", "x < <(y)", "ps aux"],
)  # fmt: skip
def test_line_that_needs_gnus_tools_is_found(line: str) -> None:
    """The table has a row for it, and none for what BusyBox knows."""
    assert wrong(line) and not wrong(f"# {line}")
    for known in ("readlink -f -- x", "sed -Ei s/x/y/ z", "cp -rsf x/. y", "find x -exec y {} +"):
        assert [] == wrong(known)
