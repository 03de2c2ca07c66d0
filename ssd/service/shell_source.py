"""Declarations as files of shell assignments, read by a real shell.

Four kinds of file are told apart by their text: an OpenStack ``.init.in`` (it names its
PROJECT_NAME), an init-d-script, a file of our own (``#!/usr/bin/env ssd-service``, or no
interpreter at all), and any other script with assignments. The shell executes the file; what
the variables are when it has come to its end, or exits, is what they declare.
"""

import errno
import os

from ssd.service import debian
from ssd.service.errors import DeclarationError
from ssd.service.header import parse
from ssd.service.shell import fault, run
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.service.declaration import Service

    Work = Callable[[], object]

OPENSTACK, INIT_D, OWN, SCRIPT = "openstack", "init-d-script", "own", "script"
MOST = 1 << 20  # characters of a file
# openstack-pkg-tools appends its own code with an interpreter line of its own on top.
_APPENDED = "\n#!/bin/sh\n"
_FUNCTIONS = ("do_start_prepare", "do_start_cleanup", "do_stop_prepare", "do_stop_cleanup")
_HOOKS = ("before_start", "after_start", "before_stop", "after_stop")

# On one line, so that the file's own lines keep their numbers in what the shell says.
_BEFORE = """\
INIT_D_SCRIPT_SOURCED=true; __ssd_finish() {{ __ssd_status=${{__ssd_status-$?}}; trap - EXIT; \
__ssd_dir=${{DEFAULT_DIR:-${{ROOT_DIR-}}/etc/default}}; {program}[ "${{NAME-}}" ] || NAME={name}; \
if [ "${{PROJECT_NAME-}}" ] && [ -r "$__ssd_dir/openstack" ]; then . "$__ssd_dir/openstack"; fi; \
if [ -r "$__ssd_dir/$NAME" ]; then . "$__ssd_dir/$NAME"; fi; \
{functions}printf '%s\\0' "$__ssd_status" {values} >&3; exit 0; }}; trap __ssd_finish EXIT; """
# init-d-script(5) calls a service as its program, whatever its file and header say.
_PROGRAM = '[ "${DAEMON:-none}" = none ] || : "${NAME:=${DAEMON##*/}}"; '
_AFTER = "\n__ssd_status=end; __ssd_finish\n"
_FIND_FUNCTIONS = (
    'for f in {names}; do if command -V "$f" > /dev/null 2>&1; then __ssd_functions='
    '"${{__ssd_functions-}} $f"; fi; done; '
)


def read(
    path: str,
    environment: "Mapping[bytes, bytes] | None" = None,
    meanwhile: "Work" = lambda: None,
) -> "Service":
    """Read the declaration in a shell file, which sees ``environment`` (our own if None).

    ``meanwhile`` is called while the shell works: there are two processors in most machines.
    Raises DeclarationError, and OSError if the file cannot be read.
    """
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read(MOST + 1)
    if len(text) > MOST:
        raise DeclarationError("it is larger than 1 MiB", file=path)
    return loads(_as_unix_has_it(text), os.path.abspath(path), environment, meanwhile)


def _as_unix_has_it(text: str) -> str:
    """Take away what an editor of Windows adds, and a shell would take for a part of words."""
    text = text.removeprefix("\ufeff")  # the byte order mark
    # Elsewhere than in the first line it may be meant.
    return text.replace("\r\n", "\n") if text.partition("\n")[0].endswith("\r") else text


def kind_of(text: str) -> str:
    """Tell which of the four kinds of file a text is."""
    first = text.partition("\n")[0]
    if "PROJECT_NAME=" in text or "{PROJECT_NAME:=" in text:
        return OPENSTACK
    if "init-d-script" in first or "INIT_D_SCRIPT_SOURCED" in text and not is_own(text):
        return INIT_D
    return SCRIPT if first.startswith("#!") and not is_own(text) else OWN


def is_own(text: str) -> bool:
    """Tell whether a text names ssd-service as its interpreter."""
    first = text.partition("\n")[0]
    return first.startswith("#!") and "ssd-service" in first


def loads(
    text: str,
    file: str,
    environment: "Mapping[bytes, bytes] | None" = None,
    meanwhile: "Work" = lambda: None,
) -> "Service":
    """Make a Service of the text of a shell file. Raises DeclarationError."""
    if "\0" in text:
        number = text.partition("\0")[0].count("\n") + 1
        raise DeclarationError("it is no text: it has a NUL byte", file=file, line=number)
    kind = kind_of(text)
    header = parse(text)
    strict = is_own(text) or not text.startswith("#!")
    if strict:
        from ssd.service.spelling import check

        check(text, file)
    name = header.get("provides", "").partition(" ")[0] or _called(file)
    given = dict(os.environb if environment is None else environment)
    if kind != OPENSTACK:
        # A variable that the file does not set must not come from elsewhere (init-d-script).
        for variable in debian.VARIABLES:
            given.pop(variable.encode(), None)
    whole = strict and kind == OWN
    names = (_PROGRAM if kind == INIT_D else "", quote(name))
    # What openstack-pkg-tools appends has effects, and is ours to do.
    head = text.partition(_APPENDED)[0] if kind == OPENSTACK else text
    found, functions = _variables(head, file, names, given, whole, meanwhile)
    if kind == OPENSTACK and not found.get("PROJECT_NAME"):
        kind = OWN if strict else SCRIPT  # it only stands in some text
    from ssd.service.declaration import Service  # loaded by now, or while the shell worked

    try:
        made = _fields(kind, found, text, file, given)
        made |= _hooks(functions, file)
        made = {**debian.header_fields(header), **made, **debian.own_fields(found)}
        return Service(file=file, **made)
    except debian.BadVariable as error:
        line = line_of(text, error.variable)
        raise DeclarationError(error.reason, error.variable, file=file, line=line) from None
    except DeclarationError as error:
        error.key = debian.variable_of(error.key or "", found)
        error.line = line_of(text, error.key)
        raise


def _called(file: str) -> str:
    """Return what a file is called; update-rc.d(8)'s links S01NAME and K01NAME mean NAME."""
    name = os.path.basename(file)
    ranked = name[:1] in ("S", "K") and name[1:3].isdigit() and len(name) > 3
    return name[3:] if ranked and os.path.islink(file) else name


def _variables(
    text: str,
    file: str,
    called: tuple[str, str],
    environment: "Mapping[bytes, bytes]",
    whole: bool,
    meanwhile: "Work",
) -> tuple[dict[str, str], list[str]]:
    """Have a shell execute the text; return the variables, and the functions that are hooks.

    ``called``: what sets NAME in the end if the file does not, and the word for it otherwise.
    With ``whole`` it has to come to its end, or exit with 0.
    """
    names = [*debian.VARIABLES, "PATH", "__ssd_functions"]
    functions = _FIND_FUNCTIONS.format(names=" ".join(_FUNCTIONS)) if "do_st" in text else ""
    values = " ".join(f'"${{{each}+=}}${{{each}-}}"' for each in names)
    before = _BEFORE.format(program=called[0], name=called[1], functions=functions, values=values)
    program = before + text + _AFTER
    try:
        status, output, said = run(program, file, environment, meanwhile=meanwhile)
    except OSError as error:
        if error.errno != errno.E2BIG:
            raise
        reason = "it is too large for a shell: Linux takes 128 KiB at once (execve(2))"
        raise DeclarationError(reason, file=file) from None
    ended, *texts = output.decode("utf-8", "surrogateescape").split("\0")
    if len(texts) != len(names) + 1 or whole and ended not in ("end", "0"):
        if ended and not ended.isdigit():
            raise DeclarationError("it uses descriptor 3, which ssd-service reads", file=file)
        raise fault(file, status or int(ended or 1), said)
    found = {n: t[1:] for n, t in zip(names, texts, strict=False) if t}
    return found, found.pop("__ssd_functions", "").split()


def _fields(
    kind: str, found: dict[str, str], text: str, file: str, environment: "Mapping[bytes, bytes]"
) -> dict[str, object]:
    """Return what the variables declare by the rules of their kind."""
    if kind == OPENSTACK:
        from ssd.service import openstack
        from ssd.service.programs import chooser

        made = openstack.fields(
            found,
            root=os.geteuid() == 0,
            exists=os.path.exists,
            program=chooser(found.get("PATH", os.defpath), file),
        )
    elif kind == INIT_D:
        made = debian.init_d_fields(found)
    elif kind == SCRIPT:
        made = debian.script_fields(found, text)
    else:
        made = debian.plain_fields(found)
    return {**made, **debian.option_fields(found)}


def _hooks(functions: list[str], file: str) -> dict[str, object]:
    """Return the hooks that call an init-d-script's own functions."""
    call = f"INIT_D_SCRIPT_SOURCED=true; . {quote(file)}; "
    pairs = zip(_FUNCTIONS, _HOOKS, strict=True)
    return {hook: call + function for function, hook in pairs if function in functions}


def line_of(text: str, variable: str) -> int | None:
    """Return the number of the line that sets a variable; None if no line does."""
    for number, line in enumerate(text.split("\n"), 1):
        if f"{variable}=" in line or f"{variable}:=" in line:
            return number
    return None
