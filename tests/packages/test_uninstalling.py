"""``pip uninstall`` leaves nothing of what pip, ssd.installation and the commands have written."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ssd

pytestmark = pytest.mark.packages

NEEDS = ("daemon", "lockfile", "psutil")
HERE = Path(str(ssd.__file__)).parent.parent
# pip removes a directory whose files it has removed, and not those above it, which others share.
KEPT = {"share", "share/man", "share/zsh", "share/bash-completion"}
# Modules that no bundle has are compiled by these, and by root, who may write beside them.
COMMANDS = """
set -e; PATH=$1/bin:$PATH HOME=$2; export HOME PATH; cd "$2"
ssd --start --background --make-pidfile --pidfile "$2/nap.pid" --startas /bin/sleep -- 1000
ssd --status --pidfile "$2/nap.pid"
ssd --stop --pidfile "$2/nap.pid" --remove-pidfile --retry 5 --json > /dev/null
printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\n' > nap.toml
ssd-service --directory="$2" nap start
ssd-service --directory="$2" nap status > /dev/null
ssd-service --directory="$2" nap stop
for command in ssd ssd-service ssd-supervise ssd-initctl; do "$command" --help > /dev/null; done
rm nap.toml
"""


@pytest.fixture
def wheel() -> Path:
    """Return the wheel that scripts/test has built."""
    if "SSD_DIST" not in os.environ:
        pytest.skip("scripts/test builds the packages")
    (file,) = Path(os.environ["SSD_DIST"]).glob("*.whl")
    return file


def files(root: Path) -> set[str]:
    """Return all paths below a directory."""
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_uninstall_leaves_nothing(
    tmp_path: Path, wheel: Path, in_namespace: Callable[..., Any]
) -> None:
    """No file, neither in the environment nor at home, after all commands have run as root."""
    prefix, home = tmp_path / "ssd", tmp_path / "home"
    home.mkdir()
    made = subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix])
    assert 0 == made.returncode
    python = prefix / "bin/python3"
    (packages,) = prefix.glob("lib/python3*/site-packages")
    for name in NEEDS:
        (packages / name).symlink_to(HERE / name)
    before = files(prefix)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--python",
        python,
    ]

    def done(*argv: object) -> None:
        finished = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
        assert (0, "") == (finished.returncode, finished.stderr)

    done(*pip, "install", "--no-index", "--no-deps", "--root-user-action=ignore", wheel)
    done(python, "-Im", "ssd.installation")
    ran = in_namespace("sh", "-c", COMMANDS, "sh", prefix, home)
    assert (0, "") == (ran.returncode, ran.stderr)
    caches = [path for path in files(prefix) if path.endswith((".pyc", ".bin"))]
    assert any("/bundle." in path for path in caches) and len(caches) > 100
    done(*pip, "uninstall", "--yes", "--root-user-action=ignore", "start-stop-daemon")
    left = files(prefix)
    assert set() == before - left
    assert left - before <= KEPT and not any(map(Path.is_file, map(prefix.joinpath, left - before)))
    assert set() == files(home)
