"""The options that start-stop-daemon lacks: ``ssd.cli.settling`` reads their values.

This is loaded only for a long option that is no beginning of any option of the original: none of
these takes an abbreviation away, and a command line without them does not pay for them.
"""

# (no letter, long name, name of the value or None, purpose), in the order of the manual page.
ADDED: "tuple[tuple[str, str, str | None, str], ...]" = (
    ("", "interpreted", None, "--exec and --name may also be a script's"),
    ("", "same-namespace", None, "leave out other PID namespaces (containers)"),
    ("", "login", None, "set HOME, USER, LOGNAME and SHELL of the user"),
    ("", "clear-env", None, "pass no variable of the environment on"),
    ("", "env", "name=text", "set a variable; may be repeated"),
    ("", "env-file", "file", "set the variables of a file; may be repeated"),
    ("", "limit", "name=soft[:hard]", "set a resource limit; may be repeated"),
    ("", "oom-score-adj", "number", "adjust the out-of-memory score (-1000 to 1000)"),
    ("", "capabilities", "capabilities", "give these to the program, or block them"),
    ("", "no-new-privs", None, "let no program of it gain privileges"),
    ("", "securebits", "bits", "set the securebits, by names or a number"),
    ("", "wait", "seconds", "fail if the program ends within this time"),
    ("", "json", None, "print what was done as JSON, and nothing else"),
    ("", "timeline", "file", "draw into this file what was done, as SVG"),
    ("", "stdout", "file", "append stdout to this file"),
    ("", "stderr", "file", "append stderr to this file"),
    ("", "logger", "file|syslog", "log the output, in files that are rotated"),
)
LONG = {name: value is not None for _, name, value, _ in ADDED}
