"""The values of systemd's settings, beside what systemd itself reads."""

from typing import Any

import pytest

from service.generators import readers
from ssd.service.importing.units import words

LINES = r"""
/bin/echo a"b c"d 'x y' \x41\101\u00e9 "\q" \s ; /bin/two \; three
-@/bin/echo argv0 one $FOO ${BAR}x $$ %% %n %N %p %i %t %S %C %L %E %T %V
+:/bin/x foo'bar'baz "" '' end "\"" '\'' \\ "\n\t" é \x01 "a;b" ; !/bin/y %
!!/bin/z "unit %n" x%%y -- -a=$X "$X" '${X}'
""".strip().split("\n")
VARIABLES = (
    r"""
"A=1 2" B='x' C=a\x20b "D=%t" E=%% 'F="' G="\"" H=é I=$A J=a'b c'd "K=\
""".strip()
    .removesuffix("\\")
    .replace('"K=', "K=")
)


def named(text: str) -> str:
    """Replace the specifiers of x.service."""
    known = {
        "n": "x.service", "N": "x", "p": "x", "i": "", "t": "/run", "S": "/var/lib",
        "C": "/var/cache", "L": "/var/log", "E": "/etc", "T": "/tmp", "V": "/var/tmp",
    }  # fmt: skip
    return words.specifiers(text, known)


def test_words_are_those_that_systemd_reads() -> None:
    """Command lines, variables, times and limits, in one unit."""
    unit = readers.unit(
        "\n".join([
            "[Service]", "Type=oneshot", *(f"ExecStart={line}" for line in LINES),
            f"Environment={VARIABLES}", "TimeoutStopSec=1min 2s", "RestartSec=1h 3s",
            "LimitAS=1M:2M", "LimitCPU=1m", "LimitRTTIME=2s",
        ])
    )  # fmt: skip
    ours = [command for line in LINES for command in words.commands(line, named)]
    theirs = [readers.command(line, variables=False) for line in unit["ExecStart"]]
    with_argv0 = [
        ["argv0", *each.words[1:]] if "@" in each.prefixes else each.words for each in ours
    ]
    assert theirs == with_argv0
    assert unit["Environment"] == [named(word) for word in words.split(VARIABLES)]
    assert ["1min 2s"] == unit["TimeoutStopSec"]
    assert 62 == words.seconds("1min 2s")
    assert ["1h 3s"] == unit["RestartSec"]
    assert 3603 == words.seconds("1h 3s")
    assert ("1048576:2097152", 60, 2_000_000) == tuple(
        words.limit(*pair)
        for pair in (("1M:2M", "bytes"), ("1m", "seconds"), ("2s", "microseconds"))
    )
    assert ("2097152", "60", "2000000") == tuple(
        unit[name][-1] for name in ("LimitAS", "LimitCPU", "LimitRTTIME")
    )


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (words.flag, "Yes", True),
        (words.flag, "off", False),
        (words.seconds, "infinity", None),
        (words.seconds, "90", 90),
        (words.seconds, "2 min 1us", 120.000001),
        (lambda text: words.limit(text, ""), "infinity", "unlimited"),
        (lambda text: words.limit(text, ""), "5:5", 5),
        (lambda text: words.limit(text, ""), "5:infinity", "5:unlimited"),
        (lambda text: words.limit(text, "nice"), "-5:+1", "25:19"),
        (words.exit_status, "75", 75),
        (words.exit_status, "TEMPFAIL", 75),
        (words.exit_status, "NOTRUNNING", 7),
        (words.exit_status, "SIGINT", "INT"),
    ],
)
def test_value_is_read(read: Any, text: str, value: object) -> None:
    """As systemd.syntax(7) and systemd.time(7) say."""
    assert value == read(text)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (words.split, "a 'b", "a quote without its pair"),
        (words.flag, "maybe", "must be yes or no"),
        (words.seconds, "", "must be a time"),
        (words.seconds, "5 parsecs", "must be a time"),
        (words.seconds, ".", "must be a time"),
        (lambda text: words.limit(text, ""), "1K", "must be a whole number"),
        (words.exit_status, "SIGNOT", "must be a signal"),
        (words.exit_status, "RTMIN+1", "must be a signal"),
        (named, "%b", "%b is unknown before a start"),
        (lambda text: words.commands(text, named), "- a", "must name a program"),
    ],
)
def test_value_that_is_none_is_an_error(read: Any, text: str, said: str) -> None:
    """Whose words say what it must be."""
    with pytest.raises(ValueError, match=said):
        read(text)


def test_privileged_commands_are_known() -> None:
    """Those that systemd runs as root, whatever User= is."""
    found = words.commands("+/a ; !/b ; !!/c ; -/d", named)
    assert [True, True, False, False] == [each.privileged for each in found]
