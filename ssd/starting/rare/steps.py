"""The steps of a start that few starts take: scheduling, limits, out-of-memory score, privileges.

Each is a stage, its detail, a function that raises OSError, and its arguments.
"""

import errno
import os

from ssd.surroundings.kernel_files import OOM_SCORE_ADJ, write_setting

PRIVILEGES = ("capabilities", "securebits", "no_new_privs")  # fields of ``ssd.starting.rare``
# Low ones would hinder ssd itself: with few descriptors initgroups(3) leaves groups out silently,
# and without memory, or bytes for a file, an error cannot be told. RLIMIT_NPROC must be set before
# setuid(2), which compares it (execve(2), EAGAIN).
LATE = ("as", "data", "fsize", "nofile", "stack")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ssd.accounts import Account
    from ssd.starting.become import Warn
    from ssd.starting.command import Command

    Step = tuple[str, str, Callable[..., object], tuple[object, ...]]


def before_root(
    command: "Command",
    account: "Account",
    variables: dict[bytes, bytes],
    extra: "Mapping[bytes, bytes] | None",
    warn: "Warn",
) -> "Iterator[Step]":
    """Yield the steps that come before the change of root.

    ``variables``: the environment so far, to which they add. ``extra`` is what it has for ssd's own
    reasons.
    """
    if command.cpu_scheduling is not None:
        from ssd.starting.rare import scheduling

        yield "procsched", "", scheduling.set_cpu, command.cpu_scheduling
    if command.io_scheduling is not None:
        yield "iosched", "", _set_io, (*command.io_scheduling, warn)
    if command.limits:
        from ssd.surroundings.limits import name_of

        for number, limit in command.limits.items():
            name = name_of(number)
            function = _allow_limit if name in LATE else _set_limit
            yield "limit", name, function, (number, limit)
    if not vars(command):
        return
    if command.login or command.variables:
        from ssd.starting.rare.variables import settle

        yield "login", account.user or "this user", settle, (command, account, variables, extra)
    if command.tree:  # after all others, which could only hide it
        from ssd.processes import markers

        variables[markers.VARIABLE] = markers.value(os.getpid(), command.argv)
    if command.oom_score_adj is not None:
        yield "oom", str(command.oom_score_adj), _set_oom_score, (command.oom_score_adj,)
    if _has_privileges(command):
        from ssd.starting.rare import privileges

        yield from privileges.before_user(command)


def before_exec(command: "Command") -> "Iterator[Step]":
    """Yield the steps that come after the change of user, right before execve(2)."""
    if _has_privileges(command):
        from ssd.starting.rare import privileges  # it is loaded since ``before_root``

        yield from privileges.before_exec(command)
    if command.limits:
        yield from _late_limits(command.limits, os.fsdecode(command.startas))


def _late_limits(limits: "Mapping[int, tuple[int, int]]", program: str) -> "Iterator[Step]":
    """Yield the limits that are set last, and before them what tells of a missing program."""
    from ssd.surroundings.limits import name_of  # it is loaded since ``before_root``

    late = [(number, limit) for number, limit in limits.items() if name_of(number) in LATE]
    if late:
        yield "exec", program, os.stat, (program,)
    for number, limit in late:
        yield "limit", name_of(number), _set_limit, (number, limit)


def _has_privileges(command: "Command") -> bool:
    """Tell whether one was given, without its default: that would load a module."""
    return not vars(command).keys().isdisjoint(PRIVILEGES)


def _set_oom_score(score: int) -> None:
    """Set the adjustment of the out-of-memory score, proc(5). Raises OSError."""
    try:
        write_setting(OOM_SCORE_ADJ, str(score))
    except FileNotFoundError as error:
        raise OSError(error.errno, f"this system has no {OOM_SCORE_ADJ}") from error


def _set_io(io_class: str, priority: int, warn: "Warn") -> None:
    """Set the I/O scheduling; only warn if that is impossible, as the original does."""
    from ssd.starting.rare import scheduling

    try:
        scheduling.set_io(io_class, priority)
    except OSError as error:
        warn("iosched", str(scheduling.io_mask(io_class, priority)), error.strerror)


def _allow_limit(number: int, limit: tuple[int, int]) -> None:
    """Raise the hard limit, which may need the right of root, so far that ``limit`` can be set."""
    import resource

    soft, hard = resource.getrlimit(number)
    if hard != resource.RLIM_INFINITY and not 0 <= limit[1] <= hard:
        _set_limit(number, (soft, limit[1]))


def _set_limit(number: int, limit: tuple[int, int]) -> None:
    """Set a resource limit (setrlimit(2)). Raises OSError."""
    import resource

    try:
        resource.setrlimit(number, limit)
    except ValueError as error:  # raised by the module for EINVAL and EPERM
        raise OSError(errno.EINVAL, str(error)) from error
