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
    assert (installed.bin / "ssd").read_text().startswith(f"#!{installed.bin}/python3 -IS\n")


def test_interpreter_with_a_blank_in_its_path_is_left(installed: Prefix) -> None:
    """pip lets a shell start it; the kernel cannot."""
    text = f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n"
    installed.noted(text)
    done = finish(installed)
    assert (0, True) == (done.returncode, "starts Python without -IS: a shell" in done.stdout)
    assert (installed.bin / "ssd").read_text().startswith("#!/bin/sh\n'''exec' ")


def test_path_that_the_kernel_cannot_start_is_named(installed: Prefix) -> None:
    """An older pip writes it all the same; the way out is another place."""
    blank = installed.root / "a b"
    blank.symlink_to("bin")
    installed.noted(f"#!{blank}/python3\n")
    done = finish(installed)
    said = f"ssd.installation: {installed.bin}/ssd: its Python has a path with a blank"
    assert (1, True) == (done.returncode, done.stderr.startswith(said)), done.stderr


def test_full_disk_names_the_file_and_leaves_no_other(installed: Prefix) -> None:
    """A part is left nowhere, and what was there stays. No place for the words is a failure too."""
    finish(installed)
    made = Path(bundle.place(str(installed.packages)))
    before = made.read_bytes(), sorted(made.parent.iterdir())
    argv = [str(installed.bin / "python3"), "-Im", "ssd.installation", "--bundle"]
    for shell, named in (("ulimit -f 9; exec", made), ("exec >/dev/full", "standard output")):
        lines = f'{shell} "$@"' if "ulimit" in shell else f'{shell}; "$@"'
        done = subprocess.run(
            ["sh", "-c", lines, "sh", *argv], capture_output=True, text=True, timeout=WAIT_TIMEOUT
        )
        assert (1, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
        assert done.stderr.startswith(f"ssd.installation: {named}: ")
    assert before == (made.read_bytes(), sorted(made.parent.iterdir()))


def test_unfinished_run_is_removed_with_the_package(installed: Prefix) -> None:
    """The record names the bundle first, also those of other Pythons, and --remove knows parts."""
    made = Path(bundle.place(str(installed.packages)))
    made.mkdir(parents=True)  # so that it cannot be written
    with (installed.packages / INFO / "RECORD").open("a") as file:
        file.write("ssd/__pycache__/bundle.cpython-399.bin,,\n")
    assert 1 == finish(installed).returncode
    named = {path for path in record(installed) if "/bundle." in path}
    assert {"ssd/__pycache__/bundle.cpython-399.bin", f"ssd/__pycache__/{made.name}"} == named
    made.rmdir()
    parts = [made.with_name(f"{made.name}.{name}") for name in ("7.new", "8.new", "9.own")]
    for part in parts:
        part.write_text("a part")
    os.utime(parts[0], (0, 0))
    os.utime(parts[2], (0, 0))
    assert 0 == finish(installed).returncode
    assert parts[1:] == sorted(made.parent.glob("bundle.*.bin.*")), "another run writes the second"
    assert 0 == finish(installed, "--remove").returncode
    assert [] == [*made.parent.glob("bundle.*.bin*")]


def test_directory_of_pip_target_is_finished(installed: Prefix) -> None:
    """There pip has recorded the script in a place where it is not."""
    other = (installed.bin / "ssd").read_text()
    (installed.packages / "bin").mkdir()
    shutil.copy(installed.bin / "ssd", installed.packages / "bin/ssd")
    assert 0 == finish(installed).returncode
    assert other == (installed.bin / "ssd").read_text()
    lines = (installed.packages / "bin/ssd").read_text().splitlines()
    assert (True, True) == (lines[0].endswith(" -IS"), f'home = "{installed.packages}"' in lines[3])


def test_relative_call_survives_a_change_of_directory(installed: Prefix, tmp_path: Path) -> None:
    """What is loaded later, for a failure, is not searched for below another directory."""
    finish(installed)
    file = tmp_path / "nap.toml"
    file.write_text(f'executable = "/nonexistent"\npidfile = "{tmp_path}/pid"\n')
    words = ("./ssd-service", f"--directory={tmp_path}", "nap", "start")
    done = subprocess.run(
        words, cwd=installed.bin, capture_output=True, text=True, timeout=WAIT_TIMEOUT
    )
    assert "unforeseen" not in done.stderr
    assert installed("ssd-service", *words[1:]).stderr == done.stderr


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
