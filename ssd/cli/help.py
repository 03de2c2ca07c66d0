"""``ssd --help`` and ``ssd --version``."""

from ssd._version import __version__
from ssd.cli.added import ADDED
from ssd.cli.options import COMMANDS, GENERIC, MATCHING, VERSION, Options
from ssd.statuses import SUCCESS
from ssd.stdio import Voice

COMPATIBLE = "1.21.22"  # the start-stop-daemon that the tests compare ssd with
_COLUMN = 30  # characters: where the explanations begin

_EPILOG = """\
A schedule is item/item/... where an item is one of
  -NUMBER, [-]NAME     send that signal
  SECONDS              wait that long for the processes to end
  forever              repeat the rest for ever
A lone SECONDS means SIGNAL/SECONDS/KILL/SECONDS.

Process schedulers: other, fifo, rr. I/O classes: real-time, best-effort, idle.

Exit status:
  0  done
  1  nothing done (0 with --oknodo)
  2  failure; with --retry also: processes are still running
  3  usage error
Exit status of --status and --pidof:
  0  running
  1  not running, and the pidfile exists
  3  not running
  4  unknown
"""


def show(options: Options, voice: Voice) -> int:
    """Print the help or the version."""
    voice.say(version() if options.command == VERSION else text(voice.program))
    return SUCCESS


def version() -> str:
    """Return what --version prints."""
    return f"ssd {__version__} (start-stop-daemon {COMPATIBLE} in Python)\n"


def text(program: str) -> str:
    """Return what --help prints, made from the table of options."""
    parts = [f"Usage: {program} [option...] command [-- argument...]\n"]
    for title, table in (
        ("Commands", COMMANDS),
        ("Matching options (at least one is required)", MATCHING),
        ("Options", GENERIC),
        ("Options that start-stop-daemon lacks", ADDED),
    ):
        parts.append(f"\n{title}:\n")
        for letter, name, value, meaning in table:
            left = f"  {f'-{letter},' if letter else '   '} --{name}"
            left += f" <{value}>" if value else ""
            gap = " " * (_COLUMN - len(left)) if len(left) < _COLUMN else "\n" + " " * _COLUMN
            parts.append(f"{left}{gap}{meaning}\n")
    parts.append(f"\n{_EPILOG}")
    return "".join(parts)
