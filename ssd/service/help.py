"""``ssd-service --help`` and ``--version``, and the usage after a wrong command line."""

from ssd._version import __version__
from ssd.service.verbs import VERBS
from ssd.statuses import SUCCESS, USAGE
from ssd.stdio import write

TEXT = """\
Usage: {program} [option...] NAME VERB [--json] [--plan]
       {program} [option...] all VERB [--json] [--plan]
       {program} [option...] --status-all
       {program} NAME --full-restart
       {program} SCRIPT VERB                   as the interpreter of SCRIPT
       {program} lsb FUNCTION [ARGUMENT...]
       {program} generate KIND NAME
       {program} import [KIND] PATH
       {program} [option...] events [-n NUMBER] [--follow] [--json]
       {program} [option...] log NAME [-n NUMBER] [--follow]
       {program} [option...] signal NAME SIGNAL
       {program} [option...] update | upgrade  of declarations, or of the supervisor

NAME is a service in /etc/ssd, in the package or in /etc/init.d; VERB is one of
  {verbs}

      --json                   print what came of the verb, as one object
      --plan                   only say what the verb would do

Options:
      --directory <directory>  read declarations from here, not from /etc/ssd
      --with-ssd               make plain init scripts call ssd as start-stop-daemon
  -h, --help                   print help information
  -V, --version                print version

Exit status: 0 done, 1 failed, 2 excess arguments, 3 no such verb, 4 not permitted,
  5 not installed, 6 not configured, 7 not running
Exit status of status: 0 running, 1 dead and the pidfile exists, 3 not running, 4 unknown
"""


def show(option: str, program: str) -> int:
    """Print what an option asks for; "" is for a line without words. Return the exit status."""
    if option in ("-V", "--version"):
        write(1, f"ssd-service {__version__}\n")
        return SUCCESS
    text = TEXT.format(program=program, verbs=" ".join(VERBS))
    if option in ("-h", "--help"):
        write(1, text)
        return SUCCESS
    if option:
        write(2, f"{program}: unrecognized option '{option}'\n")
    write(2, text.partition("\n\n")[0] + "\n")
    return USAGE
