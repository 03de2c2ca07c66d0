"""Hooks of a rollout: what they see, when they run, and what follows if they fail."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from kit.rollouts import Rollout

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]

# Each writes down what it sees; the first also leaves a note.
DRAIN = """
- name: Write down what the hook sees
  ansible.builtin.shell: 'cat >> {log}'
  args:
    stdin: "{{{{ {{'host': inventory_hostname, 'service': rolling_restart_service,
      'phase': rolling_restart_phase, 'record': rolling_restart_record,
      'rollout': rolling_restart_rollout}} | to_json }}}}"
  delegate_to: localhost
"""
NOTE = """
- name: Leave a note
  ansible.builtin.set_fact:
    rolling_restart_notes: {was_enabled: true}
"""
FAIL = """
- name: Migrate
  ansible.builtin.fail: {msg: no room}
  when: inventory_hostname == "h2"
"""
LOST = """
- name: Ask the host
  ansible.builtin.ping:
  vars:
    ansible_port: "{{ 1 if inventory_hostname == 'h3' else 22 }}"
"""
WAIT = """
- name: Wait for the test
  ansible.builtin.command: cat {fifo}
  delegate_to: localhost
"""


class Hooks:
    """Two hooks, and what they have seen."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "log"
        self.files = {name: directory / f"{name}.yml" for name in ("drain", "resume")}
        self.write()

    def write(self, drain: str = "", resume: str = "") -> None:
        """Write both: what all do, and these tasks after it."""
        self.log.write_text("")
        common = DRAIN.format(log=self.log)
        self.files["drain"].write_text(common + drain + NOTE)
        self.files["resume"].write_text(common + resume)

    def variables(self) -> dict[str, str]:
        """Return the variables of a rollout with these hooks."""
        return {f"{name}_tasks": str(file) for name, file in self.files.items()}

    def seen(self) -> list[dict[str, Any]]:
        """Return what they saw, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def calls(self, host: str) -> list[tuple[str, str, str | None]]:
        """Return the phase, and result and failed_in of the record, of each call for a host."""
        return [
            (each["phase"], each["record"]["result"] or "", each["record"]["failed_in"] or "")
            for each in self.seen() if each["host"] == host
        ]  # fmt: skip


@pytest.fixture
def hooks(tmp_path: Path) -> Hooks:
    """Return two hooks."""
    return Hooks(tmp_path)


def test_hooks_are_included_around_the_restart(rollout: Rollout, hooks: Hooks) -> None:
    """They see the service, the host, the phase and the record; their notes are kept."""
    done = rollout.run(soak=1, **hooks.variables())
    assert (0, [2] * 6) == (done.returncode, rollout.starts()), done.stdout + done.stderr
    records = rollout.records()
    for place, host in enumerate(records):
        assert ["drain", "resume"] == [phase for phase, _, _ in hooks.calls(host)]
        drained, resumed = (each for each in hooks.seen() if each["host"] == host)
        assert rollout.first[place] == drained["record"]["old_pid"]
        assert "restarted" == resumed["record"]["result"]
        assert {"was_enabled": True} == resumed["record"]["notes"] == records[host]["notes"]
        assert rollout.pids()[place] == resumed["record"]["new_pid"]
        assert rollout.name == drained["service"]
        assert rollout.report()["id"] == drained["rollout"]["id"]
        assert not records[host]["drained"]
    assert rollout.records()["h1"]["soaked"]


def test_hooks_spare_a_host_that_needs_no_restart(rollout: Rollout, hooks: Hooks) -> None:
    """A host is not drained for nothing."""
    assert 0 == rollout.run(serial=[6]).returncode
    done = rollout.run(serial=[6], resume=True, **hooks.variables())
    assert (0, [], [2] * 6) == (done.returncode, hooks.seen(), rollout.starts())


def test_drain_hook_that_fails_keeps_the_service(rollout: Rollout, hooks: Hooks) -> None:
    """It is not restarted, the resume hook decides about the host, the rollout stops."""
    hooks.write(drain=FAIL)
    done = rollout.run(**hooks.variables())
    assert 2 == done.returncode
    assert ["restarted", "failed", *["untouched"] * 4] == rollout.results()
    assert [True, *[False] * 5] == rollout.restarted()
    assert [("drain", ""), ("resume", "drain")] == [
        (phase, failed_in) for phase, _, failed_in in hooks.calls("h2")
    ]
    record = rollout.records()["h2"]
    assert ("drain", "Migrate: no room", False) == (
        record["failed_in"], record["message"], record["drained"]
    )  # fmt: skip
    hooks.write()
    assert 0 == rollout.run(resume=True, **hooks.variables()).returncode
    assert ["drain", "resume"] == [phase for phase, _, _ in hooks.calls("h2")]
    assert [2] * 6 == rollout.starts()


def test_restart_that_fails_leaves_the_host_to_its_hook(rollout: Rollout, hooks: Hooks) -> None:
    """Which sees that the restart failed; it stays drained for the report."""
    rollout.break_on("h2")
    assert 2 == rollout.run(**hooks.variables()).returncode
    assert ("resume", "failed", "restart") == hooks.calls("h2")[-1]
    assert rollout.records()["h2"]["drained"]
    rollout.mend("h2")
    hooks.write()
    assert 0 == rollout.run(resume=True, **hooks.variables()).returncode
    assert ("resume", "restarted", "") == hooks.calls("h2")[-1]
    assert not rollout.records()["h2"]["drained"]


def test_resume_hook_that_fails_is_included_again(rollout: Rollout, hooks: Hooks) -> None:
    """By the resumed rollout, which does not restart the service again."""
    hooks.write(resume=FAIL)
    assert 2 == rollout.run(**hooks.variables()).returncode
    record = rollout.records()["h2"]
    assert ("failed", "resume", True) == (
        record["result"], record["failed_in"], record["drained"]
    )  # fmt: skip
    assert "(drained) Migrate: no room" in rollout.table()
    assert 1 == [phase for phase, _, _ in hooks.calls("h2")].count("resume")
    hooks.write()
    assert 0 == rollout.run(resume=True, **hooks.variables()).returncode
    assert [("resume", "unchanged", "")] == hooks.calls("h2")
    assert [2] * 6 == rollout.starts()
    assert "restarted" == rollout.records()["h2"]["result"]


def test_hook_that_loses_its_host_stops_the_rollout(rollout: Rollout, hooks: Hooks) -> None:
    """Ansible would go on without it; the others of its batch are not concerned."""
    hooks.write(drain=LOST)
    done = rollout.run(**hooks.variables())
    assert 2 == done.returncode
    expected = ["restarted", "restarted", "unreachable", "restarted", *["untouched"] * 2]
    assert expected == rollout.results()
    record = rollout.records()["h3"]
    assert ("drain", True) == (record["failed_in"], record["drained"])
    hooks.write()
    assert 0 == rollout.run(resume=True, **hooks.variables()).returncode
    assert ([2] * 6, ["restarted"] * 6) == (rollout.starts(), rollout.results())


def test_rollout_that_ends_in_a_hook_goes_on(
    rollout: Rollout, hooks: Hooks, tmp_path: Path
) -> None:
    """After Ctrl-C; the hook is included again, and finds in the rollout's id what is its own."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    hooks.write(drain=WAIT.format(fifo=fifo))
    running = rollout.begin(**hooks.variables())
    with fifo.open("w"):  # the hook of the canary is waiting
        os.kill(rollout.fleet.pid_of(running), signal.SIGINT)
        running.communicate()
    assert ["interrupted", *["untouched"] * 5] == rollout.results()
    assert rollout.records()["h1"]["drained"]
    hooks.write()
    assert 0 == rollout.run(resume=True, **hooks.variables()).returncode
    assert ["drain", "resume"] == [phase for phase, _, _ in hooks.calls("h1")]
    assert rollout.report()["id"] == hooks.seen()[0]["rollout"]["id"]
    assert [2] * 6 == rollout.starts()


def test_hook_that_hides_its_output_is_obeyed(rollout: Rollout, tmp_path: Path) -> None:
    """The report names the task alone; ansible-core 2.19 itself prints why it has failed."""
    hook = tmp_path / "hook.yml"
    hook.write_text("- {name: Log in, ansible.builtin.fail: {msg: the-password}, no_log: true}\n")
    done = rollout.run(drain_tasks=str(hook))
    assert (2, ["failed", *["untouched"] * 5]) == (done.returncode, rollout.results())
    assert "Log in: no_log hides why" == rollout.records()["h1"]["message"]
    written = [file.read_text() for file in rollout.report_directory.iterdir()]
    assert not any("the-password" in text for text in written)


def test_hook_that_ends_its_host_stops_the_rollout(rollout: Rollout, tmp_path: Path) -> None:
    """The host is drained, and not restarted: the next batch must not begin."""
    hook = tmp_path / "hook.yml"
    hook.write_text("- ansible.builtin.meta: end_host\n")
    done = rollout.run(drain_tasks=str(hook))
    assert (2, [False] * 6) == (done.returncode, rollout.restarted()), done.stdout
    assert ["unreachable", *["untouched"] * 5] == rollout.results()
    assert "a hook has ended its play" in rollout.records()["h1"]["message"]


def test_hook_with_notes_of_another_type_fails(rollout: Rollout, tmp_path: Path) -> None:
    """The report says so, and the resume hook is included nevertheless."""
    hook, resumed = tmp_path / "hook.yml", tmp_path / "resume.yml"
    hook.write_text("- ansible.builtin.set_fact: {rolling_restart_notes: some text}\n")
    resumed.write_text("- {ansible.builtin.fail: {msg: resumed}}\n")
    done = rollout.run(drain_tasks=str(hook), resume_tasks=str(resumed))
    assert (2, [False] * 6) == (done.returncode, rollout.restarted())
    record = rollout.records()["h1"]
    assert ("failed", True) == (record["result"], "'notes' is of type" in record["message"])
    assert "resumed" in done.stdout
