"""A job that is generated from a declaration reads back as that declaration."""

import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ssd.service import Service
from ssd.service.generators import upstart
from ssd.service.sources.upstart import parse
from ssd.service.sources.upstart.conditions import parse_condition
from ssd.service.sources.upstart.declaring import fields_of
from ssd.service.sources.upstart.lexer import Reader
from ssd.service.sources.upstart.stanzas import LIMITS
from ssd.signals import SIGNAL_NAMES, signal_number

# One line without control characters.
LINE = st.text(st.sampled_from("aB1 é'\"\\$#%=;()[]*~&|<>`!\udcff"), min_size=1, max_size=10)
NAME = st.text(st.sampled_from(string.ascii_letters + "_"), min_size=1, max_size=4)
# A word that exec can have: no backslash, quote or newline, which need a block of shell.
WORD = st.text(st.sampled_from("aB1 é$#%=;()[]*~&|<>`!-/\t"), max_size=8)
PATH = st.text(st.sampled_from("ab1-/."), max_size=8).map("/{}".format)
# Upstart removes the blanks with which all lines begin, so a job says no script that has them.
SCRIPT = (
    st.lists(LINE, min_size=1, max_size=3)
    .map(lambda lines: "\n".join(lines) + "\n")
    .filter(lambda text: Reader(f"{text}end script", "x").block("script") == text)
)
SIGNAL = st.sampled_from(SIGNAL_NAMES)
CONDITION = st.sampled_from(
    ["runlevel [2345]", "started a or (b X=1 and c Y!=2)", 'e "A=x y"', "stopping a JOB=$B"]
).map(lambda text: parse_condition(text).source())
LIMIT = st.sampled_from([0, 5, "unlimited", "1:2", "1:unlimited"])


def _by_number(name: str) -> int:
    number = signal_number(name)
    assert number is not None
    return -number


EXITS = st.tuples(
    st.sets(SIGNAL, max_size=2).map(lambda names: sorted(names, key=_by_number)),
    st.sets(st.integers(1, 255), max_size=2).map(sorted),
).map(lambda pair: [*pair[0], *pair[1]])


@st.composite
def sayable(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the fields of a declaration that a job can express."""

    def some(**optional: st.SearchStrategy[Any]) -> dict[str, Any]:
        return {name: draw(value) for name, value in optional.items() if draw(st.booleans())}

    fields: dict[str, Any] = {
        "name": "x", "pidfile": "none", "kill_mode": "group", "description": draw(LINE),
        "start_on": draw(CONDITION), "stop_on": draw(CONDITION),
        "reload_signal": draw(SIGNAL),
        "stop_schedule": f"{draw(SIGNAL)}/{draw(st.integers(0, 99))}/KILL/5",
        **some(
            author=LINE, version=LINE, usage=LINE, instance=LINE,
            emits=st.lists(LINE, min_size=1, max_size=2),
            export=st.lists(NAME, min_size=1, max_size=2),
            environment=st.dictionaries(NAME, LINE, max_size=3),
            umask=st.integers(0, 0o777).map("{:03o}".format),
            nice=st.integers(-20, 19),
            limits=st.dictionaries(st.sampled_from(LIMITS), LIMIT, max_size=3),
            oom_score=st.integers(-999, 1000) | st.just("never"),
            task=st.booleans(), debug=st.booleans(),
            console=st.sampled_from(["none", "log", "output", "owner"]),
            apparmor_load=PATH, apparmor_profile=LINE,
            cgroups=st.just(["cpu", "memory n limit 5"]),
        ),
    }  # fmt: skip
    if draw(st.booleans()):
        names = draw(st.lists(NAME, unique=True, max_size=2))
        fields["pass_environment"] = [n for n in names if n not in fields.get("environment", ())]
    if draw(st.booleans()):
        fields |= {"manual": True, "start_on": ""}
    fields["expect"] = draw(st.sampled_from(["none", "stop", "fork", "daemon"]))
    fields["background"] = fields["expect"] in ("none", "stop")
    fields["respawn"] = draw(_respawn(fields.get("task", False)))
    if draw(st.booleans()):
        fields["executable"], fields["arguments"] = draw(PATH), draw(st.lists(WORD, max_size=3))
    else:
        fields["script"] = draw(SCRIPT)
    # Upstart runs hooks as the user and in the directories, so one job cannot have both.
    if draw(st.booleans()):
        fields |= some(user=NAME, group=NAME, root=PATH, working_directory=PATH)
        fields = {name: value for name, value in fields.items() if name != "root" or value != "/"}
    else:
        fields |= some(
            before_start=SCRIPT, after_start=SCRIPT, before_stop=SCRIPT, after_stop=SCRIPT
        )
    return fields


@st.composite
def _respawn(draw: st.DrawFn, task: bool) -> dict[str, Any]:
    when = draw(st.sampled_from(["never", "failure", *([] if task else ["always"])]))
    table: dict[str, Any] = {"when": when, "normal_exit": draw(EXITS)}
    if when != "never":
        table["limit"] = draw(st.integers(0, 20))
        table["interval"] = draw(st.integers(1, 60)) if table["limit"] else 5
    return table


@given(sayable())
def test_generated_job_reads_back_as_the_declaration(fields: dict[str, Any]) -> None:
    """Field by field, for all that a job can say."""
    service = Service(**fields)
    sheet = upstart.generate(service)
    assert [] == [loss for loss in sheet.losses if loss[0] != "kill_mode"]
    assert service.to_dict() == parse(sheet.text(), "x").service.to_dict()


def test_every_field_of_a_job_is_in_the_round_trip() -> None:
    """No field that a job can have is left out above."""
    empty = {name for name, _ in fields_of(parse("", "x"))}
    said = {
        "name", "pidfile", "kill_mode", "description", "start_on", "stop_on", "reload_signal",
        "stop_schedule", "background", "author", "version", "usage", "instance", "emits", "export",
        "environment", "umask", "nice", "limits", "oom_score", "task", "debug", "console",
        "apparmor_load", "apparmor_profile", "cgroups", "pass_environment", "manual", "expect",
        "respawn", "executable", "arguments", "script", "user", "group", "root",
        "working_directory", "before_start", "after_start", "before_stop", "after_stop",
    }  # fmt: skip
    assert empty <= said
