"""Load python-daemon's DaemonContext without what it imports and does not need here.

``daemon.daemon`` imports signal and socket, and with them enum, selectors and collections:
a third of the time that a start in the background takes. Of signal it uses what the C
module below has as well, and of socket nothing when it is told to detach, as it is here.
"""

import sys

from ssd.signals import raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def daemon_context() -> type:
    """Return the class, loaded with stand-ins that are gone again afterwards.

    Only for a process of our own: for a moment other importers would get the stand-ins.
    """
    import _socket

    stand_ins = {"signal": raw, "socket": _socket}
    placed: dict[str, ModuleType] = {}
    for name, module in stand_ins.items():
        if name not in sys.modules:
            placed[name] = sys.modules[name] = module
    try:
        from daemon.daemon import DaemonContext
    except (AttributeError, ImportError):
        # A later python-daemon that wants more than the C halves have gets all of it.
        _take_back(placed)
        from daemon.daemon import DaemonContext
    finally:
        _take_back(placed)
    found: type = DaemonContext
    return found


def _take_back(placed: "dict[str, ModuleType]") -> None:
    """Remove the stand-ins, so that the next import gets the real module."""
    for name, module in placed.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
