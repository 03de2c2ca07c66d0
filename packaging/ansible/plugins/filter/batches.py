"""Check the sizes of a rollout's batches before Ansible makes batches of them."""

from __future__ import annotations

import re

from ansible.errors import AnsibleFilterError


class FilterModule:
    """The filter ssd.daemon.batches."""

    def filters(self):
        """Return it by its name."""
        return {"batches": batches}


def batches(sizes):
    """Return sizes as a list for ``serial``; batches.yml documents it.

    For what is no number Ansible itself ends with a traceback. The role refuses numbers below 1.
    """
    return [_size(size) for size in _listed(sizes)]


def _listed(sizes):
    if isinstance(sizes, str):  # as -e rolling_restart_serial=[1,5%] is one
        return [each.strip(" \"'") for each in sizes.strip("[] ").split(",")]
    return sizes if isinstance(sizes, (list, tuple)) else [sizes]


def _size(size):
    text = str(size).strip()
    if isinstance(size, bool) or not re.fullmatch(r"-?[0-9]+%?", text, re.ASCII):
        raise _error(text)
    if text.endswith("%"):
        return text
    return int(text)


def _error(size):
    return AnsibleFilterError(
        f"rolling_restart_serial: {size} is no size of a batch. Sizes are numbers of hosts, or "
        'percentages: [1, "5%", "10%"]'
    )
