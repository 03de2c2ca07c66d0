"""What rollout does is done on the controller, by the action plugin of this name."""

DOCUMENTATION = r"""
module: rollout
short_description: One step of the role C(rolling_restart)
version_added: 0.1.0
description:
  - Tasks of the role P(ssd.daemon.rolling_restart#role) use it. It restarts the service by
    M(ssd.daemon.service), and keeps the journal and the report of the rollout on the controller.
  - It has no use outside that role, except O(phase=report), which writes the report anew after
    ansible-playbook was killed.
options:
  phase:
    description: The step.
    type: str
    required: true
    choices: [begin, again, look, drain, restart, finish, failure, end, report]
  service:
    description: The name of the service's declaration.
    type: str
  directory:
    description: The directory of declarations on the hosts.
    type: path
    default: /etc/ssd
  since:
    description: Paths on the hosts or epoch seconds; a process that started later is not restarted.
    type: list
    elements: raw
    default: []
  resume:
    description: Whether to go on with an earlier rollout, or the directory of its report.
    type: raw
    default: false
  report:
    description: The directory of the report, on the controller.
    type: path
  soak:
    description: Seconds after which the process of the restart must still run.
    type: float
    default: 0
  max_failed:
    description: Hosts that may fail or be unreachable before the rollout stops.
    type: int
    default: 0
  max_unavailable:
    description: Hosts that may be out of service at once; 0 for no limit but the size of the batch.
    type: int
    default: 0
  lock_directory:
    description: The directory on the controller for the locks of rollouts.
    type: path
    default: ~/.ansible/ssd
  rollout:
    description: What O(phase=begin) has returned.
    type: dict
    default: {}
  record:
    description: The record of the host so far.
    type: dict
    default: {}
  notes:
    description: What hooks add to the record.
    type: dict
    default: {}
  plan:
    description: Whether to predict the restart.
    type: bool
    default: false
  restart:
    description: Whether the host is due for a restart.
    type: bool
    default: true
  clock_difference:
    description: Seconds by which the host's clock may differ from the controller's.
    type: float
    default: 10
  task:
    description: The name of a task that has failed.
    type: str
    default: ""
  message:
    description: Why it has failed.
    type: raw
    default: ""
attributes:
  check_mode:
    description: Predicts. Its journal and report are apart from the real ones.
    support: full
  diff_mode:
    description: Shows what M(ssd.daemon.service) shows.
    support: full
author:
  - ssd contributors (@ssd)
"""

EXAMPLES = r"""
- name: Write the report anew
  ssd.daemon.rollout:
    phase: report
    report: rollout-nova-compute
"""

RETURN = r"""
record:
  description: The record of the host, as in report.json.
  type: dict
  returned: for phases of one host
report:
  description: The directory of the report.
  type: str
  returned: for O(phase=begin) and O(phase=report)
"""
