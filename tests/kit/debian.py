"""Bring programs of Debian into a directory of their own; nothing is installed on the machine.

apt-get is given lists and a cache of its own, so it works for an ordinary user too, and the
machine's own lists are neither needed nor touched.
"""

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ORACLE = "/usr/sbin/start-stop-daemon"
# What an init script does with start-stop-daemon, or with what stands in its place; silent.
LIFE = """
set -e; set -- --pidfile /run/nap.pid --exec /bin/sleep
start-stop-daemon --start --background --make-pidfile "$@" -- 1000
start-stop-daemon --status "$@"
start-stop-daemon --stop --retry 5 --remove-pidfile "$@" > /dev/null
"""
MIRROR = os.environ.get("MIRROR") or "http://deb.debian.org/debian"  # of other releases
MIRROR_TIMEOUT = 180  # seconds for one call of apt-get; a test has 600 for several


def skip_without_oracle() -> None:
    """Skip where the original is not installed."""
    if not os.access(ORACLE, os.X_OK):
        pytest.skip(f"{ORACLE} is missing")


def unpack(package: str, *more: str) -> Path:
    """Return a directory that holds Debian packages, unpacked, with the libraries they need.

    Packages that this machine has installed are left out, unless they are named here. All
    are only unpacked: no maintainer script runs, no user is made. The directory is kept for
    the next time. Skips the test, with the reason, if apt-get or a mirror is missing.
    """
    wanted = (package, *more)
    root = cache() / "unpacked" / "+".join(sorted(wanted))
    if not root.is_dir():
        lists = _lists()
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".new-") as scratch:
            _fetch(wanted, lists, Path(scratch))
            _publish(_extracted(Path(scratch)), root)
    return root


def unpack_from(suite: str, *packages: str) -> Path:
    """Return a directory that holds packages of another release, unpacked, and no others.

    As ``unpack``; but what they need must be named as well. Releases from the last one back have
    keys here that the machine trusts.
    """
    root = cache() / "unpacked" / "+".join([suite, *sorted(packages)])
    if not root.is_dir():
        lists = _lists(suite)
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".new-") as scratch:
            _reach("apt-get", *lists, "-qq", "download", *packages, cwd=Path(scratch))
            _publish(_extracted(Path(scratch)), root)
    return root


def _extracted(directory: Path) -> Path:
    """Unpack the packages of a directory into a tree in it; return the tree."""
    tree = directory / "tree"
    for file in sorted(directory.glob("*.deb")):
        _call("dpkg-deb", "--extract", str(file), str(tree))
    return tree


def environment(root: Path) -> dict[str, str]:
    """Return os.environ with the programs and libraries of an unpacked directory put first."""
    programs = [f"{root}/usr/sbin", f"{root}/usr/bin", f"{root}/sbin", f"{root}/bin"]
    libraries = sorted({str(file.parent) for file in root.glob("**/lib/**/*.so*")})
    return {
        **os.environ,
        "PATH": ":".join([*programs, os.environ.get("PATH", os.defpath)]),
        "LD_LIBRARY_PATH": ":".join(libraries),
    }


@functools.cache
def cache() -> Path:
    """Return the directory that keeps packages between runs: $SSD_TESTS_CACHE if it is set."""
    given = os.environ.get("SSD_TESTS_CACHE")
    home = os.path.expanduser("~")
    directories = [given] if given else [f"{home}/.cache/ssd-tests"]
    if not given and not os.path.isdir(home):
        directories = []  # root could create even /nonexistent, the home of some accounts
    directories.append(os.path.join(tempfile.gettempdir(), f"ssd-tests-{os.geteuid()}"))
    for directory in map(Path, directories):
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue  # a home that cannot be written: the next directory
        if directory.stat().st_uid == os.geteuid() and os.access(directory, os.W_OK):
            return directory
    raise RuntimeError(f"none of {directories} can be written")


def _lists(suite: str = "") -> list[str]:
    """Return the options that give apt-get our own lists, fetched once in a test run.

    ``suite``: a release of Debian, instead of what the machine takes packages from.
    """
    if not shutil.which("dpkg-deb"):
        pytest.skip("Debian's packages are not available here: no dpkg-deb")
    options, obstacle = _refreshed(suite)
    if obstacle:
        pytest.skip(obstacle)
    return options


@functools.cache
def _refreshed(suite: str) -> tuple[list[str], str]:
    """Fetch the lists of packages; return the options that name them, and the obstacle if any.

    A mirror that does not answer is asked once, and not by each test.
    """
    state = cache() / f"apt{suite and '-'}{suite}"
    for directory in ("lists/partial", "archives/partial"):
        (state / directory).mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State::lists": f"{state}/lists",
        "Dir::Cache": str(state),
        "Dir::Cache::archives": f"{state}/archives",
        "APT::Sandbox::User": "root",  # our directory is closed to the user _apt
        "APT::Update::Post-Invoke": "",
        "APT::Update::Post-Invoke-Success": "",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "30",
        "Acquire::Languages": "none",
    }
    if suite:
        (state / "sources.list").write_text(f"deb {MIRROR} {suite} main\n")
        settings |= {"Dir::Etc::SourceList": f"{state}/sources.list", "Dir::Etc::SourceParts": "-"}
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    # For apt-get a mirror that does not answer is a warning; another mirror may have all.
    try:
        said = _reach("apt-get", *options, "-qq", "update")
    except pytest.skip.Exception as skipped:
        return options, str(skipped)
    if not list((state / "lists").glob("*_Packages*")):
        return options, f"Debian's packages are not available here: {said.strip() or 'no lists'}"
    return options, ""


def _fetch(wanted: tuple[str, ...], options: list[str], directory: Path) -> None:
    """Download the packages, and what they depend on and the machine lacks, into a directory."""
    flags = ["--simulate", "--reinstall", "--no-install-recommends", "--yes"]
    plan = _reach("apt-get", *options, *flags, "install", *wanted)
    # "Inst cron [old] (3.0pl1-162 Debian:12/stable [amd64])"
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    _reach("apt-get", *options, "-qq", "download", *sorted({*names, *wanted}), cwd=directory)


def _reach(*command: str, cwd: Path | None = None) -> str:
    """Run a command that may need the network; skip the test if it fails."""
    # A file, not a pipe: a child of apt-get that fetches may outlive a killed apt-get.
    with tempfile.TemporaryFile("w+") as output:
        try:
            done = subprocess.run(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=MIRROR_TIMEOUT,
                env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            )
        except FileNotFoundError:
            pytest.skip(f"Debian's packages are not available here: no {command[0]}")
        except subprocess.TimeoutExpired:
            pytest.skip(f"no answer from Debian's mirror in {MIRROR_TIMEOUT} seconds")
        output.seek(0)
        said = output.read()
    if done.returncode:
        lines = said.strip().splitlines() or ["no reason given"]
        pytest.skip(f"Debian's packages are not available here: {lines[-1]}")
    return said


def _call(*command: str) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _publish(tree: Path, root: Path) -> None:
    """Give a finished directory its name; another run may have been quicker."""
    tree.chmod(0o755)
    try:
        tree.rename(root)
    except OSError:
        if not root.is_dir():
            raise
