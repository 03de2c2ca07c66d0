"""A service script for OpenRC: openrc-run(8), and its service script guide.

openrc-run puts the variables together to a command line, takes that apart at blanks, and has the
shell read it once more. So what is no plain word stands in a variable of its own, which that last
reading puts in. A stop does not read it once more: what it uses has to be plain.
"""

import re
from math import ceil

from ssd.schedule import SEND, Schedule
from ssd.service.generators import openrc_functions
from ssd.service.generators import ssd_options as start_words
from ssd.service.generators.facilities import services
from ssd.service.generators.policies import Respawn
from ssd.service.generators.quoting import line, shell_word, shell_words
from ssd.service.generators.sheet import Inexpressible, Sheet
from ssd.service.generators.signals import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

KIND = "openrc"
PATH = "/etc/init.d/{name}"
MODE = 0o755

LOST = {
    "match_executable": "OpenRC matches the program in any case",
    "default_start": "rc-update(8) puts it into runlevels",
    "default_stop": "rc-update(8) puts it into runlevels",
    "manual": "rc-update(8) puts it into runlevels",
    "short_description": "there is one description",
    "start_on": "services are ordered by depend",
    "stop_on": "services are ordered by depend",
    "emits": "there are no events",
    "export": "there are no events",
    "expect": "a start returns when the program has been started",
    "instance": "an instance is a link to the script with another name",
    "console": "its output goes to its log, or nowhere",
    "cgroups": "control groups have settings of their own, rc_cgroup_settings",
    "pass_environment": "rc_env_allow in rc.conf says what services get",
    "apparmor_load": "OpenRC knows no profiles",
    "apparmor_profile": "OpenRC knows no profiles; one for the program's path applies by itself",
    "debug": "there is no such mark",
}
# What a stop passes on without quotes, and what depend can name.
PLAIN = re.compile(r"[A-Za-z0-9_./@%+:,-]+\Z", re.ASCII)


def generate(service: "Service") -> Sheet:
    """Write the script. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    assignments = list(_assignments(sheet))
    functions = [*_depend(sheet), *openrc_functions.functions(sheet)]
    sheet.add("#!/sbin/openrc-run", *sheet.head())
    sheet.add(*(f"# Documentation: {line(each)}" for each in service.documentation))
    sheet.add("", *assignments, *functions)
    return sheet


def _assignments(sheet: Sheet) -> "Iterable[str]":
    """Yield the variables that openrc-run(8) reads."""
    service = sheet.service
    for name, value in _variables(sheet):
        if not isinstance(value, list):
            if value:
                yield f"{name}={shell_word(value)}"
            continue
        words = []
        for number, word in enumerate(value, 1):
            if PLAIN.match(word):
                words.append(word)
            else:
                yield f"{name}_{number}={shell_word(word)}"
                words.append(f'"${name}_{number}"')
        if words:
            yield f"{name}={shell_word(' '.join(words))}"
    if service.reload_signal != "none":
        yield "extra_started_commands=reload"


def _variables(sheet: Sheet) -> "Iterable[tuple[str, str | list[str]]]":
    """Yield names and values; a list has the words that the shell reads once more."""
    service = sheet.service
    if not service.script:
        sheet.needs("executable", service.executable, "there is no program to start")
    program, *arguments = start_words.program(service)
    yield "name", service.name
    yield "description", line(service.description)
    yield "command", _plain("executable", program)
    yield "command_args", arguments
    supervised = _supervised(sheet)
    if supervised:
        yield from _supervision(sheet)
    elif service.background and not service.task:
        if service.pidfile == "none":
            raise Inexpressible("pidfile", "OpenRC sends nothing to the background without one")
        yield "command_background", "yes"
    if service.pidfile != "none":
        yield "pidfile", _plain("pidfile", service.pidfile)
    if service.process_name:
        yield "procname", _plain("process_name", service.process_name)
    if service.user:
        both = f"{service.user}:{service.group}" if service.group else service.user
        yield "command_user", [both]
    if service.root:
        yield "chroot", _plain("root", service.root)
    if service.working_directory != "/":
        yield "directory", [service.working_directory]
    if service.output:
        yield "output_log", [service.output]
        yield "error_log", [service.output]
    yield "umask", service.umask
    yield "retry", _schedule(service)
    words = ["--group", service.group] if service.group and not service.user else []
    words += ["--nicelevel", str(service.nice)] if service.nice else []
    yield "start_stop_daemon_args", words


def _schedule(service: "Service") -> str:
    """Return the stop schedule in the words of OpenRC's start-stop-daemon.

    To that a time alone sends no KILL, and a wait of 0 seconds ends the schedule, with
    success: what comes after it follows at once without it, too.
    """
    schedule = Schedule.parse(service.stop_schedule)
    words = []
    last = len(schedule.steps) - 1
    for number, (kind, value) in enumerate(schedule.steps):
        repeated = schedule.repeat is not None and number >= schedule.repeat
        if number == schedule.repeat:
            words.append("forever")
        if kind == SEND:
            name = name_of(value)
            words.append(f"-{name}" if name.isdigit() else name.removeprefix("SIG"))
        elif value or number == last and not repeated:
            words.append(str(value))
        elif repeated and schedule.spins:
            words.append("1")  # not without a breath
    return "/".join(words)


def _plain(field: str, value: str) -> str:
    """Return a value that needs no quotes. Raises Inexpressible."""
    if not PLAIN.match(value):
        raise Inexpressible(field, f"OpenRC's stop would take {value!r} apart")
    return value


def _supervised(sheet: Sheet) -> bool:
    """Tell whether supervise-daemon(8) is to bring it back."""
    service = sheet.service
    watched = openrc_functions.watched(service)
    if not watched and Respawn(service).when != "never":
        sheet.lose("respawn", "OpenRC watches only what stays in the foreground")
    return watched


def _supervision(sheet: Sheet) -> "Iterable[tuple[str, str]]":
    respawn = Respawn(sheet.service)
    yield "supervisor", "supervise-daemon"
    yield "respawn_delay", str(max(1, ceil(respawn.delay)))  # it takes 0 for a mistake
    yield "respawn_max", str(respawn.limit)
    yield "respawn_period", str(max(1, ceil(respawn.interval)))
    if respawn.when == "failure" or respawn.normal_exit:
        sheet.lose("respawn", "OpenRC brings it back whatever its exit status is")


def _depend(sheet: Sheet) -> "Iterable[str]":
    """Yield the function that says what it needs."""
    service = sheet.service
    others = [name for name in service.provides if name != service.name and name[:1] != "$"]
    later = [*service.required_stop, *service.should_stop]
    known = [*service.required_start, *service.should_start]
    lines = []
    for word, field, names in (
        ("need", "required_start", services(service.required_start)),
        ("use", "should_start", services(service.should_start)),
        ("after", "required_stop", services([name for name in later if name not in known])),
        ("provide", "provides", others),
    ):
        good = [name for name in names if PLAIN.match(name) or name == "*"]
        for name in names:
            if name not in good:
                sheet.lose(field, f"{name!r} can be no name of a service")
        if good:
            lines.append(f"    {word} {shell_words(good)}")
    if lines:
        yield from ("", "depend() {", *lines, "}")
