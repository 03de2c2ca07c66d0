"""The values that fields may have: a check and a form in a shell file for each kind."""

import pytest

from ssd.service import DeclarationError, Service
from ssd.service.fields import DIRECTORY, KINDS, TABLES
from ssd.service.kinds import TABLE
from ssd.service.sources.shell_values import FORMS

NAP = {"name": "nap", "executable": "/bin/sleep", "arguments": ["60"]}

# field -> values that it cannot have
BAD = {
    "name": ["", "a/b", ".x", "-x", "a\nb", 1, None],
    "description": [1, "two\nlines", "a\0b"],
    "executable": ["bin/true", 7, ""],
    "arguments": ["--one", [1], {"a": "b"}],
    "pidfile": ["nap.pid", 3],
    "match_executable": ["yes", 1],
    "directories": ["/run/x", [{}], [{"path": "x"}], [{"path": "/x", "mode": 755}]],
    "environment": [["A=1"], {"A": 1}, {"A=B": "x"}, {"": "x"}],
    "umask": [22, "8", "", "00022", "0x12"],
    "limits": [
        {"nofile": "many"},
        {"nofile": -1},
        {"nofile": True},
        {"nofile": "1:2:3"},
        {"nofile": 1 << 63},
        {"nofile": "2:1"},
        {"nofile": "unlimited:1"},
    ],
    "nice": ["5", 1.5, True, 41, -(10**11)],
    "process_name": [""],
    "user": [""],
    "group": ["", 5],
    "cpu_scheduling": ["batch", "fifo:100", "fifo:", "rr:-1"],
    "io_scheduling": ["idle:8", "realtime"],
    "stop_schedule": ["TERM", "TERM/x", "forever/"],
    "reload_signal": ["HUPP", "0", "99", ""],
    "before_start": [1, [1]],
    "readiness": [
        "notify",
        {"kind": "soon"},
        {"timeout": -1},
        {"command": "true"},
        {"kind": "command"},
        {"kind": "port"},
        {"kind": "socket", "address": "127.0.0.1:80"},
        {"kind": "port", "address": "example.org:80"},
        {"kind": "stays", "timeout": 0},
    ],
    "respawn": [
        {"when": "sometimes"},
        {"limit": -1},
        {"normal_exit": [256]},
        {"backoff": -0.1},
        {"delay": 9, "delay_max": 8},
        {"backoff": 9, "delay_max": 8},
    ],
    "health": [
        "true",
        {"kind": "exec"},
        {"kind": "command"},
        {"kind": "port"},
        {"kind": "port", "address": "/run/x.sock"},
        {"kind": "socket", "address": "8080"},
        {"interval": 0},
        {"timeout": 0},
        {"retries": 0},
        {"action": "reboot"},
    ],
    "watchdog": [-1, "30", True],
    "kill_mode": ["all", 1],
    "log": [
        {"kind": "tty"},
        {"path": "x.log"},
        {"max_size": 999},
        {"max_size": "10MB"},
        {"keep": -1},
        {"form": "xml"},
        {"syslog": "yes"},
        {"path": "/a", "stderr_path": "/a"},
    ],
    "requires": ["mysql"],
    "after": [{"mysql": 1}],
    "on_required_failure": ["wait", None],
    "default_start": [["7"], "2 3"],
    "expect": ["forks"],
    "oom_score": [1001, "always"],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in BAD for value in BAD[field]], ids=str
)
def test_invalid_value_is_rejected(field, value) -> None:
    """The error names the field and says what it must be."""
    with pytest.raises(DeclarationError) as caught:
        Service(**{**NAP, field: value})
    assert field == caught.value.key.partition(".")[0]
    assert caught.value.reason


def test_kinds_reject_a_value_of_no_type() -> None:
    """Every field is checked."""
    for name in KINDS:
        with pytest.raises(DeclarationError):
            Service(**{**NAP, name: object()})


def test_text_may_have_the_bytes_of_a_file_name() -> None:
    """Bytes that are not UTF-8, as Python has them; half of a surrogate pair is rejected."""
    assert ["\udcff"] == Service(**{**NAP, "arguments": ["\udcff"]}).arguments
    with pytest.raises(DeclarationError, match=r"arguments: must be valid.*surrogate"):
        Service(**{**NAP, "arguments": ["\ud800"]})


def test_kinds_have_a_row_and_a_reader_each() -> None:
    """Those of every field and entry; a choice has no row, for its kind lists the values."""
    named = [*KINDS.values()]
    for entries in (DIRECTORY, *TABLES.values()):
        named += entries.values()
    assert set(TABLE) == {kind for kind in named if not kind.startswith("choice ")}
    assert set(FORMS) == {form for _, form in TABLE.values()}
