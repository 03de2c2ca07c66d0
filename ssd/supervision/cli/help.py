"""``ssd-supervise --help`` and ``--version``, and the usage after a wrong command line."""

from ssd._version import __version__
from ssd.statuses import INVALID, SUCCESS
from ssd.stdio import write

TEXT = """\
Usage: {program} [option...] [NAME...]
       {program} --upstart [DIRECTORY] [option...]

Start the services that DIRECTORY declares, or those called NAME and what they require, and
keep them running in the foreground; or run the Upstart jobs of DIRECTORY (root's default is
/etc/init). TERM and INT stop them all, HUP reads the declarations or job files anew.

Options:
      --directory <directory>  read declarations from here; root's default is /etc/ssd,
                               other users' ~/.config/ssd
      --exit-with <name>       end when this service has ended, with its exit status
      --exit-when-failed       end with 1 when any service is given up
      --forward                write the output of all services to standard output, each line
                               with the name in front, and to files only where one is declared
      --logs <directory>       write logs in here; root's default is /var/log/ssd,
                               other users' ~/.local/state/ssd/log
      --group <group>          let its members control the services, as root and you may
      --check                  only say whether the declarations can be read, start nothing
  -q, --quiet                  print only what goes wrong
      --upstart[=<directory>]  run Upstart jobs; so does the command called init or upstart-init
  -h, --help                   print help information
  -V, --version                print version

With --upstart, besides --check, --group, --logs and --quiet:
      --strict                 do as Upstart did, also where that is unsafe
      --runlevel <level>       enter this runlevel after startup
      --startup-event <event>  the first event, startup unless given
      --no-startup-event       emit no first event
      --confdir, --logdir <directory>, --prepend-confdir, --append-confdir <directory>,
      --default-console <value>, --no-log, --no-inherit-env, --verbose, --debug, --user
                               as for Upstart's init(8)

Exit status: 0 all services have stopped, 1 a service was given up, outlived its stop or cannot
  be supervised, 2 wrong usage, 4 not permitted, 6 a declaration is invalid;
  with --exit-with that of the service, 128+N if signal N ended it
"""


def answer(option: str, program: str, fault: str) -> int:
    """Print help or the version, or the ``fault`` of an option; return the exit status."""
    if option in ("-V", "--version"):
        write(1, f"ssd-supervise {__version__}\n")
        return SUCCESS
    text = TEXT.format(program=program)
    if option in ("-h", "--help"):
        write(1, text)
        return SUCCESS
    write(2, f"{program}: {option} {fault}\n{text.partition(chr(10))[0]}\n")
    return INVALID
