"""An action that takes as long as a restart would, on the controller alone, or fails."""

import time

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """``seconds``: how long; ``fails``: it fails then; ``log``: a file that lists hosts."""

    def run(self, tmp=None, task_vars=None):
        """Return what Ansible shows of the task."""
        with open(self._task.args["log"], "a", encoding="utf-8") as log:
            log.write(f"{task_vars['inventory_hostname']}\n")
        time.sleep(float(self._task.args["seconds"]))
        return {"changed": True, "failed": bool(self._task.args["fails"])}
