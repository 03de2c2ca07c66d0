"""The rows: what each system is, and how it is run.

A row is run in a fresh Debian root (``roots``), or with an interpreter of this machine, which
scripts/test gives a virtual environment of its own.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import musl, roots
from .roots import CHECKOUT, NotRun
from .table import counted, summed

# A Debian that has the version as its own, where this machine has no interpreter of it.
RELEASES = {"3.11": "12", "3.13": "13", "3.14": "sid"}
ROOMS = "differential real cli service processes pidfile starting"
FAST = "`scripts/test --fast`"
_NEEDED = ("python3-venv", "procps")
_WANTED = "not races and not nova and not packages"
_VERSIONS = """
. /etc/os-release; case $VERSION_ID in ?*) read v < /etc/debian_version ;; *) v=sid ;; esac
echo "Debian $v, $(python3 -V), dpkg $(dpkg-query -W -f '${Version}' dpkg)"
"""
# ssd in start-stop-daemon's place, after the second block of commands.
_LIFE = """
start-stop-daemon --version | grep -q '^ssd '
set -- --pidfile /run/nap.pid --exec /bin/sleep
start-stop-daemon --start --background --make-pidfile "$@" -- 1000
start-stop-daemon --status "$@"
start-stop-daemon --stop --retry 5 --remove-pidfile "$@"
mkdir -p /etc/ssd; printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\n' > /etc/ssd/nap.toml
ssd-service nap start; ssd-service nap status; ssd-service nap stop; rm -r /etc/ssd
"""
_UNDONE = "start-stop-daemon --version | grep -q '^start-stop-daemon '; ! command -v ssd"


@dataclass(frozen=True)
class Setting:
    """Where rows run: the cache, interpreters to try, and the file that takes all output."""

    cache: Path
    pythons: Sequence[str]
    log: Path

    def run(self, words: Sequence[str], **variables: str) -> tuple[int, str]:
        """Run a command; return its status and its output, which the log gets as well."""
        with self.log.open("ab") as log:
            start = log.tell()
            done = subprocess.run(
                words, cwd=CHECKOUT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **variables},
            )  # fmt: skip
        with self.log.open("rb") as log:
            log.seek(start)
            return done.returncode, log.read().decode(errors="replace")

    def tested(self, words: Sequence[str], **variables: str) -> str:
        """Run tests; return their result in words."""
        status, output = self.run(words, **variables)
        passed, skipped, failed = summed(output)
        if not passed and not failed:
            raise NotRun(f"no test ran (status {status}): {last(output)}")
        return counted(passed, skipped, failed + (status != 0 and not failed))


Found = tuple[str, str]  # the versions, and the result


@dataclass(frozen=True)
class Row:
    """One system. ``run`` raises NotRun, with the reason, where it cannot be reached."""

    name: str
    group: str
    where: str
    ran: str
    run: Callable[[Setting], Found]


def last(output: str) -> str:
    """Return the last line of an output that says something."""
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no output"


def interpreter(version: str, named: Sequence[str]) -> str | None:
    """Return the path of an interpreter of a version: the first of those named, and of PATH's.

    A name may be that of a wrapper that finds none; it is asked.
    """
    tried = [*named, *filter(None, [shutil.which(f"python{version}"), shutil.which("python3")])]
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for path in tried:
        try:
            said = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True)
        except OSError as error:
            raise NotRun(f"--pythons: {path}: {error.strerror}") from error
        number, _, executable = said.stdout.strip().partition(" ")
        if said.returncode == 0 and number == version:
            return executable
    return None


def _python(version: str) -> Callable[[Setting], Found]:
    """Return what runs the fast tests with a version of Python."""

    def run(setting: Setting) -> Found:
        found = interpreter(version, setting.pythons)
        if found is not None:
            said = subprocess.run([found, "-V"], capture_output=True, text=True).stdout.split()[1]
            venv = setting.cache / f"venv-{version}"
            words = ["scripts/test", "--fast", "tests"]
            return said, setting.tested(words, PYTHON=found, TEST_VENV=str(venv))
        if version not in RELEASES:
            raise NotRun(f"no python{version} on PATH or in --pythons, nor in a Debian")
        with roots.root(RELEASES[version], setting.cache) as root:
            root.install(*_NEEDED)
            said = root.said("python3 -V").split()[1] + f" (Debian {RELEASES[version]}'s)"
            return said, setting.tested(root.words("cd /ssd; scripts/test --fast tests"))

    return run


def installing(checkout: Path) -> list[list[str]]:
    """Return the commands that the pages have on installing, one a line, for each block.

    The first installs, the second puts ssd in start-stop-daemon's place, the third undoes all.
    """
    found = []
    for name, section in (
        ("README.md", "Install it"),
        ("docs/howto/move-from-start-stop-daemon.md", "By hand"),
    ):
        text = (checkout / name).read_text(encoding="utf-8")
        part = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^```text\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
        found += [[re.split(r"\s{2,}", line)[0] for line in block.splitlines()] for block in blocks]
    return found


def _debian(release: str) -> Callable[[Setting], Found]:
    """Return what installs by the README, uses and removes ssd in a Debian, and runs tests."""

    def run(setting: Setting) -> Found:
        install, divert, undo = installing(CHECKOUT)
        steps = ["set -ex; cd /ssd", *install, *divert, _LIFE, *undo, _UNDONE]
        with roots.root(release, setting.cache) as root:
            root.install(*_NEEDED)
            versions = root.said(_VERSIONS)
            status, output = setting.run(root.words("\n".join(steps)))
            if status:
                return versions, f"failed: README's commands: {last(output)}"
            tests = " ".join(f"tests/{room}" for room in ROOMS.split())
            words = f"cd /ssd; scripts/test -m '{_WANTED}' {tests}"
            return versions, setting.tested(root.words(words))

    return run


def _first(package: str, tests: str, *, installed: bool = False) -> Callable[[Setting], Found]:
    """Return what runs tests that boot an init as process 1, in Debian 12 and in Debian 13."""

    def run(setting: Setting) -> Found:
        versions, results = [], []
        for release in ("12", "13"):
            with roots.root(release, setting.cache) as root:
                root.install(*_NEEDED, *([package] if installed else []))
                known = f"apt-cache show {package} | sed -n 's/^Version: //p' | head -1"
                versions.append(root.said(known).partition("-")[0])
                script = f"cd /ssd; scripts/test -m '{_WANTED}' {tests}"
                results.append(setting.tested(root.words(script)))
        name = package.removesuffix("-core")
        return f"{name} {' and '.join(versions)}", "; ".join(results)

    return run


def _busybox(setting: Setting) -> Found:
    """Run the scripts for users with busybox as their shell."""
    with roots.root("12", setting.cache) as root:
        root.install(*_NEEDED, "busybox")
        version = root.said("busybox | head -1").split()[1].replace("v", "BusyBox ")
        return version, setting.tested(
            root.words("cd /ssd; scripts/test tests/scripts/test_busybox.py")
        )


def _old(setting: Setting) -> Found:
    """Run ssd.pyz with the Python of Debian 11."""
    with roots.root("12", setting.cache) as root:
        root.install(*_NEEDED)
        words = root.words(f"cd /ssd; scripts/test -m '{_WANTED}' tests/test_old_pythons.py")
        return "3.9.2 (Debian 11's)", setting.tested(words)


def _musl(setting: Setting) -> Found:
    """Build a Python on musl, and run tests with it."""
    with roots.root("13", setting.cache) as root:
        root.install(*_NEEDED)
        versions = musl.python(root, setting.cache, setting.run)
        return versions, setting.tested(root.words(musl.TESTS))


def _emulated(_: Setting) -> Found:
    """Say that there is no such system."""
    raise NotRun("no such system is at hand; tests with fakes emulate what it lacks, and kqueue")


ROWS = [
    *(
        Row(f"python{version}", "Python", "this machine, or a Debian", FAST, _python(version))
        for version in ("3.11", "3.12", "3.13", "3.14")
    ),
    Row("one-file", "Python", "Debian 12", "`ssd.pyz` with old Pythons", _old),
    *(
        Row(
            f"debian{release}", "Debian", "a fresh root",
            f"the README's commands; tests in {ROOMS.replace(' ', ', ')}", _debian(release),
        )
        for release in ("12", "13", "sid")
    ),
    Row(
        "sysvinit", "process 1", "Debian 12 and 13, in namespaces",
        "the README's commands; `tests/test_installation.py`",
        _first("sysvinit-core", "tests/test_installation.py -k sysvinit"),
    ),
    Row(
        "openrc", "process 1", "Debian 12 and 13, in namespaces",
        "the README's commands; `tests/test_installation.py`",
        _first("openrc", "tests/test_installation.py -k openrc"),
    ),
    Row(
        "systemd", "process 1", "Debian 12 and 13, in namespaces",
        "`test_systemd_running.py`: generated units",
        _first("systemd", "tests/service/generators/test_systemd_running.py", installed=True),
    ),
    Row("busybox", "BusyBox, musl", "Debian 12", "what users run, with BusyBox alone", _busybox),
    Row("musl", "BusyBox, musl", "Debian 13, Python built there", musl.RAN, _musl),
    Row("bsd", "macOS, BSD", "-", "nothing", _emulated),
]  # fmt: skip
