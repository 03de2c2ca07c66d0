"""AppArmor profiles of jobs (init(5), ``apparmor switch``)."""

from ssd.upstart.environment import expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENABLED = "/sys/module/apparmor/parameters/enabled"


def profile(
    declared: str, environment: "dict[str, str]", tell: "Callable[[str, str], object]"
) -> str:
    """Return the AppArmor profile to switch to; "" for none, or if the kernel has no AppArmor.

    Then the job runs unconfined, as with Upstart. Raises JobError for an unknown variable.
    """
    if not declared:
        return ""
    try:
        with open(ENABLED, encoding="ascii") as file:
            enabled = file.read(1) == "Y"
    except OSError:
        enabled = False
    if not enabled:
        tell("info", f"AppArmor is not enabled: the profile {declared} is not used")
        return ""
    return expand(declared, environment)
