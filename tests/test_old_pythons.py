"""ssd.pyz on Python 3.9 and 3.10, which the installed ssd does not need to run on."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CHECKOUT, Run
from kit import newer, old_pythons, one_file, roots
from kit.old_pythons import Old

SOURCES = {
    file.relative_to(CHECKOUT).as_posix(): file.read_text(encoding="utf-8")
    for file in sorted((CHECKOUT / "ssd").rglob("[!.]*.py"))
    if not {"testing", "compute"} & set(file.relative_to(CHECKOUT).parts)
}
# Nothing imports these when a command runs.
FOR_CHECKERS = {path for path, text in SOURCES.items() if "for type checkers only" in text[:200]}
WHOLE = sorted(set(SOURCES) - FOR_CHECKERS)


def test_sources_need_no_more_than_python_39() -> None:
    """What is newer stands behind a guard: hasattr(), sys.version_info, or a try."""
    found = [f"{path}, {what}" for path in WHOLE for what in newer.uses(SOURCES[path]).newer]
    assert [] == found


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.splice(0, 1, 2)",
        "from os import eventfd",
        "import tomllib",
        "import sys as s\ns.flags.safe_path",
        "zip((), (), strict=True)",
        "isinstance(1, int | None)",
        "Text = str | Path",
        "def f(x=int | str): pass",
        "error.add_note('')",
        "if True:\n    raise ExceptionGroup('', [])",
    ],
)
def test_newer_names_are_found(text: str) -> None:
    """At run time; not behind a guard, and not where only a type checker looks."""
    assert 1 == len(newer.uses(text).newer)
    lines = text.replace("\n", "\n    ")
    assert [] == newer.uses(f"if TYPE_CHECKING:\n    {lines}").newer
    assert [] == newer.uses(f"try:\n    {lines}\nexcept AttributeError:\n    pass").newer


def test_newer_syntax_is_found() -> None:
    """As Python itself finds it, but for annotations."""
    with pytest.raises(SyntaxError):
        newer.uses("match 1:\n    case 1: pass\n")
    assert [] == newer.uses("def f(x: int | None) -> str | None:\n    y: int | str = 1\n").newer


def test_name_of_a_module_is_found_by_its_full_name() -> None:
    """Whatever it is called in the source."""
    used = newer.uses("import os.path as p, sys\nfrom os import fork as f\np.join(sys.flags.debug)")
    assert {"os.path", "sys", "os.fork", "os.path.join", "sys.flags.debug", "sys.flags"} == set(
        used.names
    )


@pytest.fixture(scope="module", params=old_pythons.VERSIONS)
def old(request: pytest.FixtureRequest) -> Old:
    """Return an old interpreter, and skip the test without one."""
    return old_pythons.needed(request.param)


@pytest.fixture(scope="module")
def file(old: Old, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file with the bytecode of the old interpreter, which its first line names."""
    return one_file.make(tmp_path_factory.mktemp("old"), old.python)


@pytest.mark.parametrize("name", ["zipapp", "collection", "fleet-simulation"])
def test_scripts_that_need_a_newer_python_say_so(old: Old, name: str, tmp_path: Path) -> None:
    """A file made by an old Python would lack tomllib, and fail on the hosts."""
    words = [old.python, "-W", "ignore", CHECKOUT / "scripts" / name]
    done = subprocess.run(words, env=old.environment, cwd=tmp_path, capture_output=True, text=True)
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"scripts/{name}: run it with Python 3.11 or newer")
    assert [] == list(tmp_path.iterdir())


# Says which of the names on standard input there are not.
ASK = """
import importlib, json, sys
for name in json.load(sys.stdin):
    found, parts = None, name.split(".")
    for number, part in enumerate(parts, 1):
        try: found = importlib.import_module(".".join(parts[:number]))
        except ImportError:
            if not hasattr(found, part):
                print(name)
                break
            found = getattr(found, part)
"""


def test_old_python_has_all_that_is_used(old: Old) -> None:
    """Each name of the standard library in the sources; this finds what the list has not."""
    used = {name for path in WHOLE for name in newer.uses(SOURCES[path]).names}
    own = sorted(name for name in used if name.split(".")[0] in sys.stdlib_module_names)
    words = [old.python, "-IS", "-W", "ignore", "-c", ASK]
    done = subprocess.run(words, input=json.dumps(own), env=old.environment, capture_output=True,
                          text=True)  # fmt: skip
    assert (0, "") == (done.returncode, done.stdout), done.stderr


IMPORT = """
import sys; sys.path.insert(0, sys.argv[1]); import ssd
for path in sorted(ssd.__loader__._table()):
    name = path[:-3].replace("/", ".").removesuffix(".__init__")
    if path.endswith(".py") and path not in sys.argv and not name.endswith("__main__"):
        try: __import__(name)
        except (ModuleNotFoundError, FileNotFoundError) as error:
            if "psutil" not in str(error): raise
"""


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [True, False])
def test_old_python_imports_all_modules(
    old: Old, file: Path, tmp_path: Path, compiled: bool
) -> None:
    """By their bytecode, and by their sources where the file has none for this interpreter."""
    made = file if compiled else one_file.make(tmp_path)
    words = [old.python, "-IS", "-c", IMPORT, made, *FOR_CHECKERS]
    done = subprocess.run(words, env=old.environment, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)


# $1: the directory of the file. What a verb says is followed by its status.
LIFE = """
exec 2>&1; cd /run; P=$1/ssd.pyz; mkdir declared job
printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\n' > declared/nap.toml
printf 'reload_signal = "CONT"\\n' >> declared/nap.toml
printf 'DAEMON=/bin/sleep\\nDAEMON_ARGS=1001\\nPIDFILE=/run/old.pid\\n' > declared/old
printf 'start on startup\\nrespawn\\nexec sleep 1000\\n' > job/web.conf
service() { "$P" ssd-service --directory /run/declared "$@" | sed 's/ (.*//'; }
status() { "$P" ssd-service --directory /run/declared "$@" > /dev/null; echo "$?"; }
until_said() { while read -r line <&3; do case $line in *"$1"*) break ;; esac; done; }
. "$1/steps"
"""


@pytest.fixture
def life(old: Old, file: Path, in_namespace: Run, tmp_path: Path) -> Callable[[str], list[str]]:
    """Return a function that runs steps of sh as if alone, and returns what they say."""

    def run(steps: str) -> list[str]:
        (tmp_path / "ssd.pyz").write_bytes(file.read_bytes())
        (tmp_path / "ssd.pyz").chmod(0o755)
        (tmp_path / "steps").write_text(steps)
        done = in_namespace("sh", "-c", LIFE, "sh", tmp_path, env=old.environment)
        said: list[str] = done.stdout.splitlines()
        return said

    return run


DAEMON = """
"$P" --start --background --make-pidfile --pidfile a --chuid daemon --startas /bin/sleep -- 100
echo $?; "$P" --status --pidfile a; echo $?; stat -c %u:%g "/proc/$(cat a)"
"$P" --stop --pidfile a --retry TERM/5/KILL/5 --remove-pidfile; echo $?; ls a
"$P" --start --background --notify-await --pidfile b --startas /bin/false 2> /dev/null; echo $?
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_old_python_starts_and_stops_daemons(life: Callable[[str], list[str]]) -> None:
    """As another user, in the background, by a schedule."""
    assert life(DAEMON) == [
        "0", "0", "1:1", "0", "ls: cannot access 'a': No such file or directory", "2",
    ]  # fmt: skip


VERBS = """
for verb in status start status reload restart try-restart force-reload stop status; do
    service nap $verb
done
for verb in status start status restart stop status; do status old $verb; done
service all status
"$P" ssd-service --directory /run/declared nap start --json --plan | grep -o '"planned": true'
"$P" ssd-service --directory /run/declared nap status --json | grep -om 1 '"state": "stopped"'
printf 'environment.A = "b"\\nexecutable = "/bin/new"\\narguments = [\\n]\\n' > declared/new.toml
service new status; echo 'nice = = 1' >> declared/new.toml; service new status
"""


@pytest.mark.requires_namespaces
def test_old_python_does_all_verbs(life: Callable[[str], list[str]]) -> None:
    """Of declarations in TOML, also such as only tomllib reads, and in shell."""
    *said, refused = life(VERBS)
    assert said == [
        "nap is not running", "Starting nap: nap.", "nap is running", "Reloading nap: nap.",
        "Restarting nap: nap.", "Trying to restart nap: nap.", "Reloading nap: nap.",
        "Stopping nap: nap.", "nap is not running", "3", "0", "0", "0", "0", "3",
        "nap is not running", "old is not running", '"planned": true',
        '"state": "stopped"', "new is not running",
    ]  # fmt: skip
    assert "ssd-service: /run/declared/new.toml:5: invalid value" == refused


SUPERVISOR = """
mkfifo said; printf 'log = { path = "/run/log" }\\n' >> declared/nap.toml
"$P" ssd-supervise --directory /run/declared > said 2>&1 & supervisor=$!
exec 3< said; until_said 'nap runs'
service nap status; service upgrade; service nap status; service nap restart
kill $supervisor; until_said 'nap has stopped'; wait $supervisor; echo $?
"""


@pytest.mark.requires_namespaces
def test_old_python_supervises(life: Callable[[str], list[str]]) -> None:
    """An upgrade included: it starts the same interpreter again."""
    assert life(SUPERVISOR) == [
        "nap is running", "nap is running", "Restarting nap: nap.", "0",
    ]  # fmt: skip


JOBS = """
mkfifo said; "$P" ssd-supervise --upstart=/run/job > said 2>&1 & supervisor=$!
exec 3< said; until_said 'web runs'; main=$("$P" ssd-initctl status web); echo "${main%%,*}"
"$P" ssd-service --directory /run/job upgrade; "$P" ssd-initctl status web | grep -cxF "$main"
"$P" ssd-initctl stop web; kill $supervisor; wait $supervisor; echo $?
"""


@pytest.mark.requires_namespaces
def test_old_python_runs_jobs_of_upstart(life: Callable[[str], list[str]]) -> None:
    """They outlive an upgrade."""
    assert ["web start/running", "1", "web stop/waiting", "0"] == life(JOBS)


BULLSEYE = """
ln -s /srv/ssd.pyz /usr/sbin/ssd-service; ln -s /srv/ssd.pyz /usr/sbin/ssd; mkdir /etc/ssd
printf 'executable = "/bin/sleep"\\narguments = [\\n  "1000"\\n]\\n' > /etc/ssd/nap.toml
echo 'user = "daemon"' >> /etc/ssd/nap.toml
python3 -V; for verb in start status restart stop; do ssd-service nap $verb | sed 's/ (.*//'; done
"""


@pytest.mark.packages
@pytest.mark.requires_root
def test_debian_11_runs_the_file(tmp_path: Path) -> None:
    """Its python3 compiles the sources, for which the file has no bytecode."""
    shared = tmp_path / "shared"
    shared.mkdir()
    one_file.make(shared, line="/usr/bin/python3")
    with roots.fresh(old_pythons.debian_11(tmp_path, shared), shared) as root:
        said = root.run(BULLSEYE).splitlines()
    assert said == [
        "Python 3.9.2", "Starting nap: nap.", "nap is running", "Restarting nap: nap.",
        "Stopping nap: nap.",
    ]  # fmt: skip
