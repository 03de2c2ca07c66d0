"""``ssd-service log NAME`` and ``signal NAME SIGNAL`` where no supervisor has the service."""

import os

from ssd import statuses
from ssd.accounts import Account
from ssd.homes import log_directory
from ssd.logs.tail import last_lines
from ssd.service import sources, verbs
from ssd.stdio import write

LAST = 10  # lines of a log, unless a number is given


def show_log(program: str, directory: str, name: str, count: "int | None") -> int:
    """Print the last lines of a service's log; return the exit status.

    Raises what finding and reading the declaration raises, and OSError.
    """
    service = sources.find(name, directory)
    own = f"{log_directory(os.geteuid())}/{service.name}.log"
    if not os.path.lexists(own):  # a plain start has no HOME, as under service(8)
        own = f"{log_directory(os.geteuid(), '')}/{service.name}.log"
    path = str(service.stdout or service.output or service.log["path"] or own)
    uid = Account(service.user, service.group).uid
    lines = last_lines(path, LAST if count is None else count, uid)
    if not lines and not os.path.lexists(path):
        write(2, f"{program}: {path}: there is no log\n")
        return statuses.FAILED
    write(1, "".join(f"{line}\n" for line in lines))
    return statuses.SUCCESS


def send(program: str, directory: str, name: str, signum: "int | None") -> int:
    """Send a signal to a service's processes; return the exit status.

    Raises what finding and reading the declaration raises.
    """
    if signum is None:
        write(2, f"{program}: there is no such signal\n")
        return statuses.FAILED
    from ssd.service.verbs.performing import complain
    from ssd.service.verbs.steps import Steps
    from ssd.service.verbs.stopping import send as send_signal

    steps = Steps(sources.find(name, directory))
    steps.look()
    outcome = send_signal(steps, signum)
    complain(steps, program)
    if outcome == verbs.NOTHING:
        write(2, f"{program}: {name} is not running\n")
    return _STATUSES.get(outcome, statuses.FAILED)


_STATUSES = {
    verbs.DONE: statuses.SUCCESS,
    verbs.NOTHING: statuses.NOT_RUNNING,
    verbs.DENIED: statuses.NOT_PRIVILEGED,
}
