"""Declarations of every shape, for property tests."""

from hypothesis import strategies as st

# Any characters, except NUL, which no source can contain, and lone surrogates, which are not text.
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
TEXT = st.text(CHARACTERS, max_size=12)
LINE = st.text(st.characters(exclude_characters="\0\n", exclude_categories=("Cs",)), max_size=12)
WORDS = st.lists(TEXT, max_size=3)
FILLED = LINE.filter(bool)
PATH = LINE.map("/{}".format)
NAME = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
VARIABLE = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)
SECONDS = st.one_of(st.integers(0, 999), st.sampled_from([0.5, 1.25, 0.001]))
SIGNAL = st.sampled_from(["HUP", "USR1", "TERM", "10"])
OCTAL = st.from_regex(r"[0-7]{1,4}", fullmatch=True)
LIMIT = st.one_of(st.integers(0, 2**40), st.sampled_from(["unlimited", "10:20", "5:unlimited"]))

OF_KIND = {
    "name": NAME,
    "line": LINE,
    "word": FILLED,
    "text": TEXT,
    "path": PATH,
    "paths": st.lists(PATH, max_size=2),
    "pidfile": st.one_of(st.just("none"), PATH),
    "words": WORDS,
    "flag": st.booleans(),
    "nice": st.integers(-20, 19),
    "octal": OCTAL,
    "table": st.dictionaries(VARIABLE, TEXT, max_size=3),
    "limits": st.dictionaries(st.sampled_from(["nofile", "core", "nproc"]), LIMIT),
    "cpu": st.sampled_from(["other", "fifo:10", "rr:1"]),
    "io": st.sampled_from(["best-effort", "real-time:0", "idle"]),
    "schedule": st.sampled_from(["TERM/30/KILL/5", "5", "INT/1/forever/KILL/2"]),
    "reload": st.one_of(st.just("none"), SIGNAL),
    "hook": st.one_of(TEXT, WORDS),
    "oom": st.one_of(st.just("never"), st.integers(-1000, 1000)),
    "runlevels": st.lists(st.sampled_from("0123456S"), max_size=4),
    "directories": st.lists(
        st.fixed_dictionaries(
            {"path": PATH}, optional={"mode": OCTAL, "user": FILLED, "group": FILLED}
        ),
        max_size=2,
    ),
    "readiness": st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from(["exec", "notify", "command", "pidfile"]),
            "timeout": SECONDS,
            "command": WORDS,
        },
    ).filter(lambda table: table.get("kind") != "command" or table.get("command")),
    "respawn": st.fixed_dictionaries(
        {},
        optional={
            "when": st.sampled_from(["never", "always", "failure"]),
            "limit": st.integers(0, 99),
            "interval": SECONDS,
            "delay": SECONDS,
            "normal_exit": st.lists(st.one_of(st.integers(0, 255), SIGNAL), max_size=3),
        },
    ),
}


def value_of(kind: str) -> st.SearchStrategy[object]:
    """Return the values that a field of this kind may have."""
    word, _, choices = kind.partition(" ")
    return st.sampled_from(choices.split()) if choices else OF_KIND[word]
