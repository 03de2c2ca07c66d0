#!/usr/bin/python
"""What ansible-doc shows of ssd.daemon.nova_host; plugins/action/nova_host.py does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nova_host
short_description: Take a compute host out of nova's schedule around a restart, and put it back
version_added: "0.1.0"
description:
  - Disables the compute service of a host before nova-compute is restarted, and enables it when
    nova-compute is back.
  - What is disabled carries the name of the rollout as its reason. Only that is enabled again. So a
    service that was disabled before stays disabled, and an interrupted rollout can go on.
  - nova-compute counts as back if it has answered a call and has reported since the restart (its
    C(updated_at) has changed and it is up). The call is nova's C(GET /os-hypervisors/ID/uptime),
    which nova puts into the queue of the host and which nova-compute itself must answer. So the
    queue has a consumer, and the consumer works. A nova-compute that got a HUP has a consumer and
    a heartbeat, and fails here.
  - All work is done on the controller. Nothing is sent to the host, and the credentials stay
    where they are.
options:
  host:
    description: The host as nova knows it, C(host) of its nova.conf.
    type: str
    required: true
  state:
    description:
      - V(drained) disables the service if it is enabled, and moves running servers away if
        O(migrate) says so.
      - V(resumed) waits until nova-compute is back after its restart, then enables what the
        rollout has disabled.
      - V(released) enables what the rollout has disabled, without waiting, for a host where
        nothing was restarted.
      - V(shown) only looks.
    type: str
    choices: [drained, resumed, released, shown]
    required: true
  rollout:
    description:
      - The name of the rollout, the same each time it is resumed, another for another rollout.
      - At most 219 characters.
    type: str
    required: true
  migrate:
    description:
      - Whether V(drained) moves the running servers (ACTIVE and PAUSED) to other hosts by live
        migration, and waits until they are away. Servers that do not run stay, in RV(left). One
        that runs in another state, such as RESCUE or VERIFY_RESIZE, cannot be moved, and fails the
        host.
      - A restart of nova-compute does not touch running servers. This is for a restart that goes
        with a change of the kernel, of libvirt or of QEMU.
    type: bool
    default: false
  migrate_timeout:
    description: Seconds until the running servers must be away.
    type: int
    default: 3600
  timeout:
    description: Seconds until nova-compute must be back.
    type: int
    default: 300
  cloud:
    description: The cloud in clouds.yaml. If unset, the environment decides, by E(OS_CLOUD) or
      the other variables E(OS_*).
    type: str
  region:
    description: The region of the cloud, if it has more than one.
    type: str
requirements:
  - openstacksdk, for the Python that runs Ansible
notes:
  - The user in clouds.yaml needs nova's policies C(os_compute_api:os-services:list) and C(:update),
    C(os_compute_api:os-hypervisors:list-detail) and C(:uptime), and for O(migrate)
    C(os_compute_api:servers:detail:get_all_tenants), C(os_compute_api:servers:allow_all_filters),
    C(os_compute_api:os-extended-server-attributes) and
    C(os_compute_api:os-migrate-server:migrate_live). Administrators have them.
  - Nova Pike or newer (microversion 2.53).
  - Nova reads all its services for a list of them, which tells when they last reported. So only
    V(resumed) asks for it, and V(drained) of a service that is down. Processes of one run of
    Ansible that ask at the same time share one answer.
  - A request that was not delivered, or got 502, 503 or 504, is repeated after 0.5, 1 and 2
    seconds, one that asks for a migration is not. One that gets no answer within 120 seconds has
    failed. V(resumed) goes on asking until O(timeout) is over.
  - Each task gets a token from keystone. C(cache.auth) of clouds.yaml lets openstacksdk keep it in
    a keyring.
attributes:
  check_mode:
    description: Looks for real, changes nothing, predicts C(changed).
    support: full
  diff_mode:
    description: Shows nothing.
    support: none
  platform:
    description: The controller's.
    platforms: posix
    support: full
author: ssd contributors (@ssd)
"""

EXAMPLES = r"""
- name: Keep new servers away
  ssd.daemon.nova_host:
    state: drained
    host: "{{ inventory_hostname }}"
    rollout: kernel-2026-12
    cloud: production

- name: Restart nova-compute
  ssd.daemon.service:
    name: nova-compute
    state: restarted

- name: Wait until it is back, and let new servers come
  ssd.daemon.nova_host:
    state: resumed
    host: "{{ inventory_hostname }}"
    rollout: kernel-2026-12
    cloud: production
"""

RETURN = r"""
host:
  description: The host as nova knows it.
  type: str
  returned: always
before:
  description: The compute service as it was found; null if nova has none of that host.
  type: dict
  returned: always
  contains:
    status:
      description: enabled or disabled.
      type: str
    state:
      description: up or down.
      type: str
    updated_at:
      description: When it last reported, as nova writes it; null where nova was not asked for it.
      type: str
    disabled_reason:
      description: Why it is disabled, as the one who did it said.
      type: str
after:
  description: The compute service as it was last seen; keys as of RV(before).
  type: dict
  returned: always
left:
  description: Names of the servers that do not run and were not moved.
  type: list
  elements: str
  returned: always
note:
  description: What the record of a rollout keeps, C(status), C(before), C(msg) and RV(left).
  type: dict
  returned: always
requests:
  description: How many requests were sent to nova.
  type: int
  returned: always
seconds:
  description: How long it took.
  type: float
  returned: always
msg:
  description: What is the case now, and on failure why, and the way out.
  type: str
  returned: always
"""
