"""The command line of ``ssd-supervise``."""

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


JOBS = "--upstart"  # with it ``ssd.upstart.cli`` reads the whole line: ``ssd.supervise``
INITS = ("init", "upstart-init")  # names of the command that mean the same


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
            from ssd.supervision.cli.help import answer

            fault = "requires a value" if word in VALUES else "is not an option"
            return answer(word, program, fault)
    return options
