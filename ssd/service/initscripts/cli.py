"""``ssd-service NAME VERB`` for a plain init script.

By execve(2): the script takes this process's place, so its status and its output reach the caller
without a word of ours. Where systemd or OpenRC manages the machine they have their say, as with
service(8).
"""

import errno
import os

from ssd.service.initscripts.program import Run, spawn, wait
from ssd.service.initscripts.script import find, prepare
from ssd.service.trust import check
from ssd.statuses import CANNOT_EXECUTE, FAILED, NOT_FOUND
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEMD = "/run/systemd/system"  # sd_booted(3)
OPENRC = "/run/openrc/started"  # what rc-status(8) takes for started
FULL_RESTART = "--full-restart"


def main(words: "Sequence[str]", program: str = "ssd-service", with_ssd: str = "") -> int:
    """Do ``NAME [VERB [OPTION]...]`` or ``NAME --full-restart`` with a plain init script.

    The script, or systemctl(1) where systemd runs and ``with_ssd`` does not ask for the
    script itself, takes this process's place. ``with_ssd`` is the path of this command, beside
    which ssd is. Returns only if there is nothing to execute: 1 for a service that nobody
    knows, 126 and 127 as env(1).
    """
    name, *rest = words
    if "/" in with_ssd:
        with_ssd = os.path.abspath(with_ssd)  # of the caller's directory
    os.chdir("/")
    full = rest == [FULL_RESTART]
    try:
        if os.path.isdir(SYSTEMD) and not with_ssd:
            from ssd.service.initscripts import systemctl

            # A restart by systemd is a full one.
            rest = ["restart"] if full else rest
            call = systemctl.call(name, rest)
            if call is not None:
                execute(call)
        elif full:
            return _full_restart(name, with_ssd)
        return _become(name, rest, with_ssd)
    except OSError as error:
        write(2, f"{program}: {error.filename or name}: {_reason(error)}\n")
        return NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE


def run_file(path: str, words: "Sequence[str]", program: str, with_ssd: str = "") -> int:
    """Do ``VERB [OPTION]...`` or ``--full-restart`` with the script at an absolute path.

    As ``main``, but nobody else is asked: who names the script means it.
    """
    if "/" in with_ssd:
        with_ssd = os.path.abspath(with_ssd)
    os.chdir("/")
    try:
        if list(words) == [FULL_RESTART]:
            _stop(path, with_ssd)
            words = ["start"]
        return _obey(path, words, with_ssd)
    except OSError as error:
        write(2, f"{program}: {error.filename or path}: {_reason(error)}\n")
        return NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE


def _obey(path: str, words: "Sequence[str]", with_ssd: str) -> int:
    """Become a script, if it is root's or the caller's; with ssd run it and end as it does.

    Raises DeclarationError, and OSError.
    """
    check(path)
    run = prepare(path, words, with_ssd)
    if with_ssd:
        from ssd.service.initscripts import watching

        return watching.end_as(watching.run(run))
    execute(run)
    raise AssertionError("execve(2) returned without an error")


def _stop(path: str, with_ssd: str) -> None:
    """Run a script's stop, whatever comes of it."""
    check(path)
    run = prepare(path, ["stop"], with_ssd)
    if with_ssd:
        from ssd.service.initscripts import watching

        watching.run(run)
    else:
        wait(spawn(run))


def _full_restart(name: str, with_ssd: str) -> int:
    """Run the script's stop, whatever comes of it, and become its start."""
    path = find(name)
    if path is not None:
        _stop(path, with_ssd)
    return _become(name, ["start"], with_ssd)


def _become(name: str, words: "Sequence[str]", with_ssd: str) -> int:
    """Become the script; return the status of a service that there is not.

    With ``with_ssd`` the script is a child, so that what it does without ssd can be told.
    """
    path = find(name)
    if path is None:
        # Without the name of the program: scripts look for the sentence of service(8).
        write(2, f"{name}: unrecognized service\n")
        return FAILED
    check(path)
    _tell_openrc(path, name, words[0] if words else "")
    return _obey(path, words, with_ssd)


def execute(run: Run) -> None:
    """Execute a program in this process. Raises OSError with the file's name."""
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
        set_ignored(signals.SIG_IGN)  # still Python: a closed stderr must not be the end
        raise OSError(error.errno, error.strerror, run.file) from error


def _reason(error: OSError) -> str:
    """Say why a program could not be executed."""
    if error.errno == errno.ENOENT and os.path.exists(str(error.filename)):
        return "the interpreter that its first line names does not exist"
    return error.strerror or str(error)


def _tell_openrc(path: str, name: str, verb: str) -> None:
    """Keep OpenRC's list of what is started, as service(8) does, before the script runs."""
    if verb not in ("start", "stop") or not os.path.isdir(OPENRC):
        return
    link = f"{OPENRC}/{name}"
    try:
        if verb == "stop":
            os.unlink(link)
        elif not os.path.islink(link):
            os.symlink(path, link)
    except OSError:
        pass  # a list for people to read: the script runs all the same
