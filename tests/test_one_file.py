"""ssd.pyz: it runs as a program and by Python, says what is wrong with it, and reads little."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from kit import one_file

PYTHON = os.path.realpath(sys.executable)  # without the packages of the tests' environment


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file, made for this interpreter."""
    return one_file.make(tmp_path_factory.mktemp("one-file"), PYTHON)


def call(*words: object) -> tuple[int, str]:
    """Run a command; return its status and what it said."""
    done = subprocess.run(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def doors(file: Path) -> Iterable[list[str]]:
    """Yield the words that run the file: as a program, and by Python."""
    yield [str(file)]
    yield [PYTHON, str(file)]


def test_command_is_named_by_the_first_word(file: Path) -> None:
    """Anything else is a word of ssd's own."""
    for door in doors(file):
        assert (3, "") == call(*door, "--status", "--pidfile", "/nonexistent/pid")
        assert "ssd-service " == call(*door, "ssd-service", "--version")[1][:12]
        status, said = call(*door, "--bogus")
        assert (3, "ssd.pyz: unrecognized option '--bogus'") == (status, said.split("\n")[0])


@pytest.mark.parametrize(
    ("name", "word", "begin"),
    [
        ("ssd", "--version", "ssd "),
        ("start-stop-daemon", "--version", "ssd "),
        ("ssd-service", "--version", "ssd-service "),
        ("ssd-supervise", "--version", "ssd-supervise "),
        ("status", "--help", "Usage: status "),
    ],
)
def test_command_is_named_by_a_link(
    file: Path, tmp_path: Path, name: str, word: str, begin: str
) -> None:
    """Of the command's name, or another one that it goes by."""
    link = tmp_path / name
    link.symlink_to(file)
    status, said = call(link, word)
    assert (0, begin) == (status, said[: len(begin)])


def test_status_reads_no_more_than_the_first_part(file: Path, tmp_path: Path) -> None:
    """What the commonest command needs is read at once, before it begins."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import ssd\n"
        "read, reads = ssd.__loader__._read, []\n"
        "ssd.__loader__._read = lambda *where: reads.append(where) or read(*where)\n"
        "from ssd.cli import main\n"
        "status = main(['ssd', '--status', '--pidfile', '/nonexistent/pid'])\n"
        "print(status, reads, ssd.archive == sys.argv[1])\n"
    )
    assert (0, "3 [] True\n") == call(PYTHON, "-IS", "-c", code, file)


def test_import_has_sources_data_and_libraries(file: Path) -> None:
    """As if the file were a directory; bytecode is that of the sources."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import inspect, ssd.stopping, daemon, lockfile\n"
        "loader = ssd.__loader__\n"
        "for name in 'ssd', 'ssd.stopping', 'ssd.upstart.jobs', 'daemon.daemon':\n"
        "    path = loader.get_filename(name)\n"
        "    assert path.startswith(sys.argv[1] + '/'), path\n"
        "    code = compile(loader.get_source(name), path, 'exec', dont_inherit=True)\n"
        "    assert code == loader.get_code(name).replace(co_filename=path), name\n"
        "assert 'def run' in inspect.getsource(ssd.stopping)\n"
        "from ssd.service import sources\n"
        "assert 'nova-compute' == sources.find('nova-compute', '/nonexistent').name\n"
    )
    assert (0, "") == call(PYTHON, "-IS", "-c", code, file)


def test_psutil_that_is_missing_is_named(file: Path) -> None:
    """With the interpreter that has none; the kernel's own table needs none."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import ssd, site\n"
        "ssd.table_named('kernel')\n"
        "try: ssd.table_named('psutil')\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    wanted = f"{PYTHON} has no psutil; ssd.pyz cannot contain it: install psutil for that Python\n"
    assert (0, wanted) == call(PYTHON, "-IS", "-c", code, file)


@pytest.mark.parametrize("name", ["ssd-supervise", "init", "ssd-initctl", "reload", "telinit"])
def test_fault_of_a_link_has_the_status_of_its_command(
    file: Path, tmp_path: Path, name: str
) -> None:
    """That of the launchers of ssd-supervise and ssd-initctl, whatever the link is called."""
    cut = tmp_path / name
    cut.write_bytes(file.read_bytes()[:700_000])
    status, said = call(PYTHON, cut, "job")
    assert (1, True) == (status, "cut off" in said), said


SAMPLES = (2048, 12_000, 700_000, -3000, -30)


@pytest.mark.parametrize("size", SAMPLES)
def test_file_that_is_cut_off_says_so(file: Path, tmp_path: Path, size: int) -> None:
    """With a status that is no answer, wherever the end is."""
    cut = tmp_path / "cut"
    cut.write_bytes(file.read_bytes()[:size])
    cut.chmod(0o755)
    for door in doors(cut):
        status, said = call(*door, "--status", "--pidfile", "/nonexistent/pid")
        assert (4, True) == (status, "cut off" in said), said


def test_file_renamed_over_in_a_start_is_found(file: Path) -> None:
    """Python opens it anew for each member, and has read the list of another version's members."""
    with zipfile.ZipFile(file) as read:
        found = {info.filename: (info.header_offset, info.file_size) for info in read.infolist()}
    assert found.pop("__main__.pyc") == (4096, 14336)
    assert found.pop("__main__.py") == (18474, 10240)
    assert found.pop("ssd/__init__.py") == (28755, 6144)
    assert {"licences"} == {name.partition("/")[0] for name in found}


def test_file_that_is_damaged_says_so(file: Path, tmp_path: Path) -> None:
    """A start fails with another status than a status does."""
    data = bytearray(file.read_bytes())
    data[data.rindex(b"ssd.finding")] ^= 1
    damaged = tmp_path / "ssd-service"
    damaged.write_bytes(data)
    damaged.chmod(0o755)
    said = f"ssd-service: {damaged}: it is damaged: copy it again\n"
    assert (4, said) == call(damaged, "web", "status")
    assert (1, said) == call(PYTHON, damaged, "web", "start")


def test_module_that_is_damaged_is_not_used(file: Path, tmp_path: Path) -> None:
    """Also one that is read later."""
    data = bytearray(file.read_bytes())
    for at in range(10_000, len(data) // 3, 100):  # before what commands read at once
        data[at] ^= 1
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    damaged.chmod(0o755)
    assert (3, "") == call(damaged, "--status", "--pidfile", "/nonexistent/pid")
    status, said = call(damaged, "ssd-service", "generate", "systemd", "nova-compute")
    assert (1, True) == (status, "it is damaged, or was overwritten" in said), said


def test_variables_of_pythons_are_not_obeyed(file: Path, tmp_path: Path) -> None:
    """They are there for the programs that are started."""
    stranger = "raise SystemExit('not this one')\n"
    (tmp_path / "fcntl.py").write_text(stranger)
    given = {"PYTHONPATH": str(tmp_path), "PYTHONINSPECT": "1"}
    wanted = {f"{name}={value}" for name, value in given.items()}
    for door in doors(file):
        words = [*door, "--start", "--pidfile", "/nonexistent/pid", "--startas", "/usr/bin/env"]
        done = subprocess.run(words, env=given, capture_output=True, text=True)
        assert (0, wanted) == (done.returncode, set(done.stdout.splitlines())), done.stderr
    (tmp_path / "sitecustomize.py").write_text(stranger)  # read before the file, if Python is given
    assert (3, "") == call(
        "env", *sorted(wanted), file, "--status", "--pidfile", "/nonexistent/pid"
    )


def test_interpreter_is_not_that_of_a_variable(file: Path, tmp_path: Path) -> None:
    """The file starts Python anew, where PATH has found it, and not what PYTHONEXECUTABLE says."""
    (tmp_path / "python3").symlink_to(PYTHON)
    words = "python3", file, "--status", "--pidfile", "/nonexistent/pid"
    given = f"PATH={tmp_path}:/usr/bin:/bin", "PYTHONEXECUTABLE=/bin/false"
    assert (3, "") == call("env", *given, *words)
