"""What the options of a program are in a declaration."""

from typing import Any

import pytest

from ssd.service import DeclarationError

from .conftest import Tell

LOGGED = {"max_size": 52428800, "keep": 10}

# options -> fields, and the options that a note names
FIELDS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("", {"respawn": {"when": "failure"}, "stop_schedule": "TERM/10/KILL/5"}, []),
    ("directory=/srv", {"working_directory": "/srv"}, []),
    ("user=daemon\numask=77", {"user": "daemon", "umask": "077"}, []),
    ("environment=A=1", {"environment": {"A": "1"}}, []),
    ("autostart=false", {"manual": True}, []),
    ("autorestart=true\nexitcodes=2", {"respawn": {"when": "always"}}, []),
    ("autorestart=false\nstartretries=2", {"respawn": None}, ["startretries"]),
    ("exitcodes=2,3", {"respawn": {"when": "always", "normal_exit": [2, 3]}}, []),
    ("exitcodes=0,3", {"respawn": {"when": "failure", "normal_exit": [0, 3]}}, []),
    ("startsecs=5", {"respawn": {"when": "failure", "reset": 5},
                     "readiness": {"kind": "stays", "timeout": 5}}, []),
    ("startsecs=0", {"respawn": {"when": "failure", "reset": 0}}, []),
    ("startretries=4", {"respawn": {"when": "failure", "limit": 4, "interval": 13, "backoff": 1,
                                    "delay_max": 4}}, ["startretries"]),
    ("startretries=3\nstartsecs=1\npriority=999\nnumprocs=1",
     {"readiness": {"kind": "stays", "timeout": 1}}, []),
    ("startretries=0", {"respawn": {"when": "failure", "limit": 1}}, ["startretries"]),
    ("stopsignal=INT\nstopwaitsecs=3", {"stop_schedule": "INT/3/KILL/5"}, []),
    ("stopsignal=WINCH", {"stop_schedule": "-28/10/KILL/5"}, []),
    ("stopasgroup=true", {"kill_mode": "group"}, []),
    ("killasgroup=true", {}, []),
    ("killasgroup=false", {"kill_mode": "main"}, []),
    ("stdout_logfile=/tmp/x", {"log": {"path": "/tmp/x", **LOGGED}}, []),
    ("stdout_logfile=/tmp/x\nstderr_logfile=/tmp/y\nstdout_logfile_maxbytes=1KB",
     {"log": {"path": "/tmp/x", "stderr_path": "/tmp/y", "max_size": 1024, "keep": 10}}, []),
    ("stdout_logfile=/tmp/x\nstderr_logfile=/tmp/y\nredirect_stderr=true",
     {"log": {"path": "/tmp/x", **LOGGED}}, []),
    ("stdout_logfile_maxbytes=0", {"log": {"max_size": 0}}, []),
    ("stdout_logfile_maxbytes=9", {"log": {"max_size": 1000}}, ["stdout_logfile_maxbytes"]),
    ("stdout_logfile=NONE\nstderr_logfile=NONE", {"log": {"kind": "none"}}, []),
    ("stdout_logfile=none\nstderr_logfile=/tmp/y", {"log": {"path": "/tmp/y", **LOGGED}},
     ["stdout_logfile"]),
    ("stdout_logfile=/tmp/x\nstderr_logfile=none", {"log": {"path": "/tmp/x", **LOGGED}},
     ["stderr_logfile"]),
    ("stdout_logfile=/dev/stdout\nstderr_logfile=/dev/stderr\nstdout_logfile_maxbytes=0",
     {"log": {"kind": "none", "forward": True}}, ["stdout_logfile"]),
    ("stdout_logfile=syslog", {"log": {"kind": "none", "syslog": True}}, []),
    ("stderr_syslog=true", {"log": {"syslog": True}}, []),
    ("stdout_logfile=/tmp/x\nstderr_logfile_backups=3", {"log": {"path": "/tmp/x", **LOGGED}},
     ["stderr_logfile_backups"]),
    ("stdout_logfile=/nowhere/x", {"log": {"path": "/nowhere/x", **LOGGED}}, ["stdout_logfile"]),
    ("serverurl=http://x:1", {}, ["serverurl"]),
    ("serverurl=AUTO\nstdout_events_enabled=false", {}, []),
    ("stderr_capture_maxbytes=1MB", {}, ["stderr_capture_maxbytes"]),
    ("comand=x", {}, ["comand"]),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(FIELDS)), ids=lambda index: FIELDS[index][0])
def test_option_is_a_field(case: int, imported: Tell) -> None:
    """Or a note says, with its line, what becomes of it."""
    options, fields, noted = FIELDS[case]
    services, notes = imported(f"[program:x]\ncommand=/bin/cat\n{options}\n")
    found = services["x"].to_dict()
    least = {"name": "x", "executable": "/bin/cat", "stop_schedule": "TERM/10/KILL/5"}
    expected = {**least, "respawn": {"when": "failure"}, **fields}
    assert {name: value for name, value in expected.items() if value is not None} == found
    assert noted == [note.split(": ")[1] for note in notes]
    assert all(note.startswith("s.conf:") for note in notes)


@pytest.mark.parametrize(
    ("command", "words", "noted"),
    [
        ("/bin/cat 'a b' %%", ["/bin/cat", "a b", "%"], ""),
        ("sh -c x", ["/usr/bin/sh", "-c", "x"], "sh is /usr/bin/sh, found in PATH by this import"),
        ("own -x", ["/usr/bin/env", "own", "-x"], "own is not in PATH: /usr/bin/env will look"),
        ("./own", ["/srv/own"], "./own is /srv/own, as seen from /srv"),
    ],
)
def test_program_is_found(command: str, words: list[str], noted: str, imported: Tell) -> None:
    """A declaration has the absolute path, which a note names if it was chosen."""
    services, notes = imported(f"directory=/srv\n[program:x]\ncommand={command}\n")
    assert words == services["x"].argv
    assert noted in "".join(notes)
    assert bool(noted) == bool(notes)


def test_program_is_looked_for_in_its_own_path(imported: Tell, tmp_path) -> None:
    """The PATH of its environment, as supervisord does."""
    program = tmp_path / "own"
    program.touch(mode=0o755)
    services, _ = imported(f'[program:x]\ncommand=own\nenvironment=PATH="{tmp_path}"\n')
    assert str(program) == services["x"].executable


def test_group_stop_without_group_kill_is_refused(imported: Tell) -> None:
    """As supervisord does."""
    with pytest.raises(DeclarationError, match=r"s\.conf:5: killasgroup: must not be false"):
        imported("[program:x]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n")
