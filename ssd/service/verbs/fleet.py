"""One verb for all declared services at once."""

import marshal
import os

from ssd import statuses
from ssd.errors import Error
from ssd.service import sources, verbs
from ssd.service.errors import SeveralInstances
from ssd.service.sources import toml
from ssd.service.verbs.performing import other_inits, perform, sentence, warn
from ssd.service.verbs.steps import Steps
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn, TypeVar

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service

    Item = TypeVar("Item")
    Result = TypeVar("Result")

VERBS = ("start", "stop", "status", "restart", "try-restart", "force-reload", "reload")
# A process is forked for this many items: the fork takes as long as ten of them.
MIN_SHARE = 100


class Fleet:
    """The services that are declared in a directory.

    program: how the command was called. table: the processes among which the services are
    looked for, None for the machine's. inside: the service whose OpenRC script calls us, from
    RC_SVCNAME, or "". names: those of its services that are meant, None for all. word: what
    stands for them in the usage.
    """

    word = "all"

    def __init__(
        self,
        program: str,
        directory: str,
        table: "ProcessTable | None" = None,
        inside: str = "",
        names: "Sequence[str] | None" = None,
    ) -> None:
        self.program = program
        self.directory = directory
        self.table = table
        self.inside = inside
        self.names = names

    def perform(self, words: list[str]) -> int:
        """Do ``all VERB``; return 0 if it succeeds for every service, else the highest status."""
        verb = "".join(words[:1])
        if verb not in VERBS or len(words) > 1:
            write(2, f"{self.usage()}\n")
            return statuses.UNIMPLEMENTED
        if verb == "status":
            return self._statuses()
        services, broken = self.read(verb)
        found = [broken]
        from ssd.service.verbs.levels import levels

        ordered = levels(services)
        others = self.others([each.name for each in services])
        if verb == "stop":
            from ssd.service.verbs.side_by_side import stop

            for level in reversed(ordered):
                ours = [each for each in level if each.name not in others]
                theirs = [each for each in level if each.name in others]
                found += [self._perform(each, verb, others) for each in theirs]
                found += stop(ours, self.program, self.table)
        else:
            found += [self._perform(each, verb, others) for level in ordered for each in level]
        return max(found)

    def usage(self) -> str:
        """Return the line with the verbs for all."""
        return f"Usage: {self.program} {self.word} {{{'|'.join(VERBS)}}}"

    def status_all(self, words: list[str]) -> int:
        """Do ``--status-all``: declared services and init scripts, as service(8) shows them."""
        from ssd.service.initscripts import status_all

        ways: set[str] = set()

        def ask(name: str) -> tuple[int, str]:
            status, _, complaints = self._status(name, ways)
            return status, "; ".join(complaints)

        from ssd.service.sources.instances import expanded

        names = expanded(self._names(), self.directory)
        declared = {name: lambda name=name: ask(name) for name in names}
        return status_all.main(words, self.program, declared)

    def others(self, names: list[str]) -> dict[str, str]:
        """Return the services that another init runs, and which init."""
        if self.table is not None or not other_inits():
            return {}
        from ssd.service.verbs.inits import runners

        return runners(names, self.inside)

    def _perform(self, service: "Service", verb: str, others: dict[str, str]) -> int:
        """Do the verb to one service; if its declaration is incomplete, the others continue."""
        if service.name in others:
            from ssd.service.verbs import inits

            return inits.perform(others[service.name], service, verb, self.program)
        script = f"{self.program} {service.name}"
        warn(self.program, service, [verb])
        try:
            return perform(service, verb, program=self.program, script=script, table=self.table)
        except (Error, OSError) as error:
            return self._fail(error, verb)

    def _fail(self, error: "Error | OSError", verb: str, name: str = "") -> int:
        """Report an error; return the same status as the verb by the service's name."""
        from ssd.denials import status_of
        from ssd.sentences import describe

        write(2, f"{self.program}: {describe(error)}\n")
        return status_of(error, verb)

    def read(
        self, verb: str, fail: "Callable[[Error | OSError, str, str], int] | None" = None
    ) -> "tuple[list[Service], int]":
        """Read all declarations; report those that are invalid by ``fail``, and leave them out."""
        services, status = [], 0
        names = list(self._names())
        for name in names:
            try:
                services.append(sources.find(name, self.directory))
            except SeveralInstances as several:
                names += (each for each in several.names if each not in names)
            except (Error, OSError) as error:
                status = max(status, (fail or self._fail)(error, verb, name))
        return services, status

    def _names(self) -> "Sequence[str]":
        if self.names is None:
            self.names = sources.names(self.directory)
        return self.names

    def facts(
        self, verb: str = "status", planned: bool = False
    ) -> "tuple[int, list[dict[str, object]]]":
        """Do a verb, or plan it; return the highest status, and the JSON object of each service."""
        from ssd.service.verbs.fleet_outcomes import facts

        return facts(self, verb, planned)

    def _statuses(self) -> int:
        """Query all, and print in order."""
        status, texts, complaints = self.sentences()
        write(1, "".join(texts.values()))
        write(2, complaints)
        return status

    def sentences(self) -> "tuple[int, dict[str, str], str]":
        """Query all, in as many processes as there are processors.

        Returns the highest status, the line of each service by its name, and complaints.
        """
        names = self._names()
        ways: set[str] = set()
        answers = map_in_processes(names, lambda name: self._status(name, ways))
        complaints = [f"{self.program}: {line}\n" for *_, lines in answers for line in lines]
        texts = {name: text for name, (_, text, _) in zip(names, answers)}
        highest = max((status for status, _, _ in answers), default=0)
        return highest, texts, "".join(complaints)

    def _status(self, name: str, ways: set[str]) -> tuple[int, str, list[str]]:
        """Return the LSB status of one service, its sentence, and complaints.

        For a template these are the highest, and all, of the instances that it lists.
        """
        try:
            service = self._find(name, ways)
            other = self.others([service.name]).get(service.name)
            if other is not None:
                from ssd.service.verbs.inits import NAMES

                said = f"{service.name} is running under {NAMES[other]}\n"
                return statuses.RUNNING, said, []
            steps = Steps(service, self.table)
            outcome = steps.look()
        except SeveralInstances as several:
            left = [each for each in several.names if each not in self._names()]
            answers = [self._status(each, ways) for each in left]
            complaints = [line for *_, lines in answers for line in lines]
            texts = "".join(text for _, text, _ in answers)
            return max((status for status, *_ in answers), default=0), texts, complaints
        except (Error, OSError) as error:
            from ssd.denials import status_of
            from ssd.sentences import describe

            return status_of(error, "status"), "", [describe(error)]
        status = verbs.decide("status", verbs.LOOK, outcome).status
        return status, sentence(steps, outcome, brief=True), steps.complaints

    def _find(self, name: str, ways: set[str]) -> "Service":
        """Return a declaration from the list of names; most are in TOML, so try that first."""
        try:
            return toml.read(f"{self.directory}/{name}.toml", ways=ways)
        except FileNotFoundError:
            return sources.find(name, self.directory)


def map_in_processes(
    items: "Sequence[Item]", work: "Callable[[Item], Result]", processes: int | None = None
) -> "list[Result]":
    """Return the result of ``work`` for each item, in their order.

    ``processes``: how many take part, one per processor if None. Only for a process with a
    single thread; marshal must be able to write the results. If ``work`` raises, so does this:
    the same in this process's own share, ChildProcessError in another's.
    """
    count = min(processes or os.cpu_count() or 1, len(items) // MIN_SHARE) or 1
    size = -(-len(items) // count) or 1
    shares = [items[start : start + size] for start in range(0, len(items), size)]
    helpers = [_start(each, work) for each in shares[1:]]
    results = [work(item) for item in (shares or [[]])[0]]
    for pid, reading in helpers:
        results += _finish(pid, reading)
    return results


def _start(items: "Sequence[Item]", work: "Callable[[Item], Result]") -> tuple[int, int]:
    """Fork a process for these items; return its pid and where to read its results."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _help(items, work, writing)
    os.close(writing)
    return pid, reading


def _help(items: "Sequence[Item]", work: "Callable[[Item], Result]", writing: int) -> "NoReturn":
    """In the forked process: write the results, and end."""
    status = 1
    try:
        with open(writing, "wb") as pipe:
            marshal.dump([work(item) for item in items], pipe)
        status = 0
    finally:
        os._exit(status)  # without the caller's buffers and exit handlers


def _finish(pid: int, reading: int) -> "list[Result]":
    """Read the results to their end and reap the process."""
    with open(reading, "rb") as pipe:
        data = pipe.read()
    if os.waitpid(pid, 0)[1]:
        raise ChildProcessError(f"process {pid} has failed at its share of the work")
    results: list[Result] = marshal.loads(data)
    return results
