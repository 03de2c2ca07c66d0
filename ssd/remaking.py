"""Make an exception again, for pickle and copy: in another process, or beside itself."""

from ssd.errors import Error

Parts = tuple[object, tuple[object, ...], dict[str, object]]


def taken_apart(error: BaseException) -> Parts:
    """Return what pickle and copy make an exception of again; see ``object.__reduce__``.

    BaseException's own calls the class with ``args``, the text alone, where ours take other
    arguments; multiprocessing.Pool then waits for ever for a result that it cannot read.
    A cause of another package's is left out: it could fail in that way.
    """
    state: dict[str, object] = dict(error.__dict__)
    cause = error.__cause__
    if isinstance(cause, Error) or (cause is not None and type(cause).__module__ == "builtins"):
        state["__cause__"] = cause
    if error.__suppress_context__:
        state["__suppress_context__"] = True
    return remade, (type(error), error.args), state


def remade(kind: type[BaseException], arguments: tuple[object, ...]) -> BaseException:
    """Return an exception with its text, and without a call of its ``__init__``."""
    return kind.__new__(kind, *arguments)
