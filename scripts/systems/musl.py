"""A Python on musl in a Debian root, and the tests that run with it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from .roots import NotRun, Root

PREFIX = "/opt/musl"
ROOMS = "cli processes pidfile starting children"
RAN = f"the fast tests in {ROOMS.replace(' ', ', ')}"
# What the tests import; pyfakefs and hypothesis are plugins of the tests above them.
_PACKAGES = "psutil python-daemon lockfile pytest pytest-timeout pytest-asyncio pyfakefs hypothesis"
_BUILD = f"sh /ssd/scripts/systems/musl.sh {PREFIX}; tar -C {PREFIX} -cf /var/tmp/musl.tar ."
# Debian's pip brings wheels for musl; the Python on musl has no TLS, and installs them.
_INSTALL = f"""
python3 -m venv /var/tmp/venv; cd /var/tmp
venv/bin/pip -q download -d wheels --only-binary=:all: --implementation cp --python-version 3.13 \\
    --abi cp313 --abi abi3 --abi none --platform musllinux_1_2_x86_64 {_PACKAGES}
venv/bin/pip -q wheel --no-deps -w wheels /ssd
venv/bin/pip -q --python {PREFIX}/bin/python3 install --no-index --find-links wheels \\
    start-stop-daemon {_PACKAGES}
"""
TESTS = f"""
cd /ssd; PATH={PREFIX}/bin:$PATH
python3 -m pytest -m 'not slow and not differential and not races and not nova and not packages' \\
    {" ".join(f"tests/{room}" for room in ROOMS.split())}
"""


def python(root: Root, cache: Path, run: Callable[[Sequence[str]], tuple[int, str]]) -> str:
    """Put a Python on musl, the project and pytest into a root; return the versions.

    It is built once, which takes minutes, and kept in the cache.
    """
    kept, inner = cache / "musl13.tar", root.directory / "var/tmp/musl.tar"
    root.install("musl")
    if kept.exists():
        script = f"mkdir -p {PREFIX}; tar -C {PREFIX} -xf - < /srv/musl.tar"
        (root.directory / "srv/musl.tar").write_bytes(kept.read_bytes())
        root.said(script)
    else:
        _do(run, root, _BUILD)
        inner.rename(kept)
    _do(run, root, _INSTALL)
    version = root.said("dpkg-query -W -f '${Version}' musl").partition("-")[0]
    return f"musl {version}, Python {root.said(f'{PREFIX}/bin/python3 -V').split()[1]}"


def _do(run: Callable[[Sequence[str]], tuple[int, str]], root: Root, script: str) -> None:
    """Run a step of the making; raise NotRun with its last line if it fails."""
    status, output = run(root.words(script))
    if status:
        lines = output.strip().splitlines() or ["no output"]
        raise NotRun(f"the Python on musl cannot be made: {lines[-1]}")
