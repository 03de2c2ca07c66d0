"""Read declarations that are shell assignments; a real shell executes the file.

Their text distinguishes four kinds of file: an OpenStack ``.init.in`` (it sets PROJECT_NAME), an
init-d-script, a file of our own (``#!/usr/bin/env ssd-service``, or no interpreter line), and
any other script with assignments. The shell executes the file; the values of the variables when
it ends or exits are the declaration.
"""

import errno
import os

from ssd.service.errors import DeclarationError
from ssd.service.sh import ARGUMENTS, fault, run
from ssd.service.sources import debian
from ssd.service.sources.header import parse
from ssd.service.trust import check, is_trusted
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.service.declaration import Service
    from ssd.service.sources.doubts import Source
    from ssd.service.sources.inherited import Limits

    Work = Callable[[], object]

OPENSTACK, INIT_D, OWN, SCRIPT = "openstack", "init-d-script", "own", "script"
MAX_FILE_SIZE = 1 << 20  # characters
# openstack-pkg-tools appends its own code below a second interpreter line.
_APPENDED = "\n#!/bin/sh\n"
_FUNCTIONS = ("do_start_prepare", "do_start_cleanup", "do_stop_prepare", "do_stop_cleanup")
_HOOKS = ("before_start", "after_start", "before_stop", "after_stop")

# On one line, so that the lines of the file keep their numbers in the shell's messages. The name of
# the administrator's file depends on the variables, so the shell asks whether a file is trusted.
_BEFORE = """\
INIT_D_SCRIPT_SOURCED=true; __ssd_read() {{ [ -r "$1" ] || return 0; \
case {trusted} in *"|$1|"*) ;; *) printf '%s\\0' {asks} "$1" >&3; exit 0;; esac; \
__ssd_files="${{__ssd_files-}}$1|"; . "$1"; }}; \
umask() {{ __ssd_umask=umask; command umask "$@"; }}; \
ulimit() {{ __ssd_ulimit=ulimit; command ulimit "$@"; }}; \
__ssd_finish() {{ __ssd_status=${{__ssd_status-$?}}; trap - EXIT; \
__ssd_dir=${{DEFAULT_DIR:-${{ROOT_DIR-}}/etc/default}}; {program}[ "${{NAME-}}" ] || NAME={name}; \
if [ "${{PROJECT_NAME-}}" ]; then __ssd_read "$__ssd_dir/openstack"; fi; \
__ssd_read "$__ssd_dir/$NAME"; \
{functions}printf '%s\\0' "$__ssd_status" {values} "${{__ssd_files-}}" \
"${{__ssd_umask-}}" "${{__ssd_ulimit-}}" >&3; command umask >&3; export -p >&3; exit 0; }}; \
trap __ssd_finish EXIT; """
_ASKS = "trust?"
# init-d-script(5) names a service after its program, whatever its file and header say.
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

    Raises DeclarationError.

    Its ``doubts`` are the parts of the text that have no effect.
    """
    if "\0" in text:
        number = text.partition("\0")[0].count("\n") + 1
        raise DeclarationError("must be text; it contains a NUL byte", file=file, line=number)
    kind = kind_of(text)
    header = parse(text)
    strict = is_own(text) or not text.startswith("#!")
    if strict:
        debian.check_spelling(text, file)
    _reject_code(kind, text, file)
    name = instance or header.get("provides", "").partition(" ")[0] or _name_of(file)
    if "@" in file and not instance and os.path.realpath(file).endswith("@"):
        name = _name_of(file)
    given = dict(os.environb if environment is None else environment)
    if kind != OPENSTACK:
        # The environment must not set the variables of a file (as for an init-d-script).
        for variable in debian.VARIABLES:
            given.pop(variable.encode(), None)
    whole = strict and kind == OWN
    names = (_PROGRAM if kind == INIT_D else "", quote(name))
    # The code that openstack-pkg-tools appends has effects; ssd does its work.
    head = text.partition(_APPENDED)[0] if kind == OPENSTACK else text
    state = _State(file, given, _likely(kind, name, given))
    state.execute(head, names, whole, meanwhile)
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
        plain = kind == INIT_D or strict
        openstack = kind == OPENSTACK
        state.source = (text if plain else "", state.files, found, openstack, state.said)
        service.find_doubts = state.find_doubts
        state.given = {}  # the caller's environment may hold secrets, and a Service be pickled
    return service


def _reject_code(kind: str, text: str, file: str) -> None:
    """Raise DeclarationError for code that a declaration must not have, before it is executed."""
    if kind == OWN and any(mark in text for mark in ARGUMENTS):
        from ssd.service.sources.plain_script import reject_verbs

        reject_verbs(text, file)
    if kind == SCRIPT:
        from ssd.service.sources.plain_script import reject_foreign

        reject_foreign(text, file)
    if kind == INIT_D:
        from ssd.service.sources.plain_script import reject_overrides

        reject_overrides(text, file)


def _likely(kind: str, name: str, given: "Mapping[bytes, bytes]") -> "list[str]":
    """Return the trusted files of the administrator that a text will probably read.

    The shell asks about other files, and then a second shell is necessary.
    """
    directory = given.get(b"DEFAULT_DIR") or given.get(b"ROOT_DIR", b"") + b"/etc/default"
    names = (["openstack"] if kind == OPENSTACK else []) + [name]
    paths = [f"{os.fsdecode(directory)}/{each}" for each in names]
    return [path for path in paths if os.path.lexists(path) and is_trusted(path)]


def _name_of(file: str) -> str:
    """Return the name of a file; the links S01NAME and K01NAME of update-rc.d(8) mean NAME."""
    name = os.path.basename(file)
    ranked = name[:1] in ("S", "K") and name[1:3].isdigit() and len(name) > 3
    return name[3:] if ranked and os.path.islink(file) else name


class _State:
    """The state of a shell that has executed a text.

    variables: those that declare something. functions: those that become hooks. fields: from
    the changes to its own process (umask, limits, environment). files: the administrator's
    files that it has read. said: the complaints of the shell. source: what doubts are about.
    """

    def __init__(self, file: str, given: "Mapping[bytes, bytes]", likely: "list[str]") -> None:
        self.variables: dict[str, str] = {}
        self.functions: list[str] = []
        self.fields: dict[str, object] = {}
        self.files: list[str] = []
        self.said = ""
        self.source: Source | None = None
        self._file = file
        self.given = given
        self._trusted = likely
        self._limits: Limits | None = None

    def execute(self, text: str, called: "tuple[str, str]", whole: bool, meanwhile: "Work") -> None:
        """Execute the text with a shell.

        ``called``: the code that sets NAME if the file does not, and the name if both do not.
        With ``whole`` the text must reach its end, or exit with 0.
        """
        names = [*debian.VARIABLES, "PATH", "__ssd_functions"]
        functions = _FIND_FUNCTIONS.format(names=" ".join(_FUNCTIONS)) if "do_st" in text else ""
        values = " ".join(f'"${{{each}+=}}${{{each}-}}"' for each in names)
        before = _BEFORE.format(
            program=called[0], name=called[1], functions=functions, values=values,
            trusted=quote(f"|{'|'.join(self._trusted)}|"), asks=_ASKS,
        )  # fmt: skip
        status, output, said = self._run(before + text + _AFTER, meanwhile)
        ended, *texts = output.decode("utf-8", "surrogateescape").split("\0")
        if ended == _ASKS and len(texts) == 2 and texts[0] not in self._trusted:
            check(texts[0])
            self._trusted.append(texts[0])
            self.execute(text, called, whole, lambda: None)
            return
        if len(texts) != len(names) + 4 or whole and ended not in ("end", "0"):
            if ended and not ended.isdigit():
                reason = "must not use descriptor 3, which ssd-service reads"
                raise DeclarationError(reason, file=self._file)
            raise fault(self._file, status or int(ended or 1), said)
        self.said = said
        found = {n: t[1:] for n, t in zip(names, texts, strict=False) if t}
        self.functions = found.pop("__ssd_functions", "").split()
        self.variables = found
        self._take(texts[len(names) :])

    def find_doubts(self) -> "tuple[str, ...]":
        """Return the doubts about the text; ``doubts`` is loaded only if they are needed."""
        from ssd.service.sources.doubts import doubts

        return () if self.source is None else doubts(self._file, self.source)

    def _run(self, program: str, meanwhile: "Work") -> "tuple[int, bytes, str]":
        def at_end(pid: int, output: bytes) -> None:
            if b"\0ulimit\0" in output:
                from ssd.service.sources.inherited import limits

                self._limits = limits(pid)

        try:
            return run(program, self._file, self.given, meanwhile=meanwhile, at_end=at_end)
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise
            reason = "must not be larger than 128 KiB, Linux's limit for an argument (execve(2))"
            raise DeclarationError(reason, file=self._file) from None

    def _take(self, texts: "list[str]") -> None:
        """Read the output after the variables: files, calls of umask and ulimit, the rest."""
        files, umask, ulimit, rest = texts
        self.files = files.split("|")[:-1]
        mask, _, listed = rest.partition("\n")
        if ulimit and self._limits is None:
            reason = "its effect cannot be read on this system; use SERVICE_LIMITS"
            raise DeclarationError(reason, "ulimit", file=self._file)
        if self._limits:
            self.fields["limits"] = self._limits
        if umask:
            self.fields["umask"] = mask
        # The format of dash; PWD is the shell's own.
        given = {f"export {os.fsdecode(n)}='{os.fsdecode(v)}'" for n, v in self.given.items()}
        lines = [each for each in listed.split("\n") if not each.startswith("export PWD=")]
        if not given.issuperset(lines[:-1]):
            from ssd.service.sources.inherited import exported

            self.fields["environment"] = exported(listed, self.given)


def _fields(kind: str, found: "dict[str, str]", text: str, file: str) -> "dict[str, object]":
    """Return the fields that the variables declare, by the rules of the kind of file."""
    if kind == OPENSTACK:
        from ssd.service.programs import chooser, first_line
        from ssd.service.sources import openstack

        made = openstack.fields(
            found,
            root=os.geteuid() == 0,
            exists=os.path.exists,
            program=chooser(found.get("PATH", os.defpath), file),
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
    pairs = zip(_FUNCTIONS, _HOOKS, strict=True)
    return {hook: call + function for function, hook in pairs if function in functions}


def line_of(text: str, variable: str) -> "int | None":
    """Return the number of the line that sets a variable, None if no line does."""
    for number, line in enumerate(text.split("\n"), 1):
        if f"{variable}=" in line or f"{variable}:=" in line:
            return number
    return None
