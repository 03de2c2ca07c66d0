"""Read declarations that are shell assignments; a real shell executes what is not plain.

Their text distinguishes four kinds of file: an OpenStack ``.init.in`` (it sets PROJECT_NAME), an
init-d-script, a file of our own (``#!/usr/bin/env ssd-service``, or no interpreter line), and
any other script with assignments. The shell executes the file; the values of the variables when
it ends or exits are the declaration.
"""

import os
import posix

from ssd.service.errors import DeclarationError
from ssd.service.sources import debian, plain_shell
from ssd.service.sources.header import parse
from ssd.service.trust import check
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.service.declaration import Service

    Work = Callable[[], object]

OPENSTACK, INIT_D, OWN, SCRIPT = "openstack", "init-d-script", "own", "script"
MAX_FILE_SIZE = 1 << 20  # characters
# openstack-pkg-tools appends its own code below a second interpreter line.
_APPENDED = "\n#!/bin/sh\n"
_HOOKS = ("before_start", "after_start", "before_stop", "after_stop")


def read(
    path: str,
    environment: "Mapping[bytes, bytes] | None" = None,
    meanwhile: "Work" = lambda: None,
    instance: "str | None" = None,
) -> "Service":
    """Read the declaration in a shell file, with ``environment`` (our own if None).

    ``meanwhile`` is called while the shell works: most machines have two processors. ``instance``:
    NAME@INSTANCE, if the file is a template and its own name does not say which one. Raises
    DeclarationError, also for a file that other users may write (``ssd.service.trust``), and
    OSError if the file cannot be read.
    """
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read(MAX_FILE_SIZE + 1)
    if len(text) > MAX_FILE_SIZE:
        raise DeclarationError("must not be larger than 1 MiB", file=path)
    if os.path.realpath(path).endswith(".toml"):
        raise DeclarationError("is a link to TOML, so its name must end in .toml, too", file=path)
    check(path)
    return loads(_as_unix_has_it(text), os.path.abspath(path), environment, meanwhile, instance)


def _as_unix_has_it(text: str) -> str:
    """Remove what editors on Windows add: a shell would read it as part of the words."""
    text = text.removeprefix("\ufeff")  # the byte order mark
    # If the first line has no carriage return, those of other lines may be intended.
    return text.replace("\r\n", "\n") if text.partition("\n")[0].endswith("\r") else text


def kind_of(text: str) -> str:
    """Return which of the four kinds of file a text is."""
    first = text.partition("\n")[0]
    if "PROJECT_NAME=" in text or "{PROJECT_NAME:=" in text:
        return OPENSTACK
    if "init-d-script" in first or "INIT_D_SCRIPT_SOURCED" in text and not is_own(text):
        return INIT_D
    return SCRIPT if first.startswith("#!") and not is_own(text) else OWN


def has_verbs(text: str) -> bool:
    """Tell whether a text is a script with verbs of its own, by arguments or functions."""
    kind = kind_of(text)
    if kind == OWN or is_own(text) or _APPENDED in text:
        return False
    from ssd.service.sources.plain_script import acts, foreign, overrides

    return bool(overrides(text)) if kind == INIT_D else bool(foreign(text)) or acts(text)


def is_own(text: str) -> bool:
    """Tell whether a text names ssd-service as its interpreter."""
    first = text.partition("\n")[0]
    return first.startswith("#!") and "ssd-service" in first


def loads(
    text: str,
    file: str,
    environment: "Mapping[bytes, bytes] | None" = None,
    meanwhile: "Work" = lambda: None,
    instance: "str | None" = None,
) -> "Service":
    """Make a Service of the text of a shell file; ``instance`` as in ``read``.

    Raises DeclarationError. Its ``doubts`` are the parts of the text that have no effect.
    """
    if "\0" in text:
        number = text.partition("\0")[0].count("\n") + 1
        raise DeclarationError("must be text; it contains a NUL byte", file=file, line=number)
    kind = kind_of(text)
    header = parse(text)
    strict = is_own(text) or not text.startswith("#!")
    name = instance or header.get("provides", "").partition(" ")[0] or _name_of(file)
    if "@" in file and not instance and os.path.realpath(file).endswith("@"):
        name = _name_of(file)
    if environment is None:  # os.environb, or what it is made of while os is not complete
        environment = posix.environ if "__getattr__" in vars(os) else os.environb
    given = dict(environment)
    if kind != OPENSTACK:
        # The environment must not set the variables of a file (as for an init-d-script).
        for variable in debian.VARIABLES:
            given.pop(variable.encode(), None)
    # The code that openstack-pkg-tools appends has effects; ssd does its work.
    head = text.partition(_APPENDED)[0] if kind == OPENSTACK else text
    plain = kind in (OPENSTACK, OWN) and plain_shell.execute(head, given, name) or None
    if plain is not None:
        meanwhile()
        state = plain_shell.State(file, given)
        state.variables, state.files = plain
    else:
        if strict:
            debian.check_spelling(text, file)
        _reject_code(kind, text, file)
        from ssd.service.sources.executed import Executed, likely

        executed = Executed(file, given, likely(kind == OPENSTACK, name, given))
        executed.execute(head, name, kind == INIT_D, strict and kind == OWN, meanwhile)
        state = executed
    found = state.variables
    if kind == OPENSTACK and not found.get("PROJECT_NAME"):
        kind = OWN if strict else SCRIPT  # PROJECT_NAME only occurs in some text
    if kind == SCRIPT:
        from ssd.service.sources.plain_script import reject_losses

        reject_losses(text, file, found)
    from ssd.service.declaration import Service  # loaded before, or while the shell worked

    try:
        made = {**state.fields, **_fields(kind, found, text, file)}
        made |= _hooks(state.functions, file)
        own = debian.own_fields(found)
        for table in ("environment", "limits"):
            if table in own and table in made:
                own[table] = {**made[table], **own[table]}  # type: ignore[dict-item]
        fields = {**debian.header_fields(header), **made, **own}
        if kind == OWN and ("instances" in fields or "@" in name):
            from ssd.service.sources.templates import settle

            settle(fields, name, file)
        service = Service(file=file, **fields)
    except debian.BadVariable as error:
        line = line_of(text, error.variable)
        raise DeclarationError(error.reason, error.variable, file=file, line=line) from None
    except DeclarationError as error:
        if error.key is not None:
            error.key = debian.variable_of(error.key, found)
            error.line = line_of(text, error.key)
        raise
    if kind != SCRIPT:
        # The code of a script may use any variable.
        openstack = kind == OPENSTACK
        if plain is None or not plain_shell.doubtless(found, openstack):
            declares = kind == INIT_D or strict
            state.source = (text if declares else "", state.files, found, openstack, state.said)
        service.find_doubts = state.find_doubts
        state.given = {}  # the caller's environment may hold secrets, and a Service be pickled
    return service


def _reject_code(kind: str, text: str, file: str) -> None:
    """Raise DeclarationError for code that a declaration must not have, before it is executed."""
    from ssd.service.sh import ARGUMENTS

    if kind == OWN and any(mark in text for mark in ARGUMENTS):
        from ssd.service.sources.plain_script import reject_verbs

        reject_verbs(text, file)
    if kind == SCRIPT:
        from ssd.service.sources.plain_script import reject_foreign

        reject_foreign(text, file)
    if kind == INIT_D:
        from ssd.service.sources.plain_script import reject_overrides

        reject_overrides(text, file)


def _name_of(file: str) -> str:
    """Return the name of a file; the links S01NAME and K01NAME of update-rc.d(8) mean NAME."""
    name = os.path.basename(file)
    ranked = name[:1] in ("S", "K") and name[1:3].isdigit() and len(name) > 3
    return name[3:] if ranked and os.path.islink(file) else name


def _fields(kind: str, found: "dict[str, str]", text: str, file: str) -> "dict[str, object]":
    """Return the fields that the variables declare, by the rules of the kind of file."""
    if kind == OPENSTACK:
        from ssd.service.programs import chooser, first_line
        from ssd.service.sources import openstack

        made = openstack.fields(
            found,
            root=os.geteuid() == 0,
            exists=os.path.exists,
            program=chooser(found.get("PATH", os.path.defpath), file),
            first_line=first_line,
        )
    elif kind == INIT_D:
        made = debian.init_d_fields(found)
    elif kind == SCRIPT:
        made = debian.script_fields(found, text)
    else:
        made = debian.plain_fields(found)
    return {**made, **debian.option_fields(found)}


def _hooks(functions: "list[str]", file: str) -> "dict[str, object]":
    """Return the hooks that call the functions of an init-d-script."""
    call = f"INIT_D_SCRIPT_SOURCED=true; . {quote(file)}; "
    pairs = zip(debian.FUNCTIONS, _HOOKS)
    return {hook: call + function for function, hook in pairs if function in functions}


def line_of(text: str, variable: str) -> "int | None":
    """Return the number of the line that sets a variable, None if no line does."""
    for number, line in enumerate(text.split("\n"), 1):
        if f"{variable}=" in line or f"{variable}:=" in line:
            return number
    return None
