"""``ssd-service NAME VERB`` for a plain init script.

The script replaces this process by execve(2), so the caller gets its exit status and its output
unchanged. Where systemd or OpenRC manages the machine they are involved as with service(8).
"""

import errno
import os

from ssd.service import DIRECTORY
from ssd.service.initscripts.program import Run, spawn, wait
from ssd.service.initscripts.script import find, prepare
from ssd.service.trust import check
from ssd.statuses import CANNOT_EXECUTE, FAILED, NOT_FOUND
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEMD = "/run/systemd/system"  # sd_booted(3)
OPENRC = "/run/openrc/started"  # rc-status(8) lists these as started
FULL_RESTART = "--full-restart"


def main(
    words: "Sequence[str]",
    program: str = "ssd-service",
    with_ssd: str = "",
    directory: str = DIRECTORY,
) -> int:
    """Run ``NAME [VERB [OPTION]...]`` or ``NAME --full-restart`` with a plain init script.

    ``with_ssd``: the path of this command, to run the script with the ssd beside it; empty to
    run the script as it is. ``directory``: of declarations, for messages. The script replaces this
    process; where systemd runs, and without ``with_ssd``, systemctl(1) does. Returns only if
    nothing can be executed: 1 for an unknown service, 126 and 127 as env(1).
    """
    name, *rest = words
    if "/" in with_ssd:
        with_ssd = os.path.abspath(with_ssd)  # before chdir
    os.chdir("/")
    full = rest == [FULL_RESTART]
    try:
        if os.path.isdir(SYSTEMD) and not with_ssd:
            from ssd.service.initscripts import systemctl

            # With systemd every restart is a full one.
            rest = ["restart"] if full else rest
            call = systemctl.call(name, rest)
            if call is not None:
                execute(call)
        elif full:
            return _full_restart(name, with_ssd, directory)
        return _run_named(name, rest, with_ssd, directory)
    except OSError as error:
        write(2, f"{program}: {error.filename or name}: {_reason(error)}\n")
        return NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE


def run_file(path: str, words: "Sequence[str]", program: str, with_ssd: str = "") -> int:
    """Run ``VERB [OPTION]...`` or ``--full-restart`` with the script at an absolute path.

    As ``main``, but always with the script itself, never with systemd or OpenRC.
    """
    if "/" in with_ssd:
        with_ssd = os.path.abspath(with_ssd)
    os.chdir("/")
    try:
        if list(words) == [FULL_RESTART]:
            _stop(path, with_ssd)
            words = ["start"]
        return _run_script(path, words, with_ssd)
    except OSError as error:
        write(2, f"{program}: {error.filename or path}: {_reason(error)}\n")
        return NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE


def _run_script(path: str, words: "Sequence[str]", with_ssd: str) -> int:
    """Replace this process by a script; with ssd run the script as a child and end as it ends.

    Raises DeclarationError unless root or the caller owns the script, and OSError.
    """
    check(path)
    run = prepare(path, words, with_ssd)
    if with_ssd:
        from ssd.service.initscripts import watching

        return watching.end_as(watching.run(run))
    execute(run)
    raise AssertionError("execve(2) returned without an error")


def _stop(path: str, with_ssd: str) -> None:
    """Run the stop of a script and ignore its result."""
    check(path)
    run = prepare(path, ["stop"], with_ssd)
    if with_ssd:
        from ssd.service.initscripts import watching

        watching.run(run)
    else:
        wait(spawn(run))


def _full_restart(name: str, with_ssd: str, directory: str) -> int:
    """Run the stop of a script, ignore its result, and then run its start."""
    path = find(name)
    if path is not None:
        _stop(path, with_ssd)
    return _run_named(name, ["start"], with_ssd, directory)


def _run_named(name: str, words: "Sequence[str]", with_ssd: str, directory: str) -> int:
    """Run the script of a service; return 1 for an unknown service.

    With ``with_ssd`` the script is a child, so that calls of the original can be reported.
    """
    path = find(name)
    if path is None:
        # Without the program's name: scripts search the output for this sentence of service(8).
        write(2, f"{name}: unrecognized service\n")
        from ssd.service.sources.instances import unlisted
        from ssd.service.sources.upstart import A_JOB, CONF, JOBS

        write(2, unlisted(name, directory))
        job = f"{JOBS}/{name}{CONF}"
        if os.path.isfile(job):
            write(2, f"{job}: {A_JOB}\n")
        return FAILED
    check(path)
    _record_for_openrc(path, name, words[0] if words else "")
    return _run_script(path, words, with_ssd)


def execute(run: Run) -> None:
    """Replace this process by a program. Raises OSError with the name of the file."""
    from ssd.signals import raw as signals
    from ssd.signals import set_ignored

    set_ignored(signals.SIG_DFL)
    try:
        try:
            os.execve(run.file, run.argv, run.environment)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            shell = run.by_shell()
            os.execve(shell.file, shell.argv, shell.environment)
    except OSError as error:
        set_ignored(signals.SIG_IGN)  # this is still Python: a closed stderr must not kill it
        raise OSError(error.errno, error.strerror, run.file) from error


def _reason(error: OSError) -> str:
    """Return why a program could not be executed."""
    if error.errno == errno.ENOENT and os.path.exists(str(error.filename)):
        return "the interpreter in its first line does not exist"
    return error.strerror or str(error)


def _record_for_openrc(path: str, name: str, verb: str) -> None:
    """Update OpenRC's list of started services before the script runs, as service(8) does."""
    if verb not in ("start", "stop") or not os.path.isdir(OPENRC):
        return
    link = f"{OPENRC}/{name}"
    try:
        if verb == "stop":
            os.unlink(link)
        elif not os.path.islink(link):
            os.symlink(path, link)
    except OSError:
        pass  # the list is only for display, so the script runs anyway
