"""Start a service: make its directories, run its hooks and its program, wait for it."""

from ssd.errors import AlreadyRunning, Error
from ssd.service import verbs
from ssd.service.fields import DEFAULTS
from ssd.service.verbs.preparing import make_directories, run_hook
from ssd.starting import Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.service.verbs.steps import Steps

# The fields that may have no effect here, of a program that goes to the background itself, or not.
DOUBTFUL = (
    ("health", "watchdog", "output", "stdout", "stderr", "log"),
    ("health", "watchdog", "log"),
)


def start(steps: "Steps") -> str:
    """Start the service and wait until it is ready; return the outcome."""
    service = steps.service
    doubtful = DOUBTFUL[service.background]
    if any(getattr(service, name) != DEFAULTS[name] for name in doubtful):
        from ssd.service.verbs.unused import complain

        complain(steps)
    try:
        make_directories(service.directories)
        run_hook(service, "before_start", steps.recording)
        start_program(steps)
    except AlreadyRunning as error:
        steps.processes = error.processes
        return verbs.RUNNING
    except (Error, OSError) as error:
        return steps.failed(error)
    try:
        run_hook(service, "after_start", steps.recording)
    except (Error, OSError) as error:  # a complaint only, for the service runs
        steps.complain(error)
    return verbs.DONE


def start_program(steps: "Steps") -> "Process | None":
    """Start the program and wait until it is ready; return its process, None if not known.

    Raises what ``Start.run`` raises.
    """
    service = steps.service
    kind, timeout = service.readiness["kind"], service.readiness["timeout"]
    recording = steps.recording
    work = Start(
        service.match(),
        service.command(),
        background=service.background,
        make_pidfile=service.background and service.pidfile != "none",
        notify_timeout=timeout if kind == "notify" and service.background else None,
        wait=timeout if kind == "stays" and service.background else None,
        warn=lambda stage, detail, reason: steps.complain(warning(stage, detail, reason)),
        say=recording.note if recording else lambda event, *values: None,
        table=steps.table,
    )
    process: Process | None
    if kind == "stays" and not service.background:
        from ssd.service.verbs.until_ready import start_staying

        process = start_staying(work, timeout, recording is not None)
    elif service.background or work.table.launcher is not None:
        process = recording.start(work) if recording else work.run()
    else:
        from ssd.service.verbs.until_ready import start_forking

        process = start_forking(work, recording is not None)
    if recording:
        recording.started(process)
    if kind not in ("exec", "notify", "stays"):
        from ssd.service.verbs.until_ready import wait_for

        wait_for(steps.service, work, process)
    return process


def warning(stage: str, detail: str, reason: str | None) -> str:
    """Say what a start went on without."""
    from ssd.sentences import at_stage

    return at_stage(stage, detail, reason)
