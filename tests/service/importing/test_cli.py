"""ssd-service import: the words, the files, and the exit status."""

from pathlib import Path

import pytest

from ssd.service import sources
from ssd.service.cli import main

CONF = "[supervisord]\n[program:a]\ncommand=/bin/cat\n[program:b]\ncommand=sh -c 'sleep 9'\n"


@pytest.fixture
def conf(tmp_path: Path) -> str:
    """Return the path of a configuration."""
    file = tmp_path / "s.conf"
    file.write_text(CONF)
    return str(file)


def run(directory: Path, *words: str) -> int:
    """Call the command as a user does."""
    return main(["ssd-service", f"--directory={directory}", "import", *words])


def test_import_writes_declarations(conf: str, tmp_path: Path, capfd) -> None:
    """One for each process, which ssd-service then knows; the paths are printed."""
    assert 0 == run(tmp_path, "supervisord", conf)
    assert ["a", "b"] == [name for name in sources.names(str(tmp_path)) if name != "s"]
    assert ["/usr/bin/sh", "-c", "sleep 9"] == sources.find("b", str(tmp_path)).argv
    said = capfd.readouterr()
    assert f"{tmp_path}/a.toml\n{tmp_path}/b.toml\n" == said.out
    assert f"ssd-service: {conf}:5: command: sh is /usr/bin/sh, found in PATH by this import\n" == (
        said.err
    )


def test_kind_is_told_by_the_file(conf: str, tmp_path: Path, capfd) -> None:
    """The declaration names it, so that the same can be done again."""
    assert 0 == run(tmp_path, conf, "--print")
    assert f"# Written by: ssd-service import supervisord {conf}\n" in capfd.readouterr().out
    Path(conf).write_text("a = 1\n")
    assert 1 == run(tmp_path, conf)
    assert f"{conf}: name its kind: import KIND PATH" in capfd.readouterr().err


def test_import_prints_declarations(conf: str, tmp_path: Path, capfd) -> None:
    """Instead of writing them."""
    assert 0 == run(tmp_path, "supervisord", conf, "--print")
    text = capfd.readouterr().out
    assert text.startswith(f"# a.toml\n# Written by: ssd-service import supervisord {conf}\n")
    assert "\n\n# b.toml\n" in text
    assert not (tmp_path / "a.toml").exists()


def test_import_replaces_no_declaration(conf: str, tmp_path: Path, capfd) -> None:
    """Nor does it write the others then; --force replaces all."""
    (tmp_path / "b.toml").write_text("mine")
    assert 1 == run(tmp_path, "supervisord", conf)
    assert "b.toml already exists; --force replaces it" in capfd.readouterr().err
    assert not (tmp_path / "a.toml").exists()
    assert 0 == run(tmp_path, "supervisord", conf, "--force")
    assert "executable" in (tmp_path / "b.toml").read_text()


def test_strict_import_loses_nothing(conf: str, tmp_path: Path) -> None:
    """What was only chosen is no loss."""
    assert 0 == run(tmp_path, "supervisord", conf, "--strict")
    Path(conf).write_text(f"{CONF}startretries=5\n")
    assert 1 == run(tmp_path, "supervisord", conf, "--strict", "--force")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "needs: [KIND] PATH"),
        (["supervisord"], 2, "needs: supervisord PATH"),
        (["runit", "x"], 2, "unknown kind runit; known: "),
        (["/dev/null"], 1, "/dev/null: name its kind: import KIND PATH; known: "),
        (["/nonexistent"], 1, "/nonexistent: No such file"),
        (["supervisord", "x", "--quiet"], 2, "unknown option --quiet"),
        (["supervisord", "/nonexistent"], 1, "/nonexistent: No such file"),
        (["supervisord", "/dev/null"], 1, "/dev/null: declares no programs"),
        (["--help"], 0, "usage: ssd-service"),
    ],
)
def test_import_says_what_is_wrong(words, status, said, tmp_path: Path, capfd) -> None:
    """With the statuses of generate."""
    assert status == run(tmp_path, *words)
    assert said in "".join(capfd.readouterr())


def test_import_needs_a_program(tmp_path: Path, capfd) -> None:
    """A file without one is no success."""
    file = tmp_path / "s.conf"
    file.write_text("[supervisord]\n")
    assert 1 == run(tmp_path, "supervisord", str(file))
    assert "declares no programs" in capfd.readouterr().err
