"""The scripts with a bundle, and the command that makes one."""

import csv
import hashlib
import os
import shutil
import subprocess
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT

from ssd import bundle, installation

from .prefixes import HERE, PYTHON, Prefix

INFO = "start_stop_daemon-0.dist-info"
UNUSED = ("testing", "compute", "importing", "generators", "effects", "succession")


@pytest.fixture
def installed(tmp_path: Path, scripts: Path) -> Prefix:
    """Return a prefix with packages of its own, as pip leaves it."""
    prefix = Prefix(tmp_path / "prefix", scripts).furnish().venv().python()
    (prefix.packages / "ssd").unlink()
    shutil.copytree(
        HERE / "ssd",
        prefix.packages / "ssd",
        ignore=shutil.ignore_patterns("bundle.*.bin", *UNUSED),
    )
    prefix.noted(f"#!{prefix.bin}/python3\n")
    (prefix.packages / INFO).mkdir()
    rows = [["../../../bin/ssd", "sha256=x", "1"], ["../../../bin/ssd-service", "sha256=y", "2"]]
    with (prefix.packages / INFO / "RECORD").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return prefix


def finish(prefix: Prefix, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as README has it."""
    argv = [str(prefix.bin / "python3"), "-Im", "ssd.installation", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)


def record(prefix: Prefix) -> dict[str, list[str]]:
    """Return pip's record: path -> hash and size."""
    with (prefix.packages / INFO / "RECORD").open(newline="") as file:
        return {row[0]: row[1:] for row in csv.reader(file)}


def spoil(source: Path) -> None:
    """Give a source a text that cannot be compiled, without a trace."""
    facts = source.stat()
    source.write_text("(" * facts.st_size)
    os.utime(source, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_installation_is_finished_and_recorded(installed: Prefix) -> None:
    """Twice gives the same."""
    before = record(installed)
    for _ in range(2):
        done = finish(installed)
        assert (0, "") == (done.returncode, done.stderr)
        data = (installed.bin / "ssd").read_bytes()
        assert data.startswith(f"#!{installed.bin}/python3 -IS\n".encode())
        assert f'\nhome = "{installed.packages}"  # '.encode() in data
        digest = urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        made = Path(bundle.place(str(installed.packages)))
        assert {
            **before,
            "../../../bin/ssd": [f"sha256={digest}", str(len(data))],
            str(made.relative_to(installed.packages)): ["", ""],
        } == record(installed)
        assert [made] == [*made.parent.glob("bundle*.bin*")]
        assert 0o755 == (installed.bin / "ssd").stat().st_mode & 0o777


def test_bundle_that_is_removed_is_forgotten(installed: Prefix) -> None:
    """The rest stays as it is, and works without."""
    finish(installed)
    done = finish(installed, "--remove")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert not Path(bundle.place(str(installed.packages))).exists()
    assert {"../../../bin/ssd", "../../../bin/ssd-service"} == set(record(installed))
    assert 0 == installed("ssd", "--status", "--pid", str(os.getpid())).returncode
    assert 0 == finish(installed, "--remove").returncode


COMMANDS = {
    "ssd": (["--status", "--pid", "{pid}"], "ssd/cli/status.py", 0, 4),
    "ssd-service": (
        ["--directory={place}", "nap", "status"],
        "ssd/service/verbs/performing.py",
        3,
        4,
    ),
    "ssd-initctl": (["version"], "ssd/upstart/initctl/__init__.py", 1, 1),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_uses_a_bundle_of_these_sources_only(
    command: str, installed: Prefix, tmp_path: Path
) -> None:
    """A source that has changed since is what counts."""
    words, source, answer, fault = COMMANDS[command]
    (tmp_path / "nap.toml").write_text('executable = "/bin/sleep"\npidfile = "/nonexistent/pid"\n')
    words = [word.format(pid=os.getpid(), place=tmp_path) for word in words]
    finish(installed)
    assert answer == installed(command, *words).returncode
    spoil(installed.packages / source)
    assert answer == installed(command, *words).returncode
    os.utime(installed.packages / source)
    done = installed(command, *words)
    assert (fault, True) == (done.returncode, "SyntaxError" in done.stderr), done.stderr


def test_bundle_that_is_no_use_is_left_aside(installed: Prefix) -> None:
    """Cut off, of another Python's bytecode, empty, unreadable."""
    finish(installed)
    path = Path(bundle.place(str(installed.packages)))
    data = path.read_bytes()
    for wrong in (data[:100], b"\0\0\r\n" + data[4:], b"", data[:4]):
        path.write_bytes(wrong)
        for command, words in (("ssd", ["-T", "--pid", "1"]), ("ssd-service", ["--version"])):
            done = installed(command, *words)
            assert (0, "") == (done.returncode, done.stderr), wrong[:9]


def test_bundle_makes_no_module_lack(installed: Prefix) -> None:
    """What is not in it, and what it has no use for, is imported the usual way."""
    finish(installed)
    for words in (
        ["--help"],
        ["--version"],
        ["--status", "--json", "--pid", "1"],
        ["-T", "-n", "x"],
    ):
        done = installed("ssd", *words)
        assert (done.returncode, "") == (3 if "-n" in words else 0, done.stderr)


WRONG = {
    "unknown option": (["--bundel"], 2, "Usage: python -Im ssd.installation"),
    "two options": (["--bundle", "--remove"], 2, "Usage: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_words_are_shown_the_usage(case: str, installed: Prefix) -> None:
    """Nothing is done."""
    words, status, said = WRONG[case]
    done = finish(installed, *words)
    assert (status, True) == (done.returncode, done.stderr.startswith(said))


def test_installation_that_pip_has_not_recorded_is_refused(installed: Prefix) -> None:
    """The bundle is of use there, too."""
    shutil.rmtree(installed.packages / INFO)
    done = finish(installed)
    assert 1 == done.returncode
    assert done.stderr.startswith(f"ssd.installation: {installed.packages}: pip has recorded no")
    assert 0 == finish(installed, "--bundle").returncode


def test_bundle_needs_what_ssd_needs_beside_it(installed: Prefix) -> None:
    """Elsewhere only site finds it."""
    (installed.packages / "daemon").unlink()
    done = finish(installed)
    wanted = f"ssd.installation: {installed.packages}/daemon: missing; "
    assert (1, True) == (done.returncode, done.stderr.startswith(wanted)), done.stderr
    assert not Path(bundle.place(str(installed.packages))).exists()


def test_interpreter_with_a_blank_in_its_path_is_left(installed: Prefix) -> None:
    """pip lets a shell start it; the kernel cannot."""
    text = f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n"
    installed.noted(text)
    done = finish(installed)
    assert (0, True) == (done.returncode, "leaves no room for -IS" in done.stdout)
    assert (installed.bin / "ssd").read_text().startswith("#!/bin/sh\n'''exec' ")


def test_failed_replacement_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half of a bundle is left, and no file beside it."""
    file = tmp_path / "file"
    file.write_text("old")

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        installation._replace(str(file), b"new", 0o644)
    assert ([file], "old") == ([*tmp_path.iterdir()], file.read_text())
