#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Tell how daemons are that are declared for ssd."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_info
short_description: Tell how daemons are that are declared for ssd
version_added: 0.1.0
description:
  - Returns state and processes of one service that is declared for C(ssd-service), or of all.
  - It uses the C(ssd-service) of the host. A host that has none, or one that is too old, needs
    nothing but Python 3.9 or newer. The collection copies ssd there as one file, for this task.
options:
  name:
    description:
      - The name of one declaration. The task fails if there is none of that name.
      - Without it, all services of the directory are returned.
    type: str
    aliases: [service]
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
    description: It changes nothing anyway.
    support: full
  diff_mode:
    description: It changes nothing, so there is no difference to show.
    support: N/A
  platform:
    description: The systems it works on.
    support: full
    platforms: linux
seealso:
  - module: ssd.daemon.service
author:
  - ssd contributors (@ssd)
"""

EXAMPLES = r"""
- name: Look at nova-compute
  ssd.daemon.service_info:
    name: nova-compute
  register: found

- name: Fail if it does not run
  ansible.builtin.assert:
    that: found.services['nova-compute'].state == 'running'

- name: Look at all services
  ssd.daemon.service_info:
  register: all_of_them
"""

RETURN = r"""
services:
  description: The services, by their names.
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
    pidfile:
      description: The file with its pid; null if it has none.
      type: str
      sample: /run/nova/nova-compute.pid
    declared_in:
      description: The file of the declaration.
      type: str
      sample: /etc/ssd/nova-compute.toml
    version:
      description: The version of the ssd that answered.
      type: str
      sample: 0.1.0
    restarts:
      description: How often a supervisor has restarted it; null without one.
      type: int
      sample: 0
    error:
      description: Why its state is not known, such as a declaration that makes no sense; null else.
      type: str
      sample: null
msg:
  description: Why the task failed.
  type: str
  returned: failure
ssd:
  description: Which ssd was used, as of M(ssd.daemon.service).
  type: dict
  returned: always
  sample:
    source: host
    version: 0.1.0
    path: /usr/sbin/ssd-service
    python: /usr/bin/python3
    error: null
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ssd.daemon.plugins.module_utils.answers import (
    Failed,
    Host,
    Lacking,
    Refused,
    check,
    lacking,
    spare_time,
)


def described(answer):
    """Return the facts of one service."""
    supervision = answer.get("supervision") or {}
    return {
        "state": answer["state"],
        "processes": answer["processes"],
        "pidfile": answer["pidfile"],
        "declared_in": answer["declared_in"],
        "version": answer["ssd_version"],
        "restarts": supervision.get("restarts"),
        "error": answer["error"],
    }


def main():
    """Run the module."""
    spare_time()
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "aliases": ["service"]},
            "directory": {"type": "path", "default": "/etc/ssd"},
        },
        supports_check_mode=True,
    )
    name = module.params["name"]
    host = Host(module)
    result = {"changed": False, "services": {}, "ssd": host.found}
    try:
        check(name, host.directory)
        # As a plan: without what psutil knows, which takes longer than all the rest.
        answer = host.ask("all" if name is None else name, "status", plan=True)
    except Refused as refused:
        module.fail_json(msg=str(refused), **result)
    except Lacking as error:
        module.fail_json(msg=lacking(host, error), **result)
    except Failed as failed:
        module.fail_json(msg=f"{name or 'all'}: {failed}", **result)
    for warning in host.warnings():
        module.warn(warning)
    rows = answer if isinstance(answer, list) else [answer]
    for row in rows:
        # Of a declaration among others its own row tells what is wrong with it.
        if row.get("error_kind") and (name is not None or row["name"] == "all"):
            module.fail_json(msg=row["error"], **result)
    result["services"] = {row["name"]: described(row) for row in rows}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
