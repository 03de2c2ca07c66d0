"""``python -Im ssd.installation``: finish an installation, so that the commands start faster.

It writes the bundle of the hot paths (``ssd.bundle``) and lets Python run the script ``ssd``
isolated and without site, which pip cannot do. What it has written is recorded as pip records its
own files, so that ``pip uninstall`` removes it. To be run after each installation.
"""

import marshal
import os
import sys
from importlib.util import MAGIC_NUMBER, find_spec

from ssd.bundle import HEAD, place

USAGE = """\
Usage: python -Im ssd.installation [--bundle | --remove]

Finish an installation of ssd: write its bundle of modules, and let its script start Python
isolated and without site. Run it after each installation.

  --bundle  only write the bundle
  --remove  only remove the bundle
"""

# What the commands load, the commonest first: only the beginning of the bundle is read at once.
MODULES = """
    ssd ssd.cli ssd.cli.options ssd.cli.grammar ssd.signals ssd.errors ssd.statuses ssd.stdio
    ssd.matching ssd.cli.status ssd.finding ssd.pidfile ssd.paths ssd.processes
    ssd.processes.linux ssd.pidfile.marks ssd.processes.origin
    ssd.cli.stop ssd.stopping ssd.schedule ssd.processes.handles ssd.processes.waiting ssd.sentences
    ssd.cli.start ssd.starting ssd.accounts ssd.pidfile.locking ssd.pidfile.lock_directories
    ssd.starting.become ssd.environment ssd.starting.command ssd.starting.detach ssd.pidfile.writing
    ssd.starting.report ssd.starting.kill_pipe daemon daemon.daemon
    ssd.service ssd.service.cli ssd.service.errors ssd.service.sources ssd.service.environment
    ssd.service.sources.toml ssd.service.declaration ssd.service.fields ssd.service.kinds
    ssd.service.sources.plain_toml ssd.service.trust ssd.service.verbs ssd.service.verbs.performing
    ssd.service.verbs.steps ssd.service.programs ssd.service.console ssd.service.verbs.starting
    ssd.service.verbs.stopping ssd.service.verbs.preparing ssd.service.sh ssd.service.commands
    ssd.denials ssd.service.sources.shell ssd.service.sources.debian ssd.service.sources.openstack
    ssd.service.sources.shell_values ssd.service.words ssd.service.sources.header
    ssd.service.sources.plain_shell ssd.service.sources.doubts
    ssd.service.verbs.fleet ssd.service.sources.listing
    ssd.service.verbs.vitals ssd.pidfile.lock_waiting ssd.pidfile_removal ssd.processes.scan
    ssd.processes.sharing ssd.service.lsb ssd.service.lsb.cli ssd.service.lsb.log
    ssd.service.lsb.calls ssd.account_names ssd.processes.hidden
    ssd.service.lsb.pids ssd.service.lsb.daemons ssd.service.lsb.scripts ssd.validation ssd.stops
    ssd.cli.help ssd.cli.added ssd._version ssd.trees ssd.processes.kin
    ssd.supervision ssd.supervision.client ssd.supervision.control ssd.supervision.places ssd.homes
    ssd.supervision.control.json_reader ssd.supervision.control.json_text
    ssd.supervision.control.unix_socket ssd.upstart ssd.upstart.initctl ssd.upstart.initctl.asking
    ssd.upstart.initctl.commands ssd.upstart.initctl.options ssd.upstart.initctl.reach
    ssd.upstart.initctl.jobs ssd.upstart.initctl.requests ssd.upstart.initctl.configuration
    ssd.service.telling ssd.service.outcome ssd.answers ssd.service.verbs.fleet_outcomes
    ssd.service.verbs.outcomes ssd.service.verbs.recording ssd.service.verbs.predicting
    ssd.service.verbs.plans ssd.service.verbs.levels ssd.processes.recorded ssd.matched_by
    ssd.signal_names
""".split()
SHARED = ("ssd", "daemon", "lockfile", "psutil")  # what must be in one directory for a fixed home
HOME_LINE = b'home = ""'  # of scripts/ssd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType


def main(words: list[str]) -> int:
    """Run the command; return its exit status: 0, 1 for a failure, 2 for wrong words."""
    if words in (["--help"], ["-h"]):
        sys.stdout.write(USAGE)
        return 0
    if words not in ([], ["--bundle"], ["--remove"]):
        sys.stderr.write(USAGE)
        return 2
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        if words == ["--remove"]:
            remove(home)
            return 0
        said = [] if words else finish(home)
        said.append(f"{write_bundle(home)}: written")
        os.write(1, os.fsencode("\n".join(said) + "\n"))
    except (OSError, Unfinished) as error:
        why = str(error)
        if isinstance(error, OSError):
            why = f"{error.filename or 'standard output'}: {error.strerror}"
        os.write(2, os.fsencode(f"ssd.installation: {why}\n"))
        return 1
    return 0


class Unfinished(Exception):
    """An installation that cannot be finished; the text says why, and the way out."""


# The bundle ------------------------------------------------------------------------------------


def bundle(home: str, names: "Iterable[str]" = MODULES) -> bytes:
    """Make a bundle of those modules that have a source; ``home``: where ssd's packages are.

    Raises OSError if a source cannot be read.
    """
    index, parts, length = {}, [], 0
    for name in names:
        source = _source(name)
        if source is None:
            continue
        facts = os.stat(source)
        code = marshal.dumps(_compiled(source))
        shown = source.removeprefix(f"{home}/")
        is_package = source.endswith("/__init__.py")
        index[name] = (shown, is_package, facts.st_mtime_ns, facts.st_size, length, len(code))
        parts.append(code)
        length += len(code)
    head = marshal.dumps((_compiled(str(_source("ssd.bundle"))), index))
    size = len(head).to_bytes(HEAD - len(MAGIC_NUMBER), "little")
    return b"".join((MAGIC_NUMBER, size, head, *parts))


def _compiled(source: str) -> "CodeType":
    """Return a source's code, as Python compiles it, which here runs without -O."""
    with open(source, "rb") as file:
        return compile(file.read(), source, "exec", dont_inherit=True, optimize=0)


def _source(name: str) -> str | None:
    """Return the file of a module's source; None if it has none, or is not installed."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # its package is not installed
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return spec.origin if spec.has_location else None


def write_bundle(home: str) -> str:
    """Write the bundle of this Python, all of it or nothing; return its path.

    Raises Unfinished if what ssd needs lies elsewhere, where only site finds it, and OSError.
    """
    for name in SHARED:
        if not os.path.exists(f"{home}/{name}"):
            raise Unfinished(
                f"{home}/{name}: missing; without it beside ssd there can be no bundle. "
                f"pip install --ignore-installed installs it there"
            )
    path = place(home)
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    _replace(path, bundle(home), 0o644)
    return path


def remove(home: str) -> None:
    """Remove the bundles of all Pythons, and their lines in the record."""
    directory = os.path.dirname(place(home))
    names = os.listdir(directory) if os.path.isdir(directory) else ()
    for name in names:
        if name.startswith("bundle.") and ".bin" in name:  # also what a killed one has left
            os.unlink(f"{directory}/{name}")
    record = _record(home)
    if record is not None:
        rows = _rows(record)
        _write_rows(record, [row for row in rows if not _is_bundle(row[0])], rows)


def _is_bundle(path: str) -> bool:
    return path.startswith("ssd/__pycache__/bundle.")


# The script, and pip's record ------------------------------------------------------------------


def finish(home: str) -> list[str]:
    """Write the interpreter's options and the packages' directory into ssd, and record all.

    The bundle is recorded before it is written, so that one whose writing is interrupted is
    removed with the package. Returns what to say. Raises Unfinished where pip has not installed
    ssd, or Python cannot start it, and OSError.
    """
    record = _record(home)
    if record is None:
        why = f"{home}: pip has recorded no installation of ssd here"
        raise Unfinished(
            f"{why}. In a clone give Python -I; a system's package needs only --bundle"
        )
    rows, said = _rows(record), []
    own = os.path.relpath(place(home), home)
    kept = [row for row in rows if row[0] != own]  # those of other Pythons stay
    kept.append([own, "", ""])  # as pip records a .pyc file
    for row in kept:
        if row[0].endswith("bin/ssd"):
            script = os.path.normpath(f"{home}/{row[0]}")
            if os.path.exists(f"{home}/bin/ssd"):
                script = f"{home}/bin/ssd"  # of pip --target, which records another place
            row[1:], line = _settle_script(script, home)
            said.append(line)
    _write_rows(record, kept, rows)
    return said


def _settle_script(path: str, home: str) -> tuple[list[str], str]:
    """Let a script begin isolated; return its hash and size for the record, and what to say."""
    with open(path, "rb") as file:
        first, _, rest = file.read().partition(b"\n")
        mode = os.fstat(file.fileno()).st_mode & 0o7777
    words, said = first.split(), f"{path}: starts Python with -IS"
    if len(words) == 1 and words[0].startswith(b"#!/") and words[0] != b"#!/bin/sh":
        first = words[0] + b" -IS"
    elif len(words) > 1 and os.path.exists(first[2:]):
        blank = "a path with a blank, which the kernel cannot start: install it elsewhere"
        raise Unfinished(f"{path}: its Python has {blank}")
    elif words[-1:] != [b"-IS"]:
        said = f"{path}: starts Python without -IS: a shell starts it, because of its path"
    if home.isprintable() and not set(home) & {'"', "\\"}:
        rest = rest.replace(HOME_LINE, f'home = "{home}"'.encode(), 1)
    _replace(path, data := first + b"\n" + rest, mode)
    return _digest(data), said


def _digest(data: bytes) -> list[str]:
    """Return hash and size as a record holds them."""
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    digest = urlsafe_b64encode(sha256(data).digest()).decode().rstrip("=")
    return [f"sha256={digest}", str(len(data))]


def _record(home: str) -> str | None:
    """Return pip's list of the files of ssd in a directory of packages, or None."""
    for name in sorted(os.listdir(home)):
        if name.startswith("start_stop_daemon-") and name.endswith(".dist-info"):
            path = f"{home}/{name}/RECORD"
            return path if os.path.exists(path) else None
    return None


def _rows(record: str) -> list[list[str]]:
    import csv

    with open(record, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _write_rows(record: str, rows: list[list[str]], before: list[list[str]]) -> None:
    import csv
    from io import StringIO

    if rows == before:
        return
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    _replace(record, text.getvalue().encode(), 0o644)


def _replace(path: str, data: bytes, mode: int) -> None:
    """Write a file, all of it or nothing, also if the machine loses its power. Raises OSError."""
    directory, name = os.path.split(path)
    for part in os.listdir(directory):  # of runs that were killed; others may run now
        if part.startswith(f"{name}.") and part.endswith(".new"):
            _remove_old(f"{directory}/{part}")
    beside = f"{path}.{os.getpid()}.new"
    try:
        with open(beside, "xb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except FileExistsError:  # of a process with this pid, as all have in containers
        raise Unfinished(f"{beside}: is being written; a minute later it is left over") from None
    except OSError as error:
        if os.path.lexists(beside):
            os.unlink(beside)
        raise OSError(error.errno, error.strerror, path) from None


def _remove_old(path: str) -> None:
    """Remove a file that nobody can be writing any more: writing takes less than a second."""
    from contextlib import suppress
    from time import time

    with suppress(FileNotFoundError):  # removed by another run
        if os.lstat(path).st_mtime + 60 < time():
            os.unlink(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
