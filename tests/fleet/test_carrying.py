"""Hosts without ssd, or with one that is too old: the collection carries it, for one task."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit import one_file
from kit.managed import SOURCES, USUAL, Done, Managed

import ssd

pytestmark = [pytest.mark.fleet, pytest.mark.requires_namespaces]
# As ssd-service was before it had --json for every verb: it notes its words, and explains itself.
OLD = """#!/bin/sh
echo "$*" >> {notes}
echo "Usage: ssd-service nap start|stop|status|restart|try-restart|force-reload" >&2
exit 2
"""


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the one-file program."""
    return one_file.make(tmp_path_factory.mktemp("pyz"))


@pytest.fixture
def host(tmp_path: Path, pyz: Path) -> Iterator[Managed]:
    """Yield a machine without ssd, and a collection that carries it."""
    with Managed(tmp_path) as made:
        daemon = made.collections / "ansible_collections/ssd/daemon"
        daemon.unlink()
        shutil.copytree(SOURCES, daemon, ignore=shutil.ignore_patterns("__pycache__"))
        (daemon / "files").mkdir(exist_ok=True)
        shutil.copy(pyz, daemon / "files")
        yield made


def task(host: Managed, *flags: str, path: str = USUAL, **arguments: Any) -> dict[str, Any]:
    """Run one task by Ansible; return its result."""
    keywords, module = arguments.pop("keywords", {}), arguments.pop("module", "service")
    wanted = {"directory": str(host.declarations), "name": "nap", **arguments}
    ours = {f"ssd.daemon.{module}": wanted, "register": "told", "ignore_errors": True}
    copy = {"content": "{{ told | to_json }}", "dest": f"{host.directory}/told"}
    keep = {"ansible.builtin.copy": copy, "check_mode": False, "diff": False}
    return told(host, host.playbook([{**ours, **keywords}, keep], *flags, path=path))


def told(host: Managed, done: Done) -> dict[str, Any]:
    """Return the result that a play has registered."""
    assert 0 == done.status, done.out + done.err
    found: dict[str, Any] = json.loads((host.directory / "told").read_text())
    return {**found, "output": done.out + done.err}


def test_bare_host_starts_a_daemon_that_outlives_the_file(host: Managed) -> None:
    """And a second task finds it: it changes nothing."""
    log = host.directory / "log"
    talks = "while read line; do echo $line; done < {0}/talk; /bin/sleep 1000"
    talk = host.directory / "talk"
    assert 0 == host.run("/usr/bin/mkfifo", talk).status
    host.declare(
        f'executable = "/bin/sh"\narguments = ["-c", "{talks.format(host.directory)}"]\n'
        f'[log]\npath = "{log}"\nmax_size = 1000\n'
    )
    first = task(host, state="started")
    used = first["ssd"]
    assert ("carried", ssd.__version__) == (used["source"], used["version"]), first
    assert (sys.executable, "ssd.pyz") == (used["python"], Path(used["path"]).name)
    assert not Path(used["path"]).exists()
    assert (True, "running", 0) == (first["changed"], first["after"]["state"], first["rc"])
    again = task(host, state="started")
    assert (False, "carried") == (again["changed"], again["ssd"]["source"])
    assert [host.pid()] == [each["pid"] for each in again["before"]["processes"]]
    # Its logger needs the file no more, not even to rotate.
    lines = "".join(f"line {number} of a log\n" for number in range(99))
    script = 'printf "%s" "$1" > "$2"; until grep -q "line 98" "$3"; do :; done'
    assert 0 == host.run("/bin/sh", "-c", script, "sh", lines, talk, log).status
    assert log.with_name("log.1").exists()


def test_check_mode_and_diff_are_those_of_a_host_with_ssd(host: Managed) -> None:
    """The difference is shown once, and nothing is changed."""
    host.declare()
    planned = task(host, "--check", "--diff", state="started")
    assert (True, "running", []) == (
        planned["changed"], planned["after"]["state"], planned["after"]["processes"],
    )  # fmt: skip
    assert 1 == planned["output"].count('+    "state": "running"')
    assert not (host.directory / "nap.pid").exists()


def test_restart_if_older_is_done_once_on_a_bare_host(host: Managed) -> None:
    """Its part of the module travels, too."""
    host.declare()
    first = task(host, state="restarted", if_older_than=[1])
    again = task(host, state="restarted", if_older_than=[1])
    assert (True, False) == (first["changed"], again["changed"]), again
    assert first["after"]["processes"] == again["after"]["processes"]


def test_facts_come_from_a_bare_host(host: Managed) -> None:
    """service_info carries it, too."""
    host.declare()
    found = task(host, module="service_info")
    assert "carried" == found["ssd"]["source"]
    assert "stopped" == found["services"]["nap"]["state"]


def test_old_ssd_of_a_host_is_left_alone(host: Managed) -> None:
    """It is asked only what it cannot do, and another one is carried."""
    host.declare()
    notes, place = host.directory / "notes", host.directory / "old"
    place.mkdir()
    (place / "ssd-service").write_text(OLD.format(notes=notes))
    (place / "ssd-service").chmod(0o755)
    found = task(host, state="started", path=f"{place}:{USUAL}")
    assert ("carried", True) == (found["ssd"]["source"], found["changed"])
    assert all("--json" in line.split() for line in notes.read_text().splitlines())


def test_init_script_of_the_name_is_not_run(host: Managed) -> None:
    """An old ssd-service would run it with --json as a word: it is asked for the status alone."""
    notes, place = host.directory / "notes", host.directory / "old"
    place.mkdir()
    (place / "ssd-service").write_text(OLD.format(notes=notes))
    (place / "ssd-service").chmod(0o755)
    script = 'mount -t tmpfs tmpfs /etc/init.d && printf "#!/bin/sh\\n" > /etc/init.d/nap'
    assert 0 == host.run("/bin/sh", "-ec", script).status
    found = task(host, "--check", state="started", path=f"{place}:{USUAL}")
    assert found["failed"] and "nap" in found["msg"]
    words = {word for line in notes.read_text().splitlines() for word in line.split()}
    assert "status" in words and "start" not in words


def test_collection_without_the_file_says_what_to_do(host: Managed) -> None:
    """A checkout has none; then the host needs ssd."""
    (host.collections / "ansible_collections/ssd/daemon/files/ssd.pyz").unlink()
    host.declare()
    found = task(host, state="started")
    assert (True, False, None) == (found["failed"], found["changed"], found["ssd"]["source"])
    assert "Install ssd there" in found["msg"] and "scripts/collection" in found["msg"]


def test_wrong_parameter_carries_nothing(host: Managed) -> None:
    """It is refused before."""
    found = task(host, state="started", name="all")
    assert found["failed"] and found["ssd"]["source"] is None
    assert "Install" not in found["msg"]


@pytest.mark.parametrize(
    ("arguments", "rc"),
    [
        ({"state": "present"}, 2),
        ({"state": "started", "enabled": True}, 2),
        ({"state": "started", "name": "n\0p"}, 2),
        ({"state": "started", "keywords": {"async": 10, "poll": 1}}, 1),
    ],
    ids=["state", "parameter", "name", "async"],
)
def test_refused_task_returns_what_is_returned_always(
    host: Managed, arguments: dict[str, Any], rc: int
) -> None:
    """Also where the module has not been asked, or AnsibleModule has refused the arguments."""
    nothing = {"state": "unknown", "processes": []}
    found = task(host, **arguments)
    assert (True, False, rc) == (found["failed"], found["changed"], found["rc"]), found
    wanted = arguments.get("name", "nap"), arguments["state"], nothing, nothing, None
    assert wanted == (
        found["name"], found["state"], found["before"], found["after"], found["ssd"]["source"],
    )  # fmt: skip
    assert found["msg"]


def test_refused_question_has_no_services(host: Managed) -> None:
    """But has the key, as always."""
    found = task(host, module="service_info", nam="nap")
    assert (True, {}, None) == (found["failed"], found["services"], found["ssd"]["source"])


def test_other_user_reads_the_file(host: Managed) -> None:
    """With become_user another ordinary user, whose service it is."""
    host.declarations.chmod(0o755)
    for place in (host.directory, *host.directory.parents):
        if str(place) not in ("/", "/tmp"):
            host.run("/bin/chmod", "a+rx", place)
    state = host.directory / "state"
    state.mkdir()
    state.chmod(0o777)
    host.declare(f'pidfile = "{state}/nap.pid"\n')
    keywords = {"become": True, "become_user": "nobody", "become_method": "ansible.builtin.su"}
    found = task(host, state="started", keywords={**keywords, "become_flags": "-s /bin/sh"})
    assert ("carried", True) == (found.get("ssd", {}).get("source"), found["changed"]), found


def test_async_is_refused(host: Managed) -> None:
    """The first part of a task is needed before it is known whether to carry ssd."""
    host.declare()
    found = task(host, state="started", keywords={"async": 10, "poll": 1})
    assert found["failed"] and "async" in found["msg"]
    assert not (host.directory / "nap.pid").exists()


def test_nova_compute_is_declared_on_a_bare_host(host: Managed) -> None:
    """Its declaration travels in the file; without nova a start fails, also in check mode."""
    host.run("/bin/sh", "-c", "[ ! -d /etc/ssd ] || mount -t tmpfs tmpfs /etc/ssd")
    found = task(host, "--check", name="nova-compute", state="started", directory="/etc/ssd")
    assert "carried" == found["ssd"]["source"]
    assert found["failed"] and "nova-compute" in found["msg"]
