"""Generated jobs follow init(5), checked with the rules of Upstart's parser.

Debian no longer has Upstart or a checker for its jobs; the rules are in readers.py.
"""

import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.generators import upstart
from ssd.service.generators.quoting import has_controls

from . import readers, samples
from .test_quoting import NASTY


def job(**fields: Any) -> dict[str, list[list[str]]]:
    """Return the stanzas of a service's job, each with the words of its lines."""
    found: dict[str, list[list[str]]] = {}
    for name, words in readers.job(upstart.generate(samples.least(**fields)).text()):
        found.setdefault(name, []).append(words)
    return found


# The declaration, and its stanzas.
READ: list[tuple[dict[str, Any], dict[str, list[list[str]] | None]]] = [
    ({}, {"exec": [["/bin/sleep 1000"]], "description": [["x"]], "umask": [["022"]]}),
    ({}, {"start": [["on", "runlevel", "[2345]"]], "stop": [["on", "runlevel", "[!2345]"]]}),
    ({}, {"kill": [["signal", "TERM"], ["timeout", "30"]]}),
    ({"stop_schedule": "TERM/0/CONT/30/KILL/5"}, {"kill": [["signal", "TERM"], ["timeout", "30"]]}),
    ({"stop_schedule": "INT/5/TERM/6/KILL/9"}, {"kill": [["signal", "INT"], ["timeout", "11"]]}),
    ({"stop_schedule": "INT/5/TERM/6"}, {"kill": [["signal", "INT"], ["timeout", "11"]]}),
    ({"stop_schedule": "INT/KILL/9"}, {"kill": [["signal", "INT"], ["timeout", "0"]]}),
    ({"stop_schedule": "forever/TERM/1"},  # without a KILL, but Upstart always sends one
     {"kill": [["signal", "TERM"], ["timeout", "31622400"]]}),
    ({"stop_schedule": "TERM/5/forever/INT/5"},
     {"kill": [["signal", "TERM"], ["timeout", "31622400"]]}),
    ({"stop_schedule": "TERM/5/forever/KILL/5"}, {"kill": [["signal", "TERM"], ["timeout", "5"]]}),
    ({"stop_schedule": "KILL/9"}, {"kill": [["signal", "KILL"], ["timeout", "9"]]}),
    ({"stop_schedule": "7"}, {"kill": [["signal", "TERM"], ["timeout", "7"]]}),
    ({"stop_schedule": "7/KILL"}, {"kill": None}),
    ({"start_on": "started\n  networking"}, {"start": [["on", "started", "networking"]]}),
    ({"manual": True}, {"manual": [[]]}),
    ({"description": "it's \"so\" \\"}, {"description": [["it's \"so\" \\"]]}),
    ({"environment": {"A": "b 'c' \"d\"", "E": ""}}, {"env": [["A=b 'c' \"d\""], ["E="]]}),
    ({"user": "daemon", "group": "adm"}, {"setuid": [["daemon"]], "setgid": [["adm"]]}),
    ({"limits": {"nofile": "1:unlimited", "core": 0}},
     {"limit": [["nofile", "1", "unlimited"], ["core", "0", "0"]]}),
    ({"oom_score": "never", "nice": -3}, {"oom": [["score", "never"]], "nice": [["-3"]]}),
    ({"expect": "fork"}, {"expect": [["fork"]]}),
    ({"background": False}, {"expect": [["daemon"]]}),
    ({"respawn": {"when": "always", "limit": 0}}, {"respawn": [[], ["limit", "unlimited"]]}),
    ({"respawn": {"when": "failure", "normal_exit": [3, "INT"]}},
     {"respawn": [[], ["limit", "10", "5"]], "normal": [["exit", "0", "3", "INT"]]}),
    ({"reload_signal": "USR1"}, {"reload": [["signal", "USR1"]]}),
    ({"script": "\n  echo a\n    b", "arguments": []}, {"script": [["\n  echo a\n    b\n"]]}),
    ({"script": "  echo a\necho b", "arguments": []}, {"script": [["  echo a\necho b\n"]]}),
    ({"script": "echo $1", "arguments": ["a b"]}, {"script": [["set -- 'a b'\necho $1\n"]]}),
    ({"before_start": "mkdir -p /run/x"}, {"pre-start": [["script", "mkdir -p /run/x\n"]]}),
    ({"console": "output", "task": True}, {"console": [["output"]], "task": [[]]}),
    ({"emits": ["a-event"], "environment": {"V": ""}, "export": ["V"]},
     {"emits": [["a-event"]], "export": [["V"]]}),
    ({"apparmor_load": "/etc/apparmor.d/x", "apparmor_profile": "x"},
     {"apparmor": [["load", "/etc/apparmor.d/x"], ["switch", "x"]]}),
    ({"pass_environment": ["TZ", "LANG"], "environment": {"A": "b"}},
     {"env": [["TZ"], ["LANG"], ["A=b"]]}),
    ({"cgroups": ["memory x 5"]}, {"cgroup": [["memory", "x", "5"]]}),
    ({"working_directory": "/a b", "root": "/c d"}, {"chdir": [["/a b"]], "chroot": [["/c d"]]}),
    ({"directories": ["/srv/x"], "working_directory": "/srv/x", "root": "/r"},
     {"exec": [["start-stop-daemon --start --pidfile /dev/null --chroot /r --chdir /srv/x "
                "--startas /bin/sleep -- 1000"]], "chdir": None, "chroot": None}),
    ({"user": "daemon", "before_start": "true"},
     {"exec": [["start-stop-daemon --start --pidfile /dev/null --chuid daemon --chdir / --startas "
                "/bin/sleep -- 1000"]]}),
]  # fmt: skip


@pytest.mark.parametrize(
    "case", range(len(READ)), ids=lambda index: "-".join([*READ[index][0], str(index)])
)
def test_job_says_what_was_declared(case: int) -> None:
    """Each field is the stanza with the same meaning."""
    declared, expected = READ[case]
    found = job(**declared)
    assert expected == {name: found.get(name) for name in expected}


def test_job_of_everything_is_well_formed() -> None:
    """It follows Upstart's rules."""
    assert readers.job(upstart.generate(samples.everything()).text())


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_values_become_no_stanza(text: str) -> None:
    """All stanzas of the job are the generator's own."""
    benign = job(**samples.hostile("benign"))
    assert set() == set(job(**samples.hostile(text))) - {*benign, "exec", "script"}


@settings(deadline=None)
@given(st.lists(NASTY, min_size=1, max_size=4), st.booleans())
def test_shell_gets_the_same_words_by_exec_and_by_script(words: list[str], sourced: bool) -> None:
    """A command passes through Upstart's parser and the shell that it calls."""
    files = ["/dev/null"] if sourced else []
    found = job(executable="/usr/bin/printf", arguments=["%s\\0", *words], environment_files=files)
    if "exec" in found:
        (text,) = found["exec"][0]
        text = f"exec {text}"  # as Upstart calls the shell
    else:
        (text,) = found["script"][0]
    done = subprocess.run(["sh", "-e", "-c", text], capture_output=True, check=True, timeout=60)
    assert words == done.stdout.decode().split("\0")[:-1]


@settings(deadline=None)
@given(NASTY.filter(lambda text: text.strip() != ""))
def test_script_with_an_end_line_stays_the_same(text: str) -> None:
    """A line ``end script`` in it does not end the block."""
    script = f"cat <<'THE END'\n  end script\nend\tscript # {text}\nTHE END\n"
    if has_controls(text):
        script = script.replace(text, "x")
    (block,) = job(script=script)["script"][0]
    ran = [
        subprocess.run(["sh", "-e", "-c", each], capture_output=True, check=True, timeout=60).stdout
        for each in (script, block)
    ]
    assert ran[0] == ran[1]


@pytest.mark.parametrize("events", ["a (", "a )", "a 'b", 'a "', "a # b", "a \\"])
def test_unbalanced_events_are_lost(events: str) -> None:
    """The runlevels replace them, and the reason is reported."""
    sheet = upstart.generate(samples.least(start_on=events))
    assert ["start_on"] == [field for field, _ in sheet.losses]
    assert "\nstart on runlevel [2345]\n" in sheet.text()


@pytest.mark.parametrize("kind", ["stays", "notify"])
def test_readiness_that_upstart_has_no_word_for_is_lost(kind: str) -> None:
    """The job is started all the same."""
    sheet = upstart.generate(samples.least(readiness={"kind": kind}))
    assert ["readiness"] == [field for field, _ in sheet.losses]


# A schedule -> whether Upstart can follow it.
FOLLOWED = {
    "TERM/30/KILL/5": True,
    "TERM/30/forever/KILL/1": True,  # the first KILL ends it
    "7": True,
    "KILL/9": True,
    "TERM/0/CONT/30/KILL/5": False,
    "TERM/30": False,
    "forever/TERM/5": False,
    "7/KILL": False,
}


@pytest.mark.parametrize("schedule", FOLLOWED)
def test_schedule_that_upstart_cannot_follow_is_lost(schedule: str) -> None:
    """Upstart sends one signal, and always KILL at the end."""
    sheet = upstart.generate(samples.least(stop_schedule=schedule))
    assert FOLLOWED[schedule] == (sheet.losses == [])
    assert {"stop_schedule"} >= {field for field, _ in sheet.losses}
