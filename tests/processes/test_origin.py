"""The boot and the clock that start times count from."""

import os
import sys
from pathlib import Path

import pytest

from ssd.processes import table_named
from ssd.processes.origin import KernelOrigin, Origin

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def test_origin_is_what_it_was_made_with() -> None:
    """The boot and the clock of declared processes are given."""
    origin = Origin(b"boot", b"clock")
    assert (b"boot", b"clock") == (origin.boot(), origin.clock())
    assert (True, False) == (origin.is_boot(b"boot"), origin.is_boot(b"other"))


def test_kernel_origin_is_the_boot_and_the_time_namespace() -> None:
    """They come from /proc; both tables of this machine have the same."""
    origin = KernelOrigin()
    boot, clock = origin.boot(), origin.clock()
    assert boot in (b"", Path("/proc/sys/kernel/random/boot_id").read_bytes().strip())
    assert clock and (clock == b"-" or clock.startswith(b"time:["))
    assert origin.is_boot(boot) and not origin.is_boot(b"another boot")
    for name in ("kernel", "psutil"):
        other = table_named(name).origin
        assert other and (boot, clock) == (other.boot(), other.clock())


def test_kernel_origin_knows_nothing_without_procfs(tmp_path: Path) -> None:
    """Nor with a procfs of another PID namespace."""
    origin = KernelOrigin(os.fsencode(tmp_path))
    assert (b"", None) == (origin.boot(), origin.clock())
    (tmp_path / "self").symlink_to("1234567")
    assert None is origin.clock()


def test_mounted_boot_id_counts_as_unknown(tmp_path: Path) -> None:
    """Container managers mount a file of another file system there."""
    where = tmp_path / "sys/kernel/random"
    where.mkdir(parents=True)
    (where / "boot_id").symlink_to("/proc/self/comm")
    assert b"" == KernelOrigin(os.fsencode(tmp_path)).boot()
