"""AppArmor profiles of jobs (init(5), ``apparmor load`` and ``apparmor switch``)."""

import os

from ssd.upstart.environment import expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENABLED = "/sys/module/apparmor/parameters/enabled"
PARSER = "/sbin/apparmor_parser"  # what the stage "security" runs
# Where these are, the machine is a container, or an Ubuntu that runs from a disc: no profiles.
ELSEWHERE = ("/run/container_type", "/rofs/etc/apparmor.d")


def is_available() -> bool:
    """Tell whether profiles are loaded here; without, the stage "security" is left out."""
    return (
        _is_enabled()
        and os.path.isfile(PARSER)
        and os.access(PARSER, os.X_OK)
        and not any(map(os.path.exists, ELSEWHERE))
    )


def _is_enabled() -> bool:
    try:
        with open(ENABLED, encoding="ascii") as file:
            return file.read(1) == "Y"
    except OSError:
        return False


def profile(
    declared: str, environment: "dict[str, str]", tell: "Callable[[str, str], object]"
) -> str:
    """Return the AppArmor profile to switch to; "" for none, or where none is loaded.

    Then the job runs unconfined, as with Upstart. Raises JobError for an unknown variable.
    """
    if not declared:
        return ""
    if not is_available():
        tell("info", f"AppArmor is not in use: the profile {declared} is not used")
        return ""
    return expand(declared, environment)
