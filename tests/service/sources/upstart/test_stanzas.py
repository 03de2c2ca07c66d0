"""Every stanza of init(5): what it sets, and what is wrong with it."""

import signal

import pytest

from ssd.service.sources.upstart import JobFault, JobFile, Stage, parse
from ssd.service.sources.upstart.stanzas import LIMITS, STANZAS

# Stanzas -> the attributes that then differ from those of an empty file
SAID = {
    'description "a b"\n': {"description": "a b"},
    "author x # me\n": {"author": "x"},
    "version '$Id$'\n": {"version": "$Id$"},
    "usage 'N=number'\n": {"usage": "N=number"},
    "instance $TTY-$N\n": {"instance": "$TTY-$N"},
    "env A=1\nenv B\nenv 'C=x y'\nenv A=$B\n": {"environment": ["A=1", "B", "C=x y", "A=$B"]},
    "export A B\nexport C\n": {"export": ["A", "B", "C"]},
    "emits a b\nemits c\n": {"emits": ["a", "b", "c"]},
    "task\n": {"task": True},
    "debug\n": {"debug": True},
    "manual\n": {"manual": True},
    "expect fork\n": {"expect": "fork"},
    "expect daemon\n": {"expect": "daemon"},
    "expect stop\n": {"expect": "stop"},
    "expect fork\nexpect none\n": {},
    "console none\n": {"console": "none"},
    "console output\n": {"console": "output"},
    "console 'owner'\n": {"console": "owner"},
    "kill timeout 60\n": {"kill_timeout": 60.0},
    "kill timeout 0\n": {"kill_timeout": 0.0},
    "kill signal INT\n": {"kill_signal": signal.SIGINT},
    "kill signal SIGQUIT\n": {"kill_signal": signal.SIGQUIT},
    "kill signal 10\n": {"kill_signal": 10},
    "reload signal USR1\n": {"reload_signal": signal.SIGUSR1},
    "respawn\n": {"respawn": True},
    "respawn limit 3 20\n": {"respawn_limit": 3, "respawn_interval": 20},
    "respawn limit unlimited\n": {"respawn_limit": 0, "respawn_interval": 0},
    "respawn # always\nrespawn limit 0 5\n": {"respawn": True, "respawn_limit": 0},
    "normal exit 0 1 TERM SIGHUP\nnormal exit 99\n": {"normal_exit": {0, 1, -15, -1, 99}},
    "umask 027\n": {"umask": 0o27},
    "umask 7\n": {"umask": 7},
    "nice -20\n": {"nice": -20},
    "nice 19\n": {"nice": 19},
    "oom score 300\n": {"oom": 300},
    "oom score -1000\n": {"oom": -1000},
    "oom score never\n": {"oom": -1000},
    "oom 10\n": {"oom": 666},
    "oom -16\n": {"oom": -941},
    "oom never\n": {"oom": -1000},
    "limit nofile 100 200\nlimit core unlimited unlimited\n": {
        "limits": {"nofile": (100, 200), "core": (-1, -1)}
    },
    "limit nofile 1 2\nlimit nofile 3 -1\n": {"limits": {"nofile": (3, -1)}},
    "chroot /srv\nchdir d\nsetuid u\nsetgid g\n": {
        "chroot": "/srv", "chdir": "d", "setuid": "u", "setgid": "g",
    },
    "apparmor switch p\n": {"apparmor_switch": "p"},
    "apparmor load /a\n": {
        "apparmor_load": "/a",
        "stages": {"security": Stage(False, "/sbin/apparmor_parser -r -W /a")},
    },
    "cgroup memory\ncgroup cpu n cpu.shares 5\n": {"cgroups": ["memory", "cpu n cpu.shares 5"]},
    "exec a 'b c'\n": {"stages": {"main": Stage(False, "a 'b c'")}},
    "exec a\nscript\n b\nend script\n": {"stages": {"main": Stage(True, "b\n")}},
    "script\n b\nend script\nexec a\n": {"stages": {"main": Stage(False, "a")}},
    "pre-start exec a\npost-start exec b\npre-stop exec c\npost-stop script\nend script\n": {
        "stages": {
            "pre-start": Stage(False, "a"), "post-start": Stage(False, "b"),
            "pre-stop": Stage(False, "c"), "post-stop": Stage(True, ""),
        }
    },
    "description a\ndescription b\n": {"description": "b"},
    "manual task\n": {"manual": True, "task": True},
    "": {},
    "\n# nothing\n  \t\n": {},
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_stanza_sets_its_attribute(text: str) -> None:
    """And nothing else; of two stanzas the last counts, except where they add up."""
    empty, job = JobFile("x"), parse(text, "x")
    names = [name for name in JobFile.__slots__ if name[0] != "_"]
    changed = {name for name in names if getattr(empty, name) != getattr(job, name)}
    assert SAID[text] == {name: getattr(job, name) for name in changed}


def test_every_stanza_is_tested() -> None:
    """In the table above, or with the conditions."""
    first = {line.split()[0] for text in SAID for line in text.splitlines() if line.split()}
    assert set(STANZAS) == set(STANZAS) & (first | {"start", "stop"})


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_has_a_stanza(name: str) -> None:
    """By its name in setrlimit(2)."""
    assert {name: (1, 2)} == parse(f"limit {name} 1 2\n", "x").limits


def test_start_on_after_manual_counts() -> None:
    """Manual forgets the events before it only."""
    before = parse("start on a\nmanual\nstop on b\n", "x")
    after = parse("manual\nstart on a\n", "x")
    assert (None, "b", True) == (before.start_on, str(before.stop_on), before.manual)
    assert "a" == str(after.start_on)


def test_last_condition_counts() -> None:
    """As of every stanza with one value."""
    assert "b" == str(parse("start on a\nstart on b\n", "x").start_on)


FAULTS = {
    "bogus\n": ("Unknown stanza", 1, None),
    "\n\nexce foo\n": ("Unknown stanza", 3, "exec"),
    "respwan\n": ("Unknown stanza", 1, "respawn"),
    '"exec" a\n': ("Unknown stanza", 1, "exec"),
    "start of a\n": ("Unknown stanza", 1, "start on"),
    "start\n": ("Expected token", 1, None),
    "stop on\n": ("Expected token", 1, None),
    "exec\n": ("Expected token", 1, None),
    "exec # a\n": ("Expected token", 1, None),
    "pre-start exce a\n": ("Unknown stanza", 1, "pre-start exec"),
    "pre-start\n": ("Expected token", 1, None),
    "script a\nend script\n": ("Unexpected token", 1, None),
    "script\n a\n": ("Unterminated block", 3, None),
    "task now\n": ("Unexpected token", 1, None),
    "description a b\n": ("Unexpected token", 1, None),
    'description ""\n': ("Expected token", 1, None),
    "env A=1 B=2\n": ("Unexpected token", 1, None),
    "export\n": ("Expected token", 1, None),
    "expect forks\n": ("Unknown stanza", 1, "expect fork"),
    "console log output\n": ("Unexpected token", 1, None),
    "console logs\n": ("Unknown stanza", 1, "console log"),
    "kill 9\n": ("Unknown stanza", 1, None),
    "kill timeout x\n": ("Illegal interval, expected number of seconds", 1, None),
    "kill timeout -1\n": ("Illegal interval, expected number of seconds", 1, None),
    "kill timeout 1.5\n": ("Illegal interval, expected number of seconds", 1, None),
    "kill signal SIGFOO\n": ("Illegal signal status, expected integer", 1, None),
    "kill signal \\\nSIGFOO\n": ("Illegal signal status, expected integer", 2, None),
    "reload signal x\n": ("Illegal signal status, expected integer", 1, None),
    "reload HUP\n": ("Unknown stanza", 1, "reload signal"),
    "respawn forever\n": ("Unknown stanza", 1, "respawn limit"),
    "respawn limit\n": ("Expected token", 1, None),
    "respawn limit 5\n": ("Expected token", 1, None),
    "respawn limit x 5\n": ("Illegal limit, expected 'unlimited' or integer", 1, None),
    "respawn limit 5 x\n": ("Illegal interval, expected number of seconds", 1, None),
    "respawn limit unlimited 5\n": ("Unexpected token", 1, None),
    "normal exits 1\n": ("Unknown stanza", 1, "normal exit"),
    "normal exit\n": ("Expected token", 1, None),
    "normal exit 1 x\n": ("Illegal exit status, expected integer", 1, None),
    "umask 999\n": ("Illegal file creation mask, expected octal integer", 1, None),
    "umask 1000\n": ("Illegal file creation mask, expected octal integer", 1, None),
    "umask -1\n": ("Illegal file creation mask, expected octal integer", 1, None),
    "nice 20\n": ("Illegal nice value, expected -20 to 19", 1, None),
    "nice x\n": ("Illegal nice value, expected -20 to 19", 1, None),
    "oom 100\n": ("Illegal oom adjustment, expected -16 to 15 or 'never'", 1, None),
    "oom score 1001\n": (
        "Illegal oom score adjustment, expected -999 to 1000 or 'never'", 1, None,
    ),
    "limit nofiel 1 2\n": ("Unknown stanza", 1, "limit nofile"),
    "limit nofile 1\n": ("Expected token", 1, None),
    "limit nofile x 2\n": ("Illegal limit, expected 'unlimited' or integer", 1, None),
    "apparmor on\n": ("Unknown stanza", 1, None),
    "cgroup a b c d e\n": ("Unexpected token", 1, None),
    "task\nstart on (a\nexec b\n": ("Mismatched parentheses", 4, None),
}  # fmt: skip


@pytest.mark.parametrize("text", FAULTS)
def test_fault_has_upstarts_reason_and_line(text: str) -> None:
    """And the stanza that was probably meant."""
    with pytest.raises(JobFault) as caught:
        parse(text, "x", file="/etc/init/x.conf")
    fault = caught.value
    assert FAULTS[text] == (fault.reason, fault.line, fault.nearest)
    assert "/etc/init/x.conf" == fault.file
