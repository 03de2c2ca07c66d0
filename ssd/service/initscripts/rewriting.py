"""The text of an init script, with ssd where it would lead away from it.

A shell finds start-stop-daemon by PATH, which most scripts set themselves, or by its absolute
path; and a script that calls itself is read anew. These three are changed in what the shell reads,
and in bash what would tell the script that it is read by another.
Text that is only printed is left alone as far as can be told: comments, here-documents, and what
does not stand where a shell looks for a command or an assignment.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "start-stop-daemon"

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
