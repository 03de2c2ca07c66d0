"""``ssd-supervise --upstart``: run Upstart's jobs, in the foreground."""

import os

from ssd.accounts import Account
from ssd.environment import inherited
from ssd.errors import Error, ProcessTableError
from ssd.service.sources.upstart import JobFile
from ssd.statuses import FAILED, NOT_CONFIGURED, SUCCESS
from ssd.stdio import settle, write
from ssd.supervision import cli, places
from ssd.supervision.cli import above, pid1
from ssd.upstart.cli import options
from ssd.upstart.cli.foreground import Foreground
from ssd.upstart.cli.locations import claim, extend_path, job_directories, log_directory, release
from ssd.upstart.control.requests import JobRequests
from ssd.upstart.files import read
from ssd.upstart.initctl.links import NoLinks
from ssd.upstart.jobs import Jobs
from ssd.upstart.succession import checking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.places import Places
    from ssd.supervision.succession.upgrade import Told
    from ssd.upstart.cli.options import Options


def main(argv: "list[str]") -> int:
    """Run the command in a process of its own and return its exit status."""
    program = os.path.basename(argv[0])
    try:
        wanted = options.parse(argv[1:], program)
    except options.Wrong as wrong:
        from ssd.supervision.cli import help

        return help.answer(wrong.option, program, wrong.fault)
    try:
        paths = _paths(wanted)
        if wanted.check:
            return checking.check() if checking.is_asked() else _check(paths)
        return _run(wanted, argv, paths)
    except (Error, OSError) as error:
        from ssd.denials import status_of
        from ssd.sentences import describe

        write(2, f"{program}: {describe(error)}\n")
        if isinstance(error, (places.Occupied, ProcessTableError)):
            return FAILED
        return status_of(error, "")


def _paths(wanted: "Options") -> "list[str]":
    """Return the directories of the jobs, the first one first. Raises OSError if there is none.

    What the command line names must be there, and one of the usual directories; others may come.
    """
    before, given, after = (
        [] if path is None else [os.path.abspath(path)]
        for path in (wanted.before, wanted.directory, wanted.after)
    )
    for path in (*before, *given, *after):
        os.listdir(path)  # raises OSError that has its path
    usual = given or job_directories(os.geteuid(), os.path.expanduser("~"))
    if not (before or after or any(map(os.path.isdir, usual))):
        os.listdir(usual[0])
    return [*before, *usual, *after]


def _check(paths: "list[str]") -> int:
    """Say what is wrong with the job files; start nothing."""
    faults = read(paths).faults
    for fault in faults:
        write(2, f"init:{fault}\n")
    return NOT_CONFIGURED if faults else SUCCESS


def _run(wanted: "Options", argv: "list[str]", paths: "list[str]") -> int:
    """Run the jobs until all have stopped. Raises Error and OSError before anything is started."""
    handed = cli.take_handed()
    settle()
    if handed is None:
        pid1.heed_signals()
    cli.require_proc()
    uid, program, here = os.geteuid(), os.path.realpath(argv[0]), cli.working_directory()
    home = os.path.expanduser("~")
    group = Account(None, wanted.group).gid if wanted.group else None
    logs = os.path.abspath(wanted.logs) if wanted.logs else log_directory(uid, home)
    place = places.enter(paths[0], group)
    place.lock(-1 if handed is None else handed.lock)
    notify, watchdog = above.take_variables()
    variables = above.variables(notify, watchdog)
    if not wanted.unlogged:
        _make(logs, uid)
    os.chdir("/")
    if wanted.console is not None:
        JobFile.usual_console = wanted.console
    jobs = Jobs(strict=wanted.strict, logs=None if wanted.unlogged else logs)
    jobs.messages.priority = wanted.priority
    process = Foreground(jobs, wanted, place)
    cli.equip(process, notify, watchdog)
    if handed is not None:
        jobs.effects.descriptors = handed.limits
    _set_environment(process, wanted, place, program)
    process.read(paths)
    requests = JobRequests(jobs, reread=process.reread)
    listener = -1 if handed is None else handed.listener
    control = cli.listen(
        process, place, group, process.update, handed=listener, jobs=requests.answer
    )

    def upgrade(told: "Told") -> None:
        """Replace the program of this process."""
        from ssd.supervision.succession.upgrade import upgrade_of

        upgrade_of(process, place, control, argv, here, variables).begin(told)

    process.upgrader = upgrade
    if control is not None:
        control.upgrade = upgrade
    cli.collect_garbage()
    try:
        return process.run(handed)
    except Exception as error:
        from ssd.supervision.succession.recovery import begin_again

        begin_again(error, process, argv, here, variables)
        raise
    finally:
        release(place.path, uid)
        process.close()
        cli.close(process, control, place)


def _make(path: str, uid: int) -> None:
    """Make the directory of the logs, if it is missing; without it the jobs run all the same."""
    try:
        os.makedirs(path, 0o755 if uid == 0 else 0o700)
    except FileExistsError:
        return
    except OSError as error:
        write(2, f"init: no logs can be written: {path}: {error.strerror}\n")


def _set_environment(process: Foreground, wanted: "Options", place: "Places", program: str) -> None:
    """Set the variables of jobs: a user's own, or the two that Upstart's process 1 gives.

    Jobs find the commands that they call, and those find this supervisor.
    """
    uid = os.geteuid()
    jobs = process.jobs
    variables = jobs.default_environment
    if uid != 0 and not wanted.bare:
        variables |= {os.fsdecode(name): os.fsdecode(value) for name, value in inherited().items()}
    holder = claim(place.path, uid)
    if holder is not None:
        told = (
            f"start and initctl ask another supervisor, in {holder}; only jobs of this one ask it"
        )
        process.lines.say(told, wrong=True)
    if holder is not None or uid != 0:
        jobs.session = place.path
    try:
        variables["PATH"] = extend_path(variables["PATH"], place, os.path.dirname(program))
    except (NoLinks, OSError) as error:
        process.lines.say(f"jobs cannot call initctl, start, stop: {error}", wrong=True)
    jobs.environment = dict(variables)
