"""ssd-divert has start-stop-daemon's place, and at no moment is there none."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.debian import LIFE
from kit.packages import Debian
from kit.roots import Root

pytestmark = [pytest.mark.packages, pytest.mark.requires_root, pytest.mark.requires_namespaces]

TOOL = "/usr/sbin/start-stop-daemon"
# What is to be as before: bytes, owner, mode, time; and no file beside it, and no diversion.
STATE = f"""
sha256sum {TOOL}; stat -c '%F %u:%g %a %Y' {TOOL}; ls /usr/sbin/start-stop* /sbin/start-stop*
dpkg-divert --list '*start-stop-daemon*'
"""
VERSION = "start-stop-daemon --version | head -n 1"


def in_place(root: Root) -> bool:
    """Say whether ssd answers as start-stop-daemon; fail if nothing does."""
    return root.run(VERSION).startswith("ssd ")


@contextmanager
def never_missing(root: Root) -> Iterator[None]:
    """Fail if start-stop-daemon is missing, empty or not executable at any moment in between."""
    lost: list[str] = []
    ended = threading.Event()
    file = root.files / TOOL[1:]

    def watch() -> None:
        while not ended.is_set():
            try:
                found = file.stat()
            except FileNotFoundError as error:
                lost.append(str(error))
                return
            if not found.st_size or found.st_mode & 0o111 != 0o111:
                lost.append(f"{found}")
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert [] == lost


def test_installation_and_purge_leave_no_moment_without_it(needs: Root, debian: Debian) -> None:
    """The original comes back with its bytes, owner, mode and time, and nothing else is left."""
    before = needs.run(STATE, expected=None)
    assert not in_place(needs)
    with never_missing(needs):
        needs.run(f"dpkg -i {debian.debs('python3-ssd', 'ssd', 'ssd-divert')}")
        assert in_place(needs)
        assert "" == needs.run(LIFE)
        needs.run("dpkg --purge ssd-divert")
    assert before == needs.run(STATE, expected=None)
    assert "" == needs.run("dpkg --verify dpkg")


def test_dpkg_installed_again_does_not_take_its_place(ours: Root) -> None:
    """The diversion is of the path that this release's dpkg has."""
    with never_missing(ours):
        ours.run("apt-get -qq install -y --reinstall dpkg")
        assert in_place(ours)
    ours.run("dpkg --purge ssd-divert")
    assert "" == ours.run("dpkg --verify dpkg")


def test_removal_and_another_installation_leave_one_original(ours: Root, debian: Debian) -> None:
    """Twice, so that what the first leaves would show in the second."""
    before = ours.run(STATE, expected=None)
    for _ in range(2):
        ours.run("dpkg --remove ssd-divert")
        assert not in_place(ours)
        ours.run(f"dpkg -i {debian.debs('ssd-divert')}")
    assert in_place(ours)
    after = ours.run(STATE, expected=None)
    assert before == after


NEWER = """
set -e; cd /tmp; rm -rf made; dpkg-deb -R {deb} made
sed -i 's/^Version: .*/Version: 9/' made/DEBIAN/control
echo '# the newer one' >> made/usr/share/ssd/start-stop-daemon
dpkg-deb --root-owner-group -Znone -b made newer.deb > made/log
"""


def test_newer_version_brings_its_own_file(ours: Root, debian: Debian) -> None:
    """And keeps the original that the first installation has put aside."""
    ours.run(NEWER.format(deb=debian.debs("ssd-divert")))
    with never_missing(ours):
        ours.run("dpkg -i /tmp/newer.deb")
    assert "# the newer one\n" == ours.run(f"tail -n 1 {TOOL}")
    assert in_place(ours)
    ours.run("dpkg --purge ssd-divert")
    assert "" == ours.run("dpkg --verify dpkg")


FAILING = """
set -e; cd /tmp; dpkg-deb -R {deb} made; sed -i 's/^Version: .*/Version: 9/' made/DEBIAN/control
printf '#!/bin/sh\\nexit 1\\n' > made/DEBIAN/preinst; chmod 755 made/DEBIAN/preinst
dpkg-deb --root-owner-group -Znone -b made failing.deb > made/log
"""


def test_failed_upgrade_of_the_library_changes_nothing(ours: Root, debian: Debian) -> None:
    """The bundle, which the removal of the old version begins with, is made again."""
    ours.run(FAILING.format(deb=debian.debs("python3-ssd")))
    ours.run("dpkg -i /tmp/failing.deb", expected=1)
    assert in_place(ours)


# Each command that a maintainer script calls is counted, and the Nth ends all processes of its
# namespace, dpkg too, before it does its work. The first process of a namespace is not ended.
# The lock is for the two commands of a pipe, which else cut off each other's count.
STEPS = ("cp", "sync", "mv", "dpkg-divert", "install", "rm", "dpkg-query", "grep")
FATAL = f"""
for each in {" ".join(STEPS)}; do
    cat > /usr/local/sbin/$each << 'END'
#!/bin/sh
exec 9> /tmp/lock; flock 9
read -r count < /tmp/count
echo "$((count - 1))" > /tmp/count
[ "$count" != 0 ] || {{ kill -KILL -1; kill -KILL $$; }}
exec 9>&-
exec "/usr/bin/${{0##*/}}" "$@"
END
done
chmod 755 /usr/local/sbin/*
"""
INTERRUPTED = (
    "unshare --pid --fork --mount-proc --kill-child sh -c '{command}; exit 0'; cat /tmp/count"
)


def interrupted(root: Root, command: str, number: int) -> bool:
    """Run a command of dpkg and kill it at the step of this number; say whether it had so many."""
    root.run(f"{FATAL}\necho {number} > /tmp/count")
    said = root.run(INTERRUPTED.format(command=command))
    root.run("/usr/bin/rm /usr/local/sbin/*")
    return int(said.splitlines()[-1]) < 0


def test_killed_installation_leaves_one_that_works(needs: Root, debian: Debian) -> None:
    """Killed at any step; to install again or to purge then ends well."""
    before = needs.run(STATE, expected=None)
    needs.run(f"dpkg -i {debian.debs('python3-ssd', 'ssd')}")
    steps = 0
    while interrupted(needs, f"dpkg -i {debian.debs('ssd-divert')}", steps):
        steps += 1
        needs.run(VERSION)
        if steps % 2:
            needs.run(f"dpkg -i {debian.debs('ssd-divert')}")
            assert in_place(needs), steps
        needs.run("dpkg --purge --force-remove-reinstreq ssd-divert")
        assert before == needs.run(STATE, expected=None), steps
    assert steps > 10
    assert in_place(needs)


def test_killed_removal_leaves_one_that_works(ours: Root, debian: Debian) -> None:
    """Killed at any step; the purge that follows ends it."""
    steps = 0
    while interrupted(ours, "dpkg --purge ssd-divert", steps):
        steps += 1
        ours.run(VERSION)
        ours.run("dpkg --purge ssd-divert", expected=None)
        assert "" == ours.run("dpkg --verify dpkg; dpkg-divert --list '*start-stop*'"), steps
        assert "1\n" == ours.run("ls /usr/sbin/start-stop* | wc -l"), steps
        ours.run(f"dpkg -i {debian.debs('ssd-divert')}")
    assert steps > 5
    assert not in_place(ours)


def test_dpkg_upgraded_in_between_is_not_lost(needs: Root, debian: Debian) -> None:
    """After an installation that was killed once all is diverted: the newer original counts."""
    needs.run(f"dpkg -i {debian.debs('python3-ssd', 'ssd')}")
    needs.run("cd /tmp && apt-get -qq download dpkg")
    for steps in range(50):
        interrupted(needs, f"dpkg -i {debian.debs('ssd-divert')}", steps)
        if needs.run("dpkg-divert --list '*start-stop*' | wc -l") == "2\n" and not in_place(needs):
            break
        needs.run("dpkg --purge --force-remove-reinstreq ssd-divert")
    needs.run(f"chmod 755 {TOOL}; echo old >> {TOOL}")  # not what dpkg brings now
    needs.run("dpkg -i /tmp/dpkg_*.deb && dpkg --configure -a")
    assert in_place(needs)
    needs.run("dpkg --purge ssd-divert")
    assert "" == needs.run("dpkg --verify dpkg")


def test_package_that_was_never_configured_gives_all_back(ours: Root, debian: Debian) -> None:
    """For dpkg runs no prerm then: an upgrade that stopped after it was unpacked."""
    ours.run(f"dpkg --unpack {debian.debs('ssd-divert')}")
    assert in_place(ours)
    ours.run("dpkg --purge ssd-divert")
    assert not in_place(ours)
    assert "" == ours.run("dpkg --verify dpkg; dpkg-divert --list '*start-stop*'")


def test_another_diversion_is_refused_before_any_change(needs: Root, debian: Debian) -> None:
    """With the way out: one of the administrator, and one of another package."""
    needs.run(f"dpkg -i {debian.debs('python3-ssd', 'ssd')}")
    for option, way in (
        ("--local", "dpkg-divert --local --rename --remove /usr/sbin/start-stop-daemon"),
        ("--package other", "remove the package other first"),
    ):
        needs.run(f"dpkg-divert {option} --no-rename --add {TOOL}")
        before = needs.run(STATE, expected=None)
        said = needs.run(f"dpkg -i {debian.debs('ssd-divert')}", expected=1)
        assert f"ssd-divert: {TOOL} is diverted already (dpkg-divert --list); " in said
        assert way in said
        assert before == needs.run(STATE, expected=None)
        needs.run(f"dpkg-divert {option} --no-rename --remove {TOOL}")
    needs.run(f"dpkg -i {debian.debs('ssd-divert')}")
    assert in_place(needs)


def test_installer_that_lets_no_daemon_start_is_not_disturbed(needs: Root, debian: Debian) -> None:
    """Debian's installer and debootstrap put the file aside as .REAL, and move it back."""
    idle = "#!/bin/sh\necho idle\n"
    needs.run(f"mv {TOOL} {TOOL}.REAL; printf '{idle}' > {TOOL}; chmod 755 {TOOL}")
    needs.run(f"dpkg -i {debian.debs('python3-ssd', 'ssd', 'ssd-divert')}")
    assert "idle\n" == needs.run("start-stop-daemon --version")
    needs.run(f"mv {TOOL}.REAL {TOOL}")
    assert in_place(needs)
    needs.run("dpkg --purge ssd-divert")
    assert "" == needs.run("dpkg --verify dpkg")


# What takes the possibility to run from ssd -> what gives it back, and what the warning names.
LOSSES = {
    "dpkg --unpack {python3-ssd}": ("dpkg --configure -a", "configured python3-ssd"),
    "mv /usr/sbin/ssd /usr/sbin/lost": ("mv /usr/sbin/lost /usr/sbin/ssd", "/usr/sbin/ssd"),
    "set -- /usr/bin/python3.[0-9]*; mv $1 /usr/bin/lost; echo $1 > /lost": (
        "mv /usr/bin/lost $(cat /lost)",
        "/usr/bin/python3.",
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_original_does_the_work_while_ssd_cannot(loss: str, ours: Root, debian: Debian) -> None:
    """With a warning; if the original is missing too, the status is a failure."""
    back, named = LOSSES[loss]
    ours.run(loss.replace("{python3-ssd}", debian.debs("python3-ssd")))
    said = ours.run("start-stop-daemon --version")
    assert said.startswith(f"start-stop-daemon: warning: ssd cannot run (no {named}"), said
    assert " does this\nstart-stop-daemon 1." in said
    ours.run("mv /usr/sbin/start-stop-daemon.dist* /var/tmp")
    for words, expected in (("--stop --name x", 2), ("--status --name x", 4), ("-T -n x", 4)):
        said = ours.run(f"start-stop-daemon {words}", expected=expected)
        assert 1 == said.count("\n") and "apt-get install --reinstall dpkg" in said
    ours.run("mv /var/tmp/start-stop-daemon.dist* /usr/sbin")
    assert "does this" in ours.run("start-stop-daemon --version")
    ours.run(back)
    assert in_place(ours)


def test_message_begins_with_the_name_that_was_called(ours: Root) -> None:
    """As the original's do; and with its exit status."""
    said = ours.run("start-stop-daemon", expected=3)
    assert said.startswith("start-stop-daemon: need one of --start or --stop"), said


def test_original_is_untouched_by_the_other_packages(debian: Debian, bare: Root) -> None:
    """The other packages change nothing about start-stop-daemon."""
    before = bare.run(STATE, expected=None)
    bare.run(f"apt-get -qq install -y {debian.debs('python3-ssd', 'ssd')}")
    assert before == bare.run(STATE, expected=None)
    assert Path(f"{bare.files}{TOOL}").stat().st_mode & os.X_OK


INHERITED = """
cd /; set -- env -i PATH="$PATH" PWD=/ bundle=mine python=mine lacks=mine original=mine word=mine
for each in /usr/sbin/start-stop-daemon /usr/sbin/start-stop-daemon.dist*; do
    "$@" "$each" --start --name none --startas /usr/bin/env
done
"""


def test_daemon_inherits_the_variables_of_the_caller(ours: Root) -> None:
    """Also those with a name that a script uses lightly; by ssd as by the original."""
    said = ours.run(INHERITED).splitlines()
    assert 14 == len(said) and 10 == len([line for line in said if line.endswith("=mine")])
    assert sorted(said[:7]) == sorted(said[7:])
