"""Journal, report and lock of a rollout, without Ansible."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT

PLACE = "ansible_collections.ssd.daemon.plugins.plugin_utils"
HOSTS = ["a", "b", "c"]
README = CHECKOUT / "packaging/ansible/roles/rolling_restart/README.md"


class Parts:
    """The modules under test, imported from where Ansible would have the collection."""

    def __init__(self) -> None:
        for name in ("journal", "report", "lock", "command"):
            setattr(self, name, import_module(f"{PLACE}.rollout_{name}"))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """Return the modules; the package of an installed Ansible is left alone."""
    before = set(sys.modules)
    place = tmp_path / "path/ansible_collections/ssd"
    place.mkdir(parents=True)
    (place / "daemon").symlink_to(CHECKOUT / "packaging/ansible")
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    yield Parts()
    for name in set(sys.modules) - before:
        if name.startswith("ansible_collections"):
            del sys.modules[name]


@pytest.fixture
def journal(parts: Parts, tmp_path: Path) -> Path:
    """Return the directory of a rollout that has begun with three hosts."""
    pid = os.getpid()
    parts.journal.append(
        tmp_path, event="begun", id="1-2", service="web", hosts=HOSTS, check=False, since=["7"],
        max_failed=0, max_unavailable=0, pid=pid, identity=parts.lock.identity(pid),
        controller="here", resume="ansible-playbook again", version=1,
    )  # fmt: skip
    return tmp_path


def note(parts: Parts, directory: Path, host: str, **fact: Any) -> None:
    """Note something about a host."""
    parts.journal.append(directory, event="host", host=host, **fact)


def results(parts: Parts, directory: Path, over: bool | None = None) -> list[str]:
    """Return the results in the report."""
    return [record["result"] for record in parts.report.write(directory, over)["hosts"]]


def test_report_has_a_record_of_each_host(parts: Parts, journal: Path) -> None:
    """In the order of the play, also of hosts to which nothing has happened."""
    note(parts, journal, "b", result="restarted", old_pid=1, new_pid=2)
    report = parts.report.write(journal)
    assert HOSTS == [record["host"] for record in report["hosts"]]
    assert ["untouched", "restarted", "untouched"] == results(parts, journal)
    assert ("running", {"restarted": 1, "untouched": 2}) == (
        report["state"], {key: count for key, count in report["counts"].items() if count}
    )  # fmt: skip
    assert report == json.loads((journal / "report.json").read_text()) | {
        "updated": report["updated"]
    }


def test_host_at_work_is_interrupted_once_all_is_over(parts: Parts, journal: Path) -> None:
    """And running before; the phase is in the message."""
    note(parts, journal, "a", result=None, phase="drain", drained=True)
    assert "running" == results(parts, journal)[0]
    assert "interrupted" == results(parts, journal, over=True)[0]
    assert "in its drain" in (journal / "report.txt").read_text()


def test_worker_that_outlives_its_run_knows_that_it_is_over(parts: Parts, tmp_path: Path) -> None:
    """After kill -9 of ansible-playbook; its last report must not say that the rollout goes on."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as run:
        parts.journal.append(
            tmp_path, event="begun", id="1-2", service="web", hosts=HOSTS, check=False, since=["7"],
            max_failed=0, max_unavailable=0, pid=run.pid, identity=parts.lock.identity(run.pid),
            controller="here", resume="ansible-playbook again", version=1,
        )  # fmt: skip
        note(parts, tmp_path, "a", phase="restart", result=None)
        assert "running" == parts.report.write(tmp_path)["state"]
        run.kill()
    os.utime(tmp_path / ".report.lock", (0, 0))  # the last report was long ago
    parts.report.write_sometimes(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert ("interrupted", "interrupted") == (report["state"], report["hosts"][0]["result"])


def test_host_is_at_work_until_it_is_resumed(parts: Parts, journal: Path) -> None:
    """A restarted host that is still drained is not done, and the rollout has not finished."""
    for host in HOSTS:
        note(parts, journal, host, result="restarted", drained=True, new_pid=2)
        note(parts, journal, host, result="restarted", drained=host == "a")
    assert ["running", "restarted", "restarted"] == results(parts, journal)
    report = parts.report.write(journal, over=True)
    assert ("interrupted", "interrupted", 2) == (
        report["state"], report["hosts"][0]["result"], report["hosts"][0]["new_pid"]
    )  # fmt: skip
    assert "in its resume" in (journal / "report.txt").read_text()


def test_state_tells_how_a_rollout_ended(parts: Parts, journal: Path) -> None:
    """Interrupted, stopped, or finished."""
    assert "interrupted" == parts.report.write(journal, over=True)["state"]
    note(parts, journal, "a", result="failed", message="no")
    assert "stopped" == parts.report.write(journal, over=True)["state"]
    for host in HOSTS:
        note(parts, journal, host, result="unchanged")
    assert "finished" == parts.report.write(journal)["state"]


def test_restarted_host_stays_so_in_a_resumed_rollout(parts: Parts, journal: Path) -> None:
    """Unless it has got yet another process."""
    note(parts, journal, "a", result="restarted", old_pid=1, new_pid=2, seconds=3)
    note(parts, journal, "a", result=None, phase="restart")
    note(parts, journal, "a", result="unchanged", old_pid=2, new_pid=2, seconds=None)
    record = parts.journal.read(journal)[1]["a"]
    assert ("restarted", 1, 2, 3) == tuple(
        record[key] for key in ("result", "old_pid", "new_pid", "seconds")
    )
    note(parts, journal, "a", result="unchanged", old_pid=9, new_pid=9)
    assert "unchanged" == parts.journal.read(journal)[1]["a"]["result"]


def test_notes_of_hooks_add_up(parts: Parts, journal: Path) -> None:
    """Those of the first are not lost with the second."""
    note(parts, journal, "a", result=None, notes={"one": 1})
    note(parts, journal, "a", result="restarted", notes={"two": 2})
    assert {"one": 1, "two": 2} == parts.journal.read(journal)[1]["a"]["notes"]


def test_line_without_an_end_is_left_out(parts: Parts, journal: Path) -> None:
    """A process was killed as it wrote it; the next line is read."""
    with (journal / "journal.jsonl").open("a") as file:
        file.write('{"event": "ho')
    assert ["untouched"] * 3 == results(parts, journal)
    note(parts, journal, "a", result="restarted")
    assert ["restarted", "untouched", "untouched"] == results(parts, journal)


def test_journal_of_many_writers_has_whole_lines(parts: Parts, journal: Path) -> None:
    """As forks of ansible-playbook write at once."""
    text = "x" * 3000
    children = []
    for number in range(8):
        pid = os.fork()
        if pid:
            children.append(pid)
            continue
        status = 1
        try:
            for _ in range(50):
                note(parts, journal, HOSTS[number % 3], message=text)
                parts.report.write_sometimes(journal)
            status = 0
        finally:
            os._exit(status)
    assert [0] * 8 == [os.waitpid(pid, 0)[1] for pid in children]
    lines = (journal / "journal.jsonl").read_text().splitlines()
    assert 1 + 8 * 50 == len([json.loads(line) for line in lines])
    assert 3 == len(json.loads((journal / "report.json").read_text())["hosts"])


def test_report_is_documented_in_full(parts: Parts, journal: Path) -> None:
    """The role's README has each key and value."""
    report = parts.report.write(journal)
    page = README.read_text()
    keys = (*report, *report["hosts"][0])
    assert [] == [key for key in keys if f"`{key}`" not in page]
    values = (*parts.report.RESULTS, *parts.report.STATES)
    assert [] == [value for value in values if not re.search(rf"\b{value}[:;,]", page)]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["-e", "rolling_restart_service=web"], "-e rolling_restart_service=web"),
        (["-e", "password=secret"], "-e '...'"),
        (["-erolling_restart_soak=1 password=secret"], "-e '...'"),
        (["--extra-vars=password=secret"], "-e '...'"),
        (["-e", '{"password": "secret"}'], "-e '...'"),
        (["-e", "@file.yml"], "-e @file.yml"),
        (["-e", '{"rolling_restart_serial": [1]}'], "-e '{\"rolling_restart_serial\": [1]}'"),
        (["-e", "rolling_restart_resume=true"], ""),
        (["--check", "-i", "my hosts"], "-i 'my hosts'"),
        (["-bC", "--chec", "-Cihosts"], "-b -ihosts"),
        (["--extra", "password=secret"], "-e '...'"),
        (["--ex=password=secret"], "-e '...'"),
        (["-bvepassword=secret"], "-bv -e '...'"),
        (["-Ke", "password=secret"], "-K -e '...'"),
        (["-uoperator", "-lred"], "-uoperator -lred"),
        (["-e", "rolling_restart_resume_tasks=x"], "-e rolling_restart_resume_tasks=x"),
        (
            ["-e", "rolling_restart_service=web rolling_restart_resume=true"],
            "-e rolling_restart_service=web",
        ),
        (
            ["-e", '{"rolling_restart_soak": 1, "rolling_restart_resume": true}'],
            "-e '{\"rolling_restart_soak\": 1}'",
        ),
    ],
)
def test_command_that_goes_on_has_no_secret(parts: Parts, given: list[str], shown: str) -> None:
    """What -e assigns is left out if it is not the role's."""
    made = parts.command.resume_command(["/usr/bin/ansible-playbook", "play.yml", *given], "/r")
    expected = ["ansible-playbook", "play.yml", shown, "-e rolling_restart_resume=/r"]
    assert " ".join(filter(None, expected)) == made


def test_lock_is_held_by_a_living_process(parts: Parts, tmp_path: Path) -> None:
    """It knows its holder, refuses others, and needs no cleaning after the holder's death."""
    file = parts.lock.path(str(tmp_path / "locks"), "web")
    with subprocess.Popen(["sleep", "1000"]) as holder:
        try:
            assert parts.lock.acquire(file, holder.pid, {"report": "there"})
            assert not parts.lock.acquire(file, holder.pid, {"report": "there"})
            with pytest.raises(parts.lock.Held) as held:
                parts.lock.acquire(file, os.getpid(), {})
            assert ("there", holder.pid) == (held.value.holder["report"], held.value.holder["pid"])
            parts.lock.release(file, os.getpid())  # it has none to give back
            with pytest.raises(parts.lock.Held):
                parts.lock.acquire(file, os.getpid(), {})
        finally:
            holder.kill()
    assert parts.lock.acquire(file, os.getpid(), {})
    parts.lock.release(file, os.getpid())
    assert "" == Path(file).read_text()


def test_lock_of_a_later_process_with_the_number_is_free(parts: Parts, tmp_path: Path) -> None:
    """A pid alone would not tell."""
    file = parts.lock.path(str(tmp_path), "web")
    pid = os.getpid()
    Path(file).write_text(json.dumps({"pid": pid, "identity": "an earlier one", "report": "x"}))
    assert parts.lock.acquire(file, os.getppid(), {})


def test_lock_of_a_template_is_a_file_of_its_own(parts: Parts) -> None:
    """A name cannot lead elsewhere."""
    assert "/l/web@8081.lock" == parts.lock.path("/l", "web@8081")
    assert "/l/..%2Fx.lock" == parts.lock.path("/l", "../x")


@pytest.mark.parametrize(("directory", "file"), [(0o700, 0o600), (0o2770, 0o660)])
def test_lock_is_for_who_may_write_its_directory(
    parts: Parts, tmp_path: Path, directory: int, file: int
) -> None:
    """So that users of one controller can share it, whoever came first."""
    place = tmp_path / "locks"
    place.mkdir()
    place.chmod(directory)
    lock = parts.lock.path(str(place), "web")
    assert parts.lock.acquire(lock, os.getpid(), {})
    assert file == os.stat(lock).st_mode & 0o777
    parts.lock.release(lock, os.getpid())


def test_hosts_that_the_last_run_left_out_are_named(parts: Parts, journal: Path) -> None:
    """They may have gone from the inventory; those that were restarted do not matter."""
    note(parts, journal, "a", result="restarted", new_pid=2)
    resumed = {"pid": os.getpid(), "identity": "x", "resume": "", "max_failed": 0}
    parts.journal.append(journal, event="resumed", hosts=["b"], **resumed)
    note(parts, journal, "b", result="unchanged", new_pid=3)
    report = parts.report.write(journal, over=True)
    assert "not among the hosts of the last run: c" == report["reason"]
