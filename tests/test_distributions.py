"""The sdist and the wheel: what they hold, say and link to, and that their bytes are fixed."""

import email.message
import email.parser
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import CHECKOUT
from kit import users

import ssd

SOURCES = sorted((CHECKOUT / "ssd").rglob("*.py"))
BASE = f"start_stop_daemon-{ssd.__version__}"
COMMANDS = ("ssd", "ssd-service", "ssd-supervise", "ssd-initctl")
NOWHERE = "https://example.org/"  # a reserved name, as long as the project has no address
LINK = re.compile(r"\]\(([^)]*)\)")


@pytest.fixture(scope="module")
def packages() -> Path:
    """Return the directory where scripts/test has built the sdist and the wheel."""
    if "SSD_DIST" not in os.environ:
        pytest.skip("scripts/test builds the packages")
    return Path(os.environ["SSD_DIST"])


@pytest.fixture(scope="module")
def sdist(packages: Path) -> Path:
    """Return the sdist."""
    (file,) = packages.glob("*.tar.gz")
    return file


@pytest.fixture(scope="module")
def wheel(packages: Path) -> Path:
    """Return the wheel."""
    (file,) = packages.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def facts(wheel: Path) -> email.message.Message:
    """Return the metadata of the wheel; its payload is the description."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{BASE}.dist-info/METADATA").decode()
    return email.parser.Parser().parsestr(text)


def addresses(facts: email.message.Message) -> dict[str, str]:
    """Return the project's addresses by their names."""
    rows = (row.partition(", ") for row in facts.get_all("Project-URL", []))
    return {name: address for name, _, address in rows}


def test_wheel_holds_what_a_user_needs(wheel: Path) -> None:
    """Types, licence, the scripts, and the files below share, each named here; and no tests."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    data = f"{BASE}.data"
    wanted = {f"{data}/scripts/{command}" for command in COMMANDS}
    shared = {"ssd/init-functions", "ssd/start-stop-daemon"}
    for command in COMMANDS:
        shared |= {f"man/man8/{command}.8", f"bash-completion/completions/{command}"}
        shared |= {f"zsh/site-functions/_{command}"}
    wanted |= {f"{data}/data/share/{file}" for file in shared}
    assert wanted == {name for name in names if name.startswith(data)}
    assert {"ssd/py.typed", "ssd/service/declarations/nova-compute"} <= set(names)
    assert [name for name in names if re.search(r"dist-info/.*LICENSE$", name)]
    modules = {str(file.relative_to(CHECKOUT)) for file in SOURCES}
    assert modules == {name for name in names if name.endswith(".py")}


def test_sdist_holds_what_a_developer_needs(sdist: Path) -> None:
    """Tests, docs, scripts and packaging travel with the sources as they are; products do not."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        settings = archive.extractfile(f"{BASE}/setup.cfg")
        assert settings and (CHECKOUT / "setup.cfg").read_bytes() == settings.read()
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "setup.cfg", "setup.py", "MANIFEST.in"}
    wanted |= {"docs/conf.py", "docs/reference/command.md", "tests/conftest.py"}
    wanted |= {"pyproject.toml", "packaging/debian/control"}
    for top in (".ci", "scripts", "ssd"):  # scripts/test builds anew after a change of these
        wanted |= {str(file.relative_to(CHECKOUT)) for file in (CHECKOUT / top).rglob("*")}
    products = re.compile(r"__pycache__|^docs/_build|\.py[co]$")
    assert set() == {name for name in wanted if not products.search(name)} - names
    assert [] == [name for name in names if products.search(name)]


def test_description_links_to_files_that_exist(facts: email.message.Message) -> None:
    """The README's links are absolute, below one address, as an index has no files beside it."""
    home, _, _ = addresses(facts)["Changelog"].rpartition("CHANGELOG.md")
    text = str(facts.get_payload()).lstrip()
    assert text.startswith("# ssd\n")
    links = LINK.findall(text)
    readme = LINK.findall((CHECKOUT / "README.md").read_text())
    assert len(readme) == len(links) > 10
    assert [] == [link for link in links if not link.startswith(home)]
    files = [link.removeprefix(home).partition("#")[0] for link in links]
    assert [] == [file for file in files if not (CHECKOUT / file).is_file()]


def test_addresses_are_those_that_an_index_shows(facts: email.message.Message) -> None:
    """Under the names that it knows. Without a real one, an index refuses the packages."""
    known = addresses(facts)
    assert ["Changelog", "Documentation", "Homepage", "Issues", "Source"] == sorted(known)
    assert [] == [each for each in known.values() if not each.startswith(known["Homepage"])]
    private = "Private :: Do Not Upload" in facts.get_all("Classifier", [])
    assert private == known["Homepage"].startswith(NOWHERE)


BUILD = """
import os, sys
from setuptools import build_meta
_, products, umask = sys.argv # setuptools writes its own words there
os.umask(int(umask, 8))
build_meta.build_sdist(products)
build_meta.build_wheel(products)
"""


def built(sdist: Path, place: Path, umask: str, moment: int, owner: int) -> Path:
    """Unpack the sdist, build both packages from it as this user, and return their directory."""
    products, directory = place / "products", place / BASE
    products.mkdir(parents=True)
    subprocess.run(["tar", "-xf", sdist, "-C", place], check=True)
    # What a build of other sources has left must not get into this one.
    gone = directory / f"build/lib/ssd/gone{moment}.py"
    gone.parent.mkdir(parents=True)
    gone.touch()
    for file in [place, *place.rglob("*")]:
        file.chmod(file.stat().st_mode & ~int(umask, 8))
        os.utime(file, (moment, moment))
        os.chown(file, owner, -1)
    argv = [sys.executable, "-c", BUILD, str(products), umask]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "HOME": str(place)}
    user = {"user": owner} if owner != os.geteuid() else {}
    done = subprocess.run(
        argv, cwd=directory, env=environment, capture_output=True, text=True, **user
    )
    assert 0 == done.returncode, done.stderr
    return products


@pytest.mark.slow
def test_packages_are_the_same_bytes_each_time(sdist: Path, tmp_path: Path) -> None:
    """Time, umask, user and directory of the build do not matter, nor that it is from an sdist."""
    owner = users.NOBODY if os.geteuid() == 0 and users.nobody_runs_python() else os.geteuid()
    with users.shared(tmp_path, 0o755):
        first = built(sdist, tmp_path / "one", "022", 1000000000, os.geteuid())
        (again,) = first.glob("*.tar.gz")
        second = built(again, tmp_path / "an other", "077", 1500000000, owner)
    one, other = ({file.name: file.read_bytes() for file in d.iterdir()} for d in (first, second))
    assert {sdist.name, f"{BASE}-py3-none-any.whl"} == set(one)
    assert one == other
