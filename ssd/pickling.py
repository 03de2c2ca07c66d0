"""How exceptions of ssd are pickled and copied, as a pool of processes does with each."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Parts = tuple[object, tuple[object, ...], dict[str, object]]


def parts(error: BaseException, family: type[BaseException]) -> "Parts":
    """Return the parts from which pickle and copy rebuild an error; see ``object.__reduce__``.

    BaseException's own method calls the class with ``args``, which is only the text. Our classes
    take other arguments, so multiprocessing.Pool could not read them and would wait for ever. A
    cause that is not of the ``family`` or built in is left out: it could fail in the same way.
    """
    state: dict[str, object] = dict(error.__dict__)
    cause = error.__cause__
    if isinstance(cause, family) or (cause is not None and type(cause).__module__ == "builtins"):
        state["__cause__"] = cause
    if error.__suppress_context__:
        state["__suppress_context__"] = True
    return _remake, (type(error), error.args), state


def _remake(kind: type[BaseException], arguments: tuple[object, ...]) -> BaseException:
    """Return an exception with its text, and without a call of its ``__init__``."""
    return kind.__new__(kind, *arguments)
