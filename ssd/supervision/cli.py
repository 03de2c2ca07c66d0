"""The command ``ssd-supervise``: keep declared services running, in the foreground."""

import gc
import os

from ssd.accounts import Account
from ssd.errors import Error
from ssd.statuses import FAILED, INVALID
from ssd.stdio import settle, write
from ssd.supervision import above, declared, options, pid1, places, resources
from ssd.supervision.foreground import Foreground

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.control import Control
    from ssd.supervision.options import Options


def main(argv: "list[str]") -> int:
    """Run the command in a process of its own and return its exit status."""
    program = os.path.basename(argv[0])
    wanted = options.parse(argv[1:], program)
    if isinstance(wanted, int):
        return wanted
    try:
        return _run(wanted, program)
    except (Error, OSError) as error:
        return _refuse(error, program)


def _run(wanted: "Options", program: str) -> int:
    """Supervise until all has stopped. Raises Error and OSError before anything is started."""
    settle()
    directory = os.path.abspath(wanted.directory or places.default_directory())
    group = Account(None, wanted.group).gid if wanted.group else None
    place = places.enter(directory, group)
    place.lock()
    if wanted.logs:
        place.logs = os.path.abspath(wanted.logs)
    address, watchdog = above.take_variables()
    prepare_environment()
    services = declared.read(directory, wanted.names or None)
    if wanted.exit_with and wanted.exit_with not in {service.name for service in services}:
        write(2, f"{program}: --exit-with names {wanted.exit_with}, which is not to be started\n")
        return INVALID
    os.chdir("/")
    process = Foreground(services, place, wanted)
    process.supervisor.outputs.forwards = wanted.forward
    process.supervisor.effects.close_fds = not resources.keep_from_children()
    process.supervisor.effects.descriptors = resources.raise_limit()
    if address:
        process.above = above.Above(address, process.supervisor)
        if watchdog:
            process.above.keep_watchdog(watchdog)
    control = _listen(process, place, group)
    process.supervisor.effects.reaps = pid1.become_reaper()
    if not process.supervisor.effects.reaps:
        process.lines.say("orphans of services go to process 1, not to this supervisor")
    # What is there now stays; a collection looks only at what comes later.
    gc.collect()
    gc.freeze()
    gc.enable()
    try:
        return process.run()
    finally:
        if control is not None:
            control.close()
        if process.above is not None:
            process.above.close()
        process.supervisor.close()
        place.close()


def _listen(process: Foreground, place: "places.Places", group: "int | None") -> "Control | None":
    """Open the control socket; without it the services run all the same."""
    from ssd.supervision.control import Control
    from ssd.supervision.unix_socket import listen

    try:
        listener = listen(place.descriptor, group)
    except OSError as error:
        process.lines.say(f"no control socket: {error.strerror}", wrong=True)
        return None
    return Control(
        process.supervisor, listener, directory=place.directory, group=group,
        reread=process.update, told=process.lines.say,
    )  # fmt: skip


def _refuse(error: "Error | OSError", program: str) -> int:
    """Say why nothing is supervised; return the exit status."""
    from ssd.sentences import status_of

    for line in declared.explain(error):
        write(2, f"{program}: {line}\n")
    if isinstance(error, places.Occupied):
        return FAILED
    return status_of(error.causes[0] if isinstance(error, declared.Broken) else error, "")


def prepare_environment() -> None:
    """Make the environment that services get: the caller's, with the usual directories in PATH."""
    from ssd.environment import inherited
    from ssd.service.environment import extend_path

    given = inherited()
    for name in set(os.environb) - set(given):
        del os.environb[name]
    os.environb.update(given)
    extend_path()
