"""Run an init script as it is, with ssd in the place of start-stop-daemon.

A directory with a link named start-stop-daemon comes first on PATH. But most scripts set PATH
themselves, many call /sbin/start-stop-daemon, and some call themselves. So a shell reads a text of
the script that keeps the directory on PATH (``rewriting``); for what the script sources there are
aliases for the absolute names (functions where bash allows no alias with a slash). What still
reaches the original is noticed and told (``watching``); docs/explanation/design.md
says why there is no mount namespace.
"""

import errno
import os
import re
import shutil
import stat

from ssd.paths import only_ours
from ssd.service.initscripts.program import Run
from ssd.service.words import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME = "start-stop-daemon"

ABSOLUTE = (f"/sbin/{NAME}", f"/usr/sbin/{NAME}")
SHELLS = ("sh", "dash", "ash", "bash", "ksh", "mksh")
LAUNCHERS = ("env", "busybox")  # whose first word is the interpreter
MOST_INTERPRETERS = 5  # scripts that interpret scripts; the kernel follows no more
LONGEST_LINE = 255  # what execve(2) reads of a first line

# What the shell reads before the script; $0 and the words are the script's own. With that variable,
# which goes to no program, the LSB functions of systemd's package leave the verb to the script.
PRELUDE = """SYSTEMCTL_SKIP_REDIRECT=1
alias {aliases} || :
. {text}
"""
BASH_PRELUDE = """SYSTEMCTL_SKIP_REDIRECT=1
{functions}
. {text}
"""

# What is looked for in a text.
_ABSOLUTE = re.compile(rf"(?<![\w./}}$-])(?:/usr)?/sbin/{NAME}(?![\w/.-])")
# "PATH=/bin", "export PATH=$x", "X=1 PATH=/bin f"; no MY_PATH, no quoted text, no empty value.
_PATH = re.compile(r"(?:(?<=^)|(?<=[\s;&|({`]))PATH=(?=[^\s;&|)])")
_WORDS = "then|else|do|if|elif|while|until|exec|nohup|setsid|nice|env|command"
_COMMAND = rf"^\s*|[;&|(){{`!]\s*|\b(?:{_WORDS})\s+"
# $BASH_SOURCE, ${BASH_SOURCE[0]##*/}: of a script that is not sourced that is $0.
_BASH_SOURCE = re.compile(r"\$BASH_SOURCE\b|\$\{BASH_SOURCE(?:\[0\])?(?=[}:%#/,^@])")
# What asks bash whether the script is sourced: only there may it return.
_RETURNS = re.compile(r"\(\s*return(?:\s+0)?\s+(?:2|&)?>\s*/dev/null\s*(?:2>&1\s*)?\)")
_SOURCED = re.compile(
    rf"(?P<before>(?:{_COMMAND})(?:\w+=[\w.-]*\s+)*(?:\.|source)\s+)"
    r"(?P<path>/(?:lib|usr/lib|usr/share)/[\w./+-]+)(?=[\s;&|)]|$)"
)
_HEREDOC = re.compile(r"(?<!<)<<(-?)\s*(?:\\|(['\"]))?([\w.!-]+)")


def substituted(run: Run, command: str) -> Run:
    """Return what runs the same script with ssd for start-stop-daemon.

    ``command`` is the path of ssd-service, beside which ssd is. Raises OSError where the
    script cannot be read, or the link or the text not be made.
    """
    link = make_link(command)
    environment = dict(run.environment)
    environment[b"PATH"] = os.fsencode(os.path.dirname(link)) + b":" + environment[b"PATH"]
    shell, script = interpreted(run.argv)
    if not shell:
        return Run(run.file, run.argv, environment)
    before = prelude(shell, link, script[0])
    return Run(shell[0], [*shell, "-c", f". {quote(before)}", *script], environment)


def prelude(shell: "Sequence[str]", link: str, script: str) -> str:
    """Write what a shell is to read in a script's place, and return the path of its begin.

    Both files stay, beside the link, for a script that calls itself. Raises OSError.
    """
    directory, name = os.path.dirname(link), script.replace("/", "%")
    before, text = f"{directory}/{name}.before", f"{directory}/{name}.text"
    again = join([*shell, "-c", f". {quote(before)}", script])
    own, mode = _read(script)
    copies: dict[str, str] = {}
    for path in sourced(own):
        there = os.path.isfile(path) and os.access(path, os.R_OK)  # else the shell will say so
        library, its_mode = _read(path) if there else ("", 0)
        if sets_path(library):  # init-d-script(5) for one
            copy = f"{text}.{len(copies)}"
            _write(copy, rewritten(library, link, script, again), its_mode)
            copies[path] = quote(copy)
    bash = shell_name(shell) == "bash"
    _write(text, rewritten(own, link, script, again, copies, bash), mode)
    # Twice: an alias is what the shell then reads.
    aliases = [f"{path}={quote(quote(link))}" for path in ABSOLUTE]
    functions = [f'function {path} {{ {quote(link)} "$@"; }}' for path in ABSOLUTE]
    template = BASH_PRELUDE if bash else PRELUDE
    words = {"aliases": " ".join(aliases), "functions": "\n".join(functions)}
    _write(before, template.format(text=quote(text), **words), 0o644)
    return before


def _read(path: str) -> tuple[str, int]:
    """Return a file's text, and the mode of what is made of it. Raises OSError."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        # Who may not read the file may not read the text.
        return file.read(), os.fstat(file.fileno()).st_mode & 0o644


def _write(path: str, text: str, mode: int) -> None:
    """Write a file as a whole: another run may be reading it. Raises OSError."""
    new = f"{path}.{os.getpid()}"
    with open(new, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask, before there is anything to change
        file.write(text)
    os.replace(new, path)


def originals() -> list[str]:
    """Return the paths of what would be executed by mistake, each file once; not ssd itself."""
    files = {os.path.realpath(path) for path in ABSOLUTE if os.path.exists(path)}
    return sorted(file for file in files if os.path.basename(file) not in ("ssd", "ssd-service"))


def interpreted(argv: "Sequence[str]") -> "tuple[list[str], list[str]]":
    """Take the words of a call as the kernel does: the shell's, and the script's that it reads.

    A script whose interpreter is a script (init-d-script) is followed to the shell. The
    first list is empty for a program that no shell reads. Raises OSError for a file that
    cannot be read.
    """
    script = list(argv)
    for _ in range(MOST_INTERPRETERS):
        with open(script[0], "rb") as file:
            line = file.read(LONGEST_LINE).split(b"\n")[0]
        if line.startswith(b"\x7fELF"):
            break
        # Without a first line of its own execvp(3) gives it to the shell.
        words = os.fsdecode(line[2:]).split(maxsplit=1) if line[:2] == b"#!" else ["/bin/sh"]
        if not words:
            break
        shell = [words[0], *(word.rstrip() for word in words[1:] if word.strip("- \t"))]
        if shell_name(shell) in SHELLS:
            return shell, script
        if os.path.basename(shell[0]) == "env" and shell[1:] and shell[1].startswith("/"):
            shell = shell[1:]  # env /lib/init/init-d-script: a script for env to execute
        script = [*shell, *script]
    return [], script


def shell_name(words: "Sequence[str]") -> str:
    """Return the name of the program that the words of a first line run, through env(1) or not."""
    name = os.path.basename(words[0])
    if name in LAUNCHERS and len(words) > 1:
        inner = [word for word in words[1].split() if word[0] != "-" and "=" not in word]
        name = os.path.basename(inner[0]) if inner else ""
    return name


def make_link(command: str) -> str:
    """Return the path of a link named start-stop-daemon to ssd, and make it if need be.

    It stays, for whatever inherits PATH but daemons, from which ssd takes it: so it lies where
    nobody but root, or but the caller, can ever make a directory of that name. Raises OSError.
    """
    directory = _directory()
    try:
        os.mkdir(directory, 0o755)
        os.chmod(directory, 0o755)  # the caller's umask has had its say in mkdir(2)
    except FileExistsError:
        pass
    facts = os.lstat(directory)
    if not stat.S_ISDIR(facts.st_mode) or not only_ours(facts):
        raise OSError(errno.EPERM, "it is not a directory of the caller's own", directory)
    link, target = f"{directory}/{NAME}", _beside(command)
    if not os.path.islink(link) or os.readlink(link) != target:
        new = f"{link}.{os.getpid()}"
        os.symlink(target, new)
        os.replace(new, link)
    return link


def _directory() -> str:
    """Return where the link is to lie. Raises OSError where there is no safe place."""
    if os.geteuid() == 0:
        return "/run/ssd-service"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime.startswith("/"):
        reason = "no directory of the user's own for the link to ssd; set it"
        raise OSError(errno.ENOENT, reason, "XDG_RUNTIME_DIR")
    return f"{runtime}/ssd-service"


def _beside(command: str) -> str:
    """Return the path of ssd: beside a command, or what that is a link to, or else on PATH."""
    places = [os.path.dirname(path) for path in (command, os.path.realpath(command))]
    programs = [f"{place}/ssd" for place in places if place]
    there = [path for path in programs if os.access(path, os.X_OK) and os.path.isfile(path)]
    found = there[0] if there else shutil.which("ssd")
    if found is None:
        reason = "it is neither beside this command nor on PATH"
        raise OSError(errno.ENOENT, reason, "ssd")
    return os.path.realpath(found)


def sourced(text: str) -> "list[str]":
    """Return the paths of packages' files that a text sources, each once."""
    found = (_SOURCED.finditer(each) for each, code in _lines(text.split("\n")) if code)
    return list(dict.fromkeys(match["path"] for matches in found for match in matches))


def sets_path(text: str) -> bool:
    """Tell whether a text assigns to PATH."""
    return any(code and _PATH.search(each) for each, code in _lines(text.split("\n")))


def rewritten(
    text: str,
    link: str,
    script: str,
    again: str,
    copies: "Mapping[str, str] | None" = None,
    bash: bool = False,
) -> str:
    """Return what a shell is to read in place of a script.

    ``link``: the path of ssd under the name start-stop-daemon. ``script``: the script's own
    path. ``again``: the words of shell that run the script as it is run now. ``copies``: the
    word to source in a file's place. ``bash``: the text is a script, and that its shell.
    """
    directory = link.rpartition("/")[0]
    names = rf"\$0|\$\{{0\}}|{re.escape(script)}"
    itself = re.compile(
        rf"(?P<before>{_COMMAND})(?:(?:\S*/)?(?:sh|ash|dash|bash)\s+)?"
        rf"(?P<quote>\"?)(?:{names})(?P=quote)(?=\s+[\w\"$-])"
    )
    instead = copies or {}

    def line(found: str) -> str:
        found = itself.sub(lambda match: match["before"] + again, found)
        found = _ABSOLUTE.sub(lambda match: link, found)
        if bash:
            found = _RETURNS.sub("(exit 1)", found)
            found = _BASH_SOURCE.sub(lambda match: match[0].partition("BASH")[0] + "0", found)
        if instead:
            found = _SOURCED.sub(
                lambda match: match["before"] + instead.get(match["path"], match["path"]), found
            )
        return _PATH.sub(lambda match: f"PATH={directory}:", found)

    return "\n".join(line(each) if code else each for each, code in _lines(text.split("\n")))


def _lines(lines: "list[str]") -> "Iterator[tuple[str, bool]]":
    """Yield each line, and whether it is code: no comment, and not in a here-document."""
    ends: list[tuple[str, str]] = []  # of here-documents: the sign before, and the word
    for number, each in enumerate(lines):
        if ends:
            if _ends(each, ends[0]):
                del ends[0]
            yield each, False
        elif each.lstrip().startswith("#"):
            yield each, False
        else:
            begun = [(match[1], match[3]) for match in _HEREDOC.finditer(each)]
            # What never ends is none: $((1 << n)).
            ends = [end for end in begun if any(_ends(line, end) for line in lines[number + 1 :])]
            yield each, True


def _ends(line: str, end: tuple[str, str]) -> bool:
    dash, word = end
    return (line.lstrip("\t") if dash else line) == word
