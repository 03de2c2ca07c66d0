"""Where a declaration is looked for, and which of several counts."""

from pathlib import Path

import pytest
from kit.users import as_nobody, shared, skip_without_nobody

from ssd.service import DeclarationError, UnknownService, sources

TOML = 'executable = "/bin/true"\n'
SHELL = "DAEMON=/bin/false\n"


def test_toml_comes_before_shell(tmp_path: Path) -> None:
    """Of the same name in the same directory."""
    (tmp_path / "nap").write_text(SHELL)
    assert "/bin/false" == sources.find("nap", str(tmp_path)).executable
    (tmp_path / "nap.toml").write_text(TOML)
    assert "/bin/true" == sources.find("nap", str(tmp_path)).executable


def test_nova_compute_is_found_by_name_and_can_be_replaced(tmp_path: Path) -> None:
    """The shipped declaration is for whoever has none of their own."""
    shipped = sources.find("nova-compute", str(tmp_path), {b"PATH": b"/bin"})
    assert shipped.file.startswith(sources.SHIPPED)
    (tmp_path / "nova-compute").write_text(SHELL)
    assert "/bin/false" == sources.find("nova-compute", str(tmp_path)).executable


def test_init_script_counts_if_it_is_a_declaration(tmp_path: Path, monkeypatch) -> None:
    """Any other is run as it is, by somebody else."""
    monkeypatch.setattr(sources, "INIT_D", str(tmp_path))
    script = tmp_path / "nap"
    script.write_text(f"#!/bin/sh\n{SHELL}")
    assert sources.locate("nap", "/nonexistent") is None
    script.write_text(f"#!/usr/bin/env ssd-service\n{SHELL}")
    assert "/bin/false" == sources.find("nap", "/nonexistent").executable


@pytest.mark.parametrize("name", ["", "a/b", "../etc", ".hidden", "-x", "nosuch"])
def test_what_is_no_name_is_not_found(name: str, tmp_path: Path) -> None:
    """No path, no option, nothing hidden."""
    (tmp_path / ".hidden").write_text(SHELL)
    with pytest.raises(UnknownService):
        sources.find(name, str(tmp_path))


def test_nearest_name_is_proposed(tmp_path: Path) -> None:
    """Of those declared and those shipped."""
    with pytest.raises(UnknownService) as caught:
        sources.find("nova-computer", str(tmp_path))
    assert "nova-compute" == caught.value.nearest


def test_names_are_those_of_a_directorys_files(tmp_path: Path) -> None:
    """Each once, without what editors and packages leave."""
    for name in ("b.toml", "a", "a.toml", "c~", ".d", "e.dpkg-old", ".toml"):
        (tmp_path / name).write_text(TOML)
    (tmp_path / "folder").mkdir()
    assert ["a", "b"] == sources.names(str(tmp_path))
    assert [] == sources.names(str(tmp_path / "none"))


def test_mistake_is_that_of_the_file_that_counts(tmp_path: Path) -> None:
    """A broken override does not uncover what it overrides."""
    (tmp_path / "nova-compute.toml").write_text("= 1\n")
    with pytest.raises(DeclarationError):
        sources.find("nova-compute", str(tmp_path))


def test_link_that_leads_nowhere_hides_no_other_name(tmp_path: Path) -> None:
    """It has a name as well, for whoever asks what is wrong with it."""
    (tmp_path / "circle.toml").symlink_to("circle.toml")
    (tmp_path / "gone.toml").symlink_to("nowhere")
    (tmp_path / "nap.toml").write_text(TOML)
    assert ["circle", "gone", "nap"] == sources.names(str(tmp_path))


def test_where_nobody_may_look_nothing_is_taken_for_undeclared(
    tmp_path: Path, ssd_path: Path, run
) -> None:
    """An ordinary user is denied, and not told of another service of that name."""
    skip_without_nobody()
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    command = [ssd_path.with_name("ssd-service"), f"--directory={closed}"]
    with shared(tmp_path, 0o755):
        done = run(*command, "nova-compute", "status", **as_nobody())
    assert (4, True) == (done.returncode, "Permission denied" in done.stderr), done.stderr
