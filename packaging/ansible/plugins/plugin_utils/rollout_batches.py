"""Begin and end the batches of a rollout: its directory, its lock, and whether it may go on."""

from __future__ import annotations

import glob
import os
import socket
import sys
import time
import uuid

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.ssd.daemon.plugins.plugin_utils import (
    rollout_command,
    rollout_exit,
    rollout_lock,
    rollout_report,
)
from ansible_collections.ssd.daemon.plugins.plugin_utils import rollout_journal as journal

CLOCK = 2  # seconds by which the time of a start may come out differently when it is read again


def begin(words, all_hosts, batch, check):
    """Begin a batch, and before the first one the rollout; return what its tasks must know.

    ``words`` are the task's arguments, ``all_hosts`` and ``batch`` names. Raises AnsibleActionFail.
    """
    for name in ("service", "report"):
        if not words[name]:
            raise AnsibleActionFail(f"rolling_restart_{name} is not set")
    resume, directory = _directory(words["resume"], words["report"])
    lock = rollout_lock.path(
        os.path.expanduser(words["lock_directory"]), words["service"] + (".check" if check else "")
    )
    main = os.getppid()
    try:
        first = rollout_lock.acquire(lock, main, {"report": directory, "began": time.time()})
    except rollout_lock.Held as held:
        raise AnsibleActionFail(_refusal(words["service"], held.holder)) from None
    except OSError as error:
        raise AnsibleActionFail(f"rolling_restart_lock_directory: {error}") from None
    where = os.path.join(directory, "check") if check else directory
    if first:
        begun = _first(words, directory, where, resume, check)
        begun.update(pid=main, identity=rollout_lock.identity(main), hosts=all_hosts)
        journal.append(where, **begun)
        rollout_exit.announce(where, lock)
    rollout, records = journal.read(where)
    # A batch that has lost all its hosts has not come to its end.
    if not first and _note_lost(where, rollout, records):
        rollout, records = journal.read(where)
    _may_go_on(rollout, records, batch, where)
    journal.append(where, event="batch", number=rollout["batch"] + 1, hosts=batch)
    if first:
        rollout_report.write(where, over=False)
    else:
        rollout_report.write_sometimes(where)
    drained = {host: records[host]["notes"] for host in batch if records[host]["drained"]}
    return {
        "id": rollout["id"],
        "service": rollout["service"],
        "began": rollout["began"],
        "since": rollout["since"],
        "resumed": "resumed" in rollout,
        "report": where,
        "batch": rollout["batch"] + 1,
        "hosts": len(batch),
        "soak": 0 if rollout.get("soaked") else words["soak"],
        "drained": drained,
        "restarted": {
            host: records[host]["new_started_at"] - CLOCK for host in batch
            if records[host]["result"] == "restarted" and records[host]["new_started_at"]
        },
        "canary": "" if check or not rollout["batch"] else _canary(rollout, records, batch),
    }  # fmt: skip


def _canary(rollout, records, batch):
    """Return the first host that this rollout has restarted; empty if none of this run's hosts."""
    for host, record in records.items():
        done = record["result"] == "restarted" and record["new_pid"] is not None
        if done and host in rollout["run_hosts"] and host not in batch:
            return host
    return ""


def _directory(resume, report):
    """Return whether an earlier rollout goes on, and the directory of its report."""
    text = str(resume)
    if "/" in text:
        return True, os.path.abspath(os.path.expanduser(text))
    try:
        return boolean(resume), os.path.abspath(os.path.expanduser(report))
    except TypeError:
        raise AnsibleActionFail(
            f"rolling_restart_resume: {text!r} is neither true nor false, nor a path with a slash"
        ) from None


def _refusal(service, holder):
    began = time.strftime("%H:%M:%S", time.localtime(holder["began"]))
    return (
        f"a rollout of {service} is running on this controller: ansible-playbook, pid "
        f"{holder['pid']}, since {began}; its report is in {holder['report']}. Wait for its end, "
        "or interrupt it."
    )


def _first(words, directory, where, resume, check):
    """Prepare the directory; return the line that begins the rollout, or this run of it."""
    since = [str(each) for each in words["since"]]
    run = {
        "max_failed": words["max_failed"],
        "max_unavailable": words["max_unavailable"],
        "resume": rollout_command.resume_command(sys.argv, directory),
    }
    try:
        earlier = journal.read(directory)[0]
    except FileNotFoundError:
        earlier = None
    except OSError as error:
        raise AnsibleActionFail(f"rolling_restart_report: {error}") from None
    _not_in_use(where)
    if resume:
        if earlier is None:
            raise AnsibleActionFail(f"nothing to resume: {directory} has no {journal.NAME}")
        if earlier["service"] != words["service"]:
            raise AnsibleActionFail(f"{directory} is of a rollout of {earlier['service']}")
        if since and since != earlier["since"]:
            raise AnsibleActionFail(
                f"rolling_restart_since is not that of the rollout in {directory}: leave it out"
            )
    try:
        os.makedirs(where, exist_ok=True)
        if not (resume and not check):
            _put_away(where, keep=not check)
    except OSError as error:
        raise AnsibleActionFail(f"rolling_restart_report: {error}") from None
    if resume and not check:
        return {"event": "resumed", **run}
    return {
        "event": "begun",
        "version": journal.VERSION,
        "id": earlier["id"] if resume else str(uuid.uuid4()),
        "service": words["service"],
        "check": check,
        "controller": socket.gethostname(),
        "since": earlier["since"] if resume else since or [str(round(time.time(), 3))],
        **run,
    }


def _not_in_use(where):
    """Raise AnsibleActionFail if another run is writing the journal: it may be of another service.

    Locks would not tell, which are of a service, and may be in another directory.
    """
    try:
        run = journal.read(where)[0]
    except FileNotFoundError:
        return
    if rollout_lock.lives(run) and run["pid"] != os.getppid():
        raise AnsibleActionFail(
            f"a rollout of {run['service']} is writing its report in {where}: ansible-playbook, "
            f"pid {run['pid']}. Wait for its end, or name another rolling_restart_report."
        )


def _put_away(directory, keep):
    """Rename the files of an earlier rollout, or remove them."""
    try:
        name = time.strftime("%Y%m%d-%H%M%S", time.localtime(journal.read(directory)[0]["began"]))
    except FileNotFoundError:
        return
    for file in (journal.NAME, "report.json", "report.txt"):
        old = os.path.join(directory, file)
        stem, suffix = os.path.splitext(file)
        if not os.path.exists(old):
            continue
        if keep:
            taken = len(glob.glob(os.path.join(directory, f"{stem}-{name}*{suffix}")))
            new = f"{stem}-{name}{f'.{taken}' if taken else ''}{suffix}"
            os.rename(old, os.path.join(directory, new))
        else:
            os.remove(old)


def _may_go_on(rollout, records, batch, where):
    """Raise AnsibleActionFail if too many hosts have failed, or would be out of service."""
    # A resumed rollout tries hosts that failed in an earlier run once more: they count no longer.
    bad = [
        record for record in records.values()
        if record["result"] in journal.BAD and record["at"] >= rollout.get("resumed", 0)
    ]  # fmt: skip
    if len(bad) > rollout["max_failed"]:
        limit = rollout["max_failed"]
        reason = f"hosts that failed: {len(bad)}, and rolling_restart_max_failed is {limit}"
    elif 0 < rollout["max_unavailable"] < len(bad) + len(batch):
        reason = (
            f"{len(bad)} hosts have failed, and with a batch of {len(batch)} more hosts would be "
            f"out of service than rolling_restart_max_unavailable, {rollout['max_unavailable']}"
        )
    else:
        return
    journal.append(where, event="stopped", reason=f"stopped: {reason}")
    raise AnsibleActionFail(f"the rollout stops: {reason}")


def end(where, hosts, alive):
    """End a batch of a number of hosts: note those that were lost in a hook.

    ``alive``: the batch's hosts that Ansible still has. Raises AnsibleActionFail.
    """
    if len(alive) == hosts:
        return
    rollout, records = journal.read(where)
    if _note_lost(where, rollout, records, alive):
        rollout, records = journal.read(where)
        _may_go_on(rollout, records, [], where)


def _note_lost(where, rollout, records, alive=()):
    """Note the hosts of the last batch that are neither alive nor done; return them."""
    lost = [
        host for host in rollout["batch_hosts"]
        if host not in alive and records[host]["result"] in (None, "untouched")
    ]  # fmt: skip
    for host in lost:
        phase = records[host]["phase"]
        message = f"lost in its {phase}: it could not be reached, or a hook has ended its play"
        journal.append(
            where, event="host", host=host, result="unreachable", failed_in=phase, message=message
        )
    return lost
