"""The service layer: one declaration of a service, and everything made from it.

>>> from ssd.service import Service
>>> Service(name="nap", executable="/bin/sleep", arguments=["60"]).pidfile
'/run/nap.pid'

Names are loaded when they are first used, as those of ``ssd`` are.
"""

from ssd import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service as Service
    from ssd.service.errors import DeclarationError as DeclarationError
    from ssd.service.errors import SeveralInstances as SeveralInstances
    from ssd.service.errors import UnknownService as UnknownService
    from ssd.service.outcome import Look as Look
    from ssd.service.outcome import Outcome as Outcome
    from ssd.service.sources import find as find
    from ssd.service.sources.instances import instances as instances
    from ssd.service.verbs.outcomes import perform as perform
    from ssd.service.verbs.outcomes import plan as plan

DIRECTORY = "/etc/ssd"  # of declarations
INIT_D = "/etc/init.d"  # of init scripts
SUPERVISORS = "/run/ssd-supervise"  # run directories of root's supervisors
WORDS = ("events", "log", "signal", "update", "upgrade")  # of ssd-service, for a supervisor

if not TYPE_CHECKING:
    _HOMES = {
        "declaration": ("Service",), "verbs.outcomes": ("perform", "plan"),
        "errors": ("DeclarationError", "SeveralInstances", "UnknownService"),
        "sources": ("find",), "sources.instances": ("instances",), "outcome": ("Look", "Outcome"),
    }  # fmt: skip
    __getattr__, __dir__, __all__ = lazy(globals(), _HOMES)
