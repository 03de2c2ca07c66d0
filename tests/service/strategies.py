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

ADDRESS = st.sampled_from(["", "80", "127.0.0.1:80", "localhost:80", "[::1]:80", "/run/x", "@x"])


def table(**entries: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Return tables with some of these entries."""
    return st.fixed_dictionaries({}, optional=entries)


def has_what_it_needs(table: dict[str, object]) -> bool:
    """Tell whether a table of readiness or health has the command or address of its kind."""
    given = str(table.get("address", ""))
    needs = {"command": table.get("command"), "port": given, "socket": given}
    port = given[:1] not in ("/", "@")
    kind = str(table.get("kind"))
    if kind == "stays" and table.get("timeout", 5) == 0:
        return False
    return bool(needs.get(kind, True)) and {"port": port, "socket": not port}.get(kind, True)


OF_KIND = {
    "name": NAME,
    "line": LINE,
    "instances": st.just([]),
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
    "capabilities": st.sampled_from(["", "^cap_kill", "cap_chown,!bpf"]),
    "securebits": st.sampled_from(["", "noroot", "0x2f"]),
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
    "address": ADDRESS,
    "seconds": SECONDS,
    "readiness": table(
        kind=st.sampled_from(["exec", "notify", "command", "pidfile", "port", "socket", "stays"]),
        timeout=SECONDS,
        command=WORDS,
        address=ADDRESS,
    ).filter(has_what_it_needs),
    "health": table(
        kind=st.sampled_from(["none", "command", "port", "socket"]),
        command=WORDS,
        address=ADDRESS,
        interval=st.sampled_from([0.5, 30]),
        timeout=st.integers(1, 9),
        retries=st.integers(1, 9),
        action=st.sampled_from(["restart", "mark"]),
    ).filter(has_what_it_needs),
    "log": table(
        kind=st.sampled_from(["file", "none"]),
        path=PATH.map("{}1".format),
        stderr_path=PATH.map("{}2".format),
        max_size=st.one_of(st.just(0), st.integers(1000, 2**40)),
        max_age=SECONDS,
        keep=st.integers(0, 99),
        form=st.sampled_from(["plain", "timestamp", "json"]),
        syslog=st.booleans(),
        forward=st.booleans(),
    ),
    "respawn": table(
        when=st.sampled_from(["never", "always", "failure"]),
        limit=st.integers(0, 99),
        interval=SECONDS,
        delay=st.integers(0, 99),
        backoff=st.sampled_from([0, 0.25, 2]),
        delay_max=st.integers(99, 999),
        reset=SECONDS,
        normal_exit=st.lists(st.one_of(st.integers(0, 255), SIGNAL), max_size=3),
    ),
}


def value_of(kind: str) -> st.SearchStrategy[object]:
    """Return the values that a field of this kind may have."""
    word, _, choices = kind.partition(" ")
    return st.sampled_from(choices.split()) if choices else OF_KIND[word]
