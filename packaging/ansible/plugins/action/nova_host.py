"""ssd.daemon.nova_host: works on the controller alone, where the credentials are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# Here, and not where they are used: the process that starts a worker for each host has loaded
# them then, so that no worker does.
from ansible_collections.ssd.daemon.plugins.plugin_utils import nova_decisions
from ansible_collections.ssd.daemon.plugins.plugin_utils.nova_api import LACKING, Compute
from ansible_collections.ssd.daemon.plugins.plugin_utils.nova_rollout import (
    Host,
    Refused,
    carry_out,
)

PARAMETERS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "state": {"choices": ["drained", "resumed", "released", "shown"], "required": True},
    "rollout": {"type": "str", "required": True},
    "migrate": {"type": "bool", "default": False},
    "migrate_timeout": {"type": "int", "default": 3600},
    "timeout": {"type": "int", "default": 300},
    "cloud": {"type": "str"},
    "region": {"type": "str"},
}


class ActionModule(ActionBase):
    """Drain a compute host in nova, or put it back to work. Nothing is sent to the host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the result for the host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(argument_spec=PARAMETERS)[1]
        if LACKING:
            raise AnsibleActionFail(
                "needs openstacksdk on the controller, for the Python that runs Ansible:"
                f" pip install openstacksdk ({LACKING})"
            )
        try:
            mark = nova_decisions.mark(options["rollout"])
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None
        began = time.monotonic()
        try:
            nova = Compute(options["cloud"], options["region"], Path(constants.DEFAULT_LOCAL_TMP))
        except Refused as error:
            raise AnsibleActionFail(str(error)) from None
        host = Host(nova, options["host"], mark)
        result.update(carry_out(host, options["state"], self._task.check_mode, options))
        result.update(requests=nova.requests, seconds=round(time.monotonic() - began, 3))
        return result
