"""The verb ``job`` of the control socket: what each command of initctl(8) asks of the jobs.

Nothing here waits. A start, a stop, a restart and an event are answered when the jobs say that
they are through; so a process of a job may ask for anything, also about its own job. A client that
goes away takes nothing back.
"""

import os

from ssd.supervision.control.protocol import failure, line, success
from ssd.upstart import telling
from ssd.upstart.control import configuration
from ssd.upstart.control.refusals import BadPriority
from ssd.upstart.control.variables import Variables
from ssd.upstart.control.view import JobView
from ssd.upstart.errors import JobError, UnknownInstance
from ssd.upstart.messages import LEVELS
from ssd.upstart.succession.journal import note_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ssd.supervision.control.connections import Client
    from ssd.supervision.control.protocol import Request
    from ssd.upstart.jobs import Jobs

VERSION = "init (upstart 1.13.2)"  # whose commands and answers these are
ROWS = 50  # jobs in a line of an answer
_CALLED = ("start", "stop", "restart", "reload", "status", "state", "usage")  # by a job's name


class Wish:
    """A request that waits for what becomes of a job or an event."""

    __slots__ = ("client", "id", "count", "fields", "_over", "_error")

    def __init__(self, client: "Client", id: "int | str | None") -> None:
        self.client = client
        self.id = id
        self.count = 1
        self.fields: dict[str, object] | None = None  # of the answer, once they are known
        self._over = False
        self._error: JobError | None = None

    def done(self, error: "JobError | None" = None) -> None:
        """Take that it is fulfilled, or why it failed."""
        self._over, self._error = True, error
        self._answer()

    def begun(self, **fields: object) -> None:
        """Take what a fulfilled wish is answered with; the jobs may have done it already."""
        self.fields = fields
        self._answer()

    def _answer(self) -> None:
        if not self._over or self.fields is None or self not in self.client.tasks:
            return
        self.client.tasks.remove(self)
        if self._error is None:
            self.client.send(success(self.id, **self.fields))
        else:
            self.client.send(_refusal(self.id, self._error))


class JobRequests:
    """Answers what clients ask of jobs; ``answer`` is what ``control.server.Control`` needs.

    reread: reads the files of the jobs anew. is_system: whether the environment of all jobs is the
    machine's, so that nobody may change it; None: if we are process 1 or root's.

    From now on clients see the units of ``jobs`` as ``control.view`` says.
    """

    __slots__ = ("_jobs", "_reread", "_variables")

    def __init__(
        self,
        jobs: "Jobs",
        *,
        reread: "Callable[[], object]" = lambda: None,
        is_system: bool | None = None,
    ) -> None:
        self._jobs = jobs
        self._reread = reread
        jobs.view = JobView()
        if is_system is None:
            is_system = os.getpid() == 1 or os.geteuid() == 0
        self._variables = Variables(jobs, is_system)

    def answer(self, client: "Client", request: "Request") -> None:
        """Do what a request asks for, and answer it now or later."""
        command = request.text("command")
        method = _COMMANDS.get(command)
        if command != "state":  # with which a command of initctl ends, on the same connection
            self._jobs.tell("info", "Connection from private client")
        if method is None:
            text = f"there is no command {command} of jobs"
            client.send(failure(request.id, "unsupported", text))
        elif command in _CALLED and request.name is None:
            client.send(failure(request.id, "malformed", f"{command} needs name"))
        else:
            try:
                method(self, client, request)
            except JobError as error:
                client.send(_refusal(request.id, error))

    # Wishes.

    def _act(self, client: "Client", request: "Request") -> None:
        """Start, stop or restart a job."""
        jobs, name = self._jobs, request.name or ""
        act = {"start": jobs.start_job, "stop": jobs.stop_job, "restart": jobs.restart_job}
        call = act[request.text("command")]

        def begin(done: "Callable[[JobError | None], None] | None") -> "dict[str, object]":
            job = call(name, request.words("environment"), done, _instance(request))
            return {"job": job.file.name, "instance": job.instance}

        self._begin(client, request, begin)

    def _emit(self, client: "Client", request: "Request") -> None:
        def begin(done: "Callable[[JobError | None], None] | None") -> "dict[str, object]":
            self._jobs.emit(request.text("value"), request.words("environment"), done)
            return {}

        self._begin(client, request, begin)

    def _begin(
        self, client: "Client", request: "Request",
        begin: "Callable[[Callable[[JobError | None], None] | None], dict[str, object]]",
    ) -> None:  # fmt: skip
        """Begin what a request wishes; answer it when it is done, or at once if nobody waits."""
        if request.flag("nowait"):
            client.send(success(request.id, **begin(None)))
            return
        wish = Wish(client, request.id)
        client.tasks.append(wish)
        try:
            fields = begin(wish.done)
        except BaseException:
            client.tasks.remove(wish)
            raise
        wish.begun(**fields)
        if wish in client.tasks:  # the client learns that it may wait as long as the job does
            client.send(line(request.id, begun=request.text("command")))

    def _reload(self, client: "Client", request: "Request") -> None:
        name, words = request.name or "", request.words("environment")
        self._jobs.reload_job(name, words, None, _instance(request))
        client.send(success(request.id))

    # Looks.

    def _status(self, client: "Client", request: "Request") -> None:
        """Say where an instance is; a job without instances is at rest, unless one was named."""
        name, words = request.name or "", request.words("environment")
        instance = _instance(request)
        try:
            text = self._jobs.find(name, words, instance).status()
        except UnknownInstance:
            if words or instance is not None:
                raise
            text = telling.at_rest(name)
        client.send(success(request.id, status=text))

    def _state(self, client: "Client", request: "Request") -> None:
        """Say where an instance is that was acted on; it may be gone by now."""
        name = request.name or ""
        job_class = self._jobs.classes.get(name)
        job = None if job_class is None else job_class.instances.get(request.text("instance"))
        text = telling.at_rest(name) if job is None else job.status()
        client.send(success(request.id, status=text))

    def _list(self, client: "Client", request: "Request") -> None:
        client.send_long(_rows(request.id, self._statuses()))

    def _statuses(self) -> "Iterator[str]":
        """Yield the texts of a list; a job that came with ssd has one only while it runs."""
        for job_class in list(self._jobs.classes.values()):
            there = list(job_class.instances.values())
            if there:
                yield from (job.status() for job in there)
            elif not job_class.shipped:
                yield telling.at_rest(job_class.name)

    def _config(self, client: "Client", request: "Request") -> None:
        if request.name is None:
            classes = [
                job_class for job_class in self._jobs.classes.values() if not job_class.shipped
            ]
        else:
            classes = [self._jobs.job_class(request.name)]
        client.send_long(
            _rows(request.id, (configuration.gather(job_class.file) for job_class in classes))
        )

    def _usage(self, client: "Client", request: "Request") -> None:
        client.send(success(request.id, usage=self._jobs.job_class(request.name or "").file.usage))

    def _version(self, client: "Client", request: "Request") -> None:
        client.send(success(request.id, version=VERSION))

    # Settings.

    def _priority(self, client: "Client", request: "Request") -> None:
        messages = self._jobs.messages
        if "value" in request.fields:
            given = request.text("value")
            if given not in LEVELS:
                raise BadPriority
            messages.priority = given
            note_settings(self._jobs)
        client.send(success(request.id, priority=messages.priority))

    def _read_anew(self, client: "Client", request: "Request") -> None:
        self._reread()
        client.send(success(request.id))

    def _write_logs(self, client: "Client", request: "Request") -> None:
        self._jobs.processes.write_logs()
        client.send(success(request.id))

    def _of_variables(self, client: "Client", request: "Request") -> None:
        client.send(success(request.id, **self._variables.answer(request)))


_COMMANDS: "dict[str, Callable[[JobRequests, Client, Request], None]]" = {
    "start": JobRequests._act,
    "stop": JobRequests._act,
    "restart": JobRequests._act,
    "reload": JobRequests._reload,
    "status": JobRequests._status,
    "state": JobRequests._state,
    "list": JobRequests._list,
    "emit": JobRequests._emit,
    "config": JobRequests._config,
    "usage": JobRequests._usage,
    "version": JobRequests._version,
    "log-priority": JobRequests._priority,
    "reload-configuration": JobRequests._read_anew,
    "notify-disk-writeable": JobRequests._write_logs,
    "list-env": JobRequests._of_variables,
    "get-env": JobRequests._of_variables,
    "set-env": JobRequests._of_variables,
    "unset-env": JobRequests._of_variables,
    "reset-env": JobRequests._of_variables,
}


def _instance(request: "Request") -> str | None:
    """Return the name of the instance that is meant; None if the environment tells it."""
    return request.text("instance") if "instance" in request.fields else None


def _rows(id: "int | str | None", found: "Iterable[object]") -> "Iterator[bytes]":
    """Make the lines of a long answer."""
    held: list[object] = []
    for each in found:
        held.append(each)
        if len(held) == ROWS:
            yield line(id, jobs=held)
            held = []
    if held:
        yield line(id, jobs=held)
    yield success(id)


def _refusal(id: "int | str | None", error: JobError) -> bytes:
    return failure(id, "refused", error.text, kind=error.kind)
