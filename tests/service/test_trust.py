"""Declarations that other users may write: every command rejects them with one line."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run
from kit.users import NOBODY

from ssd.service import DeclarationError, Service, trust
from ssd.service.sh import read_variables
from ssd.service.sources import shell, toml

TRUE = 'executable = "/bin/true"\n'
MINE = os.geteuid()
DIRECTORY, FILE, LINK = stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK


def facts(mode: int, uid: int = MINE, gid: int = 0) -> os.stat_result:
    """Make what lstat(2) returns."""
    return os.stat_result((mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    "given",
    [
        facts(FILE | 0o644), facts(FILE | 0o644, uid=0), facts(FILE | 0o664),
        facts(FILE | 0o664, gid=os.getegid()), facts(DIRECTORY | 0o755),
        facts(DIRECTORY | 0o1777), facts(DIRECTORY | 0o1775, gid=4711), facts(LINK | 0o777),
        facts(stat.S_IFCHR | 0o666),
    ],
    ids=lambda given: stat.filemode(given.st_mode),
)  # fmt: skip
def test_file_of_root_or_the_caller_is_trusted(given: os.stat_result) -> None:
    """In a directory with the sticky bit no user can replace another's file."""
    assert trust.distrust(given) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (facts(FILE | 0o646), "everybody may write it (mode 0646)"),
        (facts(FILE | 0o664, gid=4711), "group 4711 may write it (mode 0664)"),
        (facts(DIRECTORY | 0o777), "everybody may write it (mode 0777)"),
        (facts(DIRECTORY | 0o775, gid=4711), "group 4711 may write it (mode 0775)"),
        (facts(FILE | 0o600, uid=4711), "it belongs to user 4711, not to root or the caller"),
        (facts(DIRECTORY | 0o1777, uid=4711), "it belongs to user 4711, not to root or the"),
        (facts(LINK | 0o777, uid=4711), "it belongs to user 4711, not to root or the caller"),
    ],
)
def test_file_that_others_can_write_is_not_trusted(given: os.stat_result, reason: str) -> None:
    """An owner can always write."""
    assert str(trust.distrust(given)).startswith(reason)


@pytest.mark.parametrize("where", ["file", "directory", "above"])
@pytest.mark.parametrize("name", ["nap.toml", "nap"])
def test_directories_on_the_way_count(tmp_path: Path, name: str, where: str) -> None:
    """A user who can write a directory can replace its files."""
    directory = tmp_path / "above" / "directory"
    directory.mkdir(parents=True)
    file = directory / name
    file.write_text(TRUE if name == "nap.toml" else "DAEMON=/bin/true\n")
    read = toml.read if name == "nap.toml" else shell.read
    assert "nap" == read(str(file)).name
    loose = {"file": file, "directory": directory, "above": directory.parent}[where]
    loose.chmod(0o757)
    named = "" if where == "file" else f"{loose}: "
    with pytest.raises(DeclarationError) as caught:
        read(str(file))
    reason = f"{file}: not trusted: {named}everybody may write it (mode 0757); "
    assert str(caught.value).startswith(reason)


def test_target_of_a_link_counts(tmp_path: Path) -> None:
    """Both the link and its target, with all directories on the way."""
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    (tmp_path / "good.toml").write_text(TRUE)
    (loose / "nap.toml").symlink_to("../good.toml")
    (tmp_path / "other.toml").symlink_to("loose/../good.toml")
    (tmp_path / "nap.toml").symlink_to("good.toml")
    assert "nap" == toml.read(str(tmp_path / "nap.toml")).name
    for path in (loose / "nap.toml", tmp_path / "other.toml"):
        with pytest.raises(DeclarationError, match="everybody may write it"):
            toml.read(str(path))


def test_link_to_itself_is_an_error_of_the_reader(tmp_path: Path) -> None:
    """It leads nowhere."""
    (tmp_path / "a").symlink_to("a")
    trust.check(str(tmp_path / "a"))
    with pytest.raises(OSError, match="levels of symbolic links"):
        shell.read(str(tmp_path / "a"))


@pytest.mark.requires_root
@pytest.mark.parametrize("owned", ["link", "file", "directory"])
def test_owner_counts(tmp_path: Path, owned: str) -> None:
    """With any mode."""
    directory = tmp_path / "directory"
    directory.mkdir()
    (directory / "file.toml").write_text(TRUE)
    (directory / "link.toml").symlink_to("file.toml")
    path = {"link": "link.toml", "file": "file.toml", "directory": "."}[owned]
    os.chown(directory / path, NOBODY, -1, follow_symlinks=False)
    with pytest.raises(DeclarationError, match=f"it belongs to user {NOBODY}"):
        toml.read(str(directory / "link.toml"))


def test_environment_file_must_be_trusted(tmp_path: Path) -> None:
    """A shell of root's executes it before a start."""
    file = tmp_path / "variables"
    file.write_text(f"touch {tmp_path}/done\n")
    file.chmod(0o666)
    with pytest.raises(DeclarationError, match="variables: not trusted: everybody"):
        read_variables(str(file))
    service = Service(name="nap", executable="/bin/true", environment_files=[str(file)])
    with pytest.raises(DeclarationError, match="not trusted"):
        service.command()
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("setting", ["", "NAME=other\n", "DEFAULT_DIR={}/more\n"])
def test_administrators_file_must_be_trusted(tmp_path: Path, setting: str) -> None:
    """Wherever the declaration puts it: nothing of it is executed."""
    (tmp_path / "more").mkdir()
    files = [tmp_path / name for name in ("nap", "other", "more/nap")]
    for file in files:
        file.write_text(f"touch {tmp_path}/done; DAEMON_ARGS=read\n")
        file.chmod(0o666)
    text = f"DEFAULT_DIR={tmp_path}\n{setting.format(tmp_path)}DAEMON=/bin/true\n"
    with pytest.raises(DeclarationError, match="not trusted: everybody may write it"):
        shell.loads(text, "/etc/ssd/nap", {b"PATH": b"/bin"})
    assert not (tmp_path / "done").exists()
    for file in files:
        file.chmod(0o644)
    assert ["read"] == shell.loads(text, "/etc/ssd/nap", {b"PATH": b"/bin"}).arguments
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("words", "status"),
    [("nap start", 6), ("nap status", 4), ("all start", 6), ("all status", 4),
     ("generate systemd nap", 1), ("{}/nap.toml start", 6)],
)  # fmt: skip
def test_distrust_is_one_line_of_every_command(services, words: str, status: int) -> None:
    """A verb by name, all, a path, generate."""
    services.declare()
    (services.directory / "nap.toml").chmod(0o666)
    done = services(*words.format(services.directory).split())
    reason = f"ssd-service: {services.directory}/nap.toml: not trusted: everybody may write it "
    assert status == done.returncode
    assert done.stderr.startswith(reason), done.stderr
    assert 1 == done.stderr.count("\n")
    assert "" == done.stdout


SETTING = """
mkdir /tmp/init.d /tmp/none; mount --bind /tmp/init.d /etc/init.d; cd /
for name in good loose; do printf '#!/bin/sh\\necho "$0 $1"\\n' > /etc/init.d/$name; done
chmod 755 /etc/init.d/good; chmod 777 /etc/init.d/loose
"""


@pytest.mark.requires_namespaces
@pytest.mark.parametrize(
    ("words", "status"), [("loose start", 6), ("loose status", 4), ("loose --full-restart", 6),
                          ("/etc/init.d/loose start", 6)]
)  # fmt: skip
def test_script_that_others_may_write_is_not_run(
    in_namespace: Run, ssd_path: Path, words: str, status: int
) -> None:
    """Row s10: service(8) runs them."""
    ours = ssd_path.with_name("ssd-service")
    done = in_namespace("sh", "-ec", f"{SETTING}\n{ours} {words}")
    reason = "ssd-service: /etc/init.d/loose: not trusted: everybody may write it (mode 0777)"
    assert (status, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(reason)


@pytest.mark.requires_namespaces
def test_script_that_others_may_write_is_shown_as_unclear(
    in_namespace: Run, ssd_path: Path
) -> None:
    """In --status-all."""
    ours = ssd_path.with_name("ssd-service")
    done = in_namespace("sh", "-ec", f"{SETTING}\n{ours} --directory=/tmp/none --status-all")
    assert (0, " [ + ]  good\n") == (done.returncode, done.stdout)
    reason = "ssd-service: loose: not trusted: everybody may write it (mode 0777); chown or"
    assert done.stderr.startswith(reason)
    assert done.stderr.endswith(" [ ? ]  loose\n")


def test_shipped_declarations_are_trusted() -> None:
    """A user who can write them can also write the code that reads them."""
    trust.check(f"{trust.PACKAGE}nothing/there")


READ = """
import sys; from ssd.service.sources import toml
print(toml.read(sys.argv[1]).name)
"""


@pytest.mark.requires_namespaces
def test_directory_of_an_unmapped_owner_is_trusted(
    tmp_path: Path,
) -> None:
    """In a user namespace the root directory may have such an owner."""
    file = tmp_path / "nap.toml"
    file.write_text(TRUE)
    inside = ["unshare", "--user", "--map-root-user", sys.executable, "-P", "-c", READ, file]
    done = subprocess.run(inside, capture_output=True, text=True)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert "nap\n" == done.stdout, done.stderr
    if MINE == 0:
        os.chown(file, NOBODY, -1)
        done = subprocess.run(inside, capture_output=True, text=True)
        assert "it belongs to user 65534" in done.stderr
