"""The completions of ssd-initctl in bash and zsh: its words, and the jobs of a supervisor."""

from pathlib import Path

import pytest
from conftest import CHECKOUT

from ssd.upstart.initctl.commands import COMMANDS
from ssd.upstart.initctl.links import NAMES
from ssd.upstart.initctl.options import COMMON

from . import zsh
from .test_completions import COMPLETIONS, complete

COMMON_NAMES = [f"--{row[1]}" for row in COMMON]
LEVELS = ["debug", "info", "message", "warn", "error", "fatal"]
ANSWERS = """#!/bin/sh
case $* in
list)
    printf 'web start/running, process 1\\n\\tpost-start process 2\\n'
    printf 'net/up (1) stop/waiting\\nnet/up (2) stop/waiting\\n' ;;
show-config) printf 'web\\n  emits ready\\n  start on ready\\n' ;;
esac
"""


@pytest.fixture
def command(tmp_path: Path) -> str:
    """Return a command that knows some jobs."""
    path = tmp_path / "ssd-initctl"
    path.write_text(ANSWERS)
    path.chmod(0o755)
    return str(path)


def offered(command: str, *words: str) -> list[str]:
    """Return what bash offers for the last of the words, behind the command's path."""
    return complete("ssd-initctl", *words, path=command)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([""], list(COMMANDS)),
        (["-q", "sta"], ["start", "status"]),
        (["--dest", "x", "sto"], ["stop"]),
        (["--dest", "=", "x", "sto"], ["stop"]),
        (["start", ""], ["net/up", "web"]),
        (["start", "-n", "w"], ["web"]),
        (["start", "web", "n"], []),
        (["check-config", "-i", "a", "n"], ["net/up"]),
        (["show-config", "-e", "n"], ["net/up"]),
        (["check-config", "-i", ""], []),
        (["emit", ""], ["ready"]),
        (["log-priority", ""], LEVELS),
        (["telinit", "-e", "A=1", "q"], ["q"]),
        (["list", ""], []),
    ],
)
def test_bash_offers_commands_and_jobs(words: list[str], wanted: list[str], command: str) -> None:
    """The jobs are those of the command itself; each once, without instances and processes."""
    assert sorted(wanted) == sorted(offered(command, *words))


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_bash_offers_every_option(name: str, command: str) -> None:
    """The command's own, and those of all."""
    own = ["--make-links"] if not name else [f"--{row[1]}" for row in COMMANDS[name][1] if row[1]]
    words = [name, "--"] if name else ["--"]
    assert sorted([*own, *COMMON_NAMES]) == sorted(offered(command, *words))


def test_bash_offers_directories_for_links(tmp_path: Path, command: str) -> None:
    """And no files."""
    (tmp_path / "inner").mkdir()
    assert [f"{tmp_path}/inner"] == offered(command, "--make-links", f"{tmp_path}/")


@pytest.mark.parametrize("shell", ["bash/ssd-initctl", "zsh/_ssd-initctl"])
def test_short_names_are_left_to_others(shell: str) -> None:
    """Another system may have a start of its own."""
    lines = (CHECKOUT / "scripts/completions" / shell).read_text().splitlines()
    (taken,) = [line for line in lines if line.startswith(("complete ", "#compdef "))]
    assert "ssd-initctl" == taken.split()[-1]
    assert set() == set(taken.split()) & set(NAMES)


ZSH = [
    ("sta", ["start", "status"]),
    ("start ", ["net/up", "web"]),
    ("start -n w", ["web"]),
    ("usage w", ["web"]),
    ("check-config -i a w", ["web"]),
    ("emit r", ["ready"]),
    ("log-priority ", LEVELS),
    ("telinit ", list("0123456Sq")),
]


@pytest.mark.parametrize(("line", "wanted"), ZSH, ids=[line for line, _ in ZSH])
def test_zsh_offers_commands_and_jobs(line: str, wanted: list, command: str, tmp_path) -> None:
    """A real zsh, at the end of each line."""
    assert sorted(wanted) == sorted(
        zsh.complete(COMPLETIONS / "zsh", tmp_path, f"{command} {line}")
    )


def test_zsh_offers_every_command(command: str, tmp_path: Path) -> None:
    """By its name."""
    assert sorted(COMMANDS) == sorted(zsh.complete(COMPLETIONS / "zsh", tmp_path, f"{command} "))


@pytest.mark.parametrize(
    "name", ["", "start", "emit", "check-config", "set-env", "get-env", "list"]
)
def test_zsh_offers_every_option(name: str, command: str, tmp_path: Path) -> None:
    """The command's own, and those of all."""
    own = ["--make-links"] if not name else [f"--{row[1]}" for row in COMMANDS[name][1] if row[1]]
    line = f"{command} {name} --" if name else f"{command} --"
    assert sorted([*own, *COMMON_NAMES]) == sorted(
        zsh.complete(COMPLETIONS / "zsh", tmp_path, line)
    )
