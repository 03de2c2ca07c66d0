"""What a job file says: every stanza of init(5), as values."""

from ssd.signals import raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service
    from ssd.service.sources.upstart.conditions import Condition
    from ssd.service.sources.upstart.faults import JobFault

STAGES = ("main", "pre-start", "post-start", "pre-stop", "post-stop", "security")


class Stage:
    """One process of a job.

    is_script: whether it is a block of shell, or a command. text: the lines of the block, each
    with its newline; or the command, with its quotes.
    """

    __slots__ = ("is_script", "text")

    def __init__(self, is_script: bool, text: str) -> None:
        self.is_script = is_script
        self.text = text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stage):
            return NotImplemented
        return (self.is_script, self.text) == (other.is_script, other.text)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Stage({self.is_script!r}, {self.text!r})"


class JobFile:
    """A job as its file and its override file declare it.

    name: the path in the directory of jobs, without .conf. file: the path, None if it comes
    from no file. service: the declaration made of it, without what no Service can say.
    stages: by the names in STAGES. environment: the words of env in order, ``KEY=VALUE``, or
    ``KEY`` for a variable of init's own environment; values are not expanded. instance: empty
    for a job with one instance. kill_timeout: seconds. respawn_limit: 0, as an interval of 0,
    for no limit. normal_exit: exit statuses, and signals as negative numbers. umask, nice and
    oom (the score of proc(5), -1000 to 1000): None if the file does not say. limits: soft and
    hard limits by their names in setrlimit(2), in lower case without RLIMIT_; -1 for unlimited.
    manual: whether the file has that stanza; ``start_on`` says whether an event starts it.
    cgroups: controller, name, key and value, as words of a job file. faults: those of the override
    file, which acts up to its first one.
    """

    __slots__ = (
        "name", "file", "stages", "start_on", "stop_on", "environment", "export", "emits",
        "instance", "usage", "description", "author", "version", "kill_signal", "kill_timeout",
        "reload_signal", "respawn", "respawn_limit", "respawn_interval", "normal_exit", "expect",
        "task", "manual", "console", "umask", "nice", "oom", "limits", "chroot", "chdir", "setuid",
        "setgid", "apparmor_load", "apparmor_switch", "cgroups", "debug", "faults", "_service",
    )  # fmt: skip
    usual_console = "log"  # of files without that stanza; ``--default-console`` of init(8)

    def __init__(self, name: str, file: "str | None" = None) -> None:
        self.name = name
        self.file = file
        self.stages: dict[str, Stage] = {}
        self.start_on: Condition | None = None
        self.stop_on: Condition | None = None
        self.environment: list[str] = []
        self.export: list[str] = []
        self.emits: list[str] = []
        self.instance = ""
        self.usage = ""
        self.description = ""
        self.author = ""
        self.version = ""
        self.kill_signal: int = raw.SIGTERM
        self.kill_timeout = 5.0
        self.reload_signal: int = raw.SIGHUP
        self.respawn = False
        self.respawn_limit = 10
        self.respawn_interval = 5
        self.normal_exit: frozenset[int] = frozenset()
        self.expect = "none"
        self.task = False
        self.manual = False
        self.console = self.usual_console
        self.umask: int | None = None
        self.nice: int | None = None
        self.oom: int | None = None
        self.limits: dict[str, tuple[int, int]] = {}
        self.chroot: str | None = None
        self.chdir: str | None = None
        self.setuid: str | None = None
        self.setgid: str | None = None
        self.apparmor_load: str | None = None
        self.apparmor_switch = ""
        self.cgroups: list[str] = []
        self.debug = False
        self.faults: list[JobFault] = []
        self._service: Service | None = None

    @property
    def service(self) -> "Service":
        """The declaration of the job, made when it is first used."""
        if self._service is None:
            from ssd.service.sources.upstart.declaring import declare

            self._service = declare(self)
        return self._service

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JobFile):
            return NotImplemented
        return _said(self) == _said(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<JobFile {self.name}>"


def _said(job: JobFile) -> "list[object]":
    """Return what the stanzas say, without the places where they are."""
    outside = ("file", "faults", "_service")
    return [getattr(job, name) for name in JobFile.__slots__ if name not in outside]
