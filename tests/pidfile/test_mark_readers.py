"""Every reader of a pidfile checks its mark: command, LSB functions, in any namespace."""

import subprocess
from pathlib import Path

import pytest
from conftest import Run
from kit.children import child
from kit.namespace import in_mounts
from kit.pidfiles import mark, marked, needs_attributes, needs_boot

from ssd.service import lsb


@pytest.fixture(autouse=True)
def _attributes(tmp_path: Path) -> None:
    """Skip if the directory of the tests has no extended attributes."""
    needs_attributes(tmp_path)


def test_stop_removes_the_pidfile_of_a_reused_pid(tmp_path: Path, ssd: Run) -> None:
    """Its process has ended: nothing is signalled, and the file is of no use."""
    path = tmp_path / "pid"
    with child() as stranger:
        mark(path, stranger.pid, started=1)
        assert 1 == ssd("--status", "--pidfile", path).returncode
        done = ssd("--stop", "--pidfile", path, "--retry", "KILL/60", "--remove-pidfile")
        assert (1, False, None) == (done.returncode, path.exists(), stranger.poll())
        assert f"No process in pidfile '{path}' found running; none killed.\n" == done.stdout
        assert "" == done.stderr


def test_lsb_functions_detect_a_reused_pid(tmp_path: Path) -> None:
    """pidofproc reports a dead process with a pidfile; killproc only removes the file."""
    path = tmp_path / "pid"
    with child() as stranger:
        mark(path, stranger.pid)
        assert (0, [stranger.pid]) == (
            lsb.pidofproc("/bin/sleep", str(path)).status,
            lsb.pidofproc("/bin/sleep", str(path)).pids,
        )
        mark(path, stranger.pid, started=1)
        assert (1, []) == (
            lsb.pidofproc("/bin/sleep", str(path)).status,
            lsb.pidofproc("/bin/sleep", str(path)).pids,
        )
        assert 0 == lsb.killproc("/bin/sleep", "TERM", str(path))
        assert (None, False) == (stranger.poll(), path.exists())


HIDDEN_BOOT = """
"$2" --status --pidfile "$1/pid" || echo "$?"
mount -t tmpfs none /proc/sys; "$2" --status --pidfile "$1/pid"; echo "$?"
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_mark_does_not_outlive_a_reboot(tmp_path: Path, ssd_path: Path, run: Run) -> None:
    """Even if pid and tick are the same; without a boot id the mark excludes nothing."""
    needs_boot()
    with child() as process:
        mark(tmp_path / "pid", process.pid, boot=b"11111111-2222-3333-4444-555555555555")
        done = run(*in_mounts(HIDDEN_BOOT, tmp_path, ssd_path))
    assert (0, "1\n0\n") == (done.returncode, done.stdout), done.stderr


# systemd-nspawn and LXC do this for a container. Another procfs in it, as systemd mounts it for a
# service with ProtectProc=, or as in a chroot, shows the kernel's id again.
CONTAINER = """
echo 11111111-2222-3333-4444-555555555555 > "$1/boot"
mount --bind "$1/boot" /proc/sys/kernel/random/boot_id
"$2" --status --pidfile "$1/outside" || echo "$?"
"$2" --start --background --make-pidfile --pidfile "$1/inside" --startas /bin/sleep -- 1000
mount -t proc proc /proc
"$2" --status --pidfile "$1/inside" || { echo "$?"; kill -9 "$(cat "$1/inside")"; }
"$2" --stop --quiet --pidfile "$1/inside" --retry KILL/60
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_daemon_in_a_container_with_own_boot_id_is_found(
    tmp_path: Path, ssd_path: Path, run: Run
) -> None:
    """Another boot id in its procfs is not a reboot, so the mark excludes nothing."""
    with child() as process:
        mark(tmp_path / "outside", process.pid)
        done = run(*in_mounts(CONTAINER, tmp_path, ssd_path))
    assert (0, "") == (done.returncode, done.stdout), done.stderr
    assert all(marked(tmp_path / name) for name in ("outside", "inside"))


@pytest.mark.requires_root
def test_daemon_is_found_from_another_time_namespace(tmp_path: Path, ssd_path: Path) -> None:
    """Start times are shifted there (time_namespaces(7)), so the mark excludes nothing."""
    unshare = ["unshare", "--time", "--boottime", "1000000", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no time namespace can be made here")
    command = [ssd_path, "--status", "--pidfile", tmp_path / "pid"]
    with child() as process:
        mark(tmp_path / "pid", process.pid)
        assert (0, 0) == (subprocess.call(command), subprocess.call([*unshare, *command]))
        mark(tmp_path / "pid", process.pid, started=1)
        assert (1, 0) == (subprocess.call(command), subprocess.call([*unshare, *command]))
