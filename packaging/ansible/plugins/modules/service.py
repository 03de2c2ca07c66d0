#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Start, stop, restart or reload a daemon that is declared for ssd."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service
short_description: Start, stop, restart or reload a daemon declared for ssd
version_added: 0.1.0
description:
  - Brings a service that is declared for C(ssd-service) into a state, and says what it did.
  - The state is looked at, and not guessed from the words or the exit status of an init script.
  - A start returns when the service is ready, as its declaration says; a stop when it has ended.
  - It uses the C(ssd-service) of the host. A host that has none, or one that is too old, needs
    nothing but Python 3.9 or newer. The collection copies ssd there as one file, for this task.
  - A verb that has begun is done to its end, also if the connection to the host breaks meanwhile.
options:
  name:
    description:
      - The name of the declaration. A path is refused, and so is a name that stands for several.
    type: str
    required: true
    aliases: [service]
  state:
    description:
      - V(started) and V(stopped) do nothing if it is so already.
      - V(restarted) always restarts it, and starts it if it does not run. See O(if_older_than).
      - V(reloaded) sends the signal that is declared for a reload. It fails if none is declared,
        and if the service does not run.
    type: str
    required: true
    choices: [started, stopped, restarted, reloaded]
  if_older_than:
    description:
      - Restart only a process that started before one of these. So a restart can be repeated, and a
        rollout that was interrupted can be resumed.
      - An absolute path stands for the time at which the file was last written. Of a symbolic link
        the newer time counts, its own or its target's. Of a directory it is the time at which an
        entry was last added, removed or renamed. Each path must exist, also in check mode.
      - A number is a time in seconds since the epoch, such as C(date +%s) prints.
      - A process that started in the same hundredth of a second counts as older.
      - If the service does not run, it is started.
      - Two tasks at once, also of two controllers, restart it once.
      - Only with O(state=restarted).
    type: list
    elements: raw
  directory:
    description:
      - The directory of the declarations on the host, an absolute path.
    type: path
    default: /etc/ssd
attributes:
  action:
    description: It has a part on the controller, which carries ssd to hosts that lack it.
    support: full
  async:
    description: Supports the C(async) keyword.
    support: none
  check_mode:
    description:
      - Looks at the service and changes nothing. It predicts RV(ignore:changed) and RV(after).
      - It fails where the real run is known to fail.
    support: full
  diff_mode:
    description: Shows state and processes before and after, if something changes.
    support: full
  platform:
    description: The systems it works on.
    support: full
    platforms: linux
seealso:
  - module: ssd.daemon.service_info
  - module: ansible.builtin.service
author:
  - ssd contributors (@ssd)
"""

EXAMPLES = r"""
- name: Run nova-compute, whose declaration comes with ssd
  ssd.daemon.service:
    name: nova-compute
    state: started

- name: Restart it if its configuration is newer than its process
  ssd.daemon.service:
    name: nova-compute
    state: restarted
    if_older_than:
      - /etc/nova/nova.conf
      - /etc/nova/nova-compute.conf

- name: Restart it once in this rollout, however often the playbook runs
  ssd.daemon.service:
    name: nova-compute
    state: restarted
    if_older_than: "{{ rollout_began }}" # seconds since the epoch

- name: Stop a service that is declared elsewhere
  ssd.daemon.service:
    name: ingest
    state: stopped
    directory: /opt/ingest/ssd
"""

RETURN = r"""
name:
  description: The name of the service.
  type: str
  returned: always
  sample: nova-compute
state:
  description: The state that was asked for.
  type: str
  returned: always
  sample: restarted
before:
  description: The service before the task.
  type: dict
  returned: always
  contains:
    state:
      description: V(running), V(dead) (its pidfile is left), V(stopped) or V(unknown).
      type: str
      sample: running
    processes:
      description: Its processes. Later versions of ssd may add keys.
      type: list
      elements: dict
      sample: [{"pid": 4711, "started_at": 1792304412.35, "name": "nova-compute"}]
after:
  description:
    - The service after the task, as RV(before). In check mode it is what the task would leave,
      without the processes that it would start.
  type: dict
  returned: always
rc:
  description:
    - The exit status of the verb, as the LSB defines it. It is 0 if the task succeeds.
    - Of a program that is not installed it is 5, the LSB's own status for that.
  type: int
  returned: always
  sample: 0
msg:
  description: What was done, or why it failed, in a sentence.
  type: str
  returned: always
  sample: "nova-compute: restarted, pid 4712"
outcome:
  description:
    - V(done), or V(nothing) if there was nothing to do.
    - Of a failure V(absent) (the program is not installed), V(lacking), V(survived) (it outlived
      the signals), V(denied), V(failed), V(unclear) (its pidfile does not tell), V(unsupported) (no
      such reload) or V(raced) (another one started it).
  type: str
  returned: always
  sample: done
steps:
  description: What was done and seen, such as signals, in its order, with C(at) in seconds.
  type: list
  elements: dict
  returned: always
  sample: [{"at": 0.0012, "event": "signal", "pid": 4711, "signal": "TERM"}]
messages:
  description: What the verb says, its warnings too.
  type: list
  elements: str
  returned: always
seconds:
  description: How long the verb took on the host, with the start of its program.
  type: float
  returned: always
  sample: 7.41
ssd:
  description: Which ssd was used.
  type: dict
  returned: always
  contains:
    source:
      description: V(host), or V(carried) if the collection brought it; null if none could be used.
      type: str
      sample: host
    version:
      description: Its version.
      type: str
      sample: 0.1.0
    path:
      description: The program.
      type: str
      sample: /usr/sbin/ssd-service
    python:
      description: Its interpreter; null if its first line names none.
      type: str
      sample: /usr/bin/python3
    error:
      description: Why none could be used; null else.
      type: str
      sample: null
diff:
  description: State and processes before and after.
  type: dict
  returned: with C(--diff), if something changes
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ssd.daemon.plugins.module_utils.answers import (
    NOTHING,
    Failed,
    Host,
    Lacking,
    Refused,
    check,
    lacking,
    spare_time,
)

VERBS = {"started": "start", "stopped": "stop", "restarted": "restart", "reloaded": "reload"}
DOES = {"start": "started", "stop": "stopped", "reload": "reloaded"}
ABSENT = 5  # LSB: the program is not installed
USAGE = 2  # LSB: invalid or excess arguments
FAULT = 1
TICK = 0.01  # seconds: started_at is known to that, so in doubt a process is older
SHOWN = ("pid", "name", "started_at")  # of a process, in a diff


class Task:
    """One task: what it was asked, and what it returns."""

    def __init__(self, module):
        self.module = module
        self.name = module.params["name"]
        self.state = module.params["state"]
        self.host = Host(module)
        self.acting = False
        self.result = {
            "changed": False,
            "name": self.name,
            "state": self.state,
            "before": NOTHING,
            "after": NOTHING,
            "rc": 0,
            "outcome": "failed",
            "steps": [],
            "messages": [],
            "seconds": 0.0,
            "ssd": self.host.found,
        }

    def run(self):
        """Do it, and end the module."""
        try:
            self.check()
            if self.module.params["if_older_than"] is None:
                self.end(self.ask(self.module.check_mode))
            self.restart_older(self.module.params["if_older_than"])
        except Refused as refused:
            self.fail(USAGE, str(refused))
        except Lacking as why:
            self.fail(FAULT, lacking(self.host, why))
        except Failed as failed:
            if self.acting:
                self.look(failed)
            self.fail(max(failed.rc, 0) or FAULT, self.named(failed))

    def look(self, failed):
        """Look what a verb has left that gave no answer, and end the module."""
        # That it has changed nothing cannot be known from two looks that are alike: it may have
        # told the service to reload.
        self.result["changed"] = True
        text = f"{failed}; what it did is not known"
        try:
            self.result["after"] = self.host.ask(self.name, "status", True)["after"]
            text += f", the service is {self.result['after']['state']} now"
        except Failed:
            text += ", and neither how the service is now"
        self.fail(max(failed.rc, 0) or FAULT, self.named(text))

    def check(self):
        """Check what the argument spec cannot. Raises Refused."""
        check(self.name, self.host.directory)
        if self.module.params["if_older_than"] is not None and self.state != "restarted":
            raise Refused(f"if_older_than needs state: restarted, not {self.state}")

    def ask(self, plan):
        """Have the verb done, or planned; return the answer."""
        self.acting = not plan
        return self.host.ask(self.name, VERBS[self.state], plan)

    def restart_older(self, values):
        """Restart it if a process started before the newest of these times. Raises Refused."""
        # Few tasks need it, and each compiles what it loads.
        from ansible_collections.ssd.daemon.plugins.module_utils import moments

        newest, value = moments.newest_of(values)
        if not self.module.check_mode:
            try:
                # To the end of this process, and of the verb.
                self.host.lock = moments.locked(self.name)
            except OSError as error:
                self.fail(FAULT, f"{error.filename}: {error.strerror}")
        answer = self.ask(True)
        if newest > time.time():
            text = "is later than the clock of this host: the next task may restart it again"
            self.module.warn(f"if_older_than: {value!r} {text}")
        before = answer.get("before") or NOTHING
        self.result["before"] = before
        began = [process.get("started_at") for process in before["processes"]]
        young = began and all(each is not None and each - TICK >= newest for each in began)
        if fault(answer) is None and before["state"] == "running" and young:
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(min(began)))
            unchanged = dict(answer, changed=False, outcome="nothing", after=before, status=0)
            self.end(unchanged, f"{self.name}: runs since {since}, not restarted")
        self.end(answer if self.module.check_mode else self.ask(False))

    def end(self, answer, msg=None):
        """End the module with an answer."""
        for key in ("changed", "outcome", "steps", "messages", "before", "after"):
            self.result[key] = answer.get(key) or self.result[key]
        self.result["seconds"] = self.host.seconds
        self.result["rc"] = answer["status"]
        before, after = self.result["before"], self.result["after"]
        if self.result["changed"] and self.module._diff:
            self.result["diff"] = {"before": shown(before), "after": shown(after)}
        why = fault(answer)
        if why is not None:
            rc = answer["status"] or (ABSENT if answer["outcome"] == "absent" else FAULT)
            self.fail(rc, self.named(why))
        for complaint in [*self.host.warnings(), *answer.get("complaints", ())]:
            self.module.warn(self.named(complaint))
        self.module.exit_json(msg=msg or f"{self.name}: {said(answer)}", **self.result)

    def named(self, text):
        """Return a sentence that names the service."""
        return str(text) if self.name in str(text) else f"{self.name}: {text}"

    def fail(self, rc, msg):
        """End the module as failed."""
        self.result["rc"] = rc
        self.module.fail_json(msg=msg, **self.result)


def fault(answer):
    """Return why an answer is a failure, None if it is none."""
    after = (answer.get("after") or NOTHING)["state"]
    verb = answer.get("command")
    outcome = answer["outcome"]
    why = answer.get("error") or "; ".join(answer.get("messages") or [])
    if outcome == "absent":
        if verb == "stop" and after in ("dead", "stopped"):
            return None
        return why or "its program is not installed"
    if answer["status"] != 0 or answer.get("error_kind") or answer.get("error"):
        return why or f"{verb}: {outcome}"
    if answer.get("planned"):
        return None
    if verb in ("start", "restart") and after in ("dead", "stopped"):
        if (answer.get("supervision") or {}).get("completed"):  # a task, which has succeeded
            return None
        return "it was started, but does not run any more"
    if verb == "stop" and after == "running":
        return "it was stopped, but it runs"
    return None


def said(answer):
    """Return in a few words what was done, or would be."""
    if not answer["changed"]:
        return f"nothing to do, it is {answer['after']['state']}"
    actions = answer["actions"]
    done = "restarted" if actions[:2] == ["stop", "start"] else DOES.get(actions[-1], "changed")
    pids = [str(process["pid"]) for process in answer["after"]["processes"]]
    if answer["planned"]:
        return "would be " + done
    return done + (", pid " + " ".join(pids) if pids else "")


def shown(look):
    """Return what a diff shows of a look at the service."""
    rows = [{key: each.get(key) for key in SHOWN} for each in look["processes"]]
    return {"state": look["state"], "processes": rows}


def main():
    """Run the module."""
    spare_time()
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True, "aliases": ["service"]},
            "state": {"type": "str", "required": True, "choices": list(VERBS)},
            "if_older_than": {"type": "list", "elements": "raw"},
            "directory": {"type": "path", "default": "/etc/ssd"},
        },
        supports_check_mode=True,
    )
    Task(module).run()


if __name__ == "__main__":
    main()
