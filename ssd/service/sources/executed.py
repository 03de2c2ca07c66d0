"""Execute a shell declaration with sh(1); read its variables and the changes to its process."""

import errno
import os

from ssd.service.errors import DeclarationError
from ssd.service.sh import fault, run
from ssd.service.sources import debian
from ssd.service.sources.plain_shell import State
from ssd.service.trust import check, is_trusted
from ssd.service.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssd.service.sources.inherited import Limits

    Work = Callable[[], object]

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


def likely(openstack: bool, name: str, given: "Mapping[bytes, bytes]") -> "list[str]":
    """Return the trusted files of the administrator that a text will probably read.

    The shell asks about other files, and then a second shell is necessary.
    """
    directory = given.get(b"DEFAULT_DIR") or given.get(b"ROOT_DIR", b"") + b"/etc/default"
    names = (["openstack"] if openstack else []) + [name]
    paths = [f"{os.fsdecode(directory)}/{each}" for each in names]
    return [path for path in paths if os.path.lexists(path) and is_trusted(path)]


class Executed(State):
    """A text that a shell executes; ``trusted`` are the administrator's files that it may read."""

    def __init__(self, file: str, given: "Mapping[bytes, bytes]", trusted: "list[str]") -> None:
        super().__init__(file, given)
        self._trusted = trusted
        self._limits: Limits | None = None

    def execute(
        self, text: str, name: str, by_program: bool, whole: bool, meanwhile: "Work"
    ) -> None:
        """Execute the text with a shell.

        ``name``: NAME if the text sets none; ``by_program``: that of the program goes before.
        With ``whole`` the text must reach its end, or exit with 0.
        """
        names = [*debian.VARIABLES, "PATH", "__ssd_functions"]
        functions = (
            _FIND_FUNCTIONS.format(names=" ".join(debian.FUNCTIONS)) if "do_st" in text else ""
        )
        values = " ".join(f'"${{{each}+=}}${{{each}-}}"' for each in names)
        before = _BEFORE.format(
            program=_PROGRAM if by_program else "", name=quote(name), functions=functions,
            values=values, trusted=quote(f"|{'|'.join(self._trusted)}|"), asks=_ASKS,
        )  # fmt: skip
        status, output, said = self._run(before + text + _AFTER, meanwhile)
        ended, *texts = output.decode("utf-8", "surrogateescape").split("\0")
        if ended == _ASKS and len(texts) == 2 and texts[0] not in self._trusted:
            check(texts[0])
            self._trusted.append(texts[0])
            self.execute(text, name, by_program, whole, lambda: None)
            return
        if len(texts) != len(names) + 4 or whole and ended not in ("end", "0"):
            if ended and not ended.isdigit():
                reason = "must not use descriptor 3, which ssd-service reads"
                raise DeclarationError(reason, file=self.file)
            raise fault(self.file, status or int(ended or 1), said)
        self.said = said
        found = {n: t[1:] for n, t in zip(names, texts) if t}
        self.functions = found.pop("__ssd_functions", "").split()
        self.variables = found
        self._take(texts[len(names) :])

    def _run(self, program: str, meanwhile: "Work") -> "tuple[int, bytes, str]":
        def at_end(pid: int, output: bytes) -> None:
            if b"\0ulimit\0" in output:
                from ssd.service.sources.inherited import limits

                self._limits = limits(pid)

        try:
            return run(program, self.file, self.given, meanwhile=meanwhile, at_end=at_end)
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise
            reason = "must not be larger than 128 KiB, Linux's limit for an argument (execve(2))"
            raise DeclarationError(reason, file=self.file) from None

    def _take(self, texts: "list[str]") -> None:
        """Read the output after the variables: files, calls of umask and ulimit, the rest."""
        files, umask, ulimit, rest = texts
        self.files = files.split("|")[:-1]
        mask, _, listed = rest.partition("\n")
        if ulimit and self._limits is None:
            reason = "its effect cannot be read on this system; use SERVICE_LIMITS"
            raise DeclarationError(reason, "ulimit", file=self.file)
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
