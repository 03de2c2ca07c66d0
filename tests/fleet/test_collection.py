"""The Ansible collection ssd.daemon: what scripts/collection builds, and what Ansible sees."""

import ast
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import types
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT, Run
from kit.managed import BIN, SOURCES, obstacle

import ssd

pytestmark = pytest.mark.fleet
MODULES = ("service", "service_info")
PRODUCTS = {"MANIFEST.json", "FILES.json", "LICENSE", "files/ssd.pyz"}
TARBALL = f"ssd-daemon-{ssd.__version__}.tar.gz"


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the collection, built once."""
    return built(tmp_path_factory.mktemp("collection") / "out")


@pytest.fixture(scope="module")
def installed(tarball: Path) -> Path:
    """Return the directory that ansible-galaxy has installed the collection into."""
    place = tarball.parent / "installed"
    obstacle()
    galaxy("install", "--offline", "-p", place, tarball)
    return place


@pytest.fixture(scope="module")
def script() -> types.ModuleType:
    """Return scripts/collection as a module."""
    path = str(CHECKOUT / "scripts/collection")
    loader = importlib.machinery.SourceFileLoader("collection_script", path)
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def built(place: Path, **options: Any) -> Path:
    """Build the collection into a directory; return the tarball."""
    words = [sys.executable, CHECKOUT / "scripts/collection", "--out", place]
    subprocess.run(words, check=True, capture_output=True, **options)
    return place / TARBALL


def galaxy(*words: Any, **options: Any) -> str:
    """Run ansible-galaxy; return what it says."""
    argv = [BIN / "ansible-galaxy", "collection", *words]
    done = subprocess.run(argv, capture_output=True, text=True, **options)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def members(tarball: Path) -> dict[str, bytes]:
    """Return the files in a tarball."""
    with tarfile.open(tarball) as tar:
        return {file.name: tar.extractfile(file).read() for file in tar if file.isfile()}  # type: ignore[union-attr]


def own() -> set[str]:
    """Return the files of the collection in the checkout."""
    found = (file for file in SOURCES.rglob("*") if file.is_file())
    paths = {file.relative_to(SOURCES).as_posix() for file in found}
    return {path for path in paths if "__pycache__" not in path} - {"galaxy.yml", "files/ssd.pyz"}


def documented(installed: Path, name: str) -> dict[str, Any]:
    """Return what ansible-doc tells of a module."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed)}
    argv = [BIN / "ansible-doc", "-t", "module", "-j", f"ssd.daemon.{name}"]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment)
    assert 0 == done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)[f"ssd.daemon.{name}"]
    return found


def test_build_gives_the_same_bytes_each_time(tarball: Path, tmp_path: Path) -> None:
    """Time, umask and working directory do not matter."""
    again = built(tmp_path / "an other", cwd=tmp_path, umask=0o077)
    assert tarball.read_bytes() == again.read_bytes()
    with tarfile.open(tarball) as tar:
        assert {(315532800, 0, 0)} == {(each.mtime, each.uid, each.gid) for each in tar}
        assert {0o644, 0o755} == {each.mode for each in tar}


def test_tarball_holds_every_file_and_no_other(tarball: Path) -> None:
    """As they are in the checkout; the licence and ssd.pyz come on top."""
    found = members(tarball)
    assert own() | PRODUCTS == set(found)
    assert [] == [path for path in own() if (SOURCES / path).read_bytes() != found[path]]
    kinds = ("modules", "action")
    assert {f"plugins/{kind}/{name}.py" for kind in kinds for name in MODULES} <= own()


def test_stray_files_are_left_out(script: types.ModuleType, tmp_path: Path) -> None:
    """What editors, Python, Ansible and git leave is none of the collection's."""
    shutil.copytree(SOURCES, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    clean = script.own_files(tmp_path / "copy")
    for path in (
        "README.md~",
        ".git/config",
        ".service.py.swp",
        "plugins/modules/__pycache__/service.cpython-311.pyc",
        "plugins/modules/service.pyc",
        "plugins/modules/service.py.orig",
        "site.retry",
        TARBALL,
        "tests/output/junit/x.xml",
        "files/ssd.pyz",
    ):
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_text("stray")
    assert clean == script.own_files(tmp_path / "copy")
    assert own() | {"LICENSE"} == set(clean)


def test_pyz_in_it_runs(tarball: Path, run: Run, tmp_path: Path) -> None:
    """It is the one-file program of these sources."""
    (tmp_path / "ssd.pyz").write_bytes(members(tarball)["files/ssd.pyz"])
    done = run(sys.executable, "-IS", tmp_path / "ssd.pyz", "ssd-service", "--version")
    assert f"ssd-service {ssd.__version__}\n" == done.stdout


def test_manifests_are_those_of_ansible(tarball: Path, tmp_path: Path) -> None:
    """Its own build of the same files says the same, and its installation verifies."""
    obstacle()
    tree = tmp_path / "tree"
    for path, data in members(tarball).items():
        if path not in ("MANIFEST.json", "FILES.json"):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(data)
    shutil.copy(SOURCES / "galaxy.yml", tree)
    galaxy("build", "--output-path", tmp_path / "theirs", tree)
    ours, theirs = (members(file) for file in (tarball, tmp_path / "theirs" / TARBALL))
    about, wanted = (json.loads(each["MANIFEST.json"]) for each in (ours, theirs))
    del about["file_manifest_file"]["chksum_sha256"], wanted["file_manifest_file"]["chksum_sha256"]
    assert wanted == about
    rows, other = (json.loads(each["FILES.json"])["files"] for each in (ours, theirs))
    assert sorted(other, key=str) == sorted(rows, key=str)


def test_installation_is_verified_by_ansible(installed: Path) -> None:
    """Each file has the checksum of the manifest, without a network."""
    said = galaxy("verify", "--offline", "ssd.daemon", "-p", installed)
    assert "Successfully verified" in said


def test_metadata_is_that_of_the_project(script: types.ModuleType) -> None:
    """The version is that of ssd, and what is read of galaxy.yml is what YAML says."""
    obstacle()
    import yaml

    text = (SOURCES / "galaxy.yml").read_text()
    found = yaml.safe_load(text)
    assert found == script.metadata(text)
    assert ssd.__version__ == found["version"]
    assert ["MIT"] == found["license"]
    runtime = yaml.safe_load((SOURCES / "meta/runtime.yml").read_text())
    assert {"requires_ansible": ">=2.16.0"} == runtime


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("readme: README.md", "readme", "galaxy.yml, line "),
        (f"version: {ssd.__version__}", "version: 9.9.9", "galaxy.yml has version 9.9.9"),
    ],
)
def test_wrong_metadata_is_named(
    script: types.ModuleType, tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    """Nothing is built then."""
    text = (SOURCES / "galaxy.yml").read_text()
    assert old in text
    (tmp_path / "galaxy.yml").write_text(text.replace(old, new))
    with pytest.raises(script.Failed, match=complaint):
        script.make([sys.executable], 0, tmp_path)


def test_failure_of_a_build_leaves_no_file(run: Run, tmp_path: Path) -> None:
    """The message is that of scripts/zipapp."""
    script = CHECKOUT / "scripts/collection"
    done = run(sys.executable, script, "--out", tmp_path, "--python", tmp_path / "none")
    assert (1, []) == (done.returncode, list(tmp_path.iterdir()))
    assert f"--python {tmp_path}/none: No such file or directory" in done.stderr


def test_documentation_has_the_contract(installed: Path) -> None:
    """The parameters, as Ansible reads them."""
    options = documented(installed, "service")["doc"]["options"]
    facts = ("type", "required", "choices", "default", "aliases", "elements")
    assert {
        "name": {"type": "str", "required": True, "aliases": ["service"]},
        "state": {
            "type": "str",
            "required": True,
            "choices": ["started", "stopped", "restarted", "reloaded"],
        },
        "if_older_than": {"type": "list", "elements": "raw"},
        "directory": {"type": "path", "default": "/etc/ssd"},
    } == {name: {k: row[k] for k in facts if k in row} for name, row in options.items()}
    options = documented(installed, "service_info")["doc"]["options"]
    assert {"name", "directory"} == set(options)
    assert not options["name"].get("required")


@pytest.mark.parametrize("name", MODULES)
def test_documentation_says_what_is_supported(installed: Path, name: str) -> None:
    """Check mode, diff, platform, and that there is an action plugin."""
    doc = documented(installed, name)["doc"]
    support = {key: row["support"] for key, row in doc["attributes"].items()}
    diff = "full" if name == "service" else "N/A"
    wanted = {"check_mode": "full", "diff_mode": diff, "action": "full", "platform": "full"}
    assert {**wanted, "async": "none"} == support
    assert doc["has_action"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_tasks_with_known_parameters(installed: Path, name: str) -> None:
    """They are YAML, and each has a name."""
    import yaml

    told = documented(installed, name)
    tasks = yaml.safe_load(told["examples"])
    ours = [task[f"ssd.daemon.{name}"] or {} for task in tasks if f"ssd.daemon.{name}" in task]
    assert len(ours) > 1
    assert all(task["name"] for task in tasks)
    assert {key for task in ours for key in task} <= set(told["doc"]["options"])


@pytest.mark.parametrize("name", MODULES)
def test_sources_that_hosts_run_are_of_python_38(name: str) -> None:
    """The grammar, and no module beyond the standard library and Ansible's own."""
    files = [SOURCES / f"plugins/modules/{name}.py", *SOURCES.glob("plugins/module_utils/*.py")]
    for file in files:
        tree = ast.parse(file.read_text(), feature_version=(3, 8))
        names = [
            each.module or "" if isinstance(each, ast.ImportFrom) else each.names[0].name
            for each in ast.walk(tree)
            if isinstance(each, (ast.Import, ast.ImportFrom))
        ]
        tops = {name.partition(".")[0] for name in names}
        assert tops - set(sys.stdlib_module_names) <= {"ansible", "ansible_collections"}


def test_each_module_lacks_the_header_of_the_gpl_alone() -> None:
    """Nothing else of validate-modules is ignored, with any Ansible."""
    files = sorted((SOURCES / "tests/sanity").iterdir())
    modules = sorted(file.name for file in (SOURCES / "plugins/modules").glob("*.py"))
    assert len(files) > 3
    for file in files:
        assert re.fullmatch(r"ignore-2\.\d+\.txt", file.name)
        rows = [line.partition(" # ")[0] for line in file.read_text().splitlines()]
        rule = "validate-modules:missing-gplv3-license"
        wanted = [f"plugins/modules/{name} {rule}" for name in modules]
        assert wanted == sorted(row for row in rows if "validate-modules" in row)


def test_roles_have_argument_specs_that_ansible_reads(installed: Path) -> None:
    """Each option has a description, and the file is of its schema."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed)}
    for role in sorted(path.name for path in (SOURCES / "roles").glob("*")):
        words = [BIN / "ansible-doc", "-t", "role", "-j", f"ssd.daemon.{role}"]
        done = subprocess.run(words, capture_output=True, text=True, env=environment)
        assert 0 == done.returncode, done.stderr
        main = json.loads(done.stdout)[f"ssd.daemon.{role}"]["entry_points"]["main"]
        assert main["short_description"]
        assert [] == [name for name, row in main["options"].items() if not row["description"]]
