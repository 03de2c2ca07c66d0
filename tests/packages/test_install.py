"""Each package installs in a clean Debian, does its work there, and leaves nothing when purged."""

import pytest
from kit.packages import OURS, Debian
from kit.roots import Root

pytestmark = [pytest.mark.packages, pytest.mark.requires_root, pytest.mark.requires_namespaces]

COMMANDS = ("ssd", "ssd-service", "ssd-supervise", "ssd-initctl")
# A package -> those of ours that it needs, and a command that it brings.
PACKAGES = {
    "python3-ssd": ((), "cd /tmp && python3 -c 'import ssd; print(ssd.__version__)'"),
    "ssd": (("python3-ssd",), "ssd --version"),
    "ssd-divert": (("python3-ssd", "ssd"), "start-stop-daemon --version | grep '^ssd '"),
    "ssd-compute": (("python3-ssd",), "ssd-compute --installed && ssd-compute --version"),
}
# Lists of packages, logs of apt and dpkg, caches of tools, and what lasts only until a boot.
APART = "dev proc run srv tmp var/cache var/lib/apt var/lib/dpkg var/log/apt var/log/*.log"
FILES = """
cd /; set --
for each in {apart} etc/ld.so.cache; do set -- "$@" -path "./$each" -o; done
find . -xdev \\( "$@" -false \\) -prune -o ! -type d -printf '%p %m %u:%g %s %l\\n' \\
    -o -printf '%p %m %u:%g\\n' | sort
"""


def files(root: Root) -> list[str]:
    """Return each file's path, mode, owner, size and target; of directories, no size."""
    return root.run(FILES.format(apart=APART)).splitlines()


@pytest.mark.parametrize("package", PACKAGES)
def test_package_works_in_a_clean_debian(package: str, debian: Debian, bare: Root) -> None:
    """With its dependencies from the mirror; after a purge no file has its name."""
    others, command = PACKAGES[package]
    bare.run(f"apt-get -qq install -y {debian.debs(*others, package)}")
    assert "" != bare.run(command)
    bare.run(f"apt-get -qq purge -y {' '.join([*others, package])}")
    assert [] == [line for line in files(bare) if "ssd" in line.split()[0].replace("sssd", "")]


USE = """
set -e
printf 'executable = "/bin/sleep"\\narguments = ["10000"]\\n' > /etc/ssd/nap.toml
ssd-service nap start
ssd-service nap status
ssd-service nap restart
ssd-service nap stop
start-stop-daemon --start --background --make-pidfile --pidfile /run/a.pid --exec /bin/sleep -- 9999
start-stop-daemon --stop --pidfile /run/a.pid --remove-pidfile --retry 5
rm /etc/ssd/nap.toml
"""


def test_purge_leaves_no_file_and_changes_none(needs: Root, debian: Debian) -> None:
    """Of what the packages have brought, or their commands have written in use."""
    before = files(needs)
    needs.run(f"dpkg -i {debian.debs(*OURS)}")
    during = files(needs)
    needs.run(USE)
    needs.run(f"dpkg --purge {' '.join(reversed(OURS))}")
    after = files(needs)
    assert len(during) > len(before) + 100
    assert before == after


def test_commands_manual_and_completions_are_in_place(ours: Root) -> None:
    """Where man(1), bash and zsh look for those of packages."""
    for command in COMMANDS:
        assert ours.run(f"{command} --version").startswith("ssd")
        ours.run(f"zcat /usr/share/man/man8/{command}.8.gz | grep -q '^.SH'")
        ours.run(f"test -s /usr/share/bash-completion/completions/{command}")
        ours.run(f"test -s /usr/share/zsh/vendor-completions/_{command}")
    ours.run(". /usr/share/ssd/init-functions && log_success_msg done")


def test_declared_service_starts_and_stops(ours: Root) -> None:
    """In the directory that the package has made for declarations."""
    ours.run(
        """printf 'executable = "/bin/sleep"\\narguments = ["10000"]\\n' > /etc/ssd/nap.toml
        ssd-service nap start"""
    )
    assert ours.run("ssd-service nap status").startswith("nap is running")
    ours.run("ssd-service nap stop")
    assert 3 == ours.status("ssd-service nap status")


def test_init_script_of_debian_runs_on_ssd(ours: Root) -> None:
    """The original is made useless, so it is ssd that starts and stops Debian's cron."""
    ours.run("apt-get -qq install -y cron sysvinit-utils")
    ours.run(
        "printf '#!/bin/sh\\nexit 99\\n' | tee /usr/sbin/start-stop-daemon.distrib* > /dev/null"
    )
    ours.run("/etc/init.d/cron start")
    assert "cron\n" == ours.run("cat /proc/$(cat /run/crond.pid)/comm")
    ours.run("/etc/init.d/cron status")
    ours.run("/etc/init.d/cron stop")
    assert 0 != ours.status("/etc/init.d/cron status")


AUTOPKGTEST = """
apt-get -qq install -y autopkgtest dpkg-dev {debs}
autopkgtest --no-built-binaries --output-dir=/tmp/results /srv/*.dsc -- null
"""


def test_own_tests_of_the_packages_pass(debian: Debian, ours: Root) -> None:
    """As Debian runs them: debian/tests of the source package, by autopkgtest."""
    ours.run(f"set -e\n{AUTOPKGTEST.format(debs=debian.debs('ssd-compute'))}")
    summary = ours.run("cat /tmp/results/summary").splitlines()
    verdicts = dict(line.split()[:2] for line in summary)
    assert {"PASS"} == set(verdicts.values()), summary
    assert {"life", "library", "compute", "divert"} <= set(verdicts)
