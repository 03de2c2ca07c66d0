"""The command ssd-compute.

Exit statuses, with LSB's numbers for init scripts where it has one: 0 stopped in good order,
1 could not start, 2 bad usage, 5 the extra ``compute`` is not installed, 6 the configuration
cannot be used. With ``--installed`` it runs nothing: 0 or 5 tells whether it could.
"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ssd.statuses import NOT_INSTALLED, SUCCESS

# What the extra brings; oslo.service's threading backend stands on the last two.
LIBRARIES = (
    "oslo_config",
    "oslo_log",
    "oslo_messaging",
    "oslo_service",
    "oslo_utils",
    "cotyledon",
    "futurist",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the service until it is told to stop. Return the exit status.

    `arguments` are those of the command line without the program's name; None: sys.argv's.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"ssd-compute: {', '.join(missing)} not found;"
            " pip install 'start-stop-daemon[compute]' brings it\n"
        )
        return NOT_INSTALLED
    words = sys.argv[1:] if arguments is None else arguments
    if list(words) == ["--installed"]:
        return SUCCESS
    # Imported only now: without the extra there is nothing to import.
    from ssd.compute.program import run

    return run(words)
