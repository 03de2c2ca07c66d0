"""The parts of a job that are shell: ``exec``, ``script`` and what runs before and after.

A block of shell is taken as it is, up to a line ``end script``, wherever in it that stands. On
the line of ``exec`` a backslash is special, in single quotes too, and a newline a blank: a
command with such words becomes a block.
"""

import re

from ssd.service.generators import ssd_options as start_words
from ssd.service.generators.folders import folders
from ssd.service.generators.policies import Readiness
from ssd.service.generators.quoting import shell_word, shell_words
from ssd.service.generators.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssd.service.declaration import Service

# The line that ends a block, alone or with a comment.
_END = re.compile(r"^([^\S\n]*end)([^\S\n]+script)", re.MULTILINE)
_SPECIAL = frozenset("\\\n\r\"'")
HOOKS = {
    "before_start": "pre-start", "after_start": "post-start",
    "before_stop": "pre-stop", "after_stop": "post-stop",
}  # fmt: skip
MAKE = "[ -d {path} ] || {{ install -d -m {mode} {path} && chown -h {owner} {path}; }}"


def scripts(sheet: Sheet) -> "Iterable[str]":
    """Yield the stanzas. Raises Inexpressible."""
    service = sheet.service
    for field, stanza in HOOKS.items():
        before: list[str] = []
        if field == "before_start":
            before = list(_directories(sheet))
        elif field == "after_start":
            before = list(_ready(sheet))
        hook = getattr(service, field)
        if hook or before:
            yield ""
            yield from _stanza(f"{stanza} ", before, hook)
    yield ""
    sources = [f"set -a; . {shell_word(path)}; set +a" for path in service.environment_files]
    if service.script and not by_tool(service):
        if service.arguments:
            sources.append(f"set -- {shell_words(service.arguments)}")
        yield from _stanza("", sources, service.script)
        return
    if not service.script:
        sheet.needs("executable", service.executable, "there is no program to start")
    words = start_words.program(service)
    if by_tool(service):
        words = ["start-stop-daemon", *_as_user(service), words[0], "--", *words[1:]]
    yield from _stanza("", sources, words, replace=True)


def by_tool(service: "Service") -> bool:
    """Tell whether start-stop-daemon changes user and directories on the way to the program.

    The stanzas for that are for the hooks as well, which are root's, and may make them first.
    """
    hooks = any(getattr(service, field) for field in HOOKS)
    changes = service.user or service.group or service.root or service.working_directory != "/"
    return bool(changes and (hooks or folders(service)))


def _as_user(service: "Service") -> list[str]:
    """Return the words of a start in the foreground; with /dev/null nothing is looked for."""
    words = ["--start", "--pidfile", "/dev/null"]
    if service.user:
        both = f"{service.user}:{service.group}" if service.group else service.user
        words += ["--chuid", both]
    elif service.group:
        words += ["--group", service.group]
    if service.root:
        words += ["--chroot", service.root]
    return [*words, "--chdir", service.working_directory, "--startas"]


def _stanza(
    prefix: str, before: "Sequence[str]", what: "str | Sequence[str]", replace: bool = False
) -> "Iterable[str]":
    """Yield a stanza that runs lines and then a piece of shell, or a command.

    ``replace``: the command takes the shell's place, so that its pid is the job's.
    """
    if not before and not isinstance(what, str) and _SPECIAL.isdisjoint("".join(what)):
        yield f"{prefix}exec {shell_words(what)}"
        return
    yield f"{prefix}script"
    # Its indentation, if the first line had one, would be taken from all the others.
    yield from (_word(each) for each in before)
    if isinstance(what, str):
        yield from [_text(what)] if what else []
    else:
        yield _word(f"{'exec ' if replace else ''}{shell_words(what)}")
    yield "end script"


def _word(quoted: str) -> str:
    """Return a line with quoted words in which no line ends the block; they stay the same."""
    return _END.sub(r"\1''\2", quoted)


def _text(text: str) -> str:
    """Return a text for a block as it is, unless a line of it would end the block."""
    if _END.search(text):
        return _word(f"eval {shell_word(text)}")
    return f":\n{text}" if text[:1].isspace() else text


def _directories(sheet: Sheet) -> "Iterable[str]":
    for folder in folders(sheet.service):
        owner = shell_word(folder.owner or "root:")
        yield MAKE.format(path=shell_word(folder.path), mode=folder.mode, owner=owner)


def _ready(sheet: Sheet) -> "Iterable[str]":
    """Yield what waits until the service works."""
    readiness = Readiness(sheet.service)
    words = readiness.waits_for(sheet.service)
    if readiness.kind == "notify":
        sheet.lose("readiness", "Upstart waits for no notification")
    if not words:
        return
    yield f"left={readiness.whole_timeout}"
    yield f"until {shell_words(words)}; do"
    yield '    [ "$left" -gt 0 ] || exit 1'
    yield "    left=$((left - 1)); sleep 1"
    yield "done"
