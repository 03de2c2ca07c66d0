"""Words for an error that nobody has foreseen; only then is this loaded."""


def describe(error: BaseException) -> str:
    """Name the error and where it arose, in one line."""
    where, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<"):  # of importlib, say
            where = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return " ".join(f"unforeseen error: {type(error).__name__}: {error}".split()) + where
