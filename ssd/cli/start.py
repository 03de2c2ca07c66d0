"""``ssd --start``."""

from ssd.cli.options import Options
from ssd.errors import AlreadyRunning
from ssd.starting import Start
from ssd.starting.command import Command
from ssd.statuses import NOTHING_DONE, SUCCESS
from ssd.stdio import Voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable


def start(options: Options, voice: Voice, table: "ProcessTable | None" = None) -> int:
    """Start the program unless it runs; return the exit status, but not from the foreground."""
    path = str(options.value("startas") if options.has("startas") else options.value("exec"))
    start = Start(
        options.match(),
        command_of(options, path),
        background=options.has("background"),
        make_pidfile=options.has("make-pidfile"),
        notify_timeout=options.notify_timeout if options.has("notify-await") else None,
        warn=lambda stage, detail, reason: _warn(voice, stage, detail, reason),
        say=lambda event, *values: _say(voice, path, event, *values),
        table=table,
        **options.for_start,
    )
    try:
        if options.has("test"):
            return _test(options, voice, start, path)
        if not start.background and leaves_files(start):
            from ssd import sentences  # noqa: F401 - a failure could not load it later
        voice.note("started", start.run())
    except AlreadyRunning:
        return _running(options, voice)
    voice.leave()
    return SUCCESS


def leaves_files(start: Start) -> bool:
    """Tell whether this process may be unable to read ssd's own files when the start fails."""
    command = start.command
    return bool(command.root is not None or start.account.uid is not None or command.limits)


def _warn(voice: Voice, stage: str, detail: str, reason: str | None) -> None:
    """Warn of a failure that does not end the start."""
    from ssd.sentences import at_stage

    voice.warn(at_stage(stage, detail, reason))


def _say(voice: Voice, path: str, event: str, *values: object) -> None:
    """Report the progress of a start with --verbose."""
    voice.note(event, *values)
    if voice.quietness >= 0 or event == "detached" and not voice.on_terminal():
        return  # the original's future daemon says the latter, and its buffer is lost by the exec
    from ssd.sentences import progress

    voice.debug(progress(event, path, *values))
    voice.flush_terminal()


def command_of(options: Options, path: str) -> Command:
    """Return the Command that the options describe."""
    chdir = options.value("chdir")
    if options.has("tree"):
        options.for_command["tree"] = True
    return Command(
        [path, *options.operands],
        directory="/" if chdir is None else chdir,
        root=options.value("chroot"),
        user=options.chuid,
        group=options.group,
        umask=options.umask,
        nice=options.nicelevel,
        cpu_scheduling=options.procsched,
        io_scheduling=options.iosched,
        output=options.value("output"),
        close=not options.has("no-close"),
        **options.for_command,
    )


def _running(options: Options, voice: Voice) -> int:
    """Say that the program runs already; with --oknodo that is a success."""
    from ssd.sentences import ALREADY_RUNNING

    what = options.executable() or "process"
    voice.info(ALREADY_RUNNING.format(what=what))
    return SUCCESS if options.has("oknodo") else NOTHING_DONE


def _test(options: Options, voice: Voice, start: Start, path: str) -> int:
    """Say what would be started, and how, in the original's words."""
    if start.running():
        return _running(options, voice)
    user, account = start.account.user, start.account
    text = f"Would start {path} " + "".join(f"{word} " for word in options.operands)
    if user is not None:
        text += f" (as user {user}[{account.uid}], and group {account.group_name}[{account.gid}])"
    if options.has("chroot"):
        text += f" in directory {options.value('chroot')}"
    if options.nicelevel:
        text += f", and add {options.nicelevel} to the priority"
    if options.procsched is not None:
        text += ", with scheduling policy {} with priority {}".format(*options.procsched)
    if options.iosched is not None:
        text += ", with IO scheduling class {} with priority {}".format(*options.iosched)
    voice.info(f"{text}.\n")
    return SUCCESS
