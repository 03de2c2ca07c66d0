"""Writes how long a run of ansible-playbook took, and what it cost, into the file of TIMED."""

import json
import os
import resource
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: timed
type: aggregate
short_description: Seconds, and CPU seconds of the main process and its workers.
description: Counted from the start of the playbook to its end, so without that of Ansible itself.
"""


class CallbackModule(CallbackBase):
    """Counts from the start of the playbook to its end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_NAME = "timed"

    def v2_playbook_on_start(self, playbook):
        """Begin."""
        self.begin = figures()

    def v2_playbook_on_stats(self, stats):
        """End; the last worker may still be a moment from its end."""
        taken = [end - begin for begin, end in zip(self.begin, figures(), strict=True)]
        with open(os.environ["TIMED"], "w", encoding="utf-8") as file:
            json.dump(dict(zip(("seconds", "main", "workers"), taken, strict=True)), file)


def figures():
    """Return the time, and the CPU seconds of this process and of those that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return [time.monotonic(), *(each.ru_utime + each.ru_stime for each in used)]
