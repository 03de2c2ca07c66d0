"""What a source uses that Python 3.9 has not, outside of guards and of what only checkers read."""

import ast
from dataclasses import dataclass, field

OLDEST = (3, 9)
# Names since Python 3.10 of the modules that ssd uses or could use. Of what it does use,
# test_old_pythons.py asks Python 3.9 itself; this list needs no old Python.
_NEWER = {
    "asyncio": "Barrier BrokenBarrierError QueueShutDown Runner TaskGroup timeout timeout_at",
    "builtins": "BaseExceptionGroup EncodingWarning ExceptionGroup PythonFinalizationError "
    "aiter anext",
    "contextlib": "AsyncContextDecorator aclosing chdir",
    "copy": "replace",
    "ctypes": "BigEndianUnion LittleEndianUnion SIZEOF_TIME_T c_time_t",
    "datetime": "UTC",
    "enum": "EnumCheck EnumType FlagBoundary ReprEnum StrEnum global_enum member nonmember "
    "property verify",
    "fcntl": "FICLONE FICLONERANGE F_GETOWN_EX F_GETPIPE_SZ F_SETOWN_EX F_SETPIPE_SZ",
    "glob": "translate",
    "hashlib": "file_digest",
    "inspect": "get_annotations getmembers_static",
    "io": "text_encoding",
    "itertools": "batched pairwise",
    "logging": "getHandlerByName getHandlerNames getLevelNamesMapping",
    "math": "cbrt exp2 fma sumprod",
    "os": "CLONE_FILES CLONE_FS CLONE_NEWCGROUP CLONE_NEWIPC CLONE_NEWNET CLONE_NEWNS "
    "CLONE_NEWPID CLONE_NEWTIME CLONE_NEWUSER CLONE_NEWUTS CLONE_THREAD CLONE_VM EFD_CLOEXEC "
    "EFD_NONBLOCK EFD_SEMAPHORE O_FSYNC POSIX_SPAWN_CLOSEFROM SPLICE_F_MORE SPLICE_F_MOVE "
    "SPLICE_F_NONBLOCK TFD_CLOEXEC TFD_NONBLOCK TFD_TIMER_ABSTIME eventfd eventfd_read "
    "eventfd_write grantpt login_tty posix_openpt process_cpu_count ptsname setns splice "
    "timerfd_create timerfd_gettime timerfd_settime unlockpt unshare",
    "os.path": "isjunction splitroot",
    "re": "NOFLAG PatternError",
    "signal": "SIGSTKFLT",
    "sys": "exception monitoring orig_argv stdlib_module_names",
    "sys.flags": "safe_path warn_default_encoding",
    "threading": "getprofile gettrace setprofile_all_threads settrace_all_threads",
    "tomllib": "TOMLDecodeError load loads",
    "types": "EllipsisType NoneType NotImplementedType UnionType get_original_bases",
    "typing": "Concatenate LiteralString Never NotRequired ParamSpec ReadOnly Required Self "
    "TypeAlias TypeAliasType TypeGuard TypeIs TypeVarTuple Unpack assert_never assert_type "
    "dataclass_transform get_overloads is_typeddict override reveal_type",
    "warnings": "deprecated",
}
NEWER = {"tomllib"} | {
    f"{module}.{name}" for module, names in _NEWER.items() for name in names.split()
}
NEWER |= {name.replace("os.", "posix.", 1) for name in NEWER if name.count(".") == 1}
# Of objects whose type a source does not show.
METHODS = {"add_note", "bit_count", "hardlink_to", "co_positions", "walk_up"}
# Functions, and arguments that only newer Pythons take.
ARGUMENTS = {
    "zip": {"strict"},
    "dataclass": {"slots", "kw_only", "weakref_slot"},
    "field": {"kw_only"},
    "bisect": {"key"},
    "bisect_left": {"key"},
    "bisect_right": {"key"},
    "insort": {"key"},
    "glob": {"root_dir", "include_hidden"},
    "iglob": {"root_dir", "include_hidden"},
    "Popen": {"process_group", "pipesize"},
    "run": {"process_group"},
    "rmtree": {"dir_fd", "onexc"},
    "NamedTemporaryFile": {"delete_on_close"},
    "create_connection": {"all_errors"},
    "print_exception": {"colorize"},
}
GUARDS = ("hasattr", "getattr")  # calls in the condition of a guarded block
MISSING = {"AttributeError", "ImportError", "ModuleNotFoundError"}  # what a guarded try catches


@dataclass
class Use:
    """What a source uses: names of modules by their full names, and what is newer by its line."""

    names: dict[str, int] = field(default_factory=dict)
    newer: list[str] = field(default_factory=list)


def uses(text: str) -> Use:
    """Return what a source uses at run time. Raises SyntaxError for newer syntax."""
    reader = _Reader()
    reader.visit(ast.parse(text, feature_version=OLDEST))
    reader.found.newer += [
        f"line {line}: {name}" for name, line in reader.found.names.items() if name in NEWER
    ]
    return reader.found


class _Reader(ast.NodeVisitor):
    """Annotations are passed over: ssd.pyz has them compiled so that nothing evaluates them."""

    def __init__(self) -> None:
        self.found = Use()
        self._modules: dict[str, str] = {}  # names in this source -> what they are

    def _newer(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.found.newer.append(f"line {node.lineno}: {what}")

    def _all(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._all(*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, *node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._all(node.target, node.value)

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        body, other = (
            each if isinstance(each, list) else [each] for each in (node.body, node.orelse)
        )
        if _is_guard(node.test):
            self._all(*other)
        else:
            self._all(node.test, *body, *other)

    visit_IfExp = visit_If

    def visit_Try(self, node: ast.Try) -> None:
        caught = {name.id for each in node.handlers if each.type is not None
                  for name in ast.walk(each.type) if isinstance(name, ast.Name)}  # fmt: skip
        body = [] if caught & MISSING else node.body
        self._all(*body, *node.handlers, *node.orelse, *node.finalbody)

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            name = each.name if each.asname else each.name.partition(".")[0]
            self._modules[each.asname or name] = name
            self.found.names.setdefault(each.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            self._modules[each.asname or each.name] = f"{node.module}.{each.name}"
            self.found.names.setdefault(f"{node.module}.{each.name}", node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        full = self._full(node)
        if full:
            self.found.names.setdefault(full, node.lineno)
        elif node.attr in METHODS:
            self._newer(node, f".{node.attr}")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if f"builtins.{node.id}" in NEWER:
            self._newer(node, node.id)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        for keyword in node.keywords:
            if keyword.arg in ARGUMENTS.get(name, ()):
                self._newer(node, f"{name}({keyword.arg}=)")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.BitOr) and (_is_type(node.left) or _is_type(node.right)):
            self._newer(node, ast.unparse(node))
        self.generic_visit(node)

    def _full(self, node: ast.expr) -> str:
        """Return the full name of an attribute of a module, "" for another expression."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id, "")
        if not isinstance(node, ast.Attribute):
            return ""
        above = self._full(node.value)
        return f"{above}.{node.attr}" if above else ""


def _is_guard(test: ast.expr) -> bool:
    """Tell whether a block is for checkers alone, or for Pythons that have something."""
    for node in ast.walk(test):
        if isinstance(node, ast.Name) and node.id in ("TYPE_CHECKING", *GUARDS):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "version_info":
            return True
    return False


def _is_type(node: ast.expr) -> bool:
    """Tell whether an operand of ``|`` is a type, by its name."""
    if isinstance(node, ast.Subscript):
        return _is_type(node.value)
    if isinstance(node, ast.Constant):
        return node.value is None
    name = getattr(node, "attr", getattr(node, "id", ""))
    builtin = name in ("int", "str", "float", "bytes", "bool", "list", "dict", "tuple", "set")
    return builtin or (name[:1].isupper() and not name.isupper())
