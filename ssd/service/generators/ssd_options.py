"""A declaration as words for start-stop-daemon(8): its own, and in lists that a shell joins."""

from math import ceil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service

SHELL = "/bin/sh"


def matching(service: "Service", start: bool = False) -> list[str]:
    """Return what it is known by, as ``Service.match`` has it.

    At a ``start``, where there is a --chroot, start-stop-daemon looks for --exec in there.
    """
    match = service.match()
    program = service.executable if start and match.exec is not None else match.exec
    words = []
    for option, value in (
        ("--pidfile", match.pidfile),
        ("--exec", program),
        ("--name", match.name),
    ):
        if value is not None:
            words += [option, str(value)]
    return words


def starting(service: "Service") -> list[str]:
    """Return the options of a start, but for matching and program."""
    words = []
    if service.user:
        both = f"{service.user}:{service.group}" if service.group else service.user
        words += ["--chuid", both]
    elif service.group:
        words += ["--group", service.group]
    for option, value in (
        ("--chroot", service.root),
        ("--chdir", service.working_directory if service.working_directory != "/" else None),
        ("--umask", service.umask),
        ("--nicelevel", str(service.nice) if service.nice else None),
        ("--procsched", service.cpu_scheduling),
        ("--iosched", service.io_scheduling),
    ):
        if value is not None:
            words += [option, value]
    if service.background and not service.task:
        words.append("--background")
        if service.pidfile != "none":
            words.append("--make-pidfile")
        if service.output:
            words += ["--output", service.output]
    if service.readiness["kind"] == "notify":
        words += ["--notify-await", "--notify-timeout", str(ceil(service.readiness["timeout"]))]
    return words


def stopping(service: "Service") -> list[str]:
    """Return the options of a stop, but for matching."""
    words = ["--retry", service.stop_schedule]
    if service.background and service.pidfile != "none":
        words.append("--remove-pidfile")
    return words


def hook(service: "Service", field: str) -> list[str]:
    """Return the words that run a hook as ``ssd-service`` does; none if there is no such hook."""
    text = getattr(service, field)
    return [SHELL, "-e", "-c", text, service.name] if text else []


def limits(service: "Service") -> list[str]:
    """Return the call of prlimit(1) that sets the limits of what follows it, empty if none."""
    names = {"ofile": "nofile"}  # an old name
    words = [
        f"--{names.get(name, name)}={limit if ':' in str(limit) else f'{limit}:{limit}'}"
        for name, limit in service.limits.items()
    ]
    return ["prlimit", *words] if words else []
