"""scripts/packages and packaging/debian agree with the project. The packages: tests/packages/."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest
from conftest import CHECKOUT

import ssd

DEBIAN = CHECKOUT / "packaging" / "debian"
OVERRIDES = sorted(DEBIAN.rglob("*lintian-overrides"))


def words(text: str) -> str:
    """Return a text without its layout, and without the dots that Debian puts for empty lines."""
    return " ".join(word for word in text.split() if word != ".")


def test_packages_have_the_version_of_the_sources() -> None:
    """The changelog's newest entry is of it; what follows the hyphen counts the packages."""
    first = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert re.match(rf"ssd \({re.escape(ssd.__version__)}-\d+\) unstable; urgency=", first)


def test_packages_have_the_licence() -> None:
    """debian/copyright has its whole text, and the same year and owner."""
    shown = words((DEBIAN / "copyright").read_text())
    _, owner, text = (CHECKOUT / "LICENSE").read_text().split("\n\n", 2)
    assert words(text) in shown
    assert owner.replace("Copyright (c)", "Copyright:") in shown


@pytest.mark.parametrize("file", OVERRIDES, ids=lambda file: file.name)
def test_override_of_lintian_has_its_reason(file: Path) -> None:
    """The line above each is a comment."""
    lines = file.read_text().splitlines()
    before = dict(zip(lines[1:], lines, strict=False))
    overrides = [line for line in lines if not line.startswith("#")]
    assert overrides
    assert [] == [line for line in overrides if not before.get(line, "").startswith("# ")]


def test_packages_need_the_python_of_the_wheel() -> None:
    """dh_python3 makes the lowest version in Depends from it."""
    settings = configparser.ConfigParser()
    settings.read(CHECKOUT / "setup.cfg")
    needed = settings["options"]["python_requires"]
    found = re.findall(r"^X-Python3-Version: (.*)$", (DEBIAN / "control").read_text(), re.M)
    assert [needed] == [version.replace(" ", "") for version in found]


def test_command_of_the_wheel_is_in_a_package() -> None:
    """Each script of setup.cfg is in /usr/sbin, with its page and its completions."""
    settings = configparser.ConfigParser()
    settings.read(CHECKOUT / "setup.cfg")
    commands = sorted(Path(word).name for word in settings["options"]["scripts"].split())
    installed = (DEBIAN / "ssd.install").read_text().split()
    pages = (DEBIAN / "ssd.manpages").read_text().split()
    assert commands == sorted(Path(word).name for word in installed if "usr/sbin/" in word)
    assert commands == sorted(Path(word).stem for word in pages)
    for command in commands:
        assert (CHECKOUT / f"scripts/completions/bash/{command}").exists()
        assert (CHECKOUT / f"scripts/completions/zsh/_{command}").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--release", "11"], "--release 11 is neither 12 nor 13"),
        (["--out"], "--out needs a value"),
        (["13"], "unknown word 13; usage: "),
    ],
)
def test_script_refuses_wrong_words(given: list[str], said: str) -> None:
    """Before it does anything, with the way out."""
    script = CHECKOUT / "scripts" / "packages"
    done = subprocess.run([script, *given], capture_output=True, text=True)
    assert (1, "") == (done.returncode, done.stdout)
    assert f"scripts/packages: {said}" in done.stderr


@pytest.mark.requires_root
def test_script_refuses_another_user(tmp_path: Path) -> None:
    """Only root can make a root directory of Debian; nothing is left of the try."""
    script = (CHECKOUT / "scripts" / "packages").read_text()
    words = ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-s", "--", "--out", tmp_path]
    done = subprocess.run(words, input=script, cwd="/", capture_output=True, text=True)
    assert 1 == done.returncode
    assert "run it as root" in done.stderr
    assert [] == list(tmp_path.iterdir())
