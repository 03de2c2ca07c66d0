"""The instances of a directory, and templates made of a service."""

from pathlib import Path

import pytest
from hypothesis import given

from ssd import service
from ssd.service import Service, SeveralInstances, UnknownService
from ssd.service.sources import instances, toml

from ..strategies import LINE, PATH, WORDS

TEMPLATE = 'instances = ["b", "a"]\nexecutable = "/bin/web"\n'


@pytest.fixture
def directory(tmp_path: Path) -> str:
    """Return a directory with two templates and a service of its own."""
    (tmp_path / "web@.toml").write_text(TEMPLATE)
    (tmp_path / "web@c.toml").symlink_to("web@.toml")
    (tmp_path / "web@a.toml").write_text('executable = "/bin/other"\n')
    (tmp_path / "shop.toml").write_text(TEMPLATE)
    (tmp_path / "webber.toml").write_text('executable = "/bin/web"\n')
    return str(tmp_path)


def names(services: list[Service]) -> list[str]:
    """Return the names of services."""
    return [each.name for each in services]


def test_instances_are_listed_linked_or_files(directory: str) -> None:
    """Sorted; one with a file of its own is what that declares. A link to nothing is none."""
    Path(directory, "shop@gone.toml").symlink_to("gone.toml")
    found = service.instances("web@", directory)
    assert ["web@a", "web@b", "web@c"] == names(found)
    assert "/bin/other" == found[0].executable
    assert ["shop@a", "shop@b"] == names(service.instances("shop", directory))
    assert [] == service.instances("webber", directory)
    with pytest.raises(UnknownService):
        service.instances("nosuch@", directory)


def test_links_are_beside_their_template(directory: str, tmp_path: Path) -> None:
    """In /etc/init.d, for example; those of the directory count, too."""
    (tmp_path / "init.d").mkdir()
    (tmp_path / "init.d/web@d.toml").symlink_to("../web@.toml")
    template = SeveralInstances("web@", ["web@b"], f"{tmp_path}/init.d/web@.toml")
    wanted = ["web@a", "web@b", "web@c", "web@d"]
    assert wanted == instances.members(template, directory)


def test_names_are_expanded_once(directory: str) -> None:
    """A broken declaration keeps its name, so that the verb reports it."""
    Path(directory, "bad.toml").write_text("x = 1\n")
    given = ["bad", "shop", "web@", "web@a", "webber"]
    wanted = ["bad", "shop@a", "shop@b", "web@a", "web@b", "web@c", "webber"]
    assert wanted == instances.expanded(given, directory)


def test_unlisted_instance_is_told_which_there_are(directory: str) -> None:
    """For a name that no file declares; nothing for a name without a template."""
    assert instances.unlisted("shop@c", directory).endswith("name one: shop@b, shop@a\n")
    assert instances.unlisted("web", directory).endswith("name one: web@b, web@a\n")
    assert "" == instances.unlisted("nosuch@c", directory)


@given(LINE, WORDS, PATH)
def test_written_template_has_the_service_as_its_instance(line, words, path) -> None:
    """Every text comes back, with percent signs and with the instance in it."""
    made = Service(
        name="web@61234", description=line, executable=path, arguments=[*words, "-p61234"],
        environment={"A": f"{line}%i 61234"}, directories=[f"{path}/61234"], nice=3,
    )  # fmt: skip
    text = instances.write(made)
    assert ("61234" in text, "name =" in text) == (False, False)
    assert made == toml.loads(text, "/etc/ssd/web@.toml", "web@61234")
    assert "-p7" == toml.loads(text, "/etc/ssd/web@.toml", "web@7").arguments[-1]
