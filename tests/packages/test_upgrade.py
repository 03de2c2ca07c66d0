"""From Debian 12 to 13 with daemons that run, and at no moment without start-stop-daemon."""

from collections.abc import Callable

import pytest
from kit import roots
from kit.packages import OURS, Debian

pytestmark = [pytest.mark.packages, pytest.mark.requires_root, pytest.mark.requires_namespaces]

# dpkg tells it of each step of each package (dpkg(1), --status-logger), and it asks for the daemon.
PROBE = """
cat > /usr/local/sbin/probe << 'END'
#!/bin/bash
while read -r event; do
    said=$(start-stop-daemon --status --pidfile /run/nap.pid 2>&1)
    echo "$?|$event|$said" >> /probed
done
END
chmod 755 /usr/local/sbin/probe
echo status-logger=/usr/local/sbin/probe > /etc/dpkg/dpkg.cfg.d/probe
"""
START = """
set -e; set -- --pidfile /run/nap.pid --exec /bin/sleep
start-stop-daemon --start --background --make-pidfile "$@" -- 10000
mkdir -p /etc/ssd
printf 'executable = "/bin/sleep"\\narguments = ["10000"]\\n' > /etc/ssd/rest.toml
ssd-service rest start
"""
# A directory of ours stands for a mirror that has our packages for the next release.
SOURCES = """
set -e
mkdir /ours && cp /srv/next/*.deb /ours && cd /ours
for file in *.deb; do
    dpkg-deb --field $file
    echo "Filename: ./$file"
    echo "Size: $(stat -c %s $file)"
    echo "SHA256: $(sha256sum $file | cut -d ' ' -f 1)"
    echo
done > Packages
sed -i s/bookworm/trixie/ /etc/apt/sources.list
echo 'deb [trusted=yes] file:/ours ./' >> /etc/apt/sources.list
apt-get -qq update
"""
UPGRADE = "apt-get -q -y -o Dpkg::Options::=--force-confnew dist-upgrade"
RELEASE = "cut -d . -f 1 /etc/debian_version"


def test_daemons_stay_manageable_in_a_release_upgrade(
    debians: Callable[[str], Debian], tmp_path
) -> None:
    """Each call answers 0, by ssd or the original; after it ssd does all, with the new Python."""
    debian, following = debians("12"), debians("13")
    following.copy(debian.shared / "next", *OURS)
    with roots.fresh(debian.ours(), debian.shared) as root:
        root.run(f"{START}{PROBE}")
        root.run(SOURCES)
        python = root.run("readlink /usr/bin/python3")
        said = root.run(UPGRADE)
        assert "13\n" == root.run(RELEASE), said
        assert python != root.run("readlink /usr/bin/python3")
        probed = [line.split("|") for line in root.run("cat /probed").splitlines()]
        assert [] == [line for line in probed if line[0] != "0"]
        events = [event for _, event, _ in probed]
        for step in ("python3-minimal: unpacked", "dpkg: unpacked", "ssd-divert: installed"):
            assert any(event.startswith(f"status: {step}") for event in events), step
        by_original = [said for _, _, said in probed if "does this" in said]
        assert 0 < len(by_original) < len(probed) / 2
        root.run("rm /etc/dpkg/dpkg.cfg.d/probe")
        assert root.run("start-stop-daemon --version").startswith("ssd ")
        assert "" == root.run("start-stop-daemon --status --pidfile /run/nap.pid")
        root.run("start-stop-daemon --stop --pidfile /run/nap.pid --retry 5 --remove-pidfile")
        assert 3 == root.status("start-stop-daemon --status --pidfile /run/nap.pid")
        assert "rest is running" in root.run("ssd-service rest status")
        root.run("ssd-service rest stop")
        assert 3 == root.status("ssd-service rest status")
        assert "~deb13u1\n" in root.run("dpkg-query --show ssd-divert")
        root.run("dpkg --purge ssd-divert")
        assert "" == root.run("dpkg --verify dpkg; dpkg-divert --list '*start-stop*'")
