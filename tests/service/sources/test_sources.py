"""Where a declaration is looked for, and which of several counts."""

from pathlib import Path

import pytest
from kit.users import as_nobody, shared, skip_without_nobody

from ssd.service import DeclarationError, UnknownService, sources

TOML = 'executable = "/bin/true"\n'
SHELL = "DAEMON=/bin/false\n"


def test_toml_comes_before_shell(tmp_path: Path) -> None:
    """With the same name in the same directory."""
    (tmp_path / "nap").write_text(SHELL)
    assert "/bin/false" == sources.find("nap", str(tmp_path)).executable
    (tmp_path / "nap.toml").write_text(TOML)
    assert "/bin/true" == sources.find("nap", str(tmp_path)).executable


def test_shipped_declaration_can_be_replaced(tmp_path: Path) -> None:
    """The shipped nova-compute is used if there is no other."""
    shipped = sources.find("nova-compute", str(tmp_path), {b"PATH": b"/bin"})
    assert shipped.file.startswith(sources.SHIPPED)
    (tmp_path / "nova-compute").write_text(SHELL)
    assert "/bin/false" == sources.find("nova-compute", str(tmp_path)).executable


def test_init_script_counts_if_it_is_a_declaration(tmp_path: Path, monkeypatch) -> None:
    """Any other is not ours to read, and is run as it is."""
    monkeypatch.setattr(sources, "INIT_D", str(tmp_path))
    script = tmp_path / "nap"
    script.write_text(f"#!/bin/sh\n{SHELL}")
    assert sources.locate("nap", "/nonexistent") is None
    script.write_text(f"#!/usr/bin/env ssd-service\n{SHELL}")
    assert "/bin/false" == sources.find("nap", "/nonexistent").executable


@pytest.mark.parametrize("name", ["", "a/b", "../etc", ".hidden", "-x", "nosuch"])
def test_invalid_name_is_not_found(name: str, tmp_path: Path) -> None:
    """A path, an option, a hidden file."""
    (tmp_path / ".hidden").write_text(SHELL)
    with pytest.raises(UnknownService):
        sources.find(name, str(tmp_path))


def test_nearest_name_is_proposed(tmp_path: Path) -> None:
    """Of those declared and those shipped."""
    with pytest.raises(UnknownService) as caught:
        sources.find("nova-computer", str(tmp_path))
    assert "nova-compute" == caught.value.nearest


def test_names_come_from_the_files_of_a_directory(tmp_path: Path) -> None:
    """Each once, without the files that editors and packages leave."""
    for name in ("b.toml", "a", "a.toml", "c~", ".d", "e.dpkg-old", ".toml"):
        (tmp_path / name).write_text(TOML)
    (tmp_path / "directory").mkdir()
    assert ["a", "b"] == sources.names(str(tmp_path))
    assert [] == sources.names(str(tmp_path / "none"))


def test_broken_file_hides_the_file_it_overrides(tmp_path: Path) -> None:
    """The error is about the file that counts."""
    (tmp_path / "nova-compute.toml").write_text("= 1\n")
    with pytest.raises(DeclarationError):
        sources.find("nova-compute", str(tmp_path))


def test_dangling_link_hides_no_other_name(tmp_path: Path) -> None:
    """It has a name too; reading it gives the error."""
    (tmp_path / "circle.toml").symlink_to("circle.toml")
    (tmp_path / "gone.toml").symlink_to("nowhere")
    (tmp_path / "nap.toml").write_text(TOML)
    assert ["circle", "gone", "nap"] == sources.names(str(tmp_path))


def test_unreadable_directory_is_an_error(tmp_path: Path, ssd_path: Path, run) -> None:
    """A service in there must not count as undeclared."""
    skip_without_nobody()
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    command = [ssd_path.with_name("ssd-service"), f"--directory={closed}"]
    with shared(tmp_path, 0o755):
        done = run(*command, "nova-compute", "status", **as_nobody())
    assert (4, True) == (done.returncode, "Permission denied" in done.stderr), done.stderr
