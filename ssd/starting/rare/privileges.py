"""What a program may do: capabilities, securebits and no_new_privs, set before it is executed.

setuid(2) from root to another user takes all capabilities away. To give the program some, ssd keeps
its own permitted ones over that call (PR_SET_KEEPCAPS), and makes them inheritable and ambient
after it: those alone outlive execve(2) of a program of another user (capabilities(7)). The proof
that root cannot be regained comes in between and holds, because none is effective then.
"""

import errno

from ssd.surroundings.capabilities import CAPABILITIES, inheritance, securebits
from ssd.surroundings.capability_calls import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECUREBITS,
    capget,
    capset,
)
from ssd.system_calls import prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssd.starting.command import Command

    Step = tuple[str, str, Callable[..., object], tuple[object, ...]]


def before_user(command: "Command") -> "Iterator[Step]":
    """Yield what must be done before the change of user."""
    if command.capabilities is not None:
        wanted = inheritance(command.capabilities)
        for bit, name in _each(wanted.inheritable | wanted.blocked):
            yield "capabilities", name, _demand_known, (bit,)
    if not command.capabilities is command.securebits is None:
        yield "capabilities", "over the change of user", prctl, (PR_SET_KEEPCAPS, 1)


def before_exec(command: "Command") -> "Iterator[Step]":
    """Yield what must be done after the change of user, right before execve(2)."""
    held: list[int] = []
    if not command.capabilities is command.securebits is None:
        yield "capabilities", "of this process", _take, (held,)
    if command.capabilities is not None:
        wanted = inheritance(command.capabilities)
        yield "capabilities", command.capabilities or "none", _inherit, (wanted.inheritable,)
        for bit, name in _each(wanted.ambient):
            yield "capabilities", f"^{name}", prctl, (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit)
        for bit, name in _each(wanted.blocked):
            yield "capabilities", f"!{name}", prctl, (PR_CAPBSET_DROP, bit)
    if command.securebits is not None:
        bits = securebits(command.securebits)
        yield "securebits", command.securebits or "none", prctl, (PR_SET_SECUREBITS, bits)
    if command.no_new_privs:
        yield "no_new_privs", "", prctl, (PR_SET_NO_NEW_PRIVS, 1)
    if not command.capabilities is command.securebits is None:
        yield "capabilities", "of this process", _give_back, (held,)


def _each(bits: int) -> "list[tuple[int, str]]":
    return [(bit, f"cap_{name}") for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1]


def _demand_known(bit: int) -> None:
    """Raise OSError if the kernel does not know a capability: it would ignore it silently."""
    try:
        prctl(PR_CAPBSET_READ, bit)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise OSError(errno.EINVAL, "this kernel does not have it") from error
        raise


def _take(held: list[int]) -> None:
    """Make all permitted capabilities effective, and hold those that were. Raises OSError."""
    effective, permitted, inheritable = capget()
    capset(permitted, permitted, inheritable)
    held.append(effective)


def _give_back(held: list[int]) -> None:
    """Have no more effective than ``held``: execve(2) must look as the new user. Raises OSError."""
    _, permitted, inheritable = capget()
    capset(held[0], permitted, inheritable)


def _inherit(bits: int) -> None:
    """Make these capabilities inheritable, no others, and none ambient. Raises OSError."""
    effective, permitted, _ = capget()
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    capset(effective, permitted, bits)
