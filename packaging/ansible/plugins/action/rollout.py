"""One step of the role rolling_restart; plugins/modules/rollout.py documents it."""

from __future__ import annotations

import os
import re
import time

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.ssd.daemon.plugins.plugin_utils import (
    rollout_batches,
    rollout_journal,
    rollout_report,
)

SPEC = {
    "phase": {
        "required": True,
        "choices": "begin again look drain restart finish failure end report".split(),
    },
    "service": {"type": "str"},
    "directory": {"type": "str", "default": "/etc/ssd"},
    "since": {"type": "list", "elements": "raw", "default": []},
    "resume": {"type": "raw", "default": False},
    "report": {"type": "path"},
    "soak": {"type": "float", "default": 0},
    "max_failed": {"type": "int", "default": 0},
    "max_unavailable": {"type": "int", "default": 0},
    "lock_directory": {"type": "path", "default": "~/.ansible/ssd"},
    "rollout": {"type": "dict", "default": {}},
    "record": {"type": "dict", "default": {}},
    "notes": {"type": "dict", "default": {}},
    "plan": {"type": "bool", "default": False},
    "restart": {"type": "bool", "default": True},
    "clock_difference": {"type": "float", "default": 10},
    "task": {"type": "str", "default": ""},
    "message": {"type": "raw", "default": ""},
}


def _check_serial(serial):
    """Raise AnsibleActionFail if a batch would be all hosts, and nobody has said so.

    That is what Ansible makes of a number below 1, and of no serial at all.
    """
    sizes = serial if isinstance(serial, list) else [serial]
    if not sizes or any(_is_no_limit(size) for size in sizes):
        raise AnsibleActionFail(
            f"rolling_restart_serial, or the serial of the play, is {serial}: that restarts all"
            ' hosts at once. Write sizes of batches such as [1, "5%", "10%"]; "100%" is all'
        )


def _is_no_limit(size):
    """Say whether Ansible takes a number or a percentage for all hosts. 0 % is one host."""
    share = isinstance(size, str) and size.endswith("%")
    return int(size[:-1]) < 0 if share else int(size) < 1


class ActionModule(ActionBase):
    """Run one phase; the facts that it leaves are in the rollout's journal."""

    _supports_check_mode = True
    _supports_diff = True
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        """Return the phase's result. A host that cannot be reached is a failed one.

        For Ansible an unreachable host is no failure, so neither max_fail_percentage nor
        any_errors_fatal would stop the rollout.
        """
        result = super().run(tmp, task_vars)
        try:
            words = self.validate_argument_spec(SPEC)[1]
        except AnsibleError as error:
            raise AnsibleActionFail(f"a variable of rolling_restart is wrong: {error}") from None
        phase = getattr(self, f"_{words['phase']}")
        try:
            result.update(phase(words, task_vars))
        except OSError as error:
            # What is not in the journal is not known to a resumed rollout, so this one must stop.
            raise AnsibleActionFail(f"the report cannot be written: {error}") from None
        return result

    def _begin(self, words, task_vars):
        """Begin a batch."""
        if set(task_vars.get("ansible_run_tags") or ["all"]) != {"all"}:
            raise AnsibleActionFail(
                "--tags would leave out tasks of rolling_restart and of its hooks: run it without"
            )
        play = self._task.get_play()
        if (strategy := str(play.strategy)).rpartition(".")[2] != "linear":
            raise AnsibleActionFail(f"rolling_restart needs the strategy linear, not {strategy}")
        _check_serial(play.serial)
        hosts, batch = (
            [str(host) for host in task_vars[name]]
            for name in ("ansible_play_hosts_all", "ansible_play_batch")
        )
        return rollout_batches.begin(words, hosts, batch, self._task.check_mode)

    def _end(self, words, task_vars):
        """End a batch."""
        rollout, alive = words["rollout"], task_vars["ansible_play_batch"]
        rollout_batches.end(rollout["report"], rollout["hosts"], {str(host) for host in alive})
        return {}

    def _report(self, words, task_vars):
        """Write the report anew."""
        directory = os.path.abspath(os.path.expanduser(words["report"]))
        try:
            report = rollout_report.write(directory)
        except FileNotFoundError:
            raise AnsibleActionFail(f"{directory} has no {rollout_journal.NAME}") from None
        return {"report": directory, "state": report["state"], "counts": report["counts"]}

    def _look(self, words, task_vars):
        """Reach the host; compare the clocks; predict the restart where a hook depends on it."""
        host = _Host(words, task_vars)
        drained = host.name in words["rollout"]["drained"]
        record = {"host": host.name, "drained": drained, "result": "untouched"}
        if drained:
            record["notes"] = words["rollout"]["drained"][host.name]
        return host.tried("look", record, lambda: self._looked(words, task_vars, host, record))

    def _looked(self, words, task_vars, host, record):
        check = self._task.check_mode
        plan = check or words["plan"]
        self._reach()
        self._compare_clocks(words)
        answer = self._service(words, task_vars, check=True) if plan else {}
        # Nobody knows yet how long it takes.
        record.update(host.facts(answer), seconds=None, killed=None)
        if answer.get("failed"):
            return host.failed("look", answer.get("msg", ""), record)
        restart = bool(answer.get("changed", True))
        due = restart or record["drained"]
        if plan and (check or not due):
            record.update(result="restarted" if restart else "unchanged", phase="done")
            if restart and record["old_pid"] is None:
                record["message"] = "it does not run, and would be started"
            host.note(record)
        then = "soak.yml" if words["rollout"]["soak"] else ""
        if plan:
            then = "hooked.yml" if due and not check else ""
        return {
            "changed": check and restart,
            "record": record,
            "planned": plan,
            "restart": restart,
            "then": then,
            **({"diff": answer["diff"]} if check and "diff" in answer else {}),
        }

    def _reach(self):
        """Let ssh notice in 15 seconds that a link is down, unless its arguments say otherwise."""
        if self._connection.transport != "ssh":
            return
        names = ("ssh_args", "ssh_common_args", "ssh_extra_args")
        given = {name: self._connection.get_option(name) or "" for name in names}
        if not any("serveralive" in value.lower() for value in given.values()):
            alive = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3"
            extra = f"{given['ssh_extra_args']} {alive}".strip()
            self._connection.set_option("ssh_extra_args", extra)

    def _compare_clocks(self, words):
        """Ask the host for its time, which is the cheapest command that shows it can be reached.

        Raises AnsibleActionFail if processes would seem older or younger than the rollout.
        """
        began = time.time()
        # A file such as ~/.bashrc may print something as well: hence the word before the time.
        answer = self._low_level_execute_command("date +rollout-clock=%s")
        ended = time.time()
        found = re.search(r"rollout-clock=(\d+)", answer["stdout"])
        if answer["rc"] != 0 or not found:
            said = (answer["stderr"] or answer["stdout"]).strip()
            raise AnsibleActionFail(f"date +%s ended with {answer['rc']}: {said}")
        now = int(found[1])
        # The host's time was between now and now + 1, and ours between began and ended.
        ahead, behind = now - ended, began - (now + 1)
        by_file = all("/" in each for each in words["rollout"]["since"])
        if max(ahead, behind) > words["clock_difference"] and not by_file:
            how = f"{ahead:.0f} s ahead of" if ahead > 0 else f"{behind:.0f} s behind"
            raise AnsibleActionFail(
                f"the host's clock is {how} the controller's, more than "
                "rolling_restart_clock_difference: processes would seem older or younger than they "
                "are. Set the clock, or let rolling_restart_since name a file on the host."
            )

    def _service(self, words, task_vars, check):
        """Restart the service, or predict that; return the result of the module."""
        args = {"name": words["service"], "state": "restarted", "directory": words["directory"]}
        done = words["rollout"]["restarted"].get(str(task_vars["inventory_hostname"]))
        since = words["rollout"]["since"]
        # By a clock that is behind, a process that this rollout has started may seem older than
        # the rollout. What a file says goes on to count.
        args["if_older_than"] = since if done is None else [_earlier(each, done) for each in since]
        return self._module("ssd.daemon.service", args, task_vars, check)

    def _module(self, name, args, task_vars, check=False):
        """Run a module as its own task would: by the action plugin of its name if it has one."""
        task = self._task.copy()
        task.action, task.args, task.check_mode = name, args, check
        loader = self._shared_loader_obj.action_loader
        action = loader.get(
            name if loader.has_plugin(name) else "ansible.builtin.normal",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        answer = action.run(task_vars=task_vars)
        if answer.get("unreachable"):
            raise AnsibleConnectionFailure(answer.get("msg", ""))
        return answer

    def _drain(self, words, task_vars):
        """Note that the drain of a host begins."""
        host = _Host(words, task_vars)
        record = {**words["record"], "drained": True, "message": ""}
        if words["restart"]:
            record.update(result=None, phase="drain", failed_in=None)
            host.note(record)
        return {"record": record}

    def _restart(self, words, task_vars):
        """Restart the service, unless that has happened since the rollout began."""
        host = _Host(words, task_vars)
        record = {**words["record"], "result": None, "phase": "restart", "failed_in": None}
        record.update(message="", notes={**record.get("notes", {}), **words["notes"]})
        host.note(record)
        return host.tried(
            "restart", record, lambda: self._restarted(words, task_vars, host, record)
        )

    def _restarted(self, words, task_vars, host, record):
        self._reach()
        answer = self._service(words, task_vars, check=False)
        record.update(host.facts(answer))
        if answer.get("failed"):
            return host.failed("restart", answer.get("msg", ""), record)
        record["result"] = "restarted" if answer["changed"] else "unchanged"
        if not answer["changed"]:
            record["message"] = "its process is younger than the rollout"
        elif record["old_pid"] is None:
            record["message"] = "it did not run, and was started"
        host.note(record)
        return {"changed": answer["changed"], "record": record}

    def _finish(self, words, task_vars):
        """Note that a host is resumed, look at it again after the soak; fail for a failed one."""
        host = _Host(words, task_vars)
        record = dict(words["record"], notes={**words["record"].get("notes", {}), **words["notes"]})
        if record["result"] in rollout_journal.BAD:
            # The service of a host whose drain failed is unharmed, and its resume hook was right.
            if record["failed_in"] == "drain":
                record["drained"] = False
            return host.failed(record["failed_in"], record["message"], record)
        record.update(phase="soak", drained=False)
        host.note(record)
        if not words["soak"] or record["result"] != "restarted":
            return {"record": record}
        return host.tried("soak", record, lambda: self._soaked(words, task_vars, host, record))

    def _again(self, words, task_vars):
        """Look at the canary before a later batch: a version may die long after its start."""
        host = _Host(words, task_vars, words["rollout"]["canary"])
        record = rollout_journal.read(host.directory)[1][host.name]
        when = f"before batch {words['rollout']['batch']}"
        answer = host.tried(
            "soak", record, lambda: self._still(words, task_vars, host, record, when)
        )
        if answer.get("failed"):
            why = f"the canary {host.name}: {' '.join(answer['msg'].split())}"
            rollout_journal.append(host.directory, event="stopped", reason=f"stopped: {why}")
            answer["msg"] = f"the rollout stops: {why}"
        return answer

    def _soaked(self, words, task_vars, host, record):
        """Wait until the soak is over; the process of the restart must still be there."""
        time.sleep(max(0, words["record"]["at"] + words["soak"] - time.time()))
        when = f"{words['soak']:g} s after the restart"
        answer = self._still(words, task_vars, host, record, when)
        if not answer.get("failed"):
            record["soaked"] = True
            host.note(record)
        return answer

    def _still(self, words, task_vars, host, record, when):
        """Fail unless the process of the restart is still there."""
        self._reach()
        args = {"name": words["service"], "directory": words["directory"]}
        answer = self._module("ssd.daemon.service_info", args, task_vars)
        if answer.get("failed"):
            return host.failed("soak", answer.get("msg", ""), record)
        now = answer["services"].get(words["service"], {})
        pids = [process["pid"] for process in now.get("processes", [])]
        if record["new_pid"] not in pids:
            message = (
                f"{when} the service is {now.get('state')}, and its process "
                f"{record['new_pid']} has ended"
            )
            return host.failed("soak", message, record)
        return {"record": record}

    def _failure(self, words, task_vars):
        """Note that a task of a hook has failed; other failures have been noted already."""
        host = _Host(words, task_vars)
        record = rollout_journal.read(host.directory)[1][host.name]
        record["notes"].update(words["notes"])
        if record["result"] in rollout_journal.BAD:
            return {"record": record}
        phase = "resume" if record["result"] else record["phase"]
        host.failed(phase, f"{words['task']}: {words['message']}", record)
        return {"record": record}


class _Host:
    """A host and its place in the journal."""

    def __init__(self, words, task_vars, name=None):
        self.name = name or str(task_vars["inventory_hostname"])
        self.directory = words["rollout"]["report"]

    def note(self, record):
        """Append the record to the journal; renew the report unless that is too often."""
        record["at"] = round(time.time(), 3)
        rollout_journal.append(self.directory, event="host", **record)
        rollout_report.write_sometimes(self.directory)

    def facts(self, answer):
        """Return what the result of the module adds to the record."""
        if "before" not in answer:
            return {}
        old, new = (_first(answer[key]) for key in ("before", "after"))
        ssd = answer.get("ssd") or {}
        return {
            "old_pid": old.get("pid"),
            "old_started_at": old.get("started_at"),
            "new_pid": new.get("pid"),
            "new_started_at": new.get("started_at"),
            "seconds": answer.get("seconds"),
            "killed": any(_kills(step) for step in answer.get("steps") or []),
            "rc": answer.get("rc"),
            "source": ssd.get("source"),
            "ssd_version": ssd.get("version"),
        }

    def tried(self, phase, record, act):
        """Return what ``act`` returns; its failure, in the journal, if it raises one."""
        try:
            return act()
        except AnsibleConnectionFailure as error:
            return self.failed(phase, f"unreachable: {error}", record, "unreachable")
        except AnsibleError as error:
            return self.failed(phase, str(error), record)
        except KeyboardInterrupt:
            raise  # nobody knows what comes of it: the host stays at work in the journal
        except BaseException as error:
            # The time of the task is up, which Ansible tells by an exception of its own.
            self.failed(phase, f"{type(error).__name__}: {error}", record)
            raise

    def failed(self, phase, message, record, result="failed"):
        """Note that the host has failed; return the task's result."""
        message = str(message).strip()[:2000]
        if record["result"] not in rollout_journal.BAD:
            record.update(result=result, failed_in=phase, message=message)
        self.note(record)
        return {"failed": True, "msg": message, "record": record}


def _first(look):
    """Return the facts of the first process of ``before`` or ``after``."""
    return next(iter(look.get("processes") or []), {})


def _earlier(moment, done):
    """Return the earlier of two moments; one that is a path as it is."""
    try:
        return str(min(float(moment), done))
    except ValueError:
        return moment


def _kills(step):
    return step.get("event") == "signal" and str(step.get("signal")) in ("KILL", "9")
