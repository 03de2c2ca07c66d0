"""The steps of a start that few starts take: CPU and I/O scheduling, and resource limits.

Each is a stage, its detail, a function that raises OSError, and its arguments.
"""

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssd.starting.become import Warn
    from ssd.starting.command import Command

    Step = tuple[str, str, Callable[..., object], tuple[object, ...]]


def before_root(command: "Command", warn: "Warn") -> "Iterator[Step]":
    """Yield the steps that come before the change of root."""
    if command.cpu_scheduling is not None:
        from ssd.starting import scheduling

        yield "procsched", "", scheduling.set_cpu, command.cpu_scheduling
    if command.io_scheduling is not None:
        yield "iosched", "", _set_io, (*command.io_scheduling, warn)
    if command.limits:
        import resource

        names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
        for number, limit in command.limits.items():
            same = [name[7:].lower() for name in names if getattr(resource, name) == number]
            yield "limit", same[0] if same else str(number), _set_limit, (number, limit)


def _set_io(io_class: str, priority: int, warn: "Warn") -> None:
    """Set the I/O scheduling; only warn if that is impossible, as the original does."""
    from ssd.starting import scheduling

    try:
        scheduling.set_io(io_class, priority)
    except OSError as error:
        warn("iosched", str(scheduling.io_mask(io_class, priority)), error.strerror)


def _set_limit(number: int, limit: tuple[int, int]) -> None:
    """Set a resource limit (setrlimit(2)). Raises OSError."""
    import resource

    try:
        resource.setrlimit(number, limit)
    except ValueError as error:  # raised by the module for EINVAL and EPERM
        raise OSError(errno.EINVAL, str(error)) from error
