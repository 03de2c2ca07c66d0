"""From the options to a Match, and the words for what it means."""

from ssd.cli.options import Options
from ssd.matching import Match


def match_of(options: Options) -> Match:
    """Return the Match of a command line; a relative --exec is below --chdir and --chroot."""
    name = options.value("name")
    match = Match(
        pid=options.pid,
        ppid=options.ppid,
        pidfile=options.value("pidfile"),
        exec=executable(options, inside=False),
        name=name and "",  # the command warns itself of one that is too long
        user=options.value("user"),
    )
    match.name = name
    return match


def executable(options: Options, inside: bool = True) -> str | None:
    """Return the path of --exec, as it is inside the --chroot or as seen from out here."""
    path = options.value("exec")
    if path is None:
        return None
    if not path.startswith("/"):
        chdir = options.value("chdir")
        path = f"{'/' if chdir is None else chdir}/{path}"
    root = None if inside else options.value("chroot")
    return path if root is None else f"{root}/{path}"


def description(options: Options) -> str:
    """Name what is to be stopped, as the original does."""
    for name, template in (
        ("name", "{}"),
        ("exec", "{}"),
        ("pidfile", "process in pidfile '{}'"),
        ("pid", "process with pid {}"),
        ("ppid", "process(es) with parent pid {}"),
        ("user", "process(es) owned by '{}'"),
    ):
        if options.has(name):
            if name == "exec":
                return str(executable(options))
            if name in ("pid", "ppid"):
                return template.format(getattr(options, name))
            return template.format(options.value(name))
    raise AssertionError("the options were checked to have a matching option")
