"""The descriptors of a supervisor."""

import json
import os
import resource

from kit.children import python

KEPT = """
import json, os, resource
from ssd.supervision.cli import resources
os.dup2(0, 50, inheritable=True)
before = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
print(json.dumps([
    resources.keep_from_children(), os.get_inheritable(50), os.get_inheritable(1),
    resources.raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE), resources.raise_limit(),
]))
"""


def test_descriptors_are_kept_and_the_limit_is_raised() -> None:
    """Only the standard ones are inherited; the limits before are returned, None if they stay."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = [True, False, True, [100, hard], [hard, hard], None]
    assert wanted == json.loads(python(KEPT).stdout)
    assert os.get_inheritable(1)
