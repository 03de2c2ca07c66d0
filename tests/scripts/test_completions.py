"""The completions of bash and zsh offer what the commands have."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import CHECKOUT

from ssd.command import options
from ssd.service import verbs

COMPLETIONS = CHECKOUT / "scripts/completions"
LONG = sorted(f"--{row[1]}" for row in options.TABLE)


def complete(command: str, *words: str) -> list[str]:
    """Return what bash offers for the last of these words."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    script = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        f"_{command.replace('-', '_')}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    file = str(COMPLETIONS / "bash" / command)
    argv = ["bash", "--norc", "-c", script, "bash", file, command, *words]
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
    """Those of the folder that is named."""
    (tmp_path / "nap.toml").touch()
    place = f"--directory={tmp_path}"
    assert ["nap"] == complete("ssd-service", place, "nap")
    assert ["nap"] == complete("ssd-service", "--directory", "=", str(tmp_path), "nap")
    offered = complete("ssd-service", place, "nap", "")
    assert [*verbs.VERBS, "--full-restart"] == offered
    assert ["--json"] == complete("ssd-service", "nap", "status", "")
    assert [] == complete("ssd-service", "nap", "start", "")
    assert ["--directory"] == complete("ssd-service", "--d")
    assert ["systemd"] == complete("ssd-service", "generate", "syst")


def test_zsh_offers_every_option_and_verb() -> None:
    """Its files name them all, and no other."""
    text = (COMPLETIONS / "zsh/_ssd").read_text()
    named = re.findall(r"(--[a-z-]+)(?:=|\[|\})", text)
    assert LONG == sorted(named)
    service = (COMPLETIONS / "zsh/_ssd-service").read_text()
    assert " ".join(verbs.VERBS) in " ".join(service.split())


@pytest.mark.parametrize("name", ["_ssd", "_ssd-service"])
def test_zsh_can_read_them(name: str) -> None:
    """As far as it can tell without executing them."""
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    subprocess.run(["zsh", "-n", COMPLETIONS / "zsh" / name], check=True)
