"""Generated files for templates: a unit with %i, and a file for each instance elsewhere."""

from pathlib import Path

import pytest

from ssd.service.generators import cli, systemd, sysv

from . import readers

TEMPLATE = """\
instances = ["8081", "a b"]
executable = "/bin/web"
arguments = ["-p", "%i", "100%%", "%n", "61000"]
provides = ["http", "http-%i"]
requires = ["db@%i"]
readiness = {kind = "command", command = ["nc", "-z", "::1", "%i"]}
"""


@pytest.fixture
def generate(tmp_path: Path, capfd):
    """Return a function that generates from a directory with templates, and what that tells."""
    (tmp_path / "web@.toml").write_text(TEMPLATE)
    (tmp_path / "shop.toml").write_text('\ufeffinstances = ["1"]\nexecutable = "/bin/shop%i"\n')
    (tmp_path / "sh@").write_text("DAEMON=/bin/sh\nDAEMON_ARGS='-c %i 5%%'\n")

    def generate(*words: str) -> tuple[int, str, str]:
        return (cli.main(words, directory=str(tmp_path)), *capfd.readouterr())

    return generate


def test_unit_of_a_template_has_specifiers(generate) -> None:
    """Percent signs stay, and what systemd's template cannot have is told."""
    status, text, told = generate("systemd", "web@")
    assert 0 == status
    lines = text.splitlines()
    assert "# Written by: ssd-service generate systemd web@" == lines[0]
    assert 'ExecStart=/bin/web -p %i "100%%" web@%i 61000' in lines
    assert {"Description=web@%i", "Requires=db@%i.service"} <= set(lines)
    assert "Alias=http-%i.service" in lines
    assert r"# Instances: systemctl enable --now web@8081.service web@a\x20b.service" in lines
    assert "web@: provides is not in the systemd file: an alias of a template" in told
    assert "web@: instances is not in the systemd file: %i has systemd's escapes" in told
    assert 2 == text.count("# Not in this file: ")


def test_systemd_reads_an_instance_as_if_generated_alone(generate) -> None:
    """Its template and the unit of the instance alone mean the same to systemd."""
    units = [generate("systemd", name)[1] for name in ("web@", "web@8081")]
    template, alone = (readers.unit(text, "web@8081.service") for text in units)
    assert [["/bin/web", "-p", "8081", "100%", "web@8081", "61000"]] == [
        readers.command(line) for line in template["ExecStart"]
    ]
    differ = {
        name for name in {*template, *alone} if _sorted(template, name) != _sorted(alone, name)
    }
    assert {"Fragment Path", "Name"} >= differ  # Alias= of a template must be one


def _sorted(unit: dict[str, list[str]], name: str) -> list[str]:
    return sorted(unit.get(name, []))


def test_unit_of_a_list_or_of_shell_is_a_template(generate, tmp_path: Path, monkeypatch) -> None:
    """By name or path; --install gives it the name of a template."""
    assert "ExecStart=/bin/shop%i\n" in generate("systemd", "shop")[1]
    assert 'ExecStart=/bin/sh -c %i "5%%"\n' in generate("systemd", f"{tmp_path}/sh@")[1]
    monkeypatch.setattr(systemd, "PATH", f"{tmp_path}/{{name}}.service")
    assert (0, "", "") == generate("systemd", "shop@", "--install")
    assert "shop%i" in (tmp_path / "shop@.service").read_text()
    assert "ExecStart=/bin/shop1\n" in generate("systemd", "shop@1")[1]


def test_other_systems_get_a_file_for_each_instance(generate, tmp_path: Path, monkeypatch) -> None:
    """Where they look for it; without --install one instance must be named."""
    monkeypatch.setattr(sysv, "PATH", f"{tmp_path}/made-{{name}}")
    status, text, told = generate("sysv", "web@")
    assert (2, "") == (status, text)
    assert "name one of web@8081, web@a b; or add --install" in told
    assert 0 == generate("sysv", "web@", "--install")[0]
    assert "NAME=web@8081\n" in (tmp_path / "made-web@8081").read_text()
    assert "NAME='web@a b'\n" in (tmp_path / "made-web@a b").read_text()
    assert "name=shop@1\n" in generate("openrc", "shop")[1]
    status, text, told = generate("sysv", "sh@")
    assert (1, "", True) == (status, text, "name one, such as sh@NAME" in told)
