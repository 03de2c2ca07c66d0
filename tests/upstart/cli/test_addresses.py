"""Several supervisors of jobs, and other users' ones: who reaches whom."""

import os
import subprocess
from pathlib import Path

import pytest
from kit import namespace
from kit.users import NOBODY, skip_without_nobody

from .running import TERMINALS, jobs, write
from .test_running import NAP, ON_STARTUP

pytestmark = pytest.mark.requires_namespaces

AWAIT = 'await() { while ! "$@" > /dev/null 2>&1; do sleep 0.05; done; }; '


def call(ssd_path: Path, keep: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell script in namespaces; $1 is the command, $2 initctl, $3 ``keep``."""
    words = [ssd_path.with_name(f"ssd-{name}") for name in ("supervise", "initctl")]
    argv = ["sh", "-c", f"{TERMINALS}\n{AWAIT}\n{script}", "sh", *map(str, words), str(keep)]
    argv = namespace.command(argv, keep=[keep])
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def test_second_supervisor_of_a_directory_is_refused(ssd_path: Path, tmp_path: Path) -> None:
    """With the pid of the first, which notices nothing."""
    with jobs(ssd_path, tmp_path / "d", {"web.conf": ON_STARTUP}) as running:
        running.until("web runs as process")
        done = running.run(ssd_path.with_name("ssd-supervise"), "--upstart", tmp_path / "d")
        own = running.pids_of(running.pid)[-1]
        assert 1 == done.returncode and f"process {own} supervises" in done.stderr
        assert 0 == running.stop()


def test_second_supervisor_leaves_the_link_to_the_first(ssd_path: Path, tmp_path: Path) -> None:
    """It says so; its own jobs reach it all the same."""
    write(tmp_path / "one", {"first.conf": ON_STARTUP})
    script = "start on startup\nscript\nstatus\nexec sleep 1000\nend script\n"
    write(tmp_path / "two", {"second.conf": script})
    done = call(
        ssd_path, tmp_path,
        '"$1" -q --upstart="$3/one" --logs="$3/a" & one=$!; await "$2" status first\n'
        '"$1" -q --upstart="$3/two" --logs="$3/b" & two=$!; await grep -q . "$3/b/second.log"\n'
        '"$2" status first; "$2" status second; cat "$3/b/second.log"\n'
        "kill $one $two; wait $one; echo $?; wait $two; echo $?; ls -A /run/ssd-supervise",
    )  # fmt: skip
    first, mine, *rest = done.stdout.split("\n")
    assert first.startswith("first start/running, process ")
    assert mine.startswith("second start/running, process ")
    key = f"{tmp_path}/one".strip("/").replace("-", "%2d").replace("/", "-")
    assert ["0", "0", "%bin", key, key.replace("-one", "-two"), ""] == rest
    lines = done.stderr.splitlines()
    assert f" ask another supervisor, in /run/ssd-supervise/{key}; " in lines[0]
    assert "ssd-initctl: Unknown job: second" == lines[1]


USERS = """
export HOME="$3"; unset XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_CACHE_HOME
mkdir -p /etc/xdg; mount -t tmpfs tmpfs /etc/xdg; mkdir /etc/xdg/upstart
echo 'exec sleep 1000' > /etc/xdg/upstart/shared.conf
echo 'exec false' > /etc/xdg/upstart/mine.conf
user='setpriv --reuid 65534 --regid 65534 --clear-groups'
MINE=1 $user "$1" --upstart -q & await $user "$2" list
"""


def test_users_jobs_run_as_that_user(ssd_path: Path, tmp_path: Path) -> None:
    """From the user's directories and the machine's, with the user's environment."""
    skip_without_nobody()
    write(
        tmp_path / ".config/upstart",
        {
            "root.conf": "setuid root\nexec true\n",
            "mine.conf": "start on startup\nscript\nid -u; echo $MINE; echo $UPSTART_SESSION\n"
            "start shared\nexec sleep 1000\nend script\n",
        },
    )
    write(tmp_path / ".init", {"other.conf": NAP})
    os.chown(tmp_path, NOBODY, NOBODY)
    done = call(
        ssd_path, tmp_path,
        f"{USERS}log=$HOME/.cache/upstart/mine.log; await grep -q running $log; cat $log\n"
        '$user "$2" list | sort; $user "$2" start root; kill $!; wait $!; echo $?',
    )  # fmt: skip
    said = done.stdout.replace("\r", "").splitlines()
    assert ["65534", "1"] == said[:2], done.stderr
    assert said[2].startswith(f"{tmp_path}/.cache/ssd/supervise/")
    assert "shared start/running" == said[3].partition(",")[0]
    assert ["mine start/running", "other stop/waiting", "root stop/waiting",
            "shared start/running"] == [line.partition(",")[0] for line in said[4:8]]  # fmt: skip
    assert "ssd-initctl: Job failed to start" in done.stderr
    assert "init: Failed to spawn root main process: unable to setgid: " in done.stderr
    assert "0" == said[-1]


def test_users_directories_may_come_later(ssd_path: Path, tmp_path: Path) -> None:
    """One is enough to begin; of two files of a name, that of the earlier directory counts."""
    skip_without_nobody()
    write(tmp_path / ".init", {"web.conf": "start on never\n"})
    os.chown(tmp_path, NOBODY, NOBODY)
    done = call(
        ssd_path, tmp_path,
        f"{USERS.replace('status root', 'status web')}$user mkdir -p $HOME/.config/upstart\n"
        "$user sh -c 'echo start on ever > $HOME/.config/upstart/web.conf'\n"
        'await sh -c "$user $2 show-config web | grep -w ever"; $user "$2" show-config web\n'
        "kill $!; wait $!; echo $?; ls -A $HOME/.cache/ssd/supervise",
    )  # fmt: skip
    key = f"{tmp_path}/.config/upstart".strip("/").replace("-", "%2d").replace("/", "-")
    assert ["web", "  start on ever", "0", "%bin", key] == done.stdout.splitlines(), done.stderr
