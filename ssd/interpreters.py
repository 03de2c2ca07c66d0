"""What an interpreter runs: the script, jar, module or main class in its command line.

Pure: from words to a word. The options of each interpreter are those of its manual page. Only
those matter that take a value, which is not the script then, or that leave no script at all.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Found = tuple[str, bytes]

FILE, NAME = "file", "name"  # what a word names: a file, or a module or class without one

# After the letters of a name: python3.11, python3.11d, perl5.36.0-dbg, guile-3.0, ksh93.
_VERSION = b"0123456789.-"
_BUILDS = b"dmtu"  # of Python, PEP 3149
CODE = ("code", b"")  # there is no script, but code in the command line


class Syntax:
    """The options of an interpreter. Each text holds letters of short options.

    takes: a value, the rest of the word or the next one. rest: the rest of the word, if any.
    following: always the next word. none: there is no script. script: the value is the script.
    module: the value is a module. long, code, run: long options whose value is of no interest,
    is code, or is the script; without a ``=`` it is the next word.
    shell: ``+`` begins an option too, and ``-`` ends them.
    """

    __slots__ = ("takes", "rest", "following", "none", "script", "module", "long", "code", "run",
                 "shell")  # fmt: skip

    def __init__(
        self,
        takes: bytes = b"",
        *,
        rest: bytes = b"",
        following: bytes = b"",
        none: bytes = b"",
        script: bytes = b"",
        module: bytes = b"",
        long: "Iterable[bytes]" = (),
        code: "Iterable[bytes]" = (),
        run: "Iterable[bytes]" = (),
        shell: bool = False,
    ) -> None:
        self.takes: bytes = takes
        self.rest: bytes = rest
        self.following: bytes = following
        self.none: bytes = none
        self.script: bytes = script
        self.module: bytes = module
        self.long: frozenset[bytes] = frozenset(long)
        self.code: frozenset[bytes] = frozenset(code)
        self.run: frozenset[bytes] = frozenset(run)
        self.shell: bool = shell


_PYTHON = Syntax(b"WXQ", none=b"c", module=b"m", long=[b"--check-hash-based-pycs"])
_SHELL = Syntax(
    following=b"oO", none=b"cs", shell=True, long=[b"--rcfile", b"--init-file", b"--emulate"]
)
_CSH = Syntax(none=b"cst")
_FISH = Syntax(
    b"CpdfDo",
    none=b"c",
    code=[b"--command"],
    long=(
        b"--init-command --features --debug --debug-output --debug-stack-frames --profile "
        b"--profile-startup"
    ).split(),
)
_NODE = Syntax(
    b"rC",
    none=b"ep",
    code=[b"--eval", b"--print", b"--run"],
    long=(
        b"--require --import --loader --experimental-loader --conditions --env-file --title "
        b"--env-file-if-exists --icu-data-dir --openssl-config --inspect-port --debug-port "
        b"--inspect-publish-uid --watch-path --input-type --experimental-default-type "
        b"--disable-warning --disable-proto --redirect-warnings --unhandled-rejections "
        b"--dns-result-order --max-http-header-size --secure-heap --secure-heap-min "
        b"--tls-cipher-list --tls-keylog --v8-pool-size --use-largepages --diagnostic-dir "
        b"--report-dir --report-directory --report-filename --report-signal "
        b"--heapsnapshot-signal --heapsnapshot-near-heap-limit --cpu-prof-dir --cpu-prof-name "
        b"--cpu-prof-interval --heap-prof-dir --heap-prof-name --heap-prof-interval "
        b"--trace-event-categories --trace-event-file-pattern --trace-require-module "
        b"--allow-fs-read --allow-fs-write --experimental-policy --policy-integrity "
        b"--network-family-autoselection-attempt-timeout --snapshot-blob"
    ).split(),
)
_RUBY = Syntax(
    b"ICXrE",
    rest=b"xiFTWK",
    none=b"e",
    long=(b"--encoding --external-encoding --internal-encoding --enable --disable --dump").split(),
)
_PHP = Syntax(
    b"cdzt",
    none=b"rRBESim",
    script=b"fF",
    long=[b"--php-ini", b"--define", b"--zend-extension", b"--docroot"],
    code=[b"--run", b"--process-code", b"--server"],
    run=[b"--file", b"--process-file"],
)
_TCL = Syntax(long=[b"-encoding"])

# The interpreters that are known by name, without its version.
SYNTAX: "dict[bytes, Syntax]" = {
    b"python": _PYTHON,
    b"pypy": _PYTHON,
    b"perl": Syntax(b"I", rest=b"MmxiDCFd", none=b"eEV"),
    b"ruby": _RUBY,
    b"node": _NODE,
    b"nodejs": _NODE,
    b"php": _PHP,
    b"tclsh": _TCL,
    b"wish": _TCL,
    b"expect": Syntax(b"cD", script=b"fb"),
    b"lua": Syntax(b"el"),
    b"luajit": Syntax(b"elj", rest=b"O", none=b"b"),
    b"csh": _CSH,
    b"tcsh": _CSH,
    b"fish": _FISH,
    b"guile": Syntax(b"lexLC", script=b"s", none=b"c"),
    **dict.fromkeys((b"sh bash rbash dash ash hush ksh mksh yash zsh").split(), _SHELL),
}
_UNKNOWN = Syntax()  # of an interpreter that only a #! line names

# java(1): these take the next word. It is neither a class nor a jar.
_JAVA_TAKES = frozenset(
    (
        b"-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules "
        b"--limit-modules --add-reads --add-exports --add-opens --patch-module "
        b"--enable-native-access --source"
    ).split()
)
_JAVA_NONE = frozenset(
    b"-version --version -help --help -? --list-modules -d --describe-module".split()
)
_ENV_TAKES = {b"-u": b"--unset", b"-C": b"--chdir", b"-a": b"--argv0"}  # env(1)


def family(program: bytes) -> bytes | None:
    """Return the name of a known interpreter without its version; None of any other program."""
    base = basename(program)
    end = next((at for at, byte in enumerate(base) if not 97 <= byte <= 122), len(base))  # a to z
    name, version = base[:end], base[end:].removesuffix(b"-dbg").rstrip(_BUILDS)
    known = name in SYNTAX or name in (b"java", b"busybox", b"env")
    return name if known and not version.strip(_VERSION) else None


def basename(path: bytes) -> bytes:
    """Return the last component of a path."""
    return path.rpartition(b"/")[2]


def program(words: "Sequence[bytes]", interpreter: bytes) -> "Found | None":
    """Return what a command line runs: (FILE, path) or (NAME, module or class).

    words: the command line, whose first word is the interpreter's. interpreter: its path or name,
    which decides how options are read. None: the words name no script, such as with ``-c CODE``.

    | command line | runs |
    |---|---|
    | ``python3 -u -W error nova-compute`` | file nova-compute |
    | ``python3 -m http.server`` | name http.server |
    | ``java -cp lib -jar food.jar`` | file food.jar |
    | ``java -cp lib org.example.Food`` | name org.example.Food |
    | ``sh -c ./food`` | None |
    """
    name = family(interpreter)
    if name == b"java":
        return _java(words[1:])
    if name == b"busybox":
        return _busybox(words)
    if name == b"env":
        command = after_env(words)
        return program(command, command[0]) if command else None
    return _script(words[1:], _UNKNOWN if name is None else SYNTAX[name])


def own_name(found: "Found") -> bytes:
    """Return the name of what runs: the file's base name, or the module or class in full."""
    kind, word = found
    return basename(word) if kind == FILE else word


def after_env(words: "Sequence[bytes]") -> list[bytes]:
    """Return the command that ``env`` (env(1)) executes; its own words are ``words``."""
    ahead = list(words[1:])
    while ahead:
        word = ahead.pop(0)
        split = None
        if word.startswith(b"-S"):  # a #! line is one word: "-S python3 -u"
            split = word[2:] or (ahead.pop(0) if ahead else b"")
        elif word.startswith(b"--split-string="):
            split = word.partition(b"=")[2]
        if split is not None:
            ahead = split.split() + ahead
        elif word in _ENV_TAKES or word in _ENV_TAKES.values():
            del ahead[:1]
        elif not word.startswith(b"-") and b"=" not in word:
            return [word, *ahead]
    return []


def shebang(line: bytes) -> "tuple[bytes, bytes | None]":
    """Return the interpreter of a ``#!`` line: its path, and its name if env(1) looks for it.

    The path is empty of any other line. The kernel takes what follows the path as one argument
    (execve(2)).
    """
    if not line.startswith(b"#!"):
        return b"", None
    words = line[2:].split(b"\n")[0].strip(b" \t").split(None, 1)
    if not words:
        return b"", None
    if basename(words[0]) != b"env":
        return words[0], None
    command = after_env([words[0], *words[1:]])
    # Without -S it is a single word, blanks included, of which there is no program.
    return words[0], command[0] if command else b""


def _java(words: "Iterable[bytes]") -> "Found | None":
    """Return the jar or the main class of a command line of java(1)."""
    ahead, is_jar = iter(words), False
    for word in ahead:
        if word in (b"-m", b"--module"):
            word = b"--module=" + next(ahead, b"")
        if word.startswith(b"--module="):
            module, slash, main = word.partition(b"=")[2].partition(b"/")
            return NAME, main if slash else module
        if word in _JAVA_NONE:
            return None
        if word == b"-jar":
            is_jar = True
        elif word in _JAVA_TAKES:
            next(ahead, None)
        elif word[:1] not in (b"-", b"@"):  # @FILE holds options
            return FILE if is_jar or word.endswith(b".java") else NAME, word
    return None


def _busybox(words: "Sequence[bytes]") -> "Found | None":
    """Return the script of BusyBox's shell; its other applets run none."""
    if words and basename(words[0]) == b"busybox":
        words = words[1:]
    if not words or basename(words[0]).removeprefix(b"-") not in (b"sh", b"ash", b"hush"):
        return None
    return _script(words[1:], _SHELL)


def _script(words: "Iterable[bytes]", syntax: Syntax) -> "Found | None":
    """Return the script in the words after the interpreter's own."""
    ahead = list(words)[::-1]
    while ahead:
        word = ahead.pop()
        name, equals, value = word.partition(b"=")
        if word == b"--" or word == b"-" and syntax.shell:
            return (FILE, ahead.pop()) if ahead else None
        if word == b"-" or name in syntax.code:
            return None  # it is standard input, or the value of the option
        if name in syntax.run:
            return FILE, _value(value, ahead)
        if name in syntax.long:
            _value(equals, ahead)
        elif word.startswith((b"--", b"\\")):  # the latter: guile's "meta switch"
            continue
        elif not word.startswith((b"-", b"+") if syntax.shell else b"-"):
            return FILE, word
        elif found := _letters(word[1:], syntax, ahead):
            return None if found is CODE else found
    return None


def _letters(letters: bytes, syntax: Syntax, ahead: list[bytes]) -> "Found | None":
    """Read the short options of a word; return what they name, CODE, or None if nothing."""
    for at in range(len(letters)):
        letter, rest = letters[at : at + 1], letters[at + 1 :]
        if letter in syntax.none:
            return CODE
        if letter in syntax.script:
            return FILE, _value(rest, ahead)
        if letter in syntax.module:
            return NAME, _value(rest, ahead)
        if letter in syntax.following:
            _value(b"", ahead)
        elif letter in syntax.takes:
            _value(rest, ahead)
            break
        elif letter in syntax.rest:
            break
    return None


def _value(given: bytes, ahead: list[bytes]) -> bytes:
    """Return the value of an option: what is given in its word, or else the next word."""
    return given or (ahead.pop() if ahead else b"")
