"""What each program of a traced script does instead: who stands in for a daemon, and who is asked.

Decisions only: the tracer carries them out. A program that nobody knows becomes a stand-in, and the
trace begins again, because only a file that is replaced before its execve(2) can be one.
"""

import os

from ssd.cli.grammar import Unusable, Usage
from ssd.cli.options import START, STATUS, STOP, Options, read
from ssd.service.importing import openrc
from ssd.service.importing.trace import sandbox, tools
from ssd.service.words import join, quote
from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.importing.trace.calls import Call

# Signals that end no daemon, whatever the verb.
HARMLESS = (0, signals.SIGCONT, signals.SIGCHLD, signals.SIGWINCH, signals.SIGURG, signals.SIGSTOP)
STAY = f"read _ < {sandbox.FOREVER}\n"
# Until the tracer has written what the process in the background reads, or it will not execute.
AWAIT = f"""\
n=0
while [ ! -e {sandbox.ANSWERS}/$! ] && [ $n -lt 200000 ]; do n=$((n + 1)); done
"""
RELOADS = ("reload", "force-reload", "rotate")


class Unknown(Exception):
    """A program that must be replaced before the script runs. Its text is the path."""


class StandIn:
    """A process in place of a daemon. ``program``: the path of its file."""

    def __init__(self, program: str, pid: int) -> None:
        self.program = program
        self.pid = pid


class Answers:
    """Knows the stand-ins, and decides what a call does.

    script: the path of the script itself. programs: path of a replaced program -> where itself is.
    pidfiles: those that the script's text names. leave: the words of the one program in the
    foreground that leaves a daemon behind; None if each does that nobody knows. kill: ends a
    stand-in. failing: the words of programs in the foreground that fail. asks: whether a program
    runs whose output the script reads.
    """

    def __init__(
        self,
        script: str,
        programs: "dict[str, str]",
        pidfiles: "list[str]",
        leave: "list[str] | None",
        kill: "Callable[[int], None]",
    ) -> None:
        self.script = script
        self.programs = programs
        self.pidfiles = pidfiles
        self.leave = leave
        self.kill = kill
        self.failing: list[list[str]] = []
        self.asks = False
        self.left: set[int] = set()  # calls that leave a stand-in
        self.living: dict[int, StandIn] = {}
        self.family: set[int] = set()  # processes of which one becomes a stand-in

    def forked(self, parent: int, child: int) -> None:
        """Remember what may become the stand-in that a call has left."""
        if parent in self.left or parent in self.family:
            self.family.add(child)

    def ended(self, pid: int) -> bool:
        """Forget a process; tell whether it was a stand-in."""
        self.family.discard(pid)
        return self.living.pop(pid, None) is not None

    def answer(self, call: "Call", orphan: bool) -> "str | None":
        """Return the text that a call's stand-in reads; None if the program runs as it is.

        Sets ``role`` of the call: starter, daemon, query, stand-in, changer, effect, sleep, or "".
        Raises Unknown.
        """
        path, words = program_of(call)
        call |= {"program": path, "words": words, "role": "", "orphan": orphan}
        replaced = self._replaced(call)
        if replaced and path != replaced:  # the interpreter of a script that runs as it is
            return f'exec {self.programs[replaced]} "$@"\n'
        name = path.rpartition("/")[2]
        if name in tools.STARTERS:
            if not replaced:
                raise Unknown(path)
            call["role"] = "starter"
            if openrc.MARK in call["environment"]:
                call["words"] = words = openrc.translated(words)
            return self._starter(call, words)
        if tools.is_tool(path, frozenset({"sleep"})):
            call["role"] = "sleep"
            return f"exec {self.programs[replaced]} 0.02\n" if replaced else None
        if tools.is_tool(path, tools.ANSWERED):
            call["role"] = "effect"
            if not replaced:
                raise Unknown(path)
            return "exit 0\n"
        if name in tools.CHANGERS:
            call["role"] = "changer"
        if self._runs(call, path, words, orphan or bool(replaced)):
            return None if not replaced else f'exec {self.programs[replaced]} "$@"\n'
        if not replaced:
            raise Unknown(path)
        return self._daemon(call, path, words, orphan)

    def _runs(self, call: "Call", path: str, words: "list[str]", apart: bool) -> bool:
        """Tell whether a program runs as it is: a shell script only in the foreground."""
        if tools.runs(path) or tools.runs_text(path, words):
            return True
        if path.startswith(f"{sandbox.REAL}/"):
            return True
        if tools.is_shell(path) or path == self.script:  # an operand would be the program
            return True
        by_shell = path != call["file"] or is_shell_script(path)
        return by_shell and not (apart or call["background"])

    def _replaced(self, call: "Call") -> str:
        """Return the path of the stand-in that this process runs, if it runs one."""
        words = call["argv"]
        if not tools.is_shell(call["exe"]) or len(words) < 2:
            return ""
        path = os.path.normpath(os.path.join(call["cwd"], words[1]))
        return path if path in self.programs else ""

    def _daemon(self, call: "Call", path: str, words: "list[str]", orphan: bool) -> str:
        """Answer for a program that may be the daemon."""
        if call["pid"] in self.family:
            call["role"] = "stand-in"
            self.living[call["pid"]] = StandIn(path, call["pid"])
            return STAY
        call["role"] = "daemon"
        if not call["background"] and not orphan and call["streams"][1].startswith("pipe:"):
            call["role"] = "query"  # somebody reads what it prints
            real = self.programs[path]
            call["ran"] = self.asks and real != path
            return f'exec {real} "$@"\n' if call["ran"] else "exit 0\n"
        if call["background"] or orphan:
            self.living[call["pid"]] = StandIn(path, call["pid"])
            return STAY
        if words in self.failing:
            return "exit 1\n"
        if call["verb"] != "start" or self.leave is not None and words != self.leave:
            return "exit 0\n"
        variables = [value for name, value in call["environment"].items() if "PID" in name]
        named = pidfile_among([*words[1:], *variables])
        return self._leave(call, path, words, named or (self.pidfiles or [""])[0])

    def _leave(self, call: "Call", path: str, words: "list[str]", pidfile: str) -> str:
        """Let a call leave a stand-in in the background, and end well."""
        self.left.add(call["pid"])
        command = join([path, *words[1:]])
        text = f"{command} < /dev/null > /dev/null 2>&1 &\n{AWAIT}"
        if pidfile:
            text += f"echo $! > {quote(pidfile)}\n"
        return f"{text}exit 0\n"

    def _starter(self, call: "Call", words: "list[str]") -> str:
        """Answer for start-stop-daemon."""
        options = Options()
        try:
            read(words[1:], options)
        except Usage:
            return "exit 3\n"
        except Unusable:
            return "exit 2\n"
        found = self._found(options)
        call["found"] = len(found)
        nothing = 0 if options.has("oknodo") else 1
        if options.command == STATUS:
            return f"exit {0 if found else 3}\n"
        if options.command == STOP:
            if found and not options.has("test") and _ends(options, call["verb"]):
                for each in found:
                    self.kill(each.pid)
                if options.has("remove-pidfile") and os.path.exists(str(options.value("pidfile"))):
                    os.unlink(str(options.value("pidfile")))
            return f"exit {0 if found else nothing}\n"
        if options.command != START:
            return "exit 0\n"
        if found or options.has("test"):
            return f"exit {nothing if found else 0}\n"
        program = options.value("startas") or str(options.executable(inside=False))
        path = os.path.normpath(os.path.join(call["cwd"], program))
        if not os.path.exists(path):
            return f"echo {quote(f'{program} does not exist')} >&2; exit 2\n"
        argv = [path, *options.operands]
        pidfile = str(options.value("pidfile") or pidfile_among(options.operands))
        known = tools.runs(path) or tools.is_shell(path)
        if not known and path not in self.programs:
            raise Unknown(path)
        call["started"] = argv
        if call["background"] and not options.has("background"):  # it would become the daemon
            self.living[call["pid"]] = StandIn(path, call["pid"])
            return STAY
        return self._leave(call, path, argv, pidfile)

    def _found(self, options: Options) -> "list[StandIn]":
        """Return the stand-ins that the criteria of a command line match."""
        found = list(self.living.values())
        pidfile = options.value("pidfile")
        if pidfile is not None:
            found = [each for each in found if each.pid == pid_in(pidfile)]
        if options.pid is not None:
            found = [each for each in found if each.pid == options.pid]
        program = options.executable(inside=False)
        if program is not None and pidfile is None:
            wanted = os.path.realpath(program)
            found = [each for each in found if wanted == os.path.realpath(each.program)]
        name = options.value("name")
        if name is not None and pidfile is None:
            found = [each for each in found if os.path.basename(each.program)[:15] == name[:15]]
        return found


def _ends(options: Options, verb: str) -> bool:
    """Tell whether a --stop ends what it signals."""
    if verb in RELOADS and not options.has("retry"):
        return options.signal in (signals.SIGTERM, signals.SIGKILL, signals.SIGINT)
    return options.signal not in HARMLESS


def pidfile_among(words: "list[str]") -> str:
    """Return the pidfile that the arguments of a daemon name, empty if they name none."""
    for word in words:
        path = word[word.find("/") :]
        if path.startswith("/") and path.endswith((".pid", "/pid", "-pid", "_pid")):
            return path
    return ""


def pid_in(pidfile: str) -> "int | None":
    """Return the pid in a file, None if there is none."""
    try:
        with open(pidfile, encoding="utf-8", errors="surrogateescape") as file:
            words = file.read().split()
    except OSError:
        return None
    return int(words[0]) if words and words[0].isdigit() else None


def program_of(call: "Call") -> "tuple[str, list[str]]":
    """Return the path of what a process runs, and its words: a script's, not its interpreter's."""
    path, argv = call["file"], call["argv"]
    for number in range(1, min(len(argv), 6)):
        if os.path.normpath(os.path.join(call["cwd"], argv[number])) == path:
            return path, [path, *argv[number + 1 :]]
    if tools.is_shell(path):  # sh FILE
        for number, word in enumerate(argv[1:], 1):
            if word[:1] == "-" and "c" in word:
                break
            if word[:1] != "-":
                file = os.path.normpath(os.path.join(call["cwd"], word))
                if os.path.isfile(file):
                    return file, [file, *argv[number + 1 :]]
                break
    return path, argv


def is_shell_script(path: str) -> bool:
    """Tell whether a file is a script for a shell."""
    try:
        with open(path, "rb") as file:
            first = file.readline(255)
    except OSError:
        return False
    words = os.fsdecode(first[2:]).split() if first[:2] == b"#!" else []
    names = [word for word in words[:2] if word[:1] != "-"]
    return any(tools.is_shell(word) for word in names) or "init-d-script" in " ".join(words)
