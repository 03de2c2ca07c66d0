"""Every exception of ssd can be pickled to another process, and copied."""

import copy
import errno
import importlib
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kit.children import WAIT_TIMEOUT

import ssd
from ssd.interrupts import Interrupted
from ssd.paths import UntrustedLink
from ssd.pidfile.locking import NoLock
from ssd.service.errors import BadValue, DeclarationError, SeveralInstances, UnknownService
from ssd.service.generators.sheet import Inexpressible
from ssd.service.sources.debian import BadVariable
from ssd.service.sources.upstart.faults import JobFault
from ssd.service.verbs.preparing import HookFailed
from ssd.service.verbs.until_ready import DetachFailed
from ssd.supervision import Circle, MissingRequirement
from ssd.supervision.cli.declared import Broken
from ssd.supervision.client import NoAnswer, Unreachable
from ssd.supervision.control.protocol import Fault
from ssd.supervision.places import Occupied
from ssd.supervision.succession.past import JournalRefused
from ssd.upstart.cli.options import Wrong
from ssd.upstart.control.refusals import (
    BadPriority,
    EmptyVariable,
    NotPermissible,
    NoVariable,
)
from ssd.upstart.errors import (
    AlreadyStarted,
    AlreadyStopped,
    BadEnvironment,
    BadEvent,
    EventFailed,
    JobError,
    JobFailed,
    NotRunning,
    StageFailed,
    UnknownInstance,
    UnknownJob,
    UnknownParameter,
)
from ssd.upstart.processes.identities import Unknown

HERE, OTHER = ssd.Process(12, 345), ssd.Process(13, 456)
PATH = "/run/web.pid"

# One of each that takes arguments of its own. All others take a text.
EXAMPLES: list[BaseException] = [
    ssd.UnknownUser("web"),
    ssd.UnknownGroup("web"),
    ssd.ExecutableMissing("/bin/webd", errno.ENOENT, "No such file or directory"),
    ssd.ProcessTableError("no /proc"),
    ssd.ProcessUnreadable(12),
    ssd.PidfileError(PATH, "is odd", None),
    ssd.PidfileUnreadable(PATH, "Permission denied", errno.EACCES),
    ssd.PidfileUnsafe(PATH, "is world-writable", None),
    ssd.PidfileUnwritable(PATH, "Permission denied", errno.EACCES),
    ssd.AlreadyRunning([HERE, OTHER]),
    ssd.StartFailed("exec", "/bin/webd", errno.ENOENT, "No such file or directory"),
    ssd.StartBlocked("/run/.web.pid.lock", 60.0),
    ssd.NotReady(HERE, "errno", errno.EINVAL, "detail"),
    ssd.EndedEarly(HERE, 0.3, -11, ["no database"], "web", 5.0, ["/var/log/web"]),
    ssd.NotStopped([HERE]),
    ssd.NotPermitted([HERE, OTHER]),
    ssd.ScheduleError("invalid timeout value", "12x"),
    DeclarationError("is odd", "nice", file="/etc/ssd/web", line=3, nearest="niceness"),
    JobFault("Unknown stanza", "/etc/init/web.conf", 3, "exec"),
    SeveralInstances("web@", ["web@1"], "/etc/ssd/web@.toml"),
    UnknownService("web", ["/etc/ssd", "/etc/init.d"], "webd"),
    DetachFailed(-15, silent=True),
    HookFailed("before_start", 3),
    Inexpressible("nice", "has no such thing"),
    BadValue("is odd", "nice", ("niceness",)),
    BadVariable("DAEMON", "is odd"),
    NoLock(PATH, "Read-only file system"),
    UntrustedLink(PATH),
    Circle(["web", "db", "web"]),
    MissingRequirement("web", "db"),
    Interrupted(15),
    UnknownJob("web"),
    UnknownInstance("1"),
    UnknownParameter("N", "N=NUMBER"),
    BadEnvironment(),
    BadPriority(),
    EmptyVariable(),
    NotPermissible(),
    NoVariable("A"),
    AlreadyStarted("web (1)"),
    AlreadyStopped("web (1)"),
    NotRunning("web"),
    JobFailed("start"),
    EventFailed(),
    BadEvent(),
    JobError("a text"),
    StageFailed("web", "pre-start", "unable to execute: No such file or directory"),
    Wrong("--runlevel", "requires a value"),
    Fault("malformed", "a request must be an object", 7),
    Occupied("/etc/ssd", 123),
    JournalRefused("/run/ssd-supervise/etc-ssd/journal", "it belongs to user 12"),
    NoAnswer("/run/socket", "has ended"),
    Unreachable("/run/socket", "Permission denied", errno.EACCES),
    Unknown("own user", "No such file or directory"),
    Broken({"web": UnknownService("web", ["/etc/ssd"])}),
]


def kinds() -> set[type[BaseException]]:
    """Return every class of exception that the package defines."""
    for module in pkgutil.walk_packages(ssd.__path__, "ssd."):
        if not module.name.endswith("__main__") and ".compute" not in module.name:
            importlib.import_module(module.name)
    found, looked = set(), [BaseException]
    for kind in looked:
        looked += kind.__subclasses__()
        if kind.__module__.partition(".")[0] == "ssd":
            found.add(kind)
    return found


def taken(error: BaseException) -> tuple[Any, ...]:
    """Return everything that an exception holds, in a form that can be compared."""
    facts = {name: str(value) for name, value in vars(error).items()}
    return type(error), str(error), error.args, facts


def test_every_exception_has_an_example() -> None:
    """So that a new one is tested, too, with a text alone or with its own arguments."""
    own = {kind for kind in kinds() if "__init__" in vars(kind)}
    assert own == {type(error) for error in EXAMPLES} - {
        ssd.PidfileUnreadable, ssd.PidfileUnsafe, ssd.PidfileUnwritable,
    }  # fmt: skip


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_exception_survives_pickle(error: BaseException, protocol: int) -> None:
    """Class, text, arguments and attributes."""
    assert taken(error) == taken(pickle.loads(pickle.dumps(error, protocol)))


def test_exceptions_with_a_text_alone_survive_pickle() -> None:
    """Warnings, too, with their attributes."""
    special = {type(error) for error in EXAMPLES}
    plain = [kind("a text") for kind in kinds() - special]
    assert plain
    assert [taken(e) for e in plain] == [taken(pickle.loads(pickle.dumps(e))) for e in plain]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_exception_can_be_copied(error: BaseException) -> None:
    """Shallow and deep."""
    assert taken(error) == taken(copy.copy(error)) == taken(copy.deepcopy(error))


class Mine(ssd.StartFailed):
    """A caller's class, with an ``__init__`` of its own."""

    def __init__(self, *, name: str) -> None:
        super().__init__("exec", name, None, "is odd")
        self.name = name


class Strange(Exception):
    """Another package's class, which pickle cannot make again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


def test_notes_and_the_cause_come_along() -> None:
    """Those of a subclass, too; a cause that pickle might not restore is left out."""
    error = Mine(name="webd")
    error.add_note("started for the third time")
    error.__cause__ = OSError(errno.ENOENT, "No such file or directory")
    again = pickle.loads(pickle.dumps(error))
    assert taken(error) == taken(again)
    assert ["started for the third time"] == again.__notes__
    assert error.__cause__.args == again.__cause__.args
    assert again.__suppress_context__
    error.__cause__ = Strange(1, 2)
    assert pickle.loads(pickle.dumps(error)).__cause__ is None
    error.__cause__ = ssd.NotStopped([HERE])
    assert [HERE] == copy.deepcopy(error).__cause__.processes


POOL = """
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
import ssd

if __name__ == "__main__":
    find = partial(ssd.find, ssd.Match(exec="/no/such"))
    start = partial(ssd.start, ssd.Match(name="no such"), ssd.Command(["/no/such"]))
    context = get_context("spawn")
    with context.Pool(1) as pool, ProcessPoolExecutor(1, context) as executor:
        for get in (
            pool.apply_async(find).get, pool.apply_async(start).get,
            executor.submit(find).result, executor.submit(start).result,
        ):
            try:
                get(float(sys.argv[1]))
            except ssd.Error as error:
                print(type(error).__name__, error.errno)
"""


def test_pool_hands_on_what_its_workers_raise(tmp_path: Path) -> None:
    """multiprocessing.Pool waited for ever, and an executor broke."""
    script = tmp_path / "pool.py"  # a worker imports it
    script.write_text(POOL)
    done = subprocess.run(
        [sys.executable, script, str(WAIT_TIMEOUT)],
        capture_output=True,
        text=True,
        timeout=WAIT_TIMEOUT,
    )
    assert f"ExecutableMissing {errno.ENOENT}\nStartFailed {errno.ENOENT}\n" * 2 == done.stdout, (
        done.stderr
    )


def test_child_in_another_process_is_a_process() -> None:
    """Its descriptor has one owner, and it has one parent."""
    with ssd.Child(12, 345, []) as child:
        child.status = 0
        for again in (pickle.loads(pickle.dumps(child)), copy.copy(child), copy.deepcopy(child)):
            assert (ssd.Process, child) == (type(again), again)
