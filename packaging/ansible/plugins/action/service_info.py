"""The part of ssd.daemon.service_info on the controller."""

from __future__ import annotations

from ansible_collections.ssd.daemon.plugins.plugin_utils.carrying import NONE, Carrying


class ActionModule(Carrying):
    """Run the module; carry ssd to a host that has none."""

    module = "ssd.daemon.service_info"
    always = {"changed": False, "services": {}, "ssd": NONE}
