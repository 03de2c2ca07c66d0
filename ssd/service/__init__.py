"""The service layer: one declaration of a service, and all that comes of it.

>>> from ssd.service import Service
>>> Service(name="nap", executable="/bin/sleep", arguments=["60"]).pidfile
'/run/nap.pid'

Names are loaded when they are first used, as those of ``ssd`` are.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service as Service
    from ssd.service.errors import DeclarationError as DeclarationError
    from ssd.service.errors import UnknownService as UnknownService

DIRECTORY = "/etc/ssd"  # of declarations
INIT_D = "/etc/init.d"  # of init scripts

_HOME = {
    "DeclarationError": "errors",
    "Service": "declaration",
    "UnknownService": "errors",
}

__all__ = ["DeclarationError", "Service", "UnknownService"]


def __getattr__(name: str) -> object:
    """Load a public name from its module and keep it."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(__import__(f"{__name__}.{home}", fromlist=[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
