"""Programs of Debian can be used without installing them."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import Run
from kit import debian


@pytest.mark.slow
def test_unpacked_program_runs_with_its_own_libraries() -> None:
    """A server that is not installed runs from the directory that it was unpacked into."""
    root = debian.unpack("memcached")
    done = subprocess.run(
        ["memcached", "--version"], env=debian.environment(root), capture_output=True, text=True
    )
    assert (0, "memcached ") == (done.returncode, done.stdout[:10]), done.stderr


@pytest.mark.slow
def test_unpacked_directory_has_the_init_script() -> None:
    """The files have Debian's paths below the directory."""
    assert (debian.unpack("memcached") / "etc/init.d/memcached").is_file()


def test_missing_mirror_skips_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a package is not available, the test is skipped with the reason."""
    monkeypatch.setattr(debian, "_lists", list)
    with pytest.raises(pytest.skip.Exception, match="are not available here"):
        debian.unpack("no-such-package-of-debian")
    assert not list((debian.cache() / "unpacked").glob("*no-such-package*"))


def test_packages_are_kept_without_making_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing home is not made; for example, root in a CI may have /nonexistent."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("SSD_TESTS_CACHE", raising=False)
    kept = debian.cache.__wrapped__()
    assert (kept.parent, [kept.name]) == (tmp_path, os.listdir(tmp_path))


# The first lines of shell scripts; the last is a library's, which has no interpreter.
SHELL_SCRIPTS = (b"#!/bin/sh", b"#!/usr/bin/env bash", b"# shellcheck shell=sh")


@pytest.mark.slow
def test_shell_scripts_are_clean(run: Run, checkout, tmp_path: Path) -> None:
    """Debian's shellcheck finds nothing in the project's shell scripts.

    Of a script that Python reads, too, it gets the shell part, up to the end of Python's first
    string.
    """
    scripts = [
        file
        for file in sorted([*(checkout / "scripts").iterdir(), checkout / ".ci/run"])
        if file.is_file() and file.read_bytes().startswith(SHELL_SCRIPTS)
    ]
    for number, file in enumerate(scripts):
        shell, end, python = file.read_text().partition('\n"""\n')
        if end:
            scripts[number] = tmp_path / file.name
            scripts[number].write_text(shell.replace('""":"\n', "", 1) + "\n")
    environment = debian.environment(debian.unpack("shellcheck"))
    done = run("shellcheck", *scripts, env=environment)
    assert 0 == done.returncode, done.stdout
