"""The part of ssd.daemon.service on the controller."""

from __future__ import annotations

from ansible_collections.ssd.daemon.plugins.plugin_utils.carrying import (
    FAULT,
    NONE,
    NOTHING,
    Carrying,
)


class ActionModule(Carrying):
    """Run the module; carry ssd to a host that has none."""

    module = "ssd.daemon.service"
    always = {
        "changed": False,
        "before": NOTHING,
        "after": NOTHING,
        "rc": FAULT,
        "outcome": "failed",
        "steps": [],
        "messages": [],
        "seconds": 0.0,
        "ssd": NONE,
    }

    def asked(self):
        """Return the name and the state."""
        arguments = self._task.args
        name = arguments.get("name", arguments.get("service"))
        return {"name": name, "state": arguments.get("state")}
