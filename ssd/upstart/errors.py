"""What a wish about a job can fail with. The texts are those of Upstart's answers."""

from ssd.errors import Error


class JobError(Error):
    """A wish about a job, or an event, that failed. ``kind``: one word for programs."""

    kind = "failed"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text: str = text


class UnknownJob(JobError):
    """There is no job of this name."""

    kind = "unknown-job"

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown job: {name}")
        self.name: str = name


class UnknownInstance(JobError):
    """The job has no such instance: nothing of it runs."""

    kind = "unknown-instance"

    def __init__(self, instance: str) -> None:
        super().__init__(f"Unknown instance: {instance}")
        self.instance: str = instance


class UnknownParameter(JobError):
    """A variable that the name of the instance needs was not given; ``usage`` tells how to."""

    kind = "unknown-parameter"

    def __init__(self, name: str, usage: str = "") -> None:
        told = f"\nUsage: {usage}" if usage else ""
        super().__init__(f"Unknown parameter: {name}{told}")
        self.name: str = name
        self.usage: str = usage


class BadExpansion(JobError):
    """A text with variables is not written correctly."""

    kind = "bad-expansion"


class BadEnvironment(JobError):
    """A variable without an equals sign."""

    kind = "bad-environment"

    def __init__(self) -> None:
        super().__init__("Env must be KEY=VALUE pairs")


class AlreadyStarted(JobError):
    """The job's goal is to start already."""

    kind = "already-started"

    def __init__(self, label: str) -> None:
        super().__init__(f"Job is already running: {label}")
        self.label: str = label


class AlreadyStopped(JobError):
    """The job's goal is to stop already."""

    kind = "already-stopped"

    def __init__(self, label: str) -> None:
        super().__init__(f"Job has already been stopped: {label}")
        self.label: str = label


class NotRunning(JobError):
    """The job has no main process that could be told anything."""

    kind = "not-running"

    def __init__(self, label: str) -> None:
        super().__init__(f"Job is not running: {label}")
        self.label: str = label


class JobFailed(JobError):
    """A start, stop or restart that failed; ``wish`` is one of these words."""

    kind = "job-failed"
    TEXTS = {
        "start": "Job failed to start",
        "stop": "Job failed while stopping",
        "restart": "Job failed to restart",
    }

    def __init__(self, wish: str) -> None:
        super().__init__(self.TEXTS[wish])
        self.wish: str = wish


class EventFailed(JobError):
    """A job that an event has started or stopped failed."""

    kind = "event-failed"

    def __init__(self) -> None:
        super().__init__("Event failed")


class BadEvent(JobError):
    """An event without a name."""

    kind = "bad-event"

    def __init__(self) -> None:
        super().__init__("Name may not be empty string")


class StageFailed(Error):
    """A process of a job could not be started: ``stage`` of ``job``, and why.

    reason: in words, "unable to execute: No such file or directory" for example.
    """

    def __init__(self, job: str, stage: str, reason: str) -> None:
        super().__init__(f"Failed to spawn {job} {stage} process: {reason}")
        self.job: str = job
        self.stage: str = stage
        self.reason: str = reason
