"""Run an init script as it is, with ssd in the place of start-stop-daemon.

A directory with a link named start-stop-daemon comes first on PATH. But most scripts set PATH
themselves, many call /sbin/start-stop-daemon by its absolute path, and some call themselves. So the
shell reads a rewritten text of the script, see ``rewritten``. In files that the script sources,
aliases replace the absolute paths (functions in bash, which allows no alias with a slash). Calls
that still reach the original are reported (``watching``). Printed text stays as it is, as far as
that can be recognized: comments, here-documents, and words where a shell expects neither a command
nor an assignment. The design page says why there is no mount namespace.
"""

import errno
import os
import re
import shutil
import stat

import ssd
from ssd.paths import only_ours
from ssd.service.initscripts.program import Run
from ssd.service.words import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOOL = "start-stop-daemon"

ABSOLUTE = (f"/sbin/{TOOL}", f"/usr/sbin/{TOOL}")
REWRITABLE = ("sh", "dash", "ash", "bash", "ksh", "mksh")
WRAPPERS = ("env", "busybox")  # their first word is the interpreter
MAX_INTERPRETERS = 5  # scripts that interpret scripts; the limit of the kernel
MAX_LINE_SIZE = 255  # bytes that execve(2) reads of a first line

# The shell reads this before the script; $0 and the arguments stay the script's own. The variable
# is not exported; it keeps the LSB functions of systemd's package from redirecting the verb.
PRELUDE = """SYSTEMCTL_SKIP_REDIRECT=1
alias {aliases} || :
. {text}
"""
BASH_PRELUDE = """SYSTEMCTL_SKIP_REDIRECT=1
{functions}
. {text}
"""

# Patterns in the text of a script.
_ABSOLUTE = re.compile(rf"(?<![\w./}}$-])(?:/usr)?/sbin/{TOOL}(?![\w/.-])")
# "PATH=/bin", "export PATH=$x", "X=1 PATH=/bin f"; but not MY_PATH, quoted text or an empty value.
_PATH = re.compile(r"(?:(?<=^)|(?<=[\s;&|({`]))PATH=(?=[^\s;&|)])")
_WORDS = "then|else|do|if|elif|while|until|exec|nohup|setsid|nice|env|command"
_COMMAND = rf"^\s*|[;&|(){{`!]\s*|\b(?:{_WORDS})\s+"
# $BASH_SOURCE, ${BASH_SOURCE[0]##*/}: equal to $0 in a script that is not sourced.
_BASH_SOURCE = re.compile(r"\$BASH_SOURCE\b|\$\{BASH_SOURCE(?:\[0\])?(?=[}:%#/,^@])")
# A test in bash whether the script is sourced: only then may it return.
_RETURNS = re.compile(r"\(\s*return(?:\s+0)?\s+(?:2|&)?>\s*/dev/null\s*(?:2>&1\s*)?\)")
_SOURCED = re.compile(
    rf"(?P<before>(?:{_COMMAND})(?:\w+=[\w.-]*\s+)*(?:\.|source)\s+)"
    r"(?P<path>/(?:lib|usr/lib|usr/share)/[\w./+-]+)(?=[\s;&|)]|$)"
)
_HEREDOC = re.compile(r"(?<!<)<<(-?)\s*(?:\\|(['\"]))?([\w.!-]+)")


def substituted(run: Run, command: str) -> Run:
    """Return a run of the same script with ssd in place of start-stop-daemon.

    ``command``: the path of ssd-service, which has ssd beside it. Raises OSError if the script
    cannot be read, or the link or the text cannot be written.
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
    """Write the texts that a shell reads in place of a script; return the path of the first.

    Both files stay beside the link, for a script that calls itself. Raises OSError.
    """
    directory, name = os.path.dirname(link), script.replace("/", "%")
    before, text = f"{directory}/{name}.before", f"{directory}/{name}.text"
    again = join([*shell, "-c", f". {quote(before)}", script])
    own, mode = _read(script)
    copies: dict[str, str] = {}
    for path in sourced(own):
        there = os.path.isfile(path) and os.access(path, os.R_OK)  # otherwise the shell reports it
        library, its_mode = _read(path) if there else ("", 0)
        if sets_path(library):  # init-d-script(5), for example
            copy = f"{text}.{len(copies)}"
            _write(copy, rewritten(library, link, script, again), its_mode)
            copies[path] = quote(copy)
    bash = shell_name(shell) == "bash"
    _write(text, rewritten(own, link, script, again, copies, bash), mode)
    # Quoted twice: the shell evaluates the text of an alias again.
    aliases = [f"{path}={quote(quote(link))}" for path in ABSOLUTE]
    functions = [f'function {path} {{ {quote(link)} "$@"; }}' for path in ABSOLUTE]
    template = BASH_PRELUDE if bash else PRELUDE
    words = {"aliases": " ".join(aliases), "functions": "\n".join(functions)}
    _write(before, template.format(text=quote(text), **words), 0o644)
    return before


def _read(path: str) -> tuple[str, int]:
    """Return a file's text, and the mode for a file made from it. Raises OSError."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        # The new file must not be readable for more users.
        return file.read(), os.fstat(file.fileno()).st_mode & 0o644


def _write(path: str, text: str, mode: int) -> None:
    """Replace a file at once, because another run may be reading it. Raises OSError."""
    new = f"{path}.{os.getpid()}"
    with open(new, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        os.fchmod(file.fileno(), mode)  # regardless of the umask, while the file is still empty
        file.write(text)
    os.replace(new, path)


def originals() -> list[str]:
    """Return the paths of the original programs, each file once, without ssd itself."""
    files = {os.path.realpath(path) for path in ABSOLUTE if os.path.exists(path)}
    ours = ("ssd", "ssd-service")
    return sorted(
        file for file in files if os.path.basename(file) not in ours and file != ssd.archive
    )


def interpreted(argv: "Sequence[str]") -> "tuple[list[str], list[str]]":
    """Split a call as the kernel does into the words of the shell and those of the script.

    If the interpreter is a script itself (init-d-script), the search continues with its shell. The
    first list is empty for a program that no shell reads. Raises OSError for an unreadable file.
    """
    script = list(argv)
    for _ in range(MAX_INTERPRETERS):
        with open(script[0], "rb") as file:
            line = file.read(MAX_LINE_SIZE).split(b"\n")[0]
        if line.startswith(b"\x7fELF"):
            break
        # Without an interpreter line execvp(3) runs it with sh.
        words = os.fsdecode(line[2:]).split(maxsplit=1) if line[:2] == b"#!" else ["/bin/sh"]
        if not words:
            break
        shell = [words[0], *(word.rstrip() for word in words[1:] if word.strip("- \t"))]
        if shell_name(shell) in REWRITABLE:
            return shell, script
        if os.path.basename(shell[0]) == "env" and shell[1:] and shell[1].startswith("/"):
            shell = shell[1:]  # env /lib/init/init-d-script: a script for env to execute
        script = [*shell, *script]
    return [], script


def shell_name(words: "Sequence[str]") -> str:
    """Return the name of the program in the words of a first line, also behind env(1)."""
    name = os.path.basename(words[0])
    if name in WRAPPERS and len(words) > 1:
        inner = [word for word in words[1].split() if word[0] != "-" and "=" not in word]
        name = os.path.basename(inner[0]) if inner else ""
    return name


def make_link(command: str) -> str:
    """Return the path of a link to ssd named start-stop-daemon, and create it if necessary.

    Programs that inherit PATH use the link later too (ssd removes it from the PATH of daemons).
    So only root, or the caller, can create its directory. Raises OSError.
    """
    directory = _link_directory()
    try:
        os.mkdir(directory, 0o755)
        os.chmod(directory, 0o755)  # the umask limits the mode of mkdir(2)
    except FileExistsError:
        pass
    facts = os.lstat(directory)
    if not stat.S_ISDIR(facts.st_mode) or not only_ours(facts):
        raise OSError(errno.EPERM, "not a directory that only the caller can write", directory)
    link, target = f"{directory}/{TOOL}", _beside(command)
    if not os.path.islink(link) or os.readlink(link) != target:
        new = f"{link}.{os.getpid()}"
        os.symlink(target, new)
        os.replace(new, link)
    return link


def _link_directory() -> str:
    """Return the directory for the link. Raises OSError without a safe one."""
    if os.geteuid() == 0:
        return "/run/ssd-service"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime.startswith("/"):
        reason = "must be set: it is the directory for a link to ssd"
        raise OSError(errno.ENOENT, reason, "XDG_RUNTIME_DIR")
    return f"{runtime}/ssd-service"


def _beside(command: str) -> str:
    """Return the path of ssd: beside the command or its link target, otherwise on PATH.

    In one file (``ssd.one_file``) it is that file, which goes by the name that it is called by.
    """
    if ssd.archive is not None:
        return ssd.archive
    directories = [os.path.dirname(path) for path in (command, os.path.realpath(command))]
    programs = [f"{directory}/ssd" for directory in directories if directory]
    there = [path for path in programs if os.access(path, os.X_OK) and os.path.isfile(path)]
    found = there[0] if there else shutil.which("ssd")
    if found is None:
        reason = "found neither beside this command nor on PATH"
        raise OSError(errno.ENOENT, reason, "ssd")
    return os.path.realpath(found)


def sourced(text: str) -> "list[str]":
    """Return the paths of packaged files that a text sources, each once."""
    found = (_SOURCED.finditer(each) for each, code in _lines(text.split("\n")) if code)
    return list(dict.fromkeys(match["path"] for matches in found for match in matches))


def sets_path(text: str) -> bool:
    """Return whether a text assigns to PATH."""
    return any(code and _PATH.search(each) for each, code in _lines(text.split("\n")))


def rewritten(
    text: str,
    link: str,
    script: str,
    again: str,
    copies: "Mapping[str, str] | None" = None,
    bash: bool = False,
) -> str:
    """Return the text that a shell reads in place of a script.

    It keeps ssd on PATH, replaces absolute paths of start-stop-daemon and calls of the script
    itself, and in bash the tests whether the script is sourced.
    ``link``: the path of ssd under the name start-stop-daemon. ``script``: the path of the
    script. ``again``: shell words that run the script in the same way. ``copies``: quoted
    paths of files to source instead of others. ``bash``: the text is a script for bash.
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
    """Yield each line, and whether it is code: not a comment or part of a here-document."""
    ends: list[tuple[str, str]] = []  # of here-documents: "-" or "", and the word
    for number, each in enumerate(lines):
        if ends:
            if _ends(each, ends[0]):
                del ends[0]
            yield each, False
        elif each.lstrip().startswith("#"):
            yield each, False
        else:
            begun = [(match[1], match[3]) for match in _HEREDOC.finditer(each)]
            # Without an end it is not a here-document: $((1 << n)).
            ends = [end for end in begun if any(_ends(line, end) for line in lines[number + 1 :])]
            yield each, True


def _ends(line: str, end: tuple[str, str]) -> bool:
    dash, word = end
    return (line.lstrip("\t") if dash else line) == word
