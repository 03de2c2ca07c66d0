"""``ssd-service generate``: to standard output, to a file, and never over one by mistake."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run

from ssd.service.generators import cli as command
from ssd.service.generators import systemd
from ssd.service.sources import upstart as jobs

Tell = Callable[..., tuple[int, str, str]]

DECLARATION = 'name = "x"\nexecutable = "/bin/sleep"\narguments = ["1000"]\n'


@pytest.fixture
def declaration(tmp_path: Path) -> str:
    """Return the path of a declaration."""
    path = tmp_path / "x.toml"
    path.write_text(DECLARATION)
    return str(path)


@pytest.fixture
def generate(capfd: pytest.CaptureFixture[str]) -> Tell:
    """Return a function that runs the command; it returns status, output and complaints."""

    def generate(*words: str) -> tuple[int, str, str]:
        status = command.main(words)
        return status, *capfd.readouterr()

    return generate


@pytest.mark.parametrize("kind", command.KINDS)
def test_file_goes_to_standard_output(kind: str, declaration: str, generate: Tell) -> None:
    """For a declaration given by its path."""
    status, output, complaints = generate(kind, declaration)
    assert (0, "") == (status, complaints)
    assert f"# Written by: ssd-service generate {kind} x\n" in output


def test_service_is_found_by_its_name(generate: Tell) -> None:
    """nova-compute ships with the package."""
    status, output, _ = generate("sysv", "nova-compute")
    assert 0 == status
    assert "# Provides:          nova-compute\n" in output


@pytest.mark.parametrize(("kind", "mode"), [("systemd", 0o644), ("sysv", 0o755)])
def test_file_gets_the_mode_of_its_kind(
    kind: str, mode: int, declaration: str, generate: Tell, tmp_path: Path
) -> None:
    """A script is executable, a unit is not; nothing else is left in the directory."""
    path = tmp_path / "made"
    assert (0, "", "") == generate(kind, "--output", str(path), declaration)
    assert mode & ~os.umask(os.umask(0)) == path.stat().st_mode & 0o7777
    assert ["made", "x.toml"] == sorted(os.listdir(tmp_path))


def test_existing_file_stays_without_force(
    declaration: str, generate: Tell, tmp_path: Path
) -> None:
    """--force replaces it."""
    path = tmp_path / "made"
    path.write_text("mine\n")
    words = ("systemd", declaration, f"--output={path}")
    status, _, complaints = generate(*words)
    assert (1, "mine\n") == (status, path.read_text())
    assert f"ssd-service: {path} already exists; --force replaces it\n" == complaints
    assert 0 == generate(*words, "--force")[0]
    assert path.read_text().startswith("# Written by")
    assert ["made", "x.toml"] == sorted(os.listdir(tmp_path))


def test_link_is_followed_and_stays(declaration: str, generate: Tell, tmp_path: Path) -> None:
    """--force replaces the target; without it the target is in the way."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine\n")
    link.symlink_to(target)
    assert 1 == generate("systemd", declaration, "--output", str(link))[0]
    assert 0 == generate("systemd", declaration, "--output", str(link), "--force")[0]
    assert link.is_symlink()
    assert target.read_text().startswith("# Written by")


def test_link_that_others_could_have_planted_is_not_followed(
    declaration: str, generate: Tell, tmp_path: Path
) -> None:
    """In a directory that all can write, its owner would choose the file to replace."""
    target, shared = tmp_path / "target", tmp_path / "shared"
    target.write_text("precious\n")
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "link").symlink_to(target)
    (shared / "directory").symlink_to(tmp_path)
    for name in ("link", "directory/target", "directory/new"):
        path = str(shared / name)
        status, _, complaints = generate("sysv", declaration, "--output", path, "--force")
        link = name.partition("/")[0]
        reason = f"others can write the directory of the symbolic link {link!r}"
        reason += "; if you made it, give the path that it leads to"
        assert (1, f"ssd-service: {path}: {reason}\n") == (status, complaints)
    assert ("precious\n", False) == (target.read_text(), (tmp_path / "new").exists())


@pytest.mark.parametrize("kind", ["fifo", "directory"])
def test_force_replaces_only_regular_files(
    kind: str, declaration: str, generate: Tell, tmp_path: Path
) -> None:
    """A FIFO or a directory stays, and nothing waits for a reader."""
    path = tmp_path / kind
    path.mkdir() if kind == "directory" else os.mkfifo(path)
    status, _, complaints = generate("sysv", declaration, "--output", str(path), "--force")
    assert (1, f"ssd-service: {path}: not a regular file\n") == (status, complaints)


def test_install_writes_to_the_directory_of_the_system(
    declaration: str, generate: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named after the service."""
    assert "/etc/systemd/system/{name}.service" == systemd.PATH
    monkeypatch.setattr(systemd, "PATH", f"{tmp_path}/{{name}}.service")
    assert (0, "", "") == generate("systemd", declaration, "--install")
    assert (tmp_path / "x.service").is_file()


def test_losses_are_reported(declaration: str, generate: Tell, tmp_path: Path) -> None:
    """On standard error and in the file; with --strict there is no file."""
    Path(declaration).write_text(DECLARATION + 'console = "none"\n')
    status, output, complaints = generate("sysv", declaration)
    assert 0 == status
    assert complaints.startswith("ssd-service: warning: x: console is not in the sysv file: ")
    assert "# Not in this file: console (" in output
    path = tmp_path / "made"
    status, _, complaints = generate("sysv", declaration, "--strict", f"--output={path}")
    assert (1, False) == (status, path.exists())
    assert complaints.endswith("ssd-service: x: nothing written, because of --strict\n")


def test_output_that_is_lost_is_a_failure(declaration: str, run: Run) -> None:
    """On a full disk half a unit does not end with status 0."""
    code = f"from ssd.service.generators.cli import main; exit(main(['sysv', {declaration!r}]))"
    with open("/dev/full", "wb") as full:
        done = run(sys.executable, "-c", code, stdout=full, stderr=subprocess.PIPE)
    expected = "ssd-service: standard output: No space left on device\n"
    assert (1, expected) == (done.returncode, done.stderr)


def test_file_that_cannot_be_written_is_removed(declaration: str, run: Run, tmp_path: Path) -> None:
    """For example on a full disk."""
    path = tmp_path / "made"
    words = ["sysv", declaration, f"--output={path}"]
    code = f"from ssd.service.generators.cli import main; exit(main({words!r}))"
    done = run("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-c", code)
    assert (1, f"ssd-service: {path}: File too large\n") == (done.returncode, done.stderr)
    assert not path.exists()


def test_unit_is_installed_under_a_valid_name(
    generate: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other characters of the name are written in hex, as systemd-escape(1) does."""
    (tmp_path / "x.toml").write_text(DECLARATION.replace('"x"', '"a b"'))
    monkeypatch.setattr(systemd, "PATH", f"{tmp_path}/{{name}}.service")
    assert (0, "", "") == generate("systemd", f"{tmp_path}/x.toml", "--install")
    assert (tmp_path / "a\\x20b.service").is_file()


def test_directory_of_declarations_can_be_named(declaration: str, run: Run) -> None:
    """With the option that every command of ssd-service has."""
    ours = Path(sys.executable).with_name("ssd-service")
    directory = os.path.dirname(declaration)
    done = run(ours, "--directory", directory, "generate", "systemd", "x")
    assert (0, "") == (done.returncode, done.stderr)
    assert "\nExecStart=/bin/sleep 1000\n" in done.stdout


MISUSES = {
    "": "needs a kind (sysv, systemd, upstart, openrc) and the name of a service",
    "systemd": "needs a kind",
    "systemd x y": "needs a kind",
    "systemv x": "unknown kind systemv; did you mean systemd?",
    "launchd-of-apple x": "unknown kind launchd-of-apple; known kinds: sysv, systemd",
    "sysv x --bogus": "unknown option --bogus",
    "sysv x --output=": "--output needs a file name",
    "sysv x --output": "--output needs a file name",
    "sysv x --output=y --install": "--output and --install cannot be combined",
}


@pytest.mark.parametrize("line", MISUSES)
def test_misuse_is_named(line: str, generate: Tell) -> None:
    """With a pointer to --help, and status 2."""
    status, output, complaints = generate(*line.split())
    assert (2, "") == (status, output)
    assert complaints.startswith(f"ssd-service: {MISUSES[line]}")
    assert complaints.endswith("Try 'ssd-service generate --help' for more information.\n")


def test_help_tells_the_kinds_and_options(generate: Tell) -> None:
    """On standard output, with status 0."""
    status, output, complaints = generate("--help")
    assert (0, "") == (status, complaints)
    assert "KIND is sysv, systemd, upstart, openrc." in output


def test_declaration_or_file_that_fails_is_an_error(generate: Tell, tmp_path: Path) -> None:
    """An unknown service, an invalid declaration, a missing program or directory."""
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "x"\nexecutabel = "/bin/true"\n')
    status, _, complaints = generate("sysv", str(bad))
    assert (1, True) == (status, "did you mean executable?" in complaints)
    assert f"{bad}:2: executabel" in complaints
    bad.write_text('name = "x"\n')
    status, _, complaints = generate("sysv", str(bad))
    assert (1, True) == (status, "cannot write the sysv file: executable: " in complaints)
    assert 1 == generate("sysv", "nova-computer")[0]
    bad.write_text(DECLARATION)
    for force in ((), ("--force",)):
        made = f"{tmp_path}/none/made"
        status, _, complaints = generate("sysv", str(bad), "--output", made, *force)
        assert (1, True) == (status, f"{made}: No such file or directory" in complaints)


JOB = """\
start on runlevel [2345]
exec start-stop-daemon --start --chuid daemon --exec /bin/sleep -- 1000
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a job that is in the directory of Upstart's jobs."""
    monkeypatch.setattr(jobs, "JOBS", str(tmp_path))
    monkeypatch.setattr(jobs.locate, "__defaults__", (str(tmp_path),))
    path = tmp_path / "nap.conf"
    path.write_text(JOB)
    return path


@pytest.mark.parametrize("kind", ["systemd", "sysv", "openrc"])
def test_job_of_upstart_is_translated(kind: str, job: Path, generate: Tell) -> None:
    """By its name, if nothing else declares it, or by its path."""
    status, output, _ = generate(kind, "nap")
    assert (0, True, False) == (status, "/bin/sleep" in output, "--chuid daemon --exec" in output)
    assert (0, output) == generate(kind, str(job))[:2]


def test_job_in_a_sub_directory_has_a_plain_name(job: Path, generate: Tell) -> None:
    """The slash of its own name cannot be in that of a file."""
    (job.parent / "net").mkdir()
    (job.parent / "net" / "c.conf").write_text(JOB)
    status, output, _ = generate("sysv", "net/c")
    assert (0, True) == (status, "# Provides:          net_c\n" in output)


def test_declaration_comes_before_a_job(
    job: Path, declaration: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of two with one name the declaration counts."""
    os.rename(declaration, tmp_path / "nap.toml")
    (tmp_path / "nap.toml").write_text('executable = "/bin/cat"\n')
    assert 0 == command.main(["systemd", "nap"], directory=str(tmp_path))
    assert "ExecStart=/bin/cat\n" in capfd.readouterr().out


def test_job_for_upstart_stays_what_it_is(job: Path, generate: Tell) -> None:
    """With its override, and without comments."""
    job.with_suffix(".override").write_text("manual\n")
    text = JOB.replace("start on runlevel [2345]", "manual").replace("exec", "\nexec", 1)
    head = "# Written by: ssd-service generate upstart nap\n\n"
    assert (0, head + text, "") == generate("upstart", "nap")


def test_faulty_job_is_an_error(job: Path, generate: Tell) -> None:
    """With file, line and the stanza that was meant."""
    job.write_text("task\nexce a\n")
    told = f"ssd-service: {job}:2: Unknown stanza; did you mean exec?\n"
    assert (1, "", told) == generate("systemd", "nap")
    assert (1, "", told) == generate("systemd", str(job))


def test_unknown_service_has_no_job_either(job: Path, generate: Tell) -> None:
    """Nor has the path of a file that is not there."""
    assert "unrecognized service" in generate("systemd", "nosuch")[2]
    told = "ssd-service: /nonexistent/x.conf: No such file or directory\n"
    assert (1, "", told) == generate("systemd", "/nonexistent/x.conf")


def test_strict_translation_needs_all_of_a_job(job: Path, generate: Tell) -> None:
    """A script that calls Upstart is a loss, too."""
    job.write_text(JOB)
    assert 0 == generate("systemd", "--strict", "nap")[0]
    job.write_text(JOB + "pre-start exec initctl emit b\n")
    status, output, complaints = generate("systemd", "--strict", "nap")
    assert (1, "") == (status, output)
    told = f"ssd-service: warning: {job}: before_start: it calls initctl of Upstart\n"
    assert told + "ssd-service: nap: nothing written, because of --strict\n" == complaints
