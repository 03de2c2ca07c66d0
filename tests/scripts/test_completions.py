"""The completions of bash and zsh offer the words of the commands."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import CHECKOUT

from ssd.cli import options
from ssd.cli.added import ADDED
from ssd.service import help as help_text
from ssd.service import verbs
from ssd.service.generators.cli import KINDS
from ssd.service.lsb.cli import FUNCTIONS
from ssd.supervision.cli.options import FLAGS, JOBS, VALUES
from ssd.upstart.cli import options as job_options

from . import zsh

COMPLETIONS = CHECKOUT / "scripts/completions"
LONG = sorted(f"--{row[1]}" for row in options.TABLE + ADDED)


def complete(command: str, *words: str, path: str = "") -> list[str]:
    """Return the words that bash offers for the last of these words; ``path``: of the command."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    script = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        f"_{command.replace('-', '_')}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    file = str(COMPLETIONS / "bash" / command)
    argv = ["bash", "--norc", "-c", script, "bash", file, path or command, *words]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.split()


def test_bash_offers_every_option_of_ssd() -> None:
    """By their long names."""
    assert LONG == sorted(complete("ssd", ""))
    assert ["--start", "--startas", "--status"] == sorted(complete("ssd", "--sta"))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--signal", "HU"), ["HUP"]),
        (("--iosched", ""), ["real-time", "best-effort", "idle"]),
        (("--user", "roo"), ["root"]),
        (("--chdir", "/et"), ["/etc"]),
        (("--nicelevel", ""), []),
        (("--start", "--", "/et"), ["/etc"]),
    ],
)
def test_bash_offers_what_an_option_takes(words, wanted) -> None:
    """Signals, users, files; nothing for a number."""
    assert wanted == complete("ssd", *words)


def test_bash_offers_services_and_verbs(tmp_path: Path) -> None:
    """Those of the named directory."""
    (tmp_path / "nap.toml").touch()
    directory = f"--directory={tmp_path}"
    assert ["nap"] == complete("ssd-service", directory, "nap")
    assert ["nap"] == complete("ssd-service", "--directory", "=", str(tmp_path), "nap")
    offered = complete("ssd-service", directory, "nap", "")
    assert [*verbs.VERBS, "--full-restart"] == offered
    assert ["--json", "--plan"] == complete("ssd-service", "nap", "status", "")
    assert ["--plan"] == complete("ssd-service", "nap", "restart", "--json", "--p")
    assert [] == complete("ssd-service", "nap", "show-args", "")
    assert ["--directory"] == complete("ssd-service", "--d")
    assert ["systemd"] == complete("ssd-service", "generate", "syst")


def test_bash_offers_instances(tmp_path: Path) -> None:
    """Those with links, and those that a template lists on one line."""
    (tmp_path / "nap@.toml").write_text('instances = ["1", 20] \n')
    (tmp_path / "nap@3.toml").symlink_to("nap@.toml")
    (tmp_path / "doze").write_text("SERVICE_INSTANCES='a b'\n")
    directory = f"--directory={tmp_path}"
    for command in ("ssd-service", "ssd-supervise"):
        wanted = ["nap@", "nap@1", "nap@20", "nap@3"]
        assert wanted == sorted(complete(command, directory, "nap"))
        assert ["doze", "doze@a", "doze@b"] == sorted(complete(command, directory, "doze"))


def test_bash_offers_what_lsb_and_generate_take(tmp_path: Path) -> None:
    """Functions, kinds, services, options and files."""
    (tmp_path / "nap.toml").touch()
    directory = f"--directory={tmp_path}"
    assert list(FUNCTIONS) == complete("ssd-service", "lsb", "")
    assert list(KINDS) == complete("ssd-service", "generate", "")
    assert ["nap"] == complete("ssd-service", directory, "generate", "systemd", "na")
    assert ["--strict"] == complete("ssd-service", directory, "generate", "systemd", "nap", "--s")
    words = "generate", "systemd", f"{tmp_path}/na"
    assert [f"{tmp_path}/nap.toml"] == complete("ssd-service", *words)
    words = "generate", "systemd", "nap", "--output", "=", f"{tmp_path}/na"
    assert [f"{tmp_path}/nap.toml"] == complete("ssd-service", *words)
    assert ["systemd", "sysv", "supervisord"] == complete("ssd-service", "import", "")
    assert ["--print"] == complete("ssd-service", "import", "supervisord", "--p")
    assert [f"{tmp_path}/nap.toml"] == complete(
        "ssd-service", "import", "supervisord", f"{tmp_path}/na"
    )


def test_bash_offers_what_the_words_for_a_supervisor_take(tmp_path: Path) -> None:
    """Services, signals and options."""
    (tmp_path / "nap.toml").touch()
    directory = f"--directory={tmp_path}"
    assert ["update", "upgrade"] == complete("ssd-service", directory, "up")
    assert ["-n", "--follow", "--json"] == complete("ssd-service", "events", "")
    assert ["nap"] == complete("ssd-service", directory, "log", "na")
    assert ["--follow"] == complete("ssd-service", directory, "log", "nap", "--f")
    assert ["nap"] == complete("ssd-service", directory, "signal", "na")
    assert ["HUP"] == complete("ssd-service", "signal", "nap", "H")
    assert [] == complete("ssd-service", "update", "")


ZSH = [
    ("ssd --sta", ["--start", "--startas", "--status"]),
    ("ssd --signal=HU", ["HUP"]),
    ("ssd -s HU", ["HUP"]),
    ("ssd --iosched ", ["real-time", "best-effort", "idle"]),
    ("ssd --user roo", ["root"]),
    ("ssd --pidfile {}/na", [..., "nap.toml"]),
    ("ssd --nicelevel ", []),
    ("ssd --start -- {}/na", [..., "nap.toml"]),
    ("ssd-service --directory={} na", ["nap"]),
    ("ssd-service --directory {} na", ["nap"]),
    ("ssd-service --directory={} web@", ["web@", "web@1", "web@2", "web@3"]),
    ("ssd-service {}/na", [..., "nap.toml"]),
    ("ssd-service g", ["generate"]),
    ("ssd-service nap ", [*verbs.VERBS, "--full-restart"]),
    ("ssd-service nap status -", ["--json", "--plan"]),
    ("ssd-service nap restart --p", ["--plan"]),
    ("ssd-service nap start -", ["--json", "--plan"]),
    ("ssd-service nap show-args -", []),
    ("ssd-service up", ["update", "upgrade"]),
    ("ssd-service events --", ["--follow", "--json"]),
    ("ssd-service --directory={} log na", ["nap"]),
    ("ssd-service log nap --", ["--follow"]),
    ("ssd-service --directory={} signal na", ["nap"]),
    ("ssd-service signal nap H", ["HUP"]),
    ("ssd-service lsb ", list(FUNCTIONS)),
    ("ssd-service generate ", list(KINDS)),
    ("ssd-service import ", ["systemd", "sysv", "supervisord"]),
    ("ssd-service import {}/na", [..., "nap.toml"]),
    ("ssd-service import supervisord {}/na", [..., "nap.toml"]),
    ("ssd-service --directory={} generate systemd na", ["nap"]),
    ("ssd-service generate systemd nap --s", ["--strict"]),
    ("ssd-service generate systemd nap --output={}/na", [..., "nap.toml"]),
    ("ssd-supervise --directory={} na", ["nap"]),
    ("ssd-supervise --directory={} --exit-with na", ["nap"]),
    ("ssd-supervise --directory={} web@", ["web@", "web@1", "web@2", "web@3"]),
    ("ssd-supervise --group roo", ["root"]),
]


@pytest.mark.parametrize(("line", "wanted"), ZSH, ids=[line for line, wanted in ZSH])
def test_zsh_offers_what_the_commands_take(line: str, wanted: list, tmp_path: Path) -> None:
    """A real zsh, at the end of each line; before a file it names the directories of its path."""
    (tmp_path / "nap.toml").touch()
    (tmp_path / "web@.toml").write_text('instances = ["1", 2]\n')
    (tmp_path / "web@3.toml").symlink_to("web@.toml")
    offered = zsh.complete(COMPLETIONS / "zsh", tmp_path, line.format(tmp_path))
    if ... in wanted:
        assert wanted[1:] == offered[-1:]
    else:
        assert sorted(wanted) == sorted(offered)


def supervise_options() -> set[str]:
    """Return the long options of ssd-supervise, those for jobs too."""
    tables = job_options.FLAGS, job_options.VALUES, job_options.INIT_FLAGS, job_options.INIT_VALUES
    jobs = [each for table in tables for each in table]
    return {each for each in (*FLAGS, *VALUES, JOBS, *jobs) if each.startswith("--")}


def test_bash_offers_what_ssd_supervise_takes(tmp_path: Path) -> None:
    """Options, services of the named directory, and directories."""
    (tmp_path / "nap.toml").touch()
    directory = f"--directory={tmp_path}"
    assert sorted([*supervise_options(), "--help", "--version"]) == sorted(
        complete("ssd-supervise", "--")
    )
    assert ["nap"] == complete("ssd-supervise", directory, "na")
    assert ["nap"] == complete("ssd-supervise", directory, "--exit-with", "=", "na")
    (tmp_path / "inner").mkdir()
    assert [f"{tmp_path}/inner"] == complete("ssd-supervise", "--directory", f"{tmp_path}/in")
    assert ["root"] == complete("ssd-supervise", "--group", "roo")


def test_zsh_offers_every_option(tmp_path: Path) -> None:
    """By their long names, those of the generator and of ssd-service too."""
    assert LONG == sorted(zsh.complete(COMPLETIONS / "zsh", tmp_path, "ssd --"))
    offered = zsh.complete(COMPLETIONS / "zsh", tmp_path, "ssd-service --")
    told = help_text.TEXT.partition("Options:")[2]
    assert {*re.findall(r"^ .*(--[a-z-]+)", told, re.MULTILINE), "--status-all"} == set(offered)
    offered = zsh.complete(COMPLETIONS / "zsh", tmp_path, "ssd-supervise --")
    assert {*supervise_options(), "--help", "--version"} == set(offered)
