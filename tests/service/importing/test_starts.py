"""The fields of a start, from records that are made up."""

import os
from typing import Any

import pytest

from ssd.service.importing import starts
from ssd.service.importing.trace.sandbox import OUTPUT

Call = dict[str, Any]
LIMITS = {"nofile": "1024:4096", "core": "0:unlimited"}
BASE = {"limits": LIMITS, "nice": 0, "oom": 0, "cpu": [0, 0], "io": [0, 0]}


def call(*words: str, **given: Any) -> Call:
    """Make up the call of a program that nobody knows."""
    return {
        "kind": "call", "verb": "start", "role": "daemon", "program": words[0], "words": [*words],
        "cwd": "/", "environment": {"PATH": starts.PATH}, "uid": 0, "gid": 0, "groups": [],
        "umask": 0o022, "streams": ["/dev/null", OUTPUT, OUTPUT], "appends": [False, True, True],
        "background": False, "orphan": False, "pid": 7, **BASE, **given,
    }  # fmt: skip


def tool(words: str, **given: Any) -> Call:
    """Make up the call of start-stop-daemon that starts /opt/web."""
    argv = ["start-stop-daemon", "--start", "--exec", "/opt/web", *words.split()]
    more = {"role": "starter", "started": ["/opt/web", *argv[argv.index("--") + 1 :]], **given}
    return call(*argv, **more)


def fields(*events: Call, changes: "list[Any] | None" = None) -> tuple[Any, list[str]]:
    """Return the fields without program and arguments, and the notes."""
    notes: list[str] = []
    record = {"events": [*events], "base": BASE, "changes": changes or []}
    found = starts.started(record)
    assert found is not None
    tell = lambda option, words, lost=True: notes.append(f"{option}: {words}")  # noqa: E731
    made = starts.fields(found, record, tell)
    return {name: made[name] for name in made if name not in ("executable", "arguments")}, notes


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"cwd": "/srv"}, {"working_directory": "/srv"}),
        ({"umask": 0o077}, {"umask": "077"}),
        ({"nice": 5}, {"nice": 5}),
        ({"oom": -900}, {"oom_score": -900}),
        ({"cpu": [os.SCHED_FIFO, 4]}, {"cpu_scheduling": "fifo:4"}),
        ({"io": [2, 7]}, {"io_scheduling": "best-effort:7"}),
        ({"io": [3, 0]}, {"io_scheduling": "idle"}),
        ({"limits": {**LIMITS, "nofile": "9:9"}}, {"limits": {"nofile": "9"}}),
        ({"limits": {**LIMITS, "core": "unlimited:unlimited"}}, {"limits": {"core": "unlimited"}}),
        ({"limits": {**LIMITS, "nofile": "9:4096"}}, {"limits": {"nofile": "9:4096"}}),
        ({"uid": 54321, "gid": 54322, "groups": [54322]}, {"user": "54321", "group": "54322"}),
        ({"gid": 54322}, {"group": "54322"}),
        (
            {"environment": {"PATH": "/x", "A": "b c", "PWD": "/", "_": "x"}},
            {"environment": {"A": "b c", "PATH": "/x"}},
        ),
        ({"background": True}, {"background": True}),
        ({"orphan": True}, {"background": True}),
        (
            {"background": True, "streams": ["", "/l", "/l"], "appends": [False, True, True]},
            {"background": True, "output": "/l"},
        ),
    ],
)
def test_surroundings_are_those_of_the_call(given: Call, made: dict[str, Any]) -> None:
    """What differs from what the script was given becomes a field; nothing else does."""
    found, notes = fields(call("/opt/web", **given))
    assert {"background": False, **made} == found
    assert [] == notes


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({"streams": ["/etc/in", OUTPUT, OUTPUT]}, "standard input: was /etc/in; it is /dev/null"),
        (
            {"streams": ["", "pipe:[7]", OUTPUT]},
            "standard output: went to another program: a declaration has no pipe",
        ),
        (
            {"streams": ["", "/l", "/l"]},
            "output: went to /l: a daemon that goes to the background itself keeps it",
        ),
        (
            {"streams": ["", "/l", "/l"], "appends": [False] * 3, "background": True},
            "output: /l was emptied first; it is appended to",
        ),
        (
            {"uid": 54321, "gid": 54322, "groups": [54322, 54323]},
            "user: its groups were 54322 54323; a start gives it those of its account",
        ),
    ],
)
def test_notes_say_what_no_field_holds(given: Call, note: str) -> None:
    """One note for each."""
    assert [note] == fields(call("/opt/web", **given))[1]


def test_options_of_start_stop_daemon_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its directory is /, whatever that of the script is; the umask stays if it has no --umask."""
    words = "-b -c nobody:nogroup -N 2 -k 027 -d /srv -u root --ppid 3 -- -x"
    given = {"cwd": "/var", "umask": 0o077, "nice": 1, "streams": ["", "/l", "/l"]}
    made, notes = fields(tool(words, **given))
    assert {
        "user": "nobody", "group": "nogroup", "nice": 3, "umask": "027",
        "working_directory": "/srv", "background": True,
    } == made  # fmt: skip
    assert [
        "--user root: is no criterion of a declaration: pidfile, program and name are",
        "--ppid: is no criterion of a declaration",
    ] == notes
    made, _ = fields(tool("-b --", **given | {"nice": 0}))
    assert {"background": True, "umask": "077"} == made


def test_empty_file_of_another_user_is_made_before() -> None:
    """A log that a daemon opens itself, for one; other files are notes of the script."""
    file = {"kind": "file", "mode": 0o640, "uid": 1, "gid": 0, "content": ""}
    changes = [
        {**file, "path": "/var/log/a b"},
        {**file, "path": "/tmp/x"},
        {**file, "path": "/srv/x", "content": "text"},
        {**file, "path": "/srv/y", "uid": 0},
    ]
    made, _ = fields(call("/opt/web"), changes=changes)
    assert made["before_start"] == (
        "[ -e '/var/log/a b' ] || install -m 0640 -o daemon -g root /dev/null '/var/log/a b'"
    )


def test_home_that_is_not_there_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start sets HOME only if the directory exists."""
    monkeypatch.setattr(starts, "_home", lambda user: "/nonexistent")
    variables = {"PATH": starts.PATH, "HOME": "/nonexistent"}
    made, _ = fields(call("/opt/web", uid=1, gid=1, environment=variables))
    assert {"HOME": "/nonexistent"} == made["environment"]


def test_first_daemon_is_the_one_of_start_stop_daemon() -> None:
    """What else runs is a note: another daemon, or a program before it."""
    checks = call("/opt/web", "--check")
    other = call("/opt/worker", background=True, pid=9)
    effect = call("/sbin/modprobe", "x", role="effect")
    _, notes = fields(checks, other, tool("-b --"), effect)
    assert [
        "start: runs /opt/web --check before: write it as before_start if it is needed",
        "start: starts /opt/worker, too: it needs a declaration of its own",
        "start: runs /sbin/modprobe x: write it as before_start",
    ] == notes
    record = {"events": [other, call("/opt/first", background=True, pid=8), checks]}
    found = starts.started(record)
    assert found is not None
    assert "/opt/first" == found.program
    assert starts.started({"events": [effect]}) is None


def test_directories_have_owners_and_modes() -> None:
    """Those of temporary files are left out."""
    change = {"kind": "directory", "mode": 0o755, "uid": 0, "gid": 0, "content": ""}
    changes = [
        {**change, "path": "/run/b", "mode": 0o2750, "uid": 54321, "gid": 54322},
        {**change, "path": "/run/a"},
        {**change, "path": "/tmp/x"},
        {"path": "/etc/x", "kind": "removed"},
    ]
    made, _ = fields(call("/opt/web"), changes=changes)
    b = {"path": "/run/b", "mode": "2750", "user": "54321", "group": "54322"}
    assert [{"path": "/run/a"}, b] == made["directories"]
