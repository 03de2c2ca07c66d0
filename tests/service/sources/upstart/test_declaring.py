"""The declaration that is made of a job."""

import pytest

from ssd.service.sources.upstart import parse

DEFAULTS = {
    "pidfile": "none", "kill_mode": "group", "stop_schedule": "TERM/5/KILL/5",
    "reload_signal": "HUP",
}  # fmt: skip
# Stanzas -> the fields of the Service beside name and the defaults of Upstart
SAID = {
    "": {},
    "exec /bin/a -b c\n": {"executable": "/bin/a", "arguments": ["-b", "c"]},
    "exec /bin/a --b=c 'd $e; f' \"g h\"\n": {
        "executable": "/bin/a", "arguments": ["--b=c", "d $e; f", "g h"],
    },
    "exec /bin/a $B\n": {"script": "exec /bin/a $B"},
    "exec /bin/a \"b $C\"\n": {"script": 'exec /bin/a "b $C"'},
    "exec /bin/a b*\n": {"script": "exec /bin/a b*"},
    "exec /bin/a 'b\\' c'\n": {"script": "exec /bin/a 'b\\' c'"},
    "exec 'a b'\n": {"script": "exec 'a b'"},
    "exec a b\n": {"script": "exec a b"},
    "script\n a\n b\nend script\n": {"script": "a\nb\n"},
    "pre-start exec a\npost-start exec b; c\npre-stop script\n d\nend script\npost-stop exec e\n": {
        "before_start": "exec a", "after_start": "exec b; c", "before_stop": "d\n",
        "after_stop": "exec e",
    },
    "description d\nauthor a\nversion v\nusage u\ninstance $I\nemits e\nexport f\n": {
        "description": "d", "author": "a", "version": "v", "usage": "u", "instance": "$I",
        "emits": ["e"], "export": ["f"],
    },
    "setuid u\nsetgid g\nchroot /r\nchdir /d\numask 7\nnice 3\n": {
        "user": "u", "group": "g", "root": "/r", "working_directory": "/d", "umask": "007",
        "nice": 3,
    },
    "env A=1\nenv B\nenv A=2\nenv C=3\nenv C\nenv =x\n": {
        "environment": {"A": "2"}, "pass_environment": ["B", "C"],
    },
    "limit nofile 1 2\nlimit core unlimited unlimited\nlimit cpu 5 5\nlimit as 1 unlimited\n": {
        "limits": {"nofile": "1:2", "core": "unlimited", "cpu": 5, "as": "1:unlimited"},
    },
    "kill signal INT\nkill timeout 60\nreload signal USR1\n": {
        "stop_schedule": "INT/60/KILL/5", "reload_signal": "USR1",
    },
    "kill signal 40\nreload signal WINCH\n": {
        "stop_schedule": "-40/5/KILL/5", "reload_signal": "28",
    },
    "expect fork\n": {"expect": "fork", "background": False},
    "expect daemon\n": {"expect": "daemon", "background": False},
    "expect stop\n": {"expect": "stop"},
    "console output\ndebug\ntask\n": {"console": "output", "debug": True, "task": True},
    "start on a\nmanual\n": {"manual": True},
    "manual\nstart on a and (b or c)\nstop on runlevel [06]\n": {
        "start_on": "a and (b or c)", "stop_on": "runlevel [06]",
    },
    "respawn\n": {"respawn": {"when": "always"}},
    "respawn\ntask\n": {"respawn": {"when": "failure"}, "task": True},
    "respawn\nnormal exit 0 3 TERM\n": {
        "respawn": {"when": "failure", "normal_exit": ["TERM", 3]},
    },
    "respawn limit 3 7\n": {"respawn": {"limit": 3, "interval": 7}},
    "respawn limit unlimited\n": {"respawn": {"limit": 0}},
    "normal exit 2\n": {"respawn": {"normal_exit": [2]}},
    "oom score -5\n": {"oom_score": -5},
    "oom never\n": {"oom_score": "never"},
    "apparmor load /p\napparmor switch q\ncgroup cpu n\n": {
        "apparmor_load": "/p", "apparmor_profile": "q", "cgroups": ["cpu n"],
    },
    "chdir d\nchroot r\nkill signal 999\nlimit core 9 1\nnormal exit 999 3\n": {
        "stop_schedule": "5/KILL/5", "respawn": {"normal_exit": [3]},
    },
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_declaration_has_what_a_job_says(text: str) -> None:
    """What no Service can have is left out."""
    assert {"name": "x", **DEFAULTS, **SAID[text]} == parse(text, "x").service.to_dict()


@pytest.mark.parametrize(
    "name, service", [("net/c", "net_c"), (".x", "_.x"), ("-x", "_-x"), (" a ", "a"), ("", "_")]
)
def test_name_of_a_declaration_can_be_a_file(name: str, service: str) -> None:
    """A job in a sub directory has a slash in its name."""
    assert service == parse("", name).service.name


def test_declaration_knows_its_file() -> None:
    """For errors, and for whoever asks where it comes from."""
    assert "/etc/init/x.conf" == parse("", "x", file="/etc/init/x.conf").service.file
