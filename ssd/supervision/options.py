"""The command line of ``ssd-supervise``, and its help."""

from ssd._version import __version__
from ssd.statuses import INVALID, SUCCESS
from ssd.stdio import write

TEXT = """\
Usage: {program} [option...] [NAME...]

Start the services that DIRECTORY declares, or those called NAME and what they require, and
keep them running in the foreground. TERM and INT stop them all, HUP reads the declarations anew.

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
  -h, --help                   print help information
  -V, --version                print version

Exit status: 0 all services have stopped, 1 a service was given up, outlived its stop or cannot
  be supervised, 2 wrong usage, 4 not permitted, 6 a declaration is invalid;
  with --exit-with that of the service, 128+N if signal N ended it
"""
FLAGS = {
    "--exit-when-failed": "exit_when_failed",
    "--check": "check",
    "--forward": "forward",
    "--quiet": "quiet",
    "-q": "quiet",
}
VALUES = {
    "--directory": "directory",
    "--exit-with": "exit_with",
    "--group": "group",
    "--logs": "logs",
}


class Options:
    """What the command line asks for. ``names``: the services, none for all that are declared."""

    __slots__ = (
        "directory",
        "exit_with",
        "exit_when_failed",
        "check",
        "forward",
        "group",
        "logs",
        "quiet",
        "names",
    )

    def __init__(self) -> None:
        self.directory: str | None = None
        self.exit_with: str | None = None
        self.exit_when_failed = False
        self.forward = False
        self.check = False
        self.group: str | None = None
        self.logs: str | None = None
        self.quiet = False
        self.names: list[str] = []


def parse(words: "list[str]", program: str) -> "Options | int":
    """Read the options and names; return an exit status, after printing, if that is all."""
    options = Options()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            options.names += rest
            break
        if not word.startswith("-"):
            options.names.append(word)
            continue
        name, equals, value = word.partition("=")
        if name in FLAGS and not equals:
            setattr(options, FLAGS[name], True)
        elif name in VALUES and (equals or rest):
            setattr(options, VALUES[name], value if equals else rest.pop(0))
        else:
            return _answer(word, program)
    return options


def _answer(option: str, program: str) -> int:
    """Print help or the version, or what is wrong with an option; return the exit status."""
    if option in ("-V", "--version"):
        write(1, f"ssd-supervise {__version__}\n")
        return SUCCESS
    text = TEXT.format(program=program)
    if option in ("-h", "--help"):
        write(1, text)
        return SUCCESS
    fault = "requires a value" if option in VALUES else "is not an option"
    write(2, f"{program}: {option} {fault}\n{text.partition(chr(10))[0]}\n")
    return INVALID
