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

    Its change of user is taken out: it makes the real user the effective one even if nobody
    asks for a change, and takes away, or gives back, what the caller had decided. Only for a
    process of our own: for a moment other importers would get the stand-ins.
    """
    import _socket

    stand_ins = {"signal": raw, "socket": _socket}
    placed: dict[str, ModuleType] = {}
    for name, module in stand_ins.items():
        if name not in sys.modules:
            placed[name] = sys.modules[name] = module
    try:
        from daemon import daemon
    except (AttributeError, ImportError):
        # A later python-daemon that wants more than the C halves have gets all of it.
        _take_back(placed)
        from daemon import daemon
    finally:
        _take_back(placed)
    daemon.change_process_owner = _stay
    found: type = daemon.DaemonContext
    return found


def _stay(uid: int, gid: int, initgroups: bool = False) -> None:
    """Change no user: ``ssd.starting.become`` does, later and for good."""


def _take_back(placed: "dict[str, ModuleType]") -> None:
    """Remove the stand-ins, so that the next import gets the real module."""
    for name, module in placed.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
