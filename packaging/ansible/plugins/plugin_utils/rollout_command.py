"""The command that goes on with a rollout, made from that of this run, and without secrets."""

from __future__ import annotations

import json
import os
import shlex

# ansible-playbook's options of one letter that take a value: what follows in the word is no option.
_VALUED = "MTcefilstu"
_HIDDEN = "-e '...'"
_RESUME = "rolling_restart_resume"


def resume_command(argv, directory):
    """Return the command line that goes on, made from that of this run.

    Values of -e that are not this role's may be credentials: they are left out.
    """
    words = [shlex.quote(os.path.basename(argv[0]))]
    rest = iter(argv[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            if len(name) > 3 and "--extra-vars".startswith(name):  # argparse takes abbreviations
                words += _assigned(value if equals else next(rest, ""))
            elif not (len(name) > 3 and "--check".startswith(name)):
                words.append(shlex.quote(word))
        elif word.startswith("-") and len(word) > 1:
            words += _letters(word[1:], rest)
        else:
            words.append(shlex.quote(word))
    return " ".join([*words, "-e", shlex.quote(f"{_RESUME}={directory}")])


def _letters(letters, rest):
    """Return the words that repeat options of one letter, such as -bC and -bePASSWORD=x."""
    valued = next((at for at, letter in enumerate(letters) if letter in _VALUED), len(letters))
    flags = letters[:valued].replace("C", "")
    words = [f"-{flags}"] if flags else []
    if letters[valued : valued + 1] == "e":
        return words + _assigned(letters[valued + 1 :] or next(rest, ""))
    if valued == len(letters):
        return words
    return [shlex.quote(f"-{flags}{letters[valued:]}")]


def _assigned(value):
    """Return the words that repeat a value of -e without ``resume``, or say that it is left out."""
    if value.startswith("@"):
        return ["-e", shlex.quote(value)]
    try:
        given = json.loads(value) if value.startswith("{") else shlex.split(value)
    except ValueError:
        return [_HIDDEN]
    names = [word.partition("=")[0] for word in given]
    if not names or not all(map(_is_harmless, names)):
        return [_HIDDEN]
    if _RESUME not in names:
        return ["-e", shlex.quote(value)]
    if isinstance(given, dict):
        del given[_RESUME]
        return ["-e", shlex.quote(json.dumps(given))] if given else []
    kept = [word for word, name in zip(given, names, strict=True) if name != _RESUME]
    return ["-e", shlex.quote(shlex.join(kept))] if kept else []


def _is_harmless(name):
    return name.startswith("rolling_restart_") or name == "ansible_python_interpreter"
