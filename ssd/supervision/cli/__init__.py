"""The command ``ssd-supervise``: keep declared services running, in the foreground."""

import gc
import os

from ssd.accounts import Account
from ssd.errors import Error
from ssd.matching import Process
from ssd.processes import default_table
from ssd.starting.fork_exec import start_time
from ssd.statuses import INVALID
from ssd.stdio import settle, write
from ssd.supervision import places
from ssd.supervision.cli import above, declared, options, pid1, resources
from ssd.supervision.cli.foreground import Foreground
from ssd.supervision.cli.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.declaration import Service
    from ssd.supervision.cli.options import Options
    from ssd.supervision.control.connections import Client
    from ssd.supervision.control.protocol import Request
    from ssd.supervision.control.rereading import Done
    from ssd.supervision.control.server import Control
    from ssd.supervision.succession.handed import Handed
    from ssd.supervision.succession.upgrade import Told


def main(argv: "list[str]") -> int:
    """Run the command in a process of its own and return its exit status."""
    program = os.path.basename(argv[0])
    wanted = options.parse(argv[1:], program)
    if isinstance(wanted, int):
        return wanted
    try:
        if wanted.check:
            return _check(wanted)
        return _run(wanted, argv)
    except (Error, OSError) as error:
        from ssd.supervision.cli.refusal import refuse

        return refuse(error, program)


def _run(wanted: "Options", argv: "list[str]") -> int:
    """Supervise until all has stopped. Raises Error and OSError before anything is started."""
    handed = take_handed()
    settle()
    if handed is None:
        pid1.heed_signals()
    program, here = os.path.basename(argv[0]), working_directory()
    require_proc()
    directory = os.path.abspath(wanted.directory or places.default_directory())
    group = Account(None, wanted.group).gid if wanted.group else None
    place = places.enter(directory, group)
    place.lock(-1 if handed is None else handed.lock)
    if wanted.logs:
        place.logs = os.path.abspath(wanted.logs)
    address, watchdog = above.take_variables()
    variables = above.variables(address, watchdog)
    prepare_environment()
    services, faults = _read(place, wanted.names or None)
    if wanted.exit_with and wanted.exit_with not in {service.name for service in services}:
        write(2, f"{program}: --exit-with names {wanted.exit_with}, which is not to be started\n")
        return INVALID
    os.chdir("/")
    process = Foreground(services, place, wanted)
    for line in faults:
        process.lines.say(f"what runs of it is only watched: {line}", wrong=True)
    process.supervisor.outputs.forwards = wanted.forward
    equip(process, address, watchdog)
    if handed is not None:
        process.supervisor.effects.descriptors = handed.limits
        _keep_hearing(process, handed.notify)
    listener = -1 if handed is None else handed.listener
    control = listen(process, place, group, process.update, handed=listener)

    def upgrade(told: "Told") -> None:
        """Replace the program of this process."""
        from ssd.supervision.succession.upgrade import upgrade_of

        upgrade_of(process, place, control, argv, here, variables).begin(told)

    process.upgrader = upgrade
    if control is not None:
        control.upgrade = upgrade
    collect_garbage()
    try:
        return process.run(handed)
    except Exception as error:
        from ssd.supervision.succession.recovery import begin_again

        begin_again(error, process, argv, here, variables)
        raise
    finally:
        close(process, control, place)


def require_proc() -> None:
    """Raise ProcessTableError where no service could be stopped again."""
    own = Process(os.getpid(), start_time(os.getpid()))
    default_table().open(own).close()


def working_directory() -> str:
    """Return the working directory; the root if it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "/"


def _read(place: "places.Places", names: "list[str] | None") -> "tuple[list[Service], list[str]]":
    """Read the declarations; return what is wrong with those that are only watched, too."""
    try:
        return declared.read(place.directory, names), []
    except declared.Broken as error:
        from ssd.supervision.cli.refusal import explain
        from ssd.supervision.succession import spared

        return spared.read(place, names, error), explain(error)


def equip(process: Loop, address: str, watchdog: int) -> None:
    """Give a supervisor what it needs as a process.

    address, watchdog: see ``above.take_variables``. Raises OSError.
    """
    effects = process.supervisor.effects
    effects.close_fds = not resources.keep_from_children()
    effects.descriptors = resources.raise_limit()
    if address:
        process.above = above.Above(address, process.supervisor)
        if watchdog:
            process.above.keep_watchdog(watchdog)
    effects.reaps = pid1.become_reaper()
    if not effects.reaps:
        process.lines.say("orphans of services go to process 1, not to this supervisor")


def listen(
    process: Loop,
    place: "places.Places",
    group: "int | None",
    reread: "Callable[[Done], None]",
    *,
    handed: int = -1,
    jobs: "Callable[[Client, Request], None] | None" = None,
) -> "Control | None":
    """Open the control socket; without it the services run all the same.

    reread, jobs: see ``Control``. handed: the descriptor of the socket, if it is open, else -1.
    """
    from ssd.supervision.control import unix_socket
    from ssd.supervision.control.server import Control

    try:
        if handed < 0:
            listener = unix_socket.listen(place.descriptor, group)
        else:
            listener = unix_socket.listening(handed)
    except OSError as error:
        process.lines.say(f"no control socket: {error.strerror}", wrong=True)
        return None
    return Control(
        process.supervisor, listener, directory=place.directory, group=group,
        reread=reread, jobs=jobs, told=process.lines.say,
    )  # fmt: skip


def collect_garbage() -> None:
    """Begin to collect garbage: what is there now stays, only what comes later is looked at."""
    gc.collect()
    gc.freeze()
    gc.enable()


def close(process: Loop, control: "Control | None", place: "places.Places") -> None:
    """Let go of all that a supervisor has as a process."""
    if control is not None:
        control.close()
    if process.above is not None:
        process.above.close()
    process.supervisor.close()
    place.close()


def _keep_hearing(process: Foreground, fd: int) -> None:
    """Read the notification socket that the program before this one has left open."""
    if fd >= 0:
        from ssd.supervision.readiness.notify import Notify

        effects, watch = process.supervisor.effects, process.supervisor.watch
        effects.notify = Notify(effects.table, watch, effects.notify_path, fd)


def take_handed() -> "Handed | None":
    """Return what the program before has handed over; None if this process was started anew."""
    if "SSD_UPGRADE" not in os.environ:
        return None
    from ssd.supervision.succession.handed import take

    return take()


def _check(wanted: "Options") -> int:
    """Say whether a supervisor could begin; start nothing. Raises Error and OSError."""
    from ssd.supervision.succession.checking import check

    directory = os.path.abspath(wanted.directory or places.default_directory())
    prepare_environment()
    return check(directory, wanted.names or None)


def prepare_environment() -> None:
    """Make the environment that services get: the caller's, with the usual directories in PATH."""
    from ssd.environment import inherited
    from ssd.service.environment import extend_path

    given = inherited()
    for name in set(os.environb) - set(given):
        del os.environb[name]
    os.environb.update(given)
    extend_path()
