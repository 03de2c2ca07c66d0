"""The role rolling_restart on six hosts over ssh: in order, idempotent, predicted, reported."""

import os
from pathlib import Path

import pytest
from kit.ansible import Ansible
from kit.rollouts import Rollout
from kit.ssh_hosts import Fleet

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]
NAMES = ["h1", "h2", "h3", "h4", "h5", "h6"]
ALL, NONE = [True] * 6, [False] * 6


def test_rollout_restarts_each_host(rollout: Rollout) -> None:
    """The canary first, in batches; the report has old and new pids, times and the ssd."""
    done = rollout.run(soak=1)
    assert (0, ALL) == (done.returncode, rollout.restarted()), done.stdout + done.stderr
    report, records = rollout.report(), rollout.records()
    assert (1, "finished", rollout.name) == (report["version"], report["state"], report["service"])
    assert (NAMES, {"restarted"}) == (list(records), set(rollout.results()))
    assert [1, 2, 3, 3, 4, 4] == [record["batch"] for record in records.values()]
    assert [True, *NONE[1:]] == [record["soaked"] for record in records.values()]
    for host, old, new in zip(NAMES, rollout.first, rollout.pids(), strict=True):
        record = records[host]
        assert (old, new) == (record["old_pid"], record["new_pid"])
        assert (False, 0, "host") == (record["killed"], record["rc"], record["source"])
        assert record["old_started_at"] < record["new_started_at"]
        assert record["seconds"] > 0
    assert f"{rollout.name}: rollout finished, 6 restarted" == rollout.table().splitlines()[0]
    assert f"report: {rollout.report_directory}/report.txt" in done.stderr


def test_rollout_of_the_same_since_changes_nothing(rollout: Rollout) -> None:
    """Whether resumed, or with rolling_restart_since."""
    assert 0 == rollout.run(serial=[6]).returncode
    pids, since = rollout.pids(), rollout.report()["since"]
    done = rollout.run(serial=[6], resume=True)
    assert (0, pids) == (done.returncode, rollout.pids())
    assert ["restarted"] * 6 == rollout.results()
    done = rollout.run(serial=[6], since=since)
    assert (0, pids) == (done.returncode, rollout.pids())
    assert ["unchanged"] * 6 == rollout.results()
    assert 2 == len(list(rollout.report_directory.glob("report*.json"))), "the first one is kept"


def test_rollout_since_a_file_restarts_older_processes(rollout: Rollout) -> None:
    """Here of the hosts whose file is new."""
    for host in rollout.fleet:
        host.path("/etc/web.conf").touch()
        if host.name in ("h1", "h2"):
            os.utime(host.path("/etc/web.conf"), (1, 1))
    done = rollout.run(since=["/etc/web.conf"], serial=[6])
    assert (0, [False, False, *ALL[2:]]) == (done.returncode, rollout.restarted()), done.stdout


def test_check_mode_predicts_the_whole_rollout(rollout: Rollout, tmp_path: Path) -> None:
    """And changes nothing, includes no hook, and leaves the report of a real one alone."""
    hook = tmp_path / "hook.yml"
    hook.write_text("- ansible.builtin.fail: {msg: a hook in check mode}\n")
    done = rollout.run("--check", "--diff", drain_tasks=str(hook), resume_tasks=str(hook))
    assert (0, NONE) == (done.returncode, rollout.restarted()), done.stdout
    assert (True, "finished") == (
        rollout.report("check")["check"],
        rollout.report("check")["state"],
    )
    records = rollout.records("check")
    assert [("restarted", pid) for pid in rollout.first] == [
        (record["result"], record["old_pid"]) for record in records.values()
    ]
    assert [None] * 6 == [record["new_pid"] for record in records.values()]
    assert "would be restarted" in (rollout.report_directory / "check/report.txt").read_text()
    assert not (rollout.report_directory / "report.json").exists()
    assert 6 == done.stdout.count("changed=1 ")


def test_check_mode_stops_where_the_rollout_would(rollout: Rollout) -> None:
    """Here where the service is not declared."""
    rollout.fleet["h3"].path(f"/etc/ssd/{rollout.name}.toml").unlink()
    done = rollout.run("--check")
    assert (2, NONE) == (done.returncode, rollout.restarted())
    expected = ["restarted", "restarted", "failed", "restarted", "untouched", "untouched"]
    assert expected == rollout.results("check")
    assert rollout.name in rollout.records("check")["h3"]["message"]


def test_report_says_where_kill_was_needed(fleet: Fleet, collections: Path, tmp_path: Path) -> None:
    """And how long it took."""
    rollout = Rollout(Ansible(fleet, collections), tmp_path, seconds=1)
    try:
        held = rollout.hold("h2")
        running = rollout.begin(serial=[6])
        held.wait(running)
        running.communicate()
        assert (0, ALL) == (running.returncode, rollout.restarted())
        records = rollout.records()
        assert ["h2"] == [host for host, record in records.items() if record["killed"]]
        assert records["h2"]["seconds"] > 1
        assert " yes" in next(line for line in rollout.table().splitlines() if "h2" in line)
    finally:
        rollout.close()


def test_playbook_asks_for_hosts_and_a_service(rollout: Rollout) -> None:
    """Rather than restart something everywhere."""
    for missing in ("hosts", "service"):
        done = rollout.run(**{missing: None})
        assert 2 == done.returncode
        assert "Say what to restart, and where" in done.stdout
    assert NONE == rollout.restarted()
    tagged = rollout.run("--tags", "web")
    assert (2, True) == (tagged.returncode, "No --tags" in tagged.stdout)
    limited = rollout.run("--limit", "h2", hosts=None)
    assert (0, [False, True, *NONE[2:]]) == (limited.returncode, rollout.restarted())


@pytest.mark.parametrize("sizes", ["x%", [1, "q"], [1, 2.5], "[1,"])
def test_batch_sizes_are_checked_before_anything(rollout: Rollout, sizes: object) -> None:
    """Ansible would end with a traceback."""
    done = rollout.run(serial=sizes)
    assert (True, NONE) == (done.returncode != 0, rollout.restarted())
    assert "is no size of a batch" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sizes", ["1,50%", "[1, 50%]", "[1, '3']", [1, "3"]])
def test_batch_sizes_may_be_a_string(rollout: Rollout, sizes: object) -> None:
    """As -e NAME=VALUE gives it."""
    assert 0 == rollout.run("--check", serial=sizes).returncode
    records = rollout.records("check").values()
    assert [1, 2, 2, 2, 3, 3] == [record["batch"] for record in records]


def test_words_of_a_login_do_not_matter(rollout: Rollout) -> None:
    """Which ~/.bashrc prints, before what a task says."""
    file = rollout.fleet["h2"].path("/root/.bashrc")
    file.write_text("echo Welcome to 12345\n")
    try:
        assert 0 == rollout.run(serial=[6]).returncode
    finally:
        file.unlink()
    assert ALL == rollout.restarted()


def test_service_that_did_not_run_is_started(rollout: Rollout) -> None:
    """The prediction and the report say so."""
    rollout.fleet["h2"].run("ssd-service", rollout.name, "stop", check=True)
    assert 0 == rollout.run("--check").returncode
    assert "it does not run, and would be started" == rollout.records("check")["h2"]["message"]
    assert 0 == rollout.run(serial=[6]).returncode
    assert "it did not run, and was started" == rollout.records()["h2"]["message"]


def test_report_that_cannot_be_written_stops_the_rollout(rollout: Rollout) -> None:
    """A disk that is full, and a file in place of the directory: nothing is restarted."""
    full = rollout.report_directory
    full.parent.joinpath("file").touch()
    done = rollout.run(report=str(full.parent / "file"))
    assert "rolling_restart_report: [Errno 20] Not a directory" in done.stdout
    full.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(full)]
    rollout.fleet.run(*mount, check=True)
    try:
        done = rollout.run(serial=[6])
        assert (2, NONE) == (done.returncode, rollout.restarted())
        assert "the report cannot be written: [Errno 28] No space left" in done.stdout
        assert f"report: {full} could not be written: [Errno 28]" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        rollout.fleet.run("umount", full, check=True)
