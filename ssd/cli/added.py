"""The options that start-stop-daemon lacks: ``ssd.cli.settling`` reads their values.

This is loaded only for a long option that is no beginning of any option of the original: none of
these takes an abbreviation away, and a command line without them does not pay for them.
"""

# (no letter, long name, name of the value or None, purpose), in the order of the manual page.
ADDED: "tuple[tuple[str, str, str | None, str], ...]" = (
    ("", "json", None, "print what was done as JSON, and nothing else"),
    ("", "timeline", "file", "draw into this file what was done, as SVG"),
)
LONG = {name: value is not None for _, name, value, _ in ADDED}
