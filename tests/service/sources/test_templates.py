"""Templates: which files are one, what becomes of their texts, and what is wrong with them."""

from pathlib import Path

import pytest

from ssd.service import DeclarationError, Service, SeveralInstances, UnknownService, sources
from ssd.service.errors import BadValue
from ssd.service.sources import toml
from ssd.service.sources.templates import expand, is_instance

PROGRAM = 'executable = "/bin/web"\n'


@pytest.fixture
def find(tmp_path: Path):
    """Return a function that writes declarations and finds a service."""

    def find(name: str, **files: str) -> Service:
        for file, text in files.items():
            (tmp_path / file.replace("_at", "@").replace("_toml", ".toml")).write_text(text)
        return sources.find(name, str(tmp_path))

    return find


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", ""), ("plain", "plain"), ("%i", "80"), ("p=%i.", "p=80."), ("%n", "web@80"),
        ("%%", "%"), ("%%i", "%i"), ("%i%n%%%i", "80web@80%80"),
    ],
)  # fmt: skip
def test_specifiers_are_replaced(text: str, meant: str) -> None:
    """%i, %n and %%, from left to right."""
    assert meant == expand(text, "web@80")


@pytest.mark.parametrize("text", ["%", "%x", "%I", "100 %", "%% %", "% i"])
def test_other_specifiers_are_errors(text: str) -> None:
    """They tell what there is, so that a percent sign is never lost."""
    with pytest.raises(BadValue, match=r"%i, %n, and %% for a percent sign"):
        expand(text, "web@80")


def test_instance_of_a_template_has_all_texts_its_own(find, tmp_path: Path) -> None:
    """In lists and tables, too; its name and pidfile follow from the name that was asked for."""
    template = (
        f'{PROGRAM}arguments = ["-p", "%i", "100%%"]\nuser = "www-%i"\n'
        'readiness = {kind = "port", address = "127.0.0.1:%i"}\n'
        'directories = [{path = "/srv/%n"}]\n[environment]\nNAME = "%n"\n[limits]\nnofile = "%i"\n'
    )
    made = find("web@8081", web_at_toml=template)
    assert ("web@8081", "/run/web@8081.pid") == (made.name, made.pidfile)
    assert ["-p", "8081", "100%"] == made.arguments
    assert ("www-8081", "127.0.0.1:8081") == (made.user, made.readiness["address"])
    assert "/srv/web@8081" == made.directories[0]["path"]
    assert ({"NAME": "web@8081"}, {"nofile": 8081}) == (made.environment, made.limits)
    assert (str(tmp_path / "web@.toml"), []) == (made.file, made.instances)


def test_instance_is_no_code_of_a_hook(find) -> None:
    """A name that a shell would not take as one plain word; the environment can have it."""
    text = f'{PROGRAM}before_start = "mkdir /run/%i # 5%%"\n[environment]\nX = "%i"\n'
    assert (
        "mkdir /run/10.0.0.1:80_a # 5%" == find("web@10.0.0.1:80_a", web_at_toml=text).before_start
    )
    for name in ("web@a b", "web@;reboot", "web@$(reboot)", "web@'"):
        with pytest.raises(DeclarationError, match=r'before_start: a shell would .* write "\$X"'):
            find(name)
    assert "a b %i" == find("web@a b", web_at_toml='before_start = "a b %%i"\n').before_start
    plain = text.replace("%i #", '\\"$X\\" #')
    made = find("web@a b", web_at_toml=plain)
    assert ('mkdir /run/"$X" # 5%', {"X": "a b"}) == (made.before_start, made.environment)


def test_link_to_a_template_is_an_instance(find, tmp_path: Path) -> None:
    """By the name of the link, also with dots; of a template in another place, too."""
    find("web@1", web_at_toml=f'{PROGRAM}arguments = ["%i"]\n')
    (tmp_path / "web@10.0.0.1.toml").symlink_to("web@.toml")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/shop@9.toml").symlink_to(tmp_path / "web@.toml")
    assert ["10.0.0.1"] == find("web@10.0.0.1").arguments
    assert ["9"] == sources.find("shop@9", str(tmp_path / "elsewhere")).arguments
    assert ["web@", "web@10.0.0.1"] == sources.names(str(tmp_path))
    (tmp_path / "web@2").symlink_to("web@.toml")
    with pytest.raises(DeclarationError, match=r"web@2: is a link to TOML, so its name must end"):
        find("web@2")


def test_file_of_its_own_is_no_template(find) -> None:
    """Its percent signs stay, it comes before the template, and its name is free."""
    own = f'{PROGRAM}arguments = ["%i %h"]\n'
    assert ["%i %h"] == find("web@1", web_at_toml=PROGRAM, web_at1_toml=own).arguments
    assert ["%i %h"] == find("a", a_toml=own).arguments
    assert "b" == find("a@b", a_atb_toml=f'name = "b"\n{PROGRAM}').name


def test_listed_instances_need_no_template_of_their_own(find) -> None:
    """``instances`` in web.toml; numbers may stand without quotes, and no other name counts."""
    listed = f'instances = ["a", 8082, "a"]\n{PROGRAM}arguments = ["%i"]\n'
    assert ["8082"] == find("web@8082", web_toml=listed).arguments
    with pytest.raises(UnknownService, match="did you mean web@8082"):
        find("web@8083")
    for name in ("web", "web@"):
        with pytest.raises(SeveralInstances, match="name one: web@a, web@8082$") as caught:
            find(name)
        assert ("web@", ["web@a", "web@8082"]) == (caught.value.name, caught.value.names)


def test_name_of_a_template_is_no_service(find) -> None:
    """The error says how an instance is called."""
    with pytest.raises(SeveralInstances, match=r"web@.toml: web@ stands for .* such as web@NAME$"):
        find("web@", web_at_toml=PROGRAM)
    with pytest.raises(UnknownService, match="did you mean web@"):
        find("web")
    with pytest.raises(UnknownService):
        find("nosuch@1")


@pytest.mark.parametrize("name", ["web@.x", "web@-x", "web@a/b", "web@ ", "web@\0", "web@a\n"])
def test_invalid_instance_is_not_found(find, name: str) -> None:
    """It would name files in other places, or options."""
    with pytest.raises(UnknownService):
        find(name, web_at_toml=PROGRAM)
    assert not is_instance(name.partition("@")[2])


@pytest.mark.parametrize(
    ("file", "text", "line", "reason"),
    [
        ("web@.toml", f'{PROGRAM}user = "%x"\n', 2, "user: %x is no specifier"),
        ("web@.toml", f'{PROGRAM}[environment]\nA = "%"\n', 3, "environment.A: % is no specifier"),
        ("web@.toml", f'{PROGRAM}name = "web"\n', 2, "name: must not be set"),
        ("web@.toml", f'{PROGRAM}nice = "%i"\n', 2, "nice: must be a whole number, not '1'"),
        ("web@.toml", f'{PROGRAM}instances = [".a"]\n', 2, "instances: must be usable in a file"),
        ("web@.toml", f"{PROGRAM}instances = [true]\n", 2, "instances: must be usable in a file"),
        ("web.toml", f'{PROGRAM}instances = "1"\n', 2, "instances: must be a list of texts"),
    ],
)  # fmt: skip
def test_fault_of_a_template_names_its_line(tmp_path, file, text, line, reason) -> None:
    """As for any other declaration."""
    (tmp_path / file).write_text(text)
    with pytest.raises(DeclarationError) as caught:
        sources.find("web@1", str(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}/{file}:{line}: {reason}")


def test_list_beside_a_template_is_an_error(find) -> None:
    """Both would say what the instances of web are."""
    with pytest.raises(DeclarationError, match=r"web@.toml declares instances of web, too"):
        find("web", web_toml=f'instances = ["1"]\n{PROGRAM}', web_at_toml=PROGRAM)


def test_service_is_one_instance_and_has_none(find) -> None:
    """A keyword of Python cannot be a template: its texts would stay as they are."""
    with pytest.raises(DeclarationError, match="only a file can declare instances"):
        Service(name="web", instances=["1"])
    with pytest.raises(SeveralInstances):
        toml.loads('instances = ["1"]\n', name="web")
    with pytest.raises(DeclarationError, match="no instances, and its name"):
        sources.read(f"{find('web', web_toml=PROGRAM).file[:-5]}@1.toml")
    for name in ("@", "@x"):
        with pytest.raises(DeclarationError, match="@.toml: needs the name of a service in front"):
            find(name, _at_toml=PROGRAM)
    with pytest.raises(DeclarationError, match="no instance '3'; there are 1$"):
        sources.read(f"{find('x@1', x_toml='instances = [1]').file[:-5]}@3.toml")


def test_path_without_an_instance_finds_no_template(tmp_path: Path) -> None:
    """Whatever the directory is called."""
    (tmp_path / "a@b").mkdir()
    (tmp_path / "a@b/web@.toml").write_text(PROGRAM)
    assert "web@1" == sources.read(f"{tmp_path}/a@b/web@1.toml").name
    for name in ("web.toml", "web", "web@", "nosuch@1.toml"):
        with pytest.raises(FileNotFoundError):
            sources.read(f"{tmp_path}/a@b/{name}")


def test_shell_file_can_be_a_template(find, tmp_path: Path) -> None:
    """With a link, a list or any name; each instance has its own file of the administrator."""
    shell = "DAEMON=/bin/web\nDAEMON_ARGS='-p %i 5%%'\nSERVICE_BEFORE_START='mkdir /run/%n'\n"
    made = find("web@1", web_at=shell)
    assert ("web@1", ["-p", "1", "5%"]) == (made.name, made.arguments)
    assert ("mkdir /run/web@1", "/run/web@1.pid") == (made.before_start, made.pidfile)
    script = tmp_path / "init@"
    script.write_text(f"#!/usr/bin/env ssd-service\n# Provides: init@\n{shell}")
    (tmp_path / "S01init@2").symlink_to("init@")
    assert "init@2" == sources.read(str(tmp_path / "S01init@2")).name
    assert ["-p", "b", "5%"] == find("s@b", s=f"SERVICE_INSTANCES='a b'\n{shell}").arguments
    with pytest.raises(SeveralInstances, match="s@a, s@b$"):
        find("s")
    with pytest.raises(DeclarationError, match=r"web@:4: NAME: must not be set"):
        find("web@1", web_at=f"{shell}NAME=other\n")
