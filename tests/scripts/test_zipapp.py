"""ssd.pyz on a host that has Python and nothing else: all that starts another process."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from conftest import CHECKOUT, Run
from kit import one_file

PYTHON = "/usr/bin/python3"
pytestmark = [pytest.mark.slow, pytest.mark.requires_namespaces]

# Without packages and the checkout; $1: the directory of the file. The host's Python stays.
BARE = f"""
for each in /usr/lib/python3/dist-packages /usr/local/lib/python3*/dist-packages {CHECKOUT}; do
    [ ! -d "$each" ] || mount -t tmpfs tmpfs "$each"
done
mount -t tmpfs tmpfs /var/log; mkdir -p /run/declared; cd "$1"; P=$1/ssd.pyz
printf '#!/bin/sh\\necho hello; exec sleep 1000\\n' > /run/hello; chmod 755 /run/hello
printf 'executable = "/bin/sleep"\\narguments = ["1000"]\\n' > /run/declared/nap.toml
cat > /run/declared/web.toml << 'END'
executable = "/run/hello"
log = {{ path = "/var/log/web" }}
readiness = {{ kind = "command", command = ["grep", "-qs", "hello", "/var/log/web"] }}
END
service() {{ $P ssd-service --directory /run/declared "$@"; }}
. "$1/steps"
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file, with the bytecode of the host's Python."""
    if not os.access(PYTHON, os.X_OK):
        pytest.skip(f"{PYTHON} is missing")
    return one_file.make(tmp_path_factory.mktemp("one-file"), PYTHON)


@pytest.fixture
def bare(file: Path, in_namespace: Run, tmp_path: Path) -> Callable[[str], list[str]]:
    """Return a function that runs steps of sh on the bare host, and returns what they say."""

    def run(steps: str) -> list[str]:
        copy = tmp_path / "ssd.pyz"
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o755)
        (tmp_path / "steps").write_text(steps)
        done = in_namespace("sh", "-c", BARE, "sh", tmp_path, stderr=subprocess.STDOUT,
                            stdout=subprocess.PIPE)  # fmt: skip
        lines: list[str] = done.stdout.splitlines()
        return lines

    return run


DAEMON = """
$P --start --background --make-pidfile --pidfile /run/a --startas /bin/sleep -- 100; echo $?
$P --status --pidfile /run/a; echo $?; $P --stop --pidfile /run/a --retry 5; echo $?
python3 ssd.pyz --status --pidfile /run/none; echo $?
service nap status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])'
"""


def test_bare_host_starts_and_stops_daemons(bare: Callable[[str], list[str]]) -> None:
    """Facts in JSON, too: psutil only adds to them."""
    assert ["0", "0", "0", "3", "stopped"] == bare(DAEMON)


SERVICE = """
service web start; service log web; service web status | cut -d '(' -f 1; service web stop
$P ssd-service nova-compute show-args
printf '#!/bin/sh\\nPATH=/sbin:/bin:/usr/bin\\n/sbin/start-stop-daemon "$@"\\n' > /run/script
chmod 755 /run/script; $P ssd-service --with-ssd /run/script --version | head -n 1 | cut -c 1-4
readlink /run/ssd-service/start-stop-daemon | sed 's=.*/=='
"""


def test_bare_host_runs_services(bare: Callable[[str], list[str]]) -> None:
    """With a logger; plain init scripts find ssd, which is the file itself."""
    args = "/usr/bin/nova-compute --log-file=/var/log/nova/nova-compute.log"
    wanted = ["Starting web: web.", "hello", "web is running ", "Stopping web: web.", args]
    assert [*wanted, "ssd ", "ssd.pyz"] == bare(SERVICE)


LIBRARY = """
python3 -IS - << 'END'
import sys; sys.path.insert(0, "ssd.pyz"); import ssd
match, nap = ssd.Match(pidfile="/run/b"), ssd.Command(["/bin/sleep", "60"], nice=3)
started = ssd.start(match, nap, make_pidfile=True)
assert [started] == ssd.stop(match)
with ssd.start(match, ssd.Command(["/bin/false"], nice=3), background=False) as child:
    print(child.wait())
END
PYTHONPATH=ssd.pyz python3 -m ssd --status --pidfile /run/none; echo $?
"""


def test_bare_host_has_the_library(bare: Callable[[str], list[str]]) -> None:
    """Helpers, which are Pythons of their own, import it from the file as well."""
    assert ["1", "3"] == bare(LIBRARY)


CUT = "/run/ssd.pyz is cut off: copy it again, under another name, and rename that"

# The supervisor's own copy is cut off, as a copy in place would begin, and then replaced.
SUPERVISOR = """
cp ssd.pyz /run/ssd.pyz; mkfifo /run/said; echo 'pidfile = "none"' >> /run/declared/nap.toml
until_said() { while read -r line <&3; do case $line in *"$1"*) break ;; esac; done; }
/run/ssd.pyz ssd-supervise --directory /run/declared > /run/said 2>&1 & supervisor=$!
exec 3< /run/said; until_said 'web is ready'
head -c 100000 ssd.pyz > /run/ssd.pyz
/run/ssd.pyz ssd-service --directory /run/declared nap status; echo $?
service nap stop; service nap start; service update; service log web
service upgrade; echo $?
cp ssd.pyz /run/new; mv /run/new /run/ssd.pyz
service upgrade; echo $?; service nap status | cut -d '(' -f 1
kill $supervisor; until_said 'nap has stopped'; wait $supervisor; echo $?
"""


def test_supervisor_outlives_its_file(bare: Callable[[str], list[str]]) -> None:
    """It has read what it needs; an upgrade is refused until the file is whole again."""
    assert bare(SUPERVISOR) == [
        f"ssd.pyz: {CUT}", "4", "Stopping nap: nap.", "Starting nap: nap.",
        "unchanged: 2", "hello",
        f"ssd-service: the new program cannot run: ssd.pyz: {CUT}", "1",
        "0", "nap is running ", "0",
    ]  # fmt: skip


# The recipe of docs/howto/container.md.
CONTAINER = """
mkdir /run/bin; cp ssd.pyz /run/bin/ssd-supervise; ln -s ssd-supervise /run/bin/ssd-service
cat > /run/declared/job.toml << 'END'
executable = "/run/job"
requires = ["nap"]
END
cat > /run/job << 'END'
#!/bin/sh
cat /proc/1/comm; python3 -IS /run/bin/ssd-service --directory=/run/declared nap status; exit 5
END
chmod 755 /run/job; rm /run/declared/web.toml
unshare --pid --fork --mount-proc python3 -IS /run/bin/ssd-supervise --directory=/run/declared \\
    --exit-with=job --forward --quiet 2>&1 | grep '^job: ' | cut -d '(' -f 1
"""


def test_file_is_process_one_of_a_container(bare: Callable[[str], list[str]]) -> None:
    """With the output of services on its own, and with clients in the container."""
    assert ["job: ssd-supervise", "job: nap is running "] == bare(CONTAINER)


@pytest.mark.packages
def test_file_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    """Neither the order of hashes nor the directory matters; the time of members can be given."""
    made = []
    for seed, directory in (("1", "/"), ("2", tmp_path)):
        out = tmp_path / seed
        given = {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1700000000", "PATH": "/usr/bin:/bin"}
        words = [sys.executable, CHECKOUT / "scripts/zipapp", "--python", sys.executable]
        subprocess.run([*words, "--out", out], env=given, cwd=directory, check=True)
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_interpreter_that_cannot_compile_is_named(tmp_path: Path, run: Run) -> None:
    """Nothing is written then."""
    words = [sys.executable, CHECKOUT / "scripts/zipapp", "--out", tmp_path / "new"]
    done = run(*words, "--python", "/bin/false")
    assert 1 == done.returncode and "--python /bin/false: it cannot compile ssd" in done.stderr
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("", "cannot compile"), ("x", "is not a number"), ("99999999999", "a number below 2**32")],
)
def test_time_that_is_no_number_is_refused(given: str, wanted: str, tmp_path: Path) -> None:
    """An empty one is none."""
    words = [sys.executable, CHECKOUT / "scripts/zipapp", "--out", tmp_path / "new"]
    done = subprocess.run([*words, "--python", "/bin/false"], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": given})  # fmt: skip
    assert wanted in done.stderr and "Traceback" not in done.stderr


def test_stray_files_stay_out(tmp_path: Path) -> None:
    """What editors leave beside the modules: the bytes are those of the sources alone."""
    for path in (
        "ssd/a.py",
        "ssd/.b.py",
        "ssd/a.py~",
        "ssd/.a.py.swp",
        "ssd/data/x",
        "ssd/data.old",
    ):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "setup.cfg").write_text("[options.package_data]\nssd = data/*\n")
    own_files = runpy.run_path(str(CHECKOUT / "scripts/zipapp"))["own_files"]
    own_files.__globals__["ROOT"] = tmp_path
    assert ["ssd/a.py", "ssd/data/x"] == list(own_files())


def test_libraries_need_no_list_of_their_files(tmp_path: Path) -> None:
    """Debian's have none. One without its modules is refused, and not left out."""
    (tmp_path / "daemon").mkdir()
    (tmp_path / "python_daemon-2.3.2.egg-info").mkdir()
    (tmp_path / "python_daemon-2.3.2.egg-info/PKG-INFO").write_text("License: Apache-2\n")
    library = Distribution.at(tmp_path / "python_daemon-2.3.2.egg-info")
    script = runpy.run_path(str(CHECKOUT / "scripts/zipapp"))
    with pytest.raises(script["Failed"], match="__init__.py: install it again"):
        script["library_files"]({"python-daemon": library})
    (tmp_path / "daemon/__init__.py").touch()
    modules, licences = script["library_files"]({"python-daemon": library})
    assert {"daemon/__init__.py": b""} == modules
    assert b"License: Apache-2\n" == licences["licences/python-daemon/METADATA"]
