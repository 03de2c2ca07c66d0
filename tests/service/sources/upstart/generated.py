"""Strategies of Hypothesis for job files: whole jobs, soups of their tokens, and damaged jobs."""

from hypothesis import strategies as st

from ssd.service.sources.upstart.faults import JobFault
from ssd.service.sources.upstart.lexer import Reader, quote
from ssd.service.sources.upstart.numbers import NAMES
from ssd.service.sources.upstart.stanzas import LIMITS, STANZAS

from .corpus import CORPUS

# Text without the characters that end a line; with blanks, quotes, backslashes and odd bytes.
TEXT = st.text(st.sampled_from("ab1 \t\r'\"\\$#()=!-é\udcff"), min_size=1, max_size=8)
LINE = st.text(st.sampled_from("ab1 \t'\"\\$#()=!-;é\udcff"), max_size=12)
WORD = TEXT.map(quote)
NUMBER = st.integers(0, 99).map(str)
SIGNAL = st.sampled_from([*NAMES, *(f"SIG{name}" for name in NAMES), "1", "64", "77"])
LIMIT = st.sampled_from(["unlimited", "0", "5", "64000"])


def _one(stanza: str, *values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*values).map(lambda words: " ".join([stanza, *words]))


def _many(stanza: str, value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(value, min_size=1, max_size=3).map(lambda words: " ".join([stanza, *words]))


EVENT = st.tuples(WORD, st.lists(TEXT.map(lambda t: quote(f"K={t}")), max_size=2)).map(
    lambda parts: " ".join([parts[0], *parts[1]])
)
CONDITION = st.recursive(
    EVENT,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or", "\n or", "and\n "]), inner).map(
        lambda parts: f"({' '.join(parts)})"
    ),
    max_leaves=5,
)


def _is_command(text: str) -> bool:
    """Tell whether no quote and no backslash is left open."""
    try:
        return bool(Reader(f"{text}\n", "x").command()) and not text.endswith("\\")
    except JobFault:
        return False


COMMAND = (
    st.text(st.sampled_from("/ab \"'\\$#"), min_size=1, max_size=12)
    .filter(_is_command)
    .map(lambda text: f"/x {text}")
    | st.tuples(st.sampled_from(["a", "/bin/a b", "a 'b  c'"]), LINE).map(
        lambda parts: f"{parts[0]} {quote(parts[1])}"
    )
    | st.text(st.sampled_from("ab \\$1=;"), min_size=1, max_size=12).map(
        lambda text: f"x{text}" + "y" * text.endswith("\\")
    )
)
SCRIPT = st.lists(LINE.filter(lambda line: "end" not in line), max_size=4).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
PROCESS = COMMAND.map(lambda text: f"exec {text}") | SCRIPT.map(
    lambda text: f"script\n{text}end script"
)
STANZA = st.one_of(
    *(_one(name, WORD) for name in ("description", "author", "version", "usage", "instance")),
    *(_one(name, WORD) for name in ("chroot", "chdir", "setuid", "setgid", "env")),
    *(_one(f"apparmor {name}", WORD) for name in ("load", "switch")),
    *(_many(name, WORD) for name in ("export", "emits")),
    *(_one(name, CONDITION) for name in ("start on", "stop on")),
    st.sampled_from(["task", "manual", "debug", "respawn", "respawn limit unlimited"]),
    _one("expect", st.sampled_from(["none", "fork", "daemon", "stop"])),
    _one("console", st.sampled_from(["none", "log", "output", "owner"])),
    _one("kill timeout", NUMBER),
    _one("kill signal", SIGNAL),
    _one("reload signal", SIGNAL),
    _one("respawn limit", NUMBER, NUMBER),
    _many("normal exit", SIGNAL | NUMBER),
    _one("umask", st.integers(0, 0o777).map("{:o}".format)),
    _one("nice", st.integers(-20, 19).map(str)),
    _one("oom score", st.integers(-1000, 1000).map(str) | st.just("never")),
    _one("oom", st.integers(-17, 15).map(str)),
    _one("limit", st.sampled_from(LIMITS), LIMIT, LIMIT),
    _one("cgroup", WORD, WORD, WORD),
    PROCESS,
    *(
        PROCESS.map(lambda text, stage=stage: f"{stage} {text}")
        for stage in ("pre-start", "post-start", "pre-stop", "post-stop")
    ),
)
JOB = st.lists(STANZA, max_size=10).map(lambda lines: "".join(f"{line}\n" for line in lines))

TOKENS = (
    *STANZAS, "on", "and", "or", "(", ")", "'", '"', "\\", "#", "\n", "\n", " ", "end script",
    "script\n", "limit", "score", "timeout", "signal", "exit", "never", "unlimited", "-1", "9" * 40,
    "\0", "\r", "\udcff", "x", "K=v", "I!=lo", "nofile", "load", "switch", "\\\n",
)  # fmt: skip
SOUP = st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join) | st.lists(
    st.sampled_from(TOKENS), max_size=40
).map("".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Draw a real job with a few pieces lost, doubled, or replaced by tokens."""
    text = CORPUS[draw(st.sampled_from(sorted(CORPUS)))]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        piece = draw(st.sampled_from(["", text[start:end] * 2, *TOKENS]))
        text = text[:start] + piece + text[end:]
    return text
