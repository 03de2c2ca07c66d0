"""The commands show-config and check-config: the conditions of jobs, and whether they can hold.

A condition comes from the supervisor in postfix order: an event is a list of its name and its
arguments, and an operator, ``/AND`` or ``/OR``, combines the two before it.
"""

from ssd.statuses import FAILED
from ssd.upstart.initctl.asking import Refused, say
from ssd.upstart.initctl.asking import perform as perform_asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd.upstart.initctl.asking import Jobs
    from ssd.upstart.initctl.options import Call

    Words = list[list[str]]
    Job = dict[str, object]

OPERATORS = ("/AND", "/OR")
_OF_JOBS = ("starting", "started", "stopping", "stopped")
# Events that the supervisor itself emits; the original knows these.
_OWN = (*_OF_JOBS, "startup", "debug", "control-alt-delete", "keyboard-request",
        "power-status-changed")  # fmt: skip


def perform(call: "Call") -> int:
    """Do the command, and return its exit status."""
    return check(call) if call.command == "check-config" else perform_asking(call, _show)


def _jobs(jobs: "Jobs", name: "str | None" = None) -> "list[Job]":
    found = jobs.ask("config", name=name).get("jobs")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def words_of(job: "Job", stanza: str) -> "Words":
    """Return a condition of a job in postfix order; it is empty without that stanza."""
    found = job.get(f"{stanza}_words")
    return [[str(word) for word in each] for each in found] if isinstance(found, list) else []


def _show(jobs: "Jobs") -> None:
    """Show what each job, or the one that is named, emits and waits for."""
    lines = []
    for job in _jobs(jobs, jobs.call.first):
        lines.append(str(job["name"]))
        emits = job.get("emits")
        lines += [f"  emits {each}" for each in emits] if isinstance(emits, list) else []
        for stanza in ("start_on", "stop_on"):
            shown = stanza.replace("_", " ")
            if jobs.call.has("enumerate"):
                words = words_of(job, stanza.partition("_")[0])
                lines += [
                    f"  {shown} {enumerated(each)}" for each in words if not _is_operator(each)
                ]
            elif job.get(stanza):
                lines.append(f"  {shown} {job[stanza]}")
    if lines:
        jobs.say("\n".join(lines))


def _is_operator(word: "list[str]") -> bool:
    return word[0] in OPERATORS


def split(event: "list[str]") -> "tuple[str, str, list[str]]":
    """Return the name of an event, the job that it is of or "", and its other arguments."""
    job, rest = "", []
    for place, argument in enumerate(event[1:]):
        if not argument:  # the original takes an empty one for the end
            break
        named = argument.startswith("JOB=")
        if not job and event[0] in _OF_JOBS and (named or not place and "=" not in argument):
            job = argument[4:] if named else argument
        else:
            rest.append(argument)
    return event[0], job, rest


def enumerated(event: "list[str]") -> str:
    """Return an event as ``--enumerate`` shows it."""
    name, job, rest = split(event)
    return f"{name} (job:{job and f' {job}'}, env:{''.join(f' {each}' for each in rest)})"


def check(call: "Call") -> int:
    """Show the conditions that can never hold; return 1 if there are any."""
    lines: list[str] = []

    def work(jobs: "Jobs") -> None:
        known = _jobs(jobs)
        wanted = call.first
        if wanted is not None and wanted not in [job["name"] for job in known]:
            raise Refused(f"Invalid job class: {wanted}")
        ignored = [each for given in call.values("ignore-events") for each in given.split(",")]
        checker = Checker(known, ignored, call.has("warn"))
        for job in known:
            if wanted in (None, job["name"]):
                lines.extend(checker.check(job))

    status = perform_asking(call, work)
    say(call, "".join(f"{line}\n" for line in lines))
    return FAILED if lines else status


class Checker:
    """Whether conditions can hold, by what all jobs together emit.

    jobs: all that there are. ignored: events that are taken for known. warn: both sides of an
    ``or`` must be possible.
    """

    __slots__ = ("_names", "_emitted", "_patterns", "_warn")

    def __init__(self, jobs: "list[Job]", ignored: "list[str]", warn: bool) -> None:
        self._names = {job["name"] for job in jobs}
        emitted = [str(each) for job in jobs for each in _listed(job.get("emits"))]
        self._patterns = [each for each in emitted if set(each) & set("*?[\\")]
        self._emitted = {*emitted, *ignored, *_OWN}
        self._warn = warn

    def check(self, job: "Job") -> "list[str]":
        """Return the lines about a job; none if all its conditions can hold."""
        lines = []
        for stanza in ("start", "stop"):
            words = words_of(job, stanza)
            if words:
                node = self._tree(words)
                lines += [f"  {stanza} on: {fault}" for fault in _faults(node)]
        return [str(job["name"]), *lines] if lines else []

    def _tree(self, words: "Words") -> "Node":
        """Build the tree of a condition."""
        stack: list[Node] = []
        for word in words:
            if _is_operator(word):
                later, earlier = stack.pop(), stack.pop()
                both = self._warn or word[0] == "/AND"
                holds = (later.holds and earlier.holds) if both else (later.holds or earlier.holds)
                stack.append(Node(holds, (later, earlier), []))
            else:
                faults = self._of_event(word)
                stack.append(Node(not faults, (), faults))
        return stack[-1]

    def _of_event(self, event: "list[str]") -> "list[str]":
        """Return what is wrong with an event: it is unknown, or its job."""
        name, job, _ = split(event)
        faults = [] if self._is_known(name) else [f"unknown event {name}"]
        # A variable may stand for any job.
        if job and job not in self._names and not job.startswith("$"):
            faults.append(f"unknown job {job}")
        return faults

    def _is_known(self, event: str) -> bool:
        if event in self._emitted:
            return True
        if not self._patterns:
            return False
        from fnmatch import fnmatchcase

        return any(fnmatchcase(event, pattern) for pattern in self._patterns)


def _listed(value: object) -> "list[object]":
    return value if isinstance(value, list) else []


class Node:
    """A part of a condition: whether it can hold, its two sides (the later first), its faults."""

    __slots__ = ("holds", "sides", "faults")

    def __init__(self, holds: bool, sides: "tuple[Node, ...]", faults: "list[str]") -> None:
        self.holds = holds
        self.sides = sides
        self.faults = faults

    def operators(self) -> "Iterator[Node]":
        """Yield this part and the combined ones within it, from the top."""
        yield self
        for side in self.sides:
            if side.sides:
                yield from side.operators()

    def all_faults(self) -> "Iterator[str]":
        """Yield the faults of all events within, the last event first."""
        for side in self.sides:
            yield from side.all_faults()
        yield from self.faults


def _faults(node: Node) -> "list[str]":
    """Return the faults of the first part that cannot hold; the original stops there."""
    broken = next((each for each in node.operators() if not each.holds), None)
    return [] if broken is None else list(broken.all_faults())
