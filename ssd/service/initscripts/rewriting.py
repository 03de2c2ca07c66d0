"""The text of an init script, with ssd where it would lead away from it.

A shell finds start-stop-daemon by PATH, which most scripts set themselves, or by its absolute
path; and a script that calls itself is read anew. These three are changed in what the shell reads.
Text that is only printed is left alone as far as can be told: comments, here-documents, and what
does not stand where a shell looks for a command or an assignment.
"""

import re

NAME = "start-stop-daemon"

_ABSOLUTE = re.compile(rf"(?<![\w./}}$-])(?:/usr)?/sbin/{NAME}(?![\w/.-])")
# "PATH=/bin", "export PATH=$x", "X=1 PATH=/bin f"; no MY_PATH, no quoted text, no empty value.
_PATH = re.compile(r"(?:(?<=^)|(?<=[\s;&|({`]))PATH=(?=[^\s;&|)])")
_COMMAND = r"^\s*|[;&|(){`!]\s*|\b(?:then|else|do|if|elif|while|until|exec|nohup)\s+"
_HEREDOC = re.compile(r"(?<!<)<<(-?)\s*(?:\\|(['\"]))?([\w.!-]+)")


def rewritten(text: str, link: str, script: str, again: str) -> str:
    """Return what a shell is to read in place of a script.

    ``link``: the path of ssd under the name start-stop-daemon. ``script``: the script's own
    path. ``again``: the words of shell that run the script as it is run now.
    """
    directory = link.rpartition("/")[0]
    names = rf"\$0|\$\{{0\}}|{re.escape(script)}"
    itself = re.compile(
        rf"(?P<before>{_COMMAND})(?:(?:\S*/)?(?:sh|ash|dash|bash)\s+)?"
        rf"(?P<quote>\"?)(?:{names})(?P=quote)(?=\s+[\w\"$-])"
    )

    def line(found: str) -> str:
        found = itself.sub(lambda match: match["before"] + again, found)
        found = _ABSOLUTE.sub(lambda match: link, found)
        return _PATH.sub(lambda match: f"PATH={directory}:", found)

    return "\n".join(line(each) if code else each for each, code in _lines(text.split("\n")))


def _lines(lines: "list[str]") -> "list[tuple[str, bool]]":
    """Return each line, and whether it is code: no comment, and not in a here-document."""
    told = []
    ends: list[tuple[str, str]] = []  # of here-documents: the sign before, and the word
    for each in lines:
        if ends:
            dash, word = ends[0]
            if (each.lstrip("\t") if dash else each) == word:
                del ends[0]
            told.append((each, False))
        elif each.lstrip().startswith("#"):
            told.append((each, False))
        else:
            ends = [(match[1], match[3]) for match in _HEREDOC.finditer(each)]
            told.append((each, True))
    return told
