"""Machines for service(8): the files in their /etc/init.d, and programs that run there.

Run as a program, this is the inside of a namespace: it sets up a machine for each case from
standard input, runs both commands there, and prints the outcomes as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

# By case and command ("original", "ssd"): status, stdout, stderr, and what was left behind.
Outcomes = dict[str, dict[str, dict[str, Any]]]

SERVICE = "/usr/sbin/service"
INIT_D = Path("/etc/init.d")
SEEN = Path("/tmp/seen")

# Prints everything that it got; only the first 28 signals, because the C library uses two.
TELLER = """#!/bin/sh
echo "$0"; for word; do echo "<$word>"; done
pwd; umask; sed -n 's/^\\(Sig[BI].*\\).........\\(.......\\)$/\\1 \\2/p' /proc/self/status
for fd in 0 1 2 3 4 5; do [ ! -e /proc/$$/fd/$fd ] || echo "open: $fd"; done
/usr/bin/env | sort
"""
# Writes down its verb, and ends with the given status.
COUNTER = """#!/bin/sh
echo "$0 $1" >> /tmp/seen
exit {status}
"""
# Replaces systemctl: answers from the machine's files, and prints its words.
SYSTEMCTL = """#!/bin/sh
case $* in
*CanReload*) cat /tmp/can-reload ;;
*list-unit-files*) printf 'one.socket enabled\\ntwo.socket static\\nother.socket enabled\\n' ;;
*Triggers*one.socket | *Triggers*two.socket) echo Triggers=teller.service ;;
*Triggers*) echo Triggers=other.service ;;
*is-system-running*) exit "$(cat /tmp/early)" ;;
*) echo "done: $*"; pwd; env | grep -v PWD= | sort; exit 7 ;;
esac
"""

SCRIPTS: dict[str, tuple[int, str]] = {
    "teller": (0o755, TELLER),
    "teller.sh": (0o755, TELLER),
    "name with space": (0o755, TELLER),
    "näme": (0o755, TELLER),
    "-name": (0o755, TELLER),
    ".hidden": (0o755, TELLER),
    "not-executable": (0o644, TELLER),
    "only-executable": (0o711, TELLER),
    "no-interpreter": (0o755, "#!/no/such/interpreter\n"),
    "no-first-line": (0o755, TELLER.removeprefix("#!/bin/sh\n")),
    "empty": (0o755, ""),
    "killed": (0o755, "#!/bin/sh\nkill -TERM $$\n"),
    "listener": (0o755, "#!/bin/sh\nread -r line; echo \"heard $line\"\n"),
    "loud": (0o755, "#!/bin/sh\nyes | head -c 300000; echo; echo end >&2\n"),
    **{f"exit-{status}": (0o755, COUNTER.format(status=status)) for status in (0, 1, 2, 3, 5, 150)},
    "stop-fails": (0o755, COUNTER.format(status='"$([ "$1" = start ]; echo $?)"')),
}  # fmt: skip

# The output and end of a status verb, for --status-all.
ANSWERS = {
    "10-running": "echo it runs",
    "20-silent": ":",
    "30-newlines": "printf '\\n\\n\\n'",
    "40-stopped": "echo it is stopped; exit 3",
    "50-error": "echo only an error >&2",
    "55-both-fail": "echo it is broken >&2; exit 1",
    "60-usage": "echo 'Usage: x {start|stop}'; exit 3",
    "61-USAGE": "echo 'x USAGE: none' >&2",
    "62-usage-late": "head -c 200000 /dev/zero | tr '\\0' x; echo usage:",
    "63-not-usage": "echo usage",
    "65-nul": "printf '\\0'",
    "66-split-usage": "printf us; printf age:",
    "67-usage-with-nul": "printf 'us\\0age:'",
    "70-verb": '[ "$*" = status ] && echo yes',
    "71-directory": '[ "$(pwd)" = /etc/init.d ] && echo yes',
    "72-environment": '[ -z "$SECRET" ] && [ "${LANG+set}" = set ] && echo yes',
    "75-killed": "echo alive; kill -KILL $$",
    "80-tty": "[ -t 1 ] || echo no terminal",
    "zz-last": "echo it runs",
}
# Files that service(8) skips.
IGNORED = (
    "README", "skeleton", "rc", "rcS", "single", "reboot", "bootclean.sh", "functions", "halt",
    "killall", "linuxconf", "kudzu", "x.dpkg-dist", "x.dpkg-old", ".hidden",
)  # fmt: skip
ENVIRONMENT = {"PATH": "/tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def furnish(case: dict[str, Any]) -> None:
    """Set up the machine of a case."""
    for entry in INIT_D.iterdir():  # the directory is a mount point
        entry.unlink()
    for directory in ("/run/systemd", "/run/openrc"):
        shutil.rmtree(directory, ignore_errors=True)
    SEEN.unlink(missing_ok=True)
    scripts = dict(SCRIPTS)
    if case.get("answers"):
        scripts = {name: (0o755, f"#!/bin/sh\n{text}\n") for name, text in ANSWERS.items()}
        scripts |= dict.fromkeys(IGNORED, (0o755, "#!/bin/sh\necho it runs\n"))
        scripts["25-not-executable"] = (0o644, "#!/bin/sh\necho it runs\n")
        scripts["26-no-interpreter"] = (0o755, "#!/no/such/interpreter\n")
        scripts["27-no-first-line"] = (0o755, "echo it runs\n")
    if not case.get("bare"):
        for name, (mode, text) in scripts.items():
            (INIT_D / name).write_text(text)
            (INIT_D / name).chmod(mode)
        (INIT_D / "link").symlink_to("teller")
        (INIT_D / "dangling").symlink_to("nowhere")
        shutil.copy("/bin/echo", INIT_D / "binary")
    for path, text in case.get("files", {}).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
        if Path(path).parent == INIT_D:
            Path(path).chmod(0o755)
    for link in case.get("links", ()):
        Path(link).parent.mkdir(parents=True, exist_ok=True)
        Path(link).symlink_to("/etc/init.d/teller")


def play(command: list[str], case: dict[str, Any]) -> dict[str, Any]:
    """Run one command on the machine and return the outcome."""
    furnish(case)
    # The machine may be slow, and ssd-service has a time limit.
    more = ["--timeout=100"] if case["words"] == ["--status-all"] and command != [SERVICE] else []
    words = [os.fsencode(word) for word in [*command, *case["words"], *more]]
    close = "".join(f" {fd}>&-" for fd in case.get("closed", ()))
    shell = ["sh", "-c", f'{case.get("before", "")}\nexec "$@"{close}', "sh"]
    environment = {
        os.fsencode(name): os.fsencode(text)
        for name, text in case.get("environment", ENVIRONMENT).items()
    }
    done = subprocess.run(
        [os.fsencode(shutil.which("sh") or "sh"), *map(os.fsencode, shell[1:]), *words],
        env=environment,
        input=case.get("input", "").encode(),
        capture_output=True,
        timeout=60,
        cwd="/tmp",
        check=False,
        **({"user": 65534, "group": 65534, "extra_groups": []} if case.get("nobody") else {}),
    )
    started = Path("/run/openrc/started")
    return {
        "status": done.returncode,
        "stdout": os.fsdecode(done.stdout),
        "stderr": os.fsdecode(done.stderr),
        "seen": SEEN.read_text() if SEEN.exists() else None,
        "openrc": sorted(os.listdir(started)) if started.is_dir() else None,
    }


def hindered(case: dict[str, Any]) -> bool:
    """Return whether a case cannot run here, because another user cannot run ssd-service."""
    from kit.users import nobody_runs_python

    return bool(case.get("nobody")) and not nobody_runs_python()


def compared(cases: dict[str, dict[str, Any]]) -> Outcomes:
    """Run all cases in one namespace, with service(8) and with the installed ssd-service."""
    # Not at the top, because pytest is missing inside.
    import pytest
    from kit import namespace

    if not os.access(SERVICE, os.X_OK):
        pytest.skip(f"{SERVICE} is missing: apt-get install init-system-helpers")
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if namespace.obstacle():
        pytest.skip(str(namespace.obstacle()))
    ours = str(Path(sys.executable).parent / "ssd-service")
    played = {name: case for name, case in cases.items() if not hindered(case)}
    asked = {"commands": {"original": [SERVICE], "ssd": [ours]}, "cases": played}
    inside = namespace.command([sys.executable, __file__])
    done = subprocess.run(
        inside, input=json.dumps(asked).encode(), capture_output=True, timeout=500, check=False
    )
    assert 0 == done.returncode, done.stderr.decode()
    told: Outcomes = json.loads(done.stdout)
    return told


def main() -> None:
    """Run inside of the namespace."""
    asked = json.load(sys.stdin)
    home = Path("/tmp/init.d")
    home.mkdir()
    subprocess.run(["mount", "--bind", home, INIT_D], check=True)
    Path("/tmp/bin").mkdir()
    Path("/tmp/bin/systemctl").write_text(SYSTEMCTL)
    Path("/tmp/bin/systemctl").chmod(0o755)
    told = {
        name: {side: play(command, case) for side, command in asked["commands"].items()}
        for name, case in asked["cases"].items()
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
