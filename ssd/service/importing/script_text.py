"""What the text of an init script says without running it: variables, files, programs, verbs."""

import os
import re

from ssd.service.importing import functions

# Verbs of ssd-service, and those that scripts print a usage for.
VERBS = frozenset(
    "start stop restart reload force-reload try-restart condrestart status force-stop force-start "
    "try-reload-or-restart systemd-start help usage".split()
)
MOST_READ = 1 << 20  # bytes of a file that a script reads
_ASSIGNED = re.compile(r"^\s*(?:export\s+|readonly\s+)?(\w+)=(\"?)([^\"'`;\s]*)\2\s*(?:[;#].*)?$")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_SOURCED = re.compile(r"(?:^|[;&|]|\bthen|\bdo)\s*(?:\.|source)\s+[\"']?([/$][\w./$\{\}-]+)")
_LABEL = re.compile(r"^\s*\(?\s*\"?([a-z][\w\"|\s-]*)\)")
_CASE = re.compile(r"\bcase\s+(.+?)\s+in\b")
_TESTED = re.compile(
    r"-[efx]\s+[\"']?([/$][\w./$\{\}+-]+)[\"']?\s*\]{0,2}\s*\|\|\s*(?:exit|return)\b"
)
_PROGRAMS = ("/bin/", "/sbin/", "/libexec/")
_DEFAULTS = "/etc/default/"


class Script:
    """An init script: its path, and its text."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.first = text.partition("\n")[0]
        self.values = assigned(text)

    def pidfiles(self) -> "list[str]":
        """Return the pidfiles that variables name."""
        return [
            value
            for variable, value in self.values.items()
            if value.startswith("/") and (value.endswith(".pid") or "PID" in variable.upper())
        ]

    def settings(self) -> "list[str]":
        """Return the files below /etc that it reads, known or not."""
        found = [each for each in self._sourced() if each.startswith("/etc/")]
        own = _DEFAULTS + os.path.basename(self.path)
        if "init-d-script" in self.first and os.path.exists(own):
            found.append(own)  # which init-d-script(5) reads
        return [each for each in dict.fromkeys(found) if each not in functions.PATHS]

    def _sourced(self) -> "list[str]":
        return [
            expanded(match[1], self.values)
            for line in self.text.split("\n")
            if not line.lstrip().startswith("#")
            for match in _SOURCED.finditer(line)
        ]

    def missing(self) -> "list[str]":
        """Return the programs that it names, or leaves without, and that are not installed."""
        whole = self.text
        for path in self._sourced():
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    whole += "\n" + file.read(MOST_READ)
        values = assigned(whole)
        tested = [expanded(path, values) for path in _TESTED.findall(whole)]
        return [each for each in dict.fromkeys([*values.values(), *tested]) if _is_missing(each)]

    def other_verbs(self) -> "list[str]":
        """Return the verbs that a service has not: labels of a case on an argument."""
        subjects: list[str] = []  # of the cases that a line stands in
        verbs = set()
        for line in self.text.split("\n"):
            begun = _CASE.search(line)
            if begun:
                subjects.append(begun[1])
            label = _LABEL.match(line[begun.end() :] if begun else line)
            if label and subjects and "$" in subjects[-1] and _is_argument(subjects[-1]):
                verbs |= {word.strip('" \t') for word in label[1].split("|")}
            if subjects and re.search(r"\besac\b", line):
                subjects.pop()
        return sorted({verb for verb in verbs if verb and " " not in verb} - VERBS)


def _is_argument(subject: str) -> bool:
    """Tell whether the subject of a case may be the verb: "$1", or a variable of such a name."""
    name = subject.strip("\"'${}").partition(":")[0].lower()
    return name == "1" or any(each in name for each in ("act", "command", "cmd", "verb", "mode"))


def _is_missing(value: str) -> bool:
    return (
        value.startswith("/")
        and not os.path.exists(value)
        and any(each in value for each in _PROGRAMS)
        and "$" not in value
    )


def expanded(text: str, values: "dict[str, str]") -> str:
    """Return a text with the variables that are known."""
    return _VARIABLE.sub(lambda each: values.get(each[1], each[0]), text)


def assigned(text: str) -> "dict[str, str]":
    """Return the variables that a script sets to a text that can be known without running it."""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        match = _ASSIGNED.match(line)
        if match is None or "$(" in match[3]:
            continue
        value = expanded(match[3], values)
        if "$" not in value and match[1] not in values:
            values[match[1]] = value
    return values
