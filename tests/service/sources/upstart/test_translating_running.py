"""Translated jobs run: the init script of a job does what the job did."""

import os
from pathlib import Path

import pytest
from conftest import Run
from kit import namespace

from ssd.service.generators import sysv
from ssd.service.sources.upstart import parse
from ssd.service.sources.upstart.translating import translate

SERVICE = """
chdir /usr/share
env VALUE="a b"
umask 027
pre-start script
    echo "pre-start $(pwd) $VALUE $UPSTART_JOB" >> /tmp/said
end script
post-stop exec echo post-stop $(pwd) >> /tmp/said
exec start-stop-daemon --start --chuid daemon --exec /bin/sh -- /tmp/program
"""
PROGRAM = """
echo $$ $(id -un) $(pwd) $(umask) $VALUE > /tmp/main.new
mv /tmp/main.new /tmp/main
exec sleep 1000
"""
STATE = """
setuid daemon
pre-start exec echo $(id -un) on >> /tmp/said
post-stop exec echo $(id -un) off >> /tmp/said
"""
PATIENT = "n=0; until [ -e /tmp/main ]; do n=$((n + 1)); [ $n -lt 600 ] || exit 9; sleep 0.1; done"
SERVICE_LIFE = f"""
chmod 1777 /tmp; echo '{PROGRAM}' > /tmp/program; touch /tmp/said; chmod 666 /tmp/said
"$S" start; {PATIENT}; cut -d' ' -f2- /tmp/main; "$S" status
[ "$(cat /run/x.pid)" = "$(cut -d' ' -f1 /tmp/main)" ] && echo the same
"$S" stop; "$S" status; cat /tmp/said
"""
STATE_LIFE = """
chmod 1777 /tmp; touch /tmp/said; chmod 666 /tmp/said
"$S" start; "$S" status; cat /tmp/said; "$S" stop; "$S" status; cat /tmp/said
"""
LIVES = {
    "service": (SERVICE, SERVICE_LIFE, [
        "Starting x: x.", "daemon / 0027 a b", "x is running.", "the same", "Stopping x: x.",
        "x is not running.", "pre-start /usr/share a b x", "post-stop /usr/share",
    ]),
    "state": (STATE, STATE_LIFE, [
        "Starting x: x.", "x is running.", "daemon on", "Stopping x: x.",
        "x is not running.", "daemon on", "daemon off",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES)
def test_init_script_of_a_job_lives_as_the_job(
    life: str, run: Run, tmp_path: Path, ssd_path: Path
) -> None:
    """Directory, user, mask, variables and hooks; a job without a process is on or off."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if namespace.obstacle():
        pytest.skip(str(namespace.obstacle()))
    text, commands, expected = LIVES[life]
    script = tmp_path / "script"
    script.write_text(sysv.generate(translate(parse(text, "x"), "sysv")).text())
    script.chmod(0o755)
    inside = namespace.command(["sh", "-c", f"S={script}\n{commands}"], keep=[tmp_path])
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    done = run(*inside, env={"PATH": path, "START_STOP_DAEMON": str(ssd_path)})
    assert (expected, "") == (done.stdout.splitlines(), done.stderr)
