"""Build the lab: account, virtual environment, Debian's packages, settings, databases."""

import contextlib
import hashlib
import pwd
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from lab import running, services, settings
from lab.layout import HOST, USER, Lab
from lab.steps import StepFailed, as_user, call, environment, is_done, once, shown

PYTHON = "/usr/bin/python3"  # any user may execute it; one in a home directory only its owner
PINNED = ("nova==34.0.0", "openstack-placement==16.0.0")
CONSTRAINTS = Path(__file__).with_name("constraints.txt")  # and what they need
# A mirror may be slow, and an upgrade of the machine may hold dpkg's lock for a while.
APT_GET = ("apt-get", "-qq", "-o", "Acquire::Retries=5", "-o", "DPkg::Lock::Timeout=900")
SOURCES = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")
ROOMS = ("ssd", "scripts", "docs")


def build(lab: Lab) -> None:
    """Do every step that is not done yet. Raises StepFailed."""
    _make_account()
    pinned = (*PINNED, CONSTRAINTS.read_text(), sys.version_info[:2])
    if not is_done(lab, "nova", pinned):
        # From the beginning: pip takes an interrupted installation for a complete one.
        for name in ("venv", "ssd"):
            (lab.done / name).unlink(missing_ok=True)
    once(lab, "venv", "virtual environment", PYTHON, lambda: _make_venv(lab))
    once(lab, "nova", "nova 34.0.0 and placement 16.0.0", pinned, lambda: _install_nova(lab))
    once(lab, "ssd", "ssd from this checkout", _checksum(lab), lambda: _install_ssd(lab))
    once(lab, "packages", "Debian's rabbitmq-server", 1, lambda: _unpack(lab, "rabbitmq-server"))
    once(lab, "script", "Debian's nova-compute", 1, lambda: _unpack(lab, "nova-compute"))
    wanted = settings.fingerprint(lab)
    if not is_done(lab, "settings", wanted):
        (lab.done / "databases").unlink(missing_ok=True)
        if (lab.etc / "ssd").exists():
            running.stop_all(lab)  # no service may keep running with the old ones
    once(lab, "settings", "settings", wanted, lambda: settings.write(lab))
    once(lab, "databases", "databases and cell", 2, lambda: _make_databases(lab))


def _make_account() -> None:
    """Make the system user nova, as Debian's nova-common does, unless it exists."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        with shown(f"user {USER}"):
            made = subprocess.run(
                ["/usr/sbin/useradd", "--system", "--user-group", "--create-home"]
                + ["--home-dir", f"/var/lib/{USER}", "--shell", "/usr/sbin/nologin", USER],
                capture_output=True,
                text=True,
            )
            if made.returncode:
                raise StepFailed(f"user {USER}", made.stderr.strip()) from None


def _make_venv(lab: Lab) -> None:
    title = "virtual environment"
    if subprocess.run([PYTHON, "-c", "import ensurepip, venv"], capture_output=True).returncode:
        call(lab, title, *APT_GET, "update")
        install = (*APT_GET, "install", "-y", "--no-install-recommends")
        call(lab, title, *install, "python3", "python3-venv")
    call(lab, title, PYTHON, "-m", "venv", "--clear", lab.venv)


def _install_nova(lab: Lab) -> None:
    _pip(lab, "nova", "--constraint", CONSTRAINTS, *PINNED)


def _pip(lab: Lab, title: str, *words: object) -> None:
    # Bytecode now: the services' user cannot write it later, and would compile at each start.
    pip = (lab.command("pip"), "--disable-pip-version-check", "--retries=10", "--timeout=60")
    call(lab, title, *pip, "install", "--compile", *words, cwd=lab.root)


def _checksum(lab: Lab) -> str:
    """Return a checksum of all that is installed from this checkout."""
    digest = hashlib.sha256()
    for name in SOURCES + ROOMS:
        top = lab.checkout / name
        for file in sorted(top.rglob("*") if top.is_dir() else [top]):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(str(file.relative_to(lab.checkout)).encode() + file.read_bytes())
    return digest.hexdigest()


def _install_ssd(lab: Lab) -> None:
    """Install from a copy: a build leaves files beside its sources."""
    copy = lab.root / "sources"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "_build")
    for name in SOURCES:
        shutil.copy2(lab.checkout / name, copy)
    for name in ROOMS:
        shutil.copytree(lab.checkout / name, copy / name, ignore=unwanted)
    # The same version again, which pip would take for installed.
    _pip(lab, "ssd", "--force-reinstall", "--no-deps", copy)
    _pip(lab, "ssd", f"{copy}[compute]")
    shutil.rmtree(copy)


def _unpack(lab: Lab, package: str) -> None:
    """Download a package and unpack it; with rabbitmq-server also its missing dependencies.

    Nothing is installed on the machine: no maintainer script runs, no service is enabled.
    """
    title = f"Debian's {package}"
    call(lab, title, *APT_GET, "update")  # old lists name packages that mirrors have removed
    names = {package} if package == "nova-compute" else _lacking(title, package)
    scratch = lab.root / "packages"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    unsandboxed = ("-o", "APT::Sandbox::User=root")  # the directory is closed to the user _apt
    call(lab, title, *APT_GET, *unsandboxed, "download", *sorted(names), cwd=scratch)
    for file in sorted(scratch.glob("*.deb")):
        call(lab, title, "dpkg-deb", "--extract", file, lab.debian)
    shutil.rmtree(scratch)


def _lacking(title: str, package: str) -> set[str]:
    """Return the names of a package and of those that it needs and the machine lacks."""
    plan = subprocess.run(
        ["apt-get", "--simulate", "--reinstall", "--no-install-recommends", "install", package],
        capture_output=True,
        text=True,
        env=environment(),
    )
    if plan.returncode:
        raise StepFailed(title, plan.stderr.strip())
    return {line.split()[1] for line in plan.stdout.splitlines() if line.startswith("Inst ")}


def _make_databases(lab: Lab) -> None:
    """Make nova's three databases and placement's, and register the cell."""
    for old in lab.data.glob("*.sqlite*"):
        old.unlink()
    title = "databases"
    manage = (lab.command("nova-manage"), *services.database_options(lab))
    who = as_user(lab)
    cell0 = f"sqlite:///{lab.data}/nova_cell0.sqlite"
    call(lab, title, *manage, "api_db", "sync", **who)
    call(lab, title, *manage, "cell_v2", "map_cell0", "--database_connection", cell0, **who)
    call(lab, title, *manage, "db", "sync", **who)
    call(lab, title, *manage, "cell_v2", "create_cell", "--name", "cell1", **who)
    placement = (lab.command("placement-manage"), "--config-file")
    call(lab, title, *placement, _placement_settings(lab), "db", "sync", **who)
    _map_host(lab)


def _map_host(lab: Lab) -> None:
    """Say which cell has the compute node, so that the API can call it.

    ``nova-manage cell_v2 discover_hosts`` would do that, but only once nova-compute has run.
    """
    cell = "SELECT datetime('now'), id, ? FROM cell_mappings WHERE name = 'cell1'"
    with contextlib.closing(sqlite3.connect(lab.data / "nova_api.sqlite")) as base, base:
        base.execute(f"INSERT INTO host_mappings (created_at, cell_id, host) {cell}", (HOST,))


def _placement_settings(lab: Lab) -> Path:
    return lab.etc / "placement" / "placement.conf"
