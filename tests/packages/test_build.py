"""The packages are the same whenever they are built, and ssd runs in them as it is meant to."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from conftest import CHECKOUT
from kit import packages
from kit.packages import Debian
from kit.roots import Root

pytestmark = [pytest.mark.packages, pytest.mark.requires_root, pytest.mark.requires_namespaces]

BUNDLES = "ls /usr/lib/python3/dist-packages/ssd/__pycache__ | grep '^bundle.*[.]bin$' || true"


def test_second_build_gives_the_same_bytes(debian: Debian, tmp_path: Path) -> None:
    """Of each package, and of their source."""
    built = packages.build(debian.release, tmp_path)
    names = sorted(file.name for file in built.iterdir())
    assert len([name for name in names if name.endswith(".deb")]) == 4
    differ = [n for n in names if (built / n).read_bytes() != (debian.shared / n).read_bytes()]
    assert [] == differ


def test_ssd_starts_isolated_with_the_library_of_its_package(ours: Root) -> None:
    """Line 1 has -IS, another the directory, and no command obeys PYTHON*."""
    head = ours.run("head -n 6 /usr/sbin/ssd")
    assert head.startswith("#!/usr/bin/python3 -IS\n")
    assert '\nhome = "/usr/lib/python3/dist-packages"' in head
    ours.run("mkdir -p /tmp/evil/ssd && echo 'raise SystemExit(99)' > /tmp/evil/ssd/__init__.py")
    for command in "ssd", "ssd-service", "ssd-supervise", "ssd-initctl":
        ours.run(f"cd /tmp/evil && PYTHONPATH=/tmp/evil PYTHONHOME=/nowhere {command} --version")


def test_bundle_is_there_while_the_package_is(ours: Root) -> None:
    """Made for the default Python, and again when that is another; removed with the package."""
    (bundle,) = ours.run(BUNDLES).split()
    ours.run("rm /usr/lib/python3/dist-packages/ssd/__pycache__/bundle.*")
    python = ours.run("readlink /usr/bin/python3").strip()
    ours.run(f"/usr/share/python3/runtime.d/python3-ssd.rtupdate rtupdate python3.9 {python}")
    assert [bundle] == ours.run(BUNDLES).split()
    ours.run("dpkg --remove ssd-divert ssd python3-ssd")
    assert "" == ours.run("ls -d /usr/lib/python3/dist-packages/ssd 2>&- || true")


def test_installation_goes_on_without_a_bundle(needs: Root, debian: Debian) -> None:
    """It says so and names the command to repeat; ssd works without."""
    needs.run("mv /usr/lib/python3/dist-packages/lockfile /usr/lib/python3/dist-packages/away")
    said = needs.run(f"dpkg -i {debian.debs('python3-ssd', 'ssd')} 2>&1")
    assert "python3-ssd: the bundle was not made" in said
    assert "" == needs.run(BUNDLES)
    assert 3 == needs.status("ssd --status --pidfile /run/none.pid")


def building(directory: Path, port: int) -> subprocess.Popen[str]:
    """Start a build whose mirror is a port of this machine, with an empty cache."""
    temporary = directory / "tmp"
    temporary.mkdir()
    mirror = f"http://127.0.0.1:{port}/debian"
    return subprocess.Popen(
        [CHECKOUT / "scripts/packages", "--out", directory, "--cache", directory / "cache"],
        env={**os.environ, "TMPDIR": str(temporary), "MIRROR": mirror, "http_proxy": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_build_without_a_mirror_names_the_variable(tmp_path: Path) -> None:
    """And the address that it has tried; nothing is left but the empty cache."""
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        build = building(tmp_path, port)
        said = build.communicate(timeout=120)[0]
    assert 1 == build.returncode
    assert f"http://127.0.0.1:{port}/debian" in said
    assert said.endswith("debootstrap failed; MIRROR= names another mirror\n")
    assert [] == [path for path in tmp_path.rglob("*") if path.name not in ("tmp", "cache")]


def test_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    """All its processes get the signal, and again while it cleans up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        build = building(tmp_path, silent.getsockname()[1])
        client, _ = silent.accept()
        with client:
            while build.poll() is None:
                os.killpg(build.pid, signal.SIGTERM)
            build.communicate()
    assert 1 == build.returncode
    assert [] == [path for path in tmp_path.rglob("*") if path.name not in ("tmp", "cache")]
