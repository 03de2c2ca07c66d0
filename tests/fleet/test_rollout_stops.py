"""A rollout stops at its batch when a host fails or is lost, and goes on when it is told to."""

import re
import time
from typing import Any

import pytest
from kit.rollouts import Rollout

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]
RESTARTED, UNTOUCHED = "restarted", "untouched"


def test_host_that_fails_stops_the_rollout_at_its_batch(rollout: Rollout) -> None:
    """The third of six: those of later batches are untouched, and the report says so."""
    rollout.break_on("h3")
    done = rollout.run()  # batches of 1, 1 and 2
    assert 2 == done.returncode
    assert [True, True, True, True, False, False] == rollout.restarted()
    assert [RESTARTED, RESTARTED, "failed", RESTARTED, *[UNTOUCHED] * 2] == rollout.results()
    failed = rollout.records()["h3"]
    assert ("restart", rollout.first[2], None) == (
        failed["failed_in"], failed["old_pid"], failed["new_pid"]
    )  # fmt: skip
    assert rollout.name in failed["message"]
    assert "stopped" == rollout.report()["state"]
    assert rollout.report()["resume"] in rollout.table()


def test_resumed_rollout_restarts_only_the_rest(rollout: Rollout) -> None:
    """By the command that the report shows; it ends with the report of the whole."""
    rollout.break_on("h3")
    assert 2 == rollout.run().returncode
    begun, before = rollout.report()["id"], rollout.pids()
    rollout.mend("h3")
    done = rollout.ansible.run("sh", "-c", rollout.report()["resume"])
    assert 0 == done.returncode, done.stdout
    assert [before[0], before[1], before[3]] == [rollout.pids()[place] for place in (0, 1, 3)]
    assert [2] * 6 == rollout.starts()
    assert ([RESTARTED] * 6, begun) == (rollout.results(), rollout.report()["id"])
    assert "finished" == rollout.report()["state"]


def test_unreachable_host_stops_the_rollout(rollout: Rollout) -> None:
    """Before a restart in its batch, and before any later one."""
    rollout.fleet["h3"].link("down")
    done = rollout.run()
    assert 2 == done.returncode
    assert [True, True, *[False] * 4] == rollout.restarted()
    assert [RESTARTED, RESTARTED, "unreachable", *[UNTOUCHED] * 3] == rollout.results()
    rollout.fleet["h3"].link("up")
    assert 0 == rollout.run(resume=True).returncode
    assert ([2] * 6, [RESTARTED] * 6) == (rollout.starts(), rollout.results())


def test_unreachable_canary_leaves_all_untouched(rollout: Rollout) -> None:
    """The whole first batch is lost: the report is there nevertheless."""
    rollout.fleet["h1"].link("down")
    assert 2 == rollout.run().returncode
    assert ([False] * 6, ["unreachable", *[UNTOUCHED] * 5]) == (
        rollout.restarted(), rollout.results()
    )  # fmt: skip


def test_link_that_goes_down_in_a_restart_stops_the_rollout(rollout: Rollout) -> None:
    """The host is unreachable; what went on there has ended when the rollout is resumed."""
    held = rollout.hold("h3")
    running = rollout.begin()
    held.wait(running)
    rollout.fleet["h3"].link("down")
    output, _ = running.communicate()
    assert 2 == running.returncode, output
    assert [RESTARTED, RESTARTED, "unreachable", RESTARTED, *[UNTOUCHED] * 2] == rollout.results()
    assert "restart" == rollout.records()["h3"]["failed_in"]
    held.release()
    rollout.fleet["h3"].link("up")
    done = rollout.run(resume=True)
    assert 0 == done.returncode, done.stdout
    assert [2] * 6 == rollout.starts()


def test_canary_that_dies_in_the_soak_stops_the_rollout(rollout: Rollout) -> None:
    """Its restart had succeeded."""
    rollout.break_on("h1", "short")
    assert 2 == rollout.run(soak=2).returncode
    assert ["failed", *[UNTOUCHED] * 5] == rollout.results()
    canary = rollout.records()["h1"]
    assert ("soak", False) == (canary["failed_in"], canary["soaked"])
    assert f"its process {canary['new_pid']} has ended" in canary["message"]


def test_canary_that_dies_after_the_soak_stops_the_rollout(rollout: Rollout) -> None:
    """It is looked at again before each batch; a resumed rollout starts it and goes on."""
    held = rollout.hold("h3")
    running = rollout.begin()  # batches of 1, 1, 2 and 2
    held.wait(running)
    canary = rollout.fleet["h1"]
    canary.run(f"kill -9 {rollout.pid(canary)}", check=True)
    held.release()
    output, _ = running.communicate()
    assert 2 == running.returncode, output
    expected = ["failed", RESTARTED, RESTARTED, RESTARTED, UNTOUCHED, UNTOUCHED]
    assert expected == rollout.results()
    assert "before batch 4 the service is dead" in rollout.records()["h1"]["message"]
    assert "stopped: the canary h1" in rollout.report()["reason"]
    done = rollout.run(resume=True)
    assert 0 == done.returncode, done.stdout
    assert ([3, 2, 2, 2, 2, 2], "finished") == (rollout.starts(), rollout.report()["state"])


def test_canary_that_is_lost_after_the_soak_stops_the_rollout(rollout: Rollout) -> None:
    """Without it among its hosts a resumed rollout goes on, and says whom it has left out."""
    held = rollout.hold("h3")
    running = rollout.begin()
    held.wait(running)
    rollout.fleet["h1"].link("down")
    held.release()
    running.communicate()
    assert (2, "unreachable") == (running.returncode, rollout.results()[0])
    done = rollout.run(resume=True, hosts=["all", "!h1"])
    assert (0, [2] * 6) == (done.returncode, rollout.starts()), done.stdout
    assert "not among the hosts of the last run: h1" == rollout.report()["reason"]


def test_rollout_bears_as_many_failures_as_it_may(rollout: Rollout) -> None:
    """Failed and unreachable hosts count; the status of the command tells of them."""
    rollout.break_on("h2")
    rollout.fleet["h4"].link("down")
    done = rollout.run(max_failed=2, serial=[1, 2, 3])
    assert 2 == done.returncode
    expected = [RESTARTED, "failed", RESTARTED, "unreachable", RESTARTED, RESTARTED]
    assert (expected, "finished") == (rollout.results(), rollout.report()["state"])
    rollout.fleet["h4"].link("up")
    done = rollout.run(max_failed=1, serial=[6], resume=True)
    assert 2 == done.returncode, "h2 is still broken"
    assert [RESTARTED, "failed", *[RESTARTED] * 4] == rollout.results()


def test_rollout_stops_at_more_failures_than_it_may_have(rollout: Rollout) -> None:
    """It tells the limit."""
    rollout.break_on("h2")
    rollout.break_on("h3")
    done = rollout.run(max_failed=1, serial=[1, 3, 2])
    assert 2 == done.returncode
    expected = [RESTARTED, "failed", "failed", RESTARTED, UNTOUCHED, UNTOUCHED]
    assert expected == rollout.results()
    assert "rolling_restart_max_failed is 1" in rollout.report()["reason"]


def test_canary_that_fails_stops_a_rollout_that_bears_failures(rollout: Rollout) -> None:
    """As any batch does that fails on all of its hosts."""
    rollout.break_on("h1")
    assert 2 == rollout.run(max_failed=3).returncode
    assert ["failed", *[UNTOUCHED] * 5] == rollout.results()


def test_batch_that_is_too_large_does_not_begin(rollout: Rollout) -> None:
    """With the hosts that have failed before."""
    rollout.break_on("h2")
    done = rollout.run(max_failed=6, max_unavailable=3, serial=[1, 2, 3])
    assert 2 == done.returncode
    assert [RESTARTED, "failed", RESTARTED, *[UNTOUCHED] * 3] == rollout.results()
    assert "rolling_restart_max_unavailable, 3" in rollout.table()


@pytest.mark.parametrize("hosts", ["h7", "all:!all"])
def test_pattern_without_a_host_is_an_error(rollout: Rollout, hosts: str) -> None:
    """For Ansible it is a warning and a success."""
    done = rollout.run(hosts=hosts)
    assert done.returncode and f"no host of the inventory matches {hosts}" in done.stderr
    assert not any(rollout.restarted())


@pytest.mark.parametrize("hosts", ["h1:h2", "all[0:1]", ["h1", "h2"], "~h[12]"], ids=str)
def test_pattern_of_ansible_is_obeyed(rollout: Rollout, hosts: Any) -> None:
    """Of each kind."""
    assert 0 == rollout.run("--check", hosts=hosts).returncode
    assert ["h1", "h2"] == list(rollout.records("check"))


@pytest.mark.parametrize("serial", [[], 0, -1, [1, 0], [1, "-5%"]], ids=str)
def test_serial_that_means_all_hosts_at_once_is_refused(rollout: Rollout, serial: Any) -> None:
    """Ansible takes it for no limit; nobody is restarted."""
    done = rollout.run(serial=serial)
    assert 2 == done.returncode
    assert "that restarts all hosts at once. Write sizes" in done.stdout
    assert not any(rollout.restarted())


def test_serial_of_all_hosts_that_is_meant_is_obeyed(rollout: Rollout) -> None:
    """So is a share of less than one host, which is one."""
    assert 0 == rollout.run(serial=["0%", "100%"]).returncode
    assert all(rollout.restarted())


def test_clock_that_is_wrong_stops_the_rollout(rollout: Rollout) -> None:
    """A process would seem younger than the rollout, and not be restarted."""
    date = rollout.fleet["h2"].path("/usr/local/bin/date")
    date.write_text("#!/bin/sh\nexec /bin/date -d '100 seconds' \"$@\"\n")
    date.chmod(0o755)
    try:
        assert 2 == rollout.run().returncode
        assert [RESTARTED, "failed", *[UNTOUCHED] * 4] == rollout.results()
        assert "s ahead of the controller's" in rollout.records()["h2"]["message"]
        assert 0 == rollout.run(resume=True, clock_difference=200).returncode
    finally:
        date.unlink()


def test_clock_that_is_behind_restarts_no_host_twice(rollout: Rollout) -> None:
    """In a resumed rollout: what was restarted may seem older than the rollout."""
    rollout.break_on("h3")
    assert 2 == rollout.run().returncode
    rollout.mend("h3")
    journal = rollout.report_directory / "journal.jsonl"
    journal.write_text(
        re.sub(r'"since": \["[0-9.]+"\]', f'"since": ["{time.time() + 60}"]', journal.read_text())
    )
    done = rollout.run(resume=True)
    assert 0 == done.returncode, done.stdout
    assert ([2] * 6, [RESTARTED] * 6) == (rollout.starts(), rollout.results())


def test_strategy_that_cannot_stop_is_refused(rollout: Rollout) -> None:
    """As free does not."""
    play = """
    - hosts: all
      gather_facts: false
      strategy: free
      roles: [ssd.daemon.rolling_restart]
    """
    file = rollout.fleet.directory / "free.yml"
    file.write_text(play)
    done = rollout.run(playbook=str(file))
    assert 2 == done.returncode
    assert "needs the strategy linear, not free" in done.stdout
    assert [False] * 6 == rollout.restarted()
