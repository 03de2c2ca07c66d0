"""The scripts ssd and ssd-service: which Python runs them, and which variables they obey."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, child, ended

from .prefixes import COMMANDS, HERE, PACKAGES, PYTHON, STRANGER, VERSION, Prefix

# The caller's surroundings ------------------------------------------------------------------

LEAD_ASTRAY = ("ssd", "daemon", "lockfile", "psutil", "readlink", "marshal", "fcntl", "resource")
EARLY = (
    "os",
    "site",
    "sitecustomize",
    "usercustomize",
    "encodings",
    "_signal",
)  # before ssd is there


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Return another user's directory, with programs and modules that report their use."""
    directory = tmp_path / "trap"
    directory.mkdir()
    for name in LEAD_ASTRAY:
        (directory / f"{name}.py").write_text(STRANGER)
    (directory / "ssd").mkdir()
    (directory / "ssd/__init__.py").write_text(STRANGER)
    for name in ("readlink", "python3", "python", "sh", "ulimit", "read", "printf", "dirname"):
        (directory / name).write_text("#!/bin/sh\necho a stranger >&2\nexit 77\n")
        (directory / name).chmod(0o755)
    return directory


def undisturbed(given: dict[str, str], ssd: Path, trap: Path, service: Path) -> None:
    """Run the commands with these variables in the trap; none of its files may be used."""
    settings = {"env": given, "cwd": trap, "capture_output": True, "timeout": WAIT_TIMEOUT}
    pidfile, file = trap / "pid", trap / "environment"
    with child() as process:
        start = ["--start", "--background", "--pidfile", pidfile, "--output", file]
        for words in (
            [ssd, "--status", "--pid", str(process.pid)],
            [ssd, *start, "--startas", "/usr/bin/env", "--", "-0"],
            [service, "--version"],
        ):
            done = subprocess.run(words, **settings)  # type: ignore[call-overload]
            assert (0, b"") == (done.returncode, done.stderr), words


MILD = [
    {"PYTHONPATH": ":/nonexistent"},
    {"PYTHONPATH": "{trap}"},
    {"PYTHONPATH": ".:{trap}", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
    {"PYTHONSTARTUP": "{trap}/ssd.py", "PYTHONINSPECT": "1"},
    {"PYTHONUSERBASE": "{trap}", "PYTHONPYCACHEPREFIX": "{trap}"},
    {"PYTHONWARNINGS": "error"},
    {"PYTHONEXECUTABLE": "{trap}/python3"},
    {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONOPTIMIZE": "2"},
    {"PATH": ""},
    {"PATH": ":"},
    {"PATH": "{trap}"},
]
ASTRAY = [
    *MILD,
    {"PYTHONHOME": "/nonexistent"},
    {"PYTHONHOME": "{trap}", "PYTHONPATH": "{trap}"},
    {"PYTHONPLATLIBDIR": "nonexistent"},
    {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1", "PYTHONVERBOSE": "1"},
    {"PYTHONSAFEPATH": "", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONOPTIMIZE": "2"},
    {"PYTHONUTF8": "0", "PYTHONIOENCODING": "nonsense", "PYTHONCOERCECLOCALE": "warn"},
    {"IFS": "/s", "CDPATH": "{trap}", "ENV": "{trap}/sh", "BASH_ENV": "{trap}/sh"},
]


def filled(variables: dict[str, str], trap: Path) -> dict[str, str]:
    """Put the directory in."""
    return {"PATH": "/usr/bin:/bin", **{k: v.format(trap=trap) for k, v in variables.items()}}


@pytest.mark.parametrize("variables", ASTRAY, ids=lambda variables: ",".join(variables))
def test_isolated_script_obeys_no_variable_and_no_directory(
    variables: dict[str, str], trap: Path, prefix: Prefix
) -> None:
    """The same holds for ssd-service, which always starts Python so."""
    prefix.furnish().python()
    for name in EARLY:
        (trap / f"{name}.py").write_text(STRANGER)
    undisturbed(filled(variables, trap), prefix.bin / "ssd", trap, prefix.bin / "ssd-service")


@pytest.fixture
def plain(tmp_path: Path, scripts: Path) -> Path:
    """Return the script ssd as pip leaves it: with site, and not isolated."""
    prefix = Prefix(tmp_path / "plain", scripts).furnish().venv().python()
    prefix.noted(f"#!{prefix.bin}/python3\n")
    return prefix.bin / "ssd"


@pytest.mark.parametrize("variables", MILD, ids=lambda variables: ",".join(variables))
def test_script_as_pip_leaves_it_obeys_only_the_interpreter(
    variables: dict[str, str], trap: Path, plain: Path, ssd_path: Path, tmp_path: Path
) -> None:
    """By its path and by a link, no module of ssd is imported from elsewhere."""
    link = tmp_path / "start-stop-daemon"
    link.symlink_to(plain)
    for path in (plain, link):
        undisturbed(filled(variables, trap), path, trap, ssd_path.with_name("ssd-service"))


ODD = [
    (),
    (b"A.B=1", b"b-c=2", b"\xff=\xfe", b"EMPTY="),
    (b"PWD=/stale", b"OLDPWD=/older", b"SHLVL=7", b"_=x", b"IFS=x", b"PS1=$ "),
    (b"PYTHONPATH=/srv/app", b"PYTHONUTF8=1", b"PYTHONSTARTUP=x", b"A.B=1"),
    (b"PYTHONPATH=/srv/app", b"LC_ALL=C", b"PWD=/stale"),
    (b"LINES=two\nlines", b"A=" + b"x" * 100_000),
    (b"BASH_FUNC_exec%%=() { echo no; }",),
]


@pytest.mark.parametrize("way", [[], ["--background"]], ids=["foreground", "background"])
@pytest.mark.parametrize("given", ODD, ids=range(len(ODD)))
def test_environment_reaches_the_program_byte_for_byte(
    given: tuple[bytes, ...], way: list[str], tmp_path: Path, plain: Path
) -> None:
    """Also Python's variables, for which Python is started a second time."""
    environment = dict(word.split(b"=", 1) for word in given)
    file = tmp_path / "environment"
    os.mkfifo(file)
    show = ["--startas", "/bin/sh", "--", "-c", f'cat "/proc/$$/environ" > {file}']
    words = ["--start", *way, "--name", "nobody", *show]
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(file.read_bytes()))
    reader.start()
    done = subprocess.run([plain, *words], env=environment, timeout=WAIT_TIMEOUT)  # type: ignore[arg-type]
    reader.join()
    assert 0 == done.returncode
    assert [*given] == found[0].split(b"\0")[:-1]


TOLD = "trap 'echo TERM' TERM; echo ready; while :; do read line; done"


def test_script_has_the_name_that_it_was_called_by(
    tmp_path: Path, ssd_path: Path, plain: Path
) -> None:
    """``--name python3`` must not find it."""
    link = tmp_path / "start-stop-daemon"
    link.symlink_to(ssd_path)
    for path, variables in ((ssd_path, {}), (link, {}), (plain, {"PYTHONHASHSEED": "1"})):
        with child("sh", "-c", TOLD, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert b"ready\n" == process.stdout.readline()
            argv = [str(path), "--stop", "--retry", "TERM/1000", "--pid", str(process.pid)]
            with subprocess.Popen(argv, env={**os.environ, **variables}) as stop:
                assert b"TERM\n" == process.stdout.readline()
                name = Path(f"/proc/{stop.pid}/comm").read_text()
                stop.kill()
        assert f"{path.name[:15]}\n" == name


# Links --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_link_leads_to_the_place_of_the_script(
    command: str, trap: Path, prefix: Prefix, tmp_path: Path
) -> None:
    """Through other links, and by a relative path; files beside a link do not matter."""
    prefix.furnish().python()
    farm = tmp_path / "sbin"
    farm.mkdir()
    (trap / "hop").symlink_to(prefix.bin / command)
    (farm / command).symlink_to("../trap/hop")
    for name in {"python3", *COMMANDS} - {command}:
        (farm / name).write_text(f"#!{trap}/python3\n")
        (farm / name).chmod(0o755)
    wanted = prefix(command, "--version").stdout
    assert wanted.startswith(f"{command} ")
    for path, path_variable in (
        (farm / command, "/bin"),
        (f"../sbin/{command}", "/bin"),
        (command, f":{farm}"),
        (command, ""),
    ):
        cwd = farm if path == command and not path_variable else trap
        words = ["sh", "-c", f'PATH={path_variable}; exec "$0" --version', path]
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
        assert (0, wanted, "") == (done.returncode, done.stdout, done.stderr), path


# Which Python -------------------------------------------------------------------------------

NOTES = {
    "as pip writes it": "#!{python}\n",
    "after a blank": "#! {python}\n",
    "with flags": "#!{python} -sP\n",
    "with blanks, in two lines for sh": "#!/bin/sh\n'''exec' \"{blank}\" \"$0\" \"$@\"\n' '''\n",
    "in single quotes": "#!/bin/sh\n'''exec' '{blank}' \"$0\" \"$@\"\n' '''\n",
    "too long for line 1": "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
    "with blanks, in line 1": "#!{blank}\n",
}


@pytest.fixture
def wrapper(tmp_path: Path) -> Iterator[Path]:
    """Return a directory with interpreters that note that they were called."""
    directory = tmp_path / "a directory"
    directory.mkdir()
    for path in (directory / "python3.x", tmp_path / "python-wrapper"):
        path.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/calls"\nexec {PYTHON} "$@"\n')
        path.chmod(0o755)
    yield tmp_path


@pytest.mark.parametrize("case", NOTES)
def test_interpreter_is_the_one_that_pip_wrote(case: str, prefix: Prefix, wrapper: Path) -> None:
    """Not another python, not even one beside the script."""
    blank, plain = wrapper / "a directory/python3.x", wrapper / "python-wrapper"
    prefix.furnish().python("/bin/false").noted(NOTES[case].format(python=plain, blank=blank))
    done = prefix("ssd-service", "--version")
    assert (0, "") == (done.returncode, done.stderr)
    assert "-IS\n" == (wrapper / "calls").read_text()


@pytest.mark.parametrize(
    "noted", ["#!/usr/bin/env python3\n", "#!python3\n", "#!/gone/python\n", ""]
)
def test_interpreter_is_not_searched_in_path(noted: str, prefix: Prefix, trap: Path) -> None:
    """It is the one beside the script, or else the system's."""
    prefix.furnish().python().noted(noted)
    done = prefix("ssd-service", "--version", env={"PATH": str(trap)}, cwd=trap)
    assert (0, "") == (done.returncode, done.stderr)


USUAL = ("a", "at", "bin", "fault", "file", "first", "here", "memory", "name", "noted", "original",
         "python", "second", "self", "ssd", "word")  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_launcher_changes_no_variable_of_the_caller(
    command: str, prefix: Prefix, tmp_path: Path
) -> None:
    """What ssd-supervise inherits goes to its services."""
    told = tmp_path / "python3.x"
    told.write_text("#!/bin/sh\nexec env\n")
    told.chmod(0o755)
    prefix.furnish().python("/bin/false").noted(f"#!{told}\n")
    given = {"PATH": "/usr/bin:/bin", **dict.fromkeys(USUAL, "mine")}
    done = prefix(command, "nap", "status", env=given)
    assert set() == {f"{name}=mine" for name in USUAL} - set(done.stdout.splitlines())


LAYOUTS = {
    "a virtual environment, or a user's": PACKAGES,
    "Debian's pip": f"lib/{VERSION}/dist-packages",
    "Debian's packages": "lib/python3/dist-packages",
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", LAYOUTS)
def test_packages_are_found_without_site(
    case: str, command: str, tmp_path: Path, scripts: Path
) -> None:
    """In the directories that installers use; a second start of Python would double the cost."""
    prefix = Prefix(tmp_path / "prefix", scripts, LAYOUTS[case]).furnish().python()
    loaded = tmp_path / "loaded"
    (prefix.packages / "ssd").unlink()
    shutil.copytree(HERE / "ssd", prefix.packages / "ssd")
    with (prefix.packages / "ssd/__init__.py").open("a") as init:
        init.write(f"\nimport sys; open({str(loaded)!r}, 'w').write(repr('site' in sys.modules))\n")
    assert 0 == prefix(command, "--version").returncode
    assert "False" == loaded.read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_site_is_used_where_only_site_knows_the_packages(command: str, prefix: Prefix) -> None:
    """After pip install --editable a .pth file in the virtual environment leads to them."""
    prefix.venv().python()
    (prefix.packages / "editable.pth").write_text(f"{HERE}\n")
    done = prefix(command, "--version")
    assert (0, "") == (done.returncode, done.stderr)


def test_python_daemon_may_be_the_systems(prefix: Prefix, tmp_path: Path) -> None:
    """It need not be beside ssd."""
    prefix.venv().furnish().python()
    for name in ("daemon", "lockfile"):
        (prefix.packages / name).unlink()
    (prefix.packages / "others.pth").write_text(f"{HERE}\n")
    words = ["--start", "--background", "--make-pidfile", "--pidfile", tmp_path / "pid"]
    done = prefix("ssd", *words, "--startas", "/bin/sleep", "--", "1000")
    with ended(int((tmp_path / "pid").read_text())):
        assert (0, "") == (done.returncode, done.stderr)


# In start-stop-daemon's place -----------------------------------------------------------------


@pytest.mark.parametrize("lost", ["interpreter", "packages"])
def test_second_copy_is_not_mistaken_for_the_original(
    lost: str, tmp_path: Path, scripts: Path
) -> None:
    """Each would run the other for ever, for example after a second installation."""
    ours = tmp_path / "start-stop-daemon"
    for copy in (ours, tmp_path / "start-stop-daemon.distrib"):
        shutil.copy(scripts.parent / "share/ssd/start-stop-daemon", copy)
    python = PYTHON if lost == "packages" else tmp_path / "python3"
    (tmp_path / "ssd").write_text(f"#!{python}\n")
    for words, status in (
        (["--stop", "--name", "x"], 2),
        (["--stop", "--name", "x", "--retry", "-TERM/5"], 2),
        (["--start", "--name", "x", "--", "--status", "-T"], 2),
        (["--status", "--name", "x"], 4),
        (["-Tnx"], 4),
    ):
        done = subprocess.run([ours, *words], capture_output=True, text=True, timeout=WAIT_TIMEOUT)
        assert (status, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
        assert done.stderr.startswith("start-stop-daemon: warning: ssd cannot run (")
        assert done.stderr.endswith("and there is no start-stop-daemon.distrib\n")


@pytest.mark.parametrize("text", ["(", "", "raise RecursionError('deep\\nsea')\n"])
def test_broken_package_leaves_it_to_the_original(
    text: str, prefix: Prefix, tmp_path: Path, scripts: Path
) -> None:
    """As a missing one does: no answer is that of a package which an upgrade has left in pieces."""
    prefix.break_package("")
    (prefix.packages / "ssd/cli.py").write_text(text)
    ours = tmp_path / "start-stop-daemon"
    shutil.copy(scripts.parent / "share/ssd/start-stop-daemon", ours)
    original = tmp_path / "start-stop-daemon.distrib"
    original.write_text("#!/bin/sh\nexit 7\n")
    original.chmod(0o755)
    for command in prefix.bin.iterdir():
        (tmp_path / command.name).symlink_to(command)
    for argv in ([ours], ["./start-stop-daemon"]):
        words = [*argv, "--status", "--pid", "1"]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_TIMEOUT
        )
        assert (7, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
        assert done.stderr.startswith("start-stop-daemon: warning: ssd cannot run (")


def test_original_inherits_the_variables_of_the_caller(tmp_path: Path, scripts: Path) -> None:
    """Also those with a name that a script uses lightly; a daemon is to get all of them."""
    ours = tmp_path / "start-stop-daemon"
    shutil.copy(scripts.parent / "share/ssd/start-stop-daemon", ours)
    original = tmp_path / "start-stop-daemon.distrib"
    original.write_text("#!/bin/sh\nexec env\n")
    original.chmod(0o755)
    usual = ("at", "bin", "each", "first", "here", "lacks", "line", "original", "python", "ssd")
    given = dict.fromkeys(usual, "mine") | {"PATH": os.environ["PATH"], "PWD": str(tmp_path)}
    done = subprocess.run([ours], env=given, cwd=tmp_path, capture_output=True, text=True)
    assert set(done.stdout.splitlines()) - {"_=/usr/bin/env"} == {f"{n}={given[n]}" for n in given}
