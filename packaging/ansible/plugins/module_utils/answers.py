"""Run ``ssd-service NAME VERB --json`` on a host, and read what it answers.

It is the program of the host, or else the one-file program that the action plugin has put into the
task's temporary directory. Only the standard library of Python 3.8 is used here.
"""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time

PROGRAM = "ssd-service"
CARRIED = "ssd.pyz"
PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/opt/ssd/bin")
INIT_D = "/etc/init.d"
SHIPPED = ("nova-compute",)  # declarations that come with ssd
# Words of ssd-service that stand where a name does.
WORDS = ("all", "lsb", "generate", "import")
# How an answer may begin, also behind what does not end with a newline; and how many are tried.
BEGINS = re.compile(r'^[{[]|\{\n  "|\[\n  \{', re.MULTILINE)
TRIES = 1000
NOTHING = {"state": "unknown", "processes": []}


class Lacking(Exception):
    """The host has no ssd-service that answers in JSON; the text says what there is."""


class Refused(Exception):
    """A parameter is wrong; the text says which and why."""


class Failed(Exception):
    """A program ran and gave no answer. ``rc``: its exit status. ``begun``: it began with one."""

    def __init__(self, text, rc, begun=False):
        super().__init__(text)
        self.rc = rc
        self.begun = begun


def spare_time():
    """Have Python not look again through all that is loaded by now: it is needed to the end.

    At the end of a module that takes it a twentieth of the whole time.
    """
    getattr(gc, "freeze", gc.disable)()  # no freeze: no CPython


def fault_of_name(name):
    """Return why a text cannot be the name of a declaration; None if it can."""
    if not name or name != name.strip() or name.startswith(("-", ".")):
        return "it is not the name of a declaration"
    if "\0" in name:
        return "it has a byte of zero"
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return "the locale of the task has no such letters: set LC_ALL to C.UTF-8"
    if "/" in name:
        return "it is a path: give the name of the declaration, and its directory as 'directory'"
    if name in WORDS or name.endswith("@"):
        return "it stands for several services or none: name one"
    return None


def check(name, directory):
    """Check what the argument spec cannot; the name is None for all services. Raises Refused."""
    why = None if name is None else fault_of_name(name)
    if why:
        raise Refused(f"name: {name!r}: {why}")
    if not directory.startswith("/"):
        raise Refused(f"directory: {directory!r} is not an absolute path")


class Host:
    """The ssd-service of this host, or the one that was carried to it."""

    def __init__(self, module):
        self.module = module
        self.directory = module.params["directory"]
        self.seconds = 0.0  # of the last call
        self.said = ""  # on standard error, by the last call
        self.found = dict.fromkeys(("source", "version", "path", "python", "error"))
        self.lock = None  # a descriptor that stays open as long as a verb goes on
        self._argv = []

    def ask(self, name, verb, plan=False):
        """Do a verb, or only look with ``plan``; return the answer. Raises Lacking and Failed."""
        words = [name, verb, "--json"] + (["--plan"] if plan else [])
        if self._argv:
            return self._answer(words)
        why = "there is none"
        for source, path, argv in self._programs():
            self._argv = argv
            self.found.update(source=source, path=path, python=_python(path, argv))
            if not self._may_be_a_script(name) or self._knows(name):
                try:
                    return self._answer(words)
                except Failed as failed:
                    # One that began to answer has done the verb: nobody must do it again.
                    if source == "carried" or failed.begun and not plan or self._knows(name):
                        raise
                    why = f"{path} ended with {failed.rc}: {failed}"
            else:
                why = f"{path} has no --json for a verb, or does not run: {self.said}"
        self._argv = []
        self.found.update(source=None, path=None, python=None, error=why)
        raise Lacking(why)

    def warnings(self):
        """Return what the last call warned of, such as a word of a declaration without effect."""
        mark = ": warning: "
        return [line.partition(mark)[2] for line in self.said.splitlines() if mark in line]

    def _programs(self):
        """Yield what can be run: where it comes from, its path, and its first words."""
        for place in os.environ.get("PATH", "").split(os.pathsep) + list(PLACES):
            path = os.path.join(place, PROGRAM)
            if place.startswith("/") and os.path.isfile(path) and os.access(path, os.X_OK):
                yield "host", path, [path]
                break
        path = os.path.join(self.module.tmpdir, CARRIED)
        if os.path.isfile(path):
            yield "carried", path, [sys.executable, "-IS", path, PROGRAM]

    def _may_be_a_script(self, name):
        """Tell whether the name may be that of a plain init script, as no declaration has it.

        An ssd-service that is too old would run that, with --json as a word.
        """
        declared = [os.path.join(self.directory, name + end) for end in (".toml", "")]
        return (
            name not in SHIPPED
            and os.path.lexists(os.path.join(INIT_D, name))
            and not any(map(os.path.lexists, declared))
        )

    def _knows(self, name):
        """Tell whether this program answers every verb in JSON, without doing one."""
        try:
            self._answer([name, "status", "--json", "--plan"])
        except Failed:
            return False
        return True

    def _answer(self, words):
        """Run the program; return its JSON. Raises Failed."""
        options = [] if self.directory == "/etc/ssd" else ["--directory=" + self.directory]
        argv, kept = self._argv + options + words, ()
        if self.lock is not None and self.lock <= 9 and "--plan" not in words:
            # The verb may outlive this process. A shell waits with the lock: the program itself
            # would hand it on to hooks and daemons, for ever. Its descriptors have one digit.
            argv = ["/bin/sh", "-c", f'"$@" {self.lock}>&-; exit $?', "sh"] + argv
            kept = (self.lock,)
        begin = time.monotonic()
        # Files, as a daemon may keep them open for ever; a session of its own, so that a verb that
        # has begun is done to its end, also if the connection breaks.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                rc = subprocess.call(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd="/",
                    start_new_session=True,
                    pass_fds=kept,
                )
            except OSError as error:
                raise Failed(f"{self._argv[0]}: {error.strerror}", 127) from error
            self.seconds = round(time.monotonic() - begin, 3)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace"))
        self.said = texts[1].strip()
        answer = parsed(texts[0])
        if answer is None:
            begun = '{\n  "' in texts[0]
            if kept and rc > 128:  # as a shell tells of a signal, and complains
                rc, self.said = 128 - rc, ""
            raise Failed(self.said or _silence(rc, texts[0]), rc, begun)
        first = answer[0] if isinstance(answer, list) and answer else answer
        if first:
            self.found["version"] = first["ssd_version"]
        return answer


def parsed(text):
    """Return the answer in what a program printed, None if there is none.

    A hook of the service may have printed before it, much even, and no newline at its end: so the
    last one is looked for. An answer without ``ssd_version`` is that of a program that is too old.
    """
    decoder = json.JSONDecoder()
    places = [match.start() for match in BEGINS.finditer(text)]
    for place in places[: -TRIES - 1 : -1]:
        try:
            found = decoder.raw_decode(text[place:])[0]  # an error counts the lines before it
        except ValueError:
            continue
        rows = found if isinstance(found, list) else [found]
        if all(isinstance(row, dict) and "ssd_version" in row for row in rows):
            return found
    return None


def _silence(rc, text):
    """Return what to say of a program that neither answers nor complains."""
    if rc < 0:
        return f"it was ended by signal {-rc}"
    return "it has not answered in full" if text.strip() else "it says nothing"


def _python(path, argv):
    """Return the interpreter of a program; None if its first line names none."""
    if len(argv) > 1:
        return argv[0]
    try:
        with open(path, "rb") as file:
            line = file.readline(256)
    except OSError:
        return None
    words = line[2:].split() if line.startswith(b"#!") else []
    return words[0].decode("utf-8", "replace") if words and b"python" in words[0] else None


def lacking(host, why):
    """Return the message for a host without ssd."""
    return (
        f"this host has no {PROGRAM} that answers in JSON ({why}). It was looked for in PATH "
        f"and in {', '.join(PLACES)}. Install ssd there, or use a collection that carries it: "
        "scripts/collection builds one"
    )
