"""Declarations for the generators: one with every field, and one for each field."""

from typing import Any

from ssd.service import Service

LEAST: dict[str, Any] = {"name": "x", "executable": "/bin/sleep", "arguments": ["1000"]}

# For each field a value other than its default.
FIELDS: dict[str, Any] = {
    "name": "other",
    "description": "a description",
    "executable": "/bin/cat",
    "arguments": ["one", "two words"],
    "script": "exec sleep 1000",
    "pidfile": "/run/x/other.pid",
    "process_name": "sleep",
    "match_executable": True,
    "match_interpreted": True,
    "same_namespace": True,
    "user": "daemon",
    "group": "daemon",
    "directories": [{"path": "/run/x", "mode": "0750"}, "/srv/x"],
    "working_directory": "/srv",
    "root": "/srv/root",
    "environment": {"LANGUAGE": "de en"},
    "pass_environment": ["TZ"],
    "environment_files": ["/etc/default/x"],
    "clear_environment": True,
    "login": True,
    "umask": "077",
    "limits": {"nofile": "1024:unlimited", "core": 0},
    "nice": 5,
    "cpu_scheduling": "rr:10",
    "io_scheduling": "best-effort:2",
    "capabilities": "^cap_net_bind_service,!cap_kill",
    "no_new_privs": True,
    "securebits": "noroot noroot-locked",
    "output": "/var/log/x.out",
    "stdout": "/var/log/x.stdout",
    "stderr": "/var/log/x.stderr",
    "log_file": "/var/log/x/x.log",
    "stop_schedule": "INT/10/KILL/5",
    "reload_signal": "USR1",
    "background": False,
    "before_start": "echo before",
    "after_start": ["/bin/echo", "after start"],
    "before_stop": "echo before stop",
    "after_stop": ["/bin/echo", "after stop"],
    "readiness": {"kind": "command", "command": ["/bin/true", "it"], "timeout": 7},
    "respawn": {"when": "always", "limit": 3, "interval": 9, "delay": 2, "normal_exit": [0, "INT"]},
    "health": {"kind": "command", "command": ["/bin/true", "well"], "interval": 20},
    "watchdog": 15,
    "kill_mode": "tree",
    "log": {"path": "/var/log/x.log", "stderr_path": "/var/log/x.err"},
    "requires": ["postgresql"],
    "after": ["memcached"],
    "on_required_failure": "stop",
    "documentation": ["man:sleep(1)"],
    "provides": ["x", "also-x"],
    "required_start": ["$remote_fs", "$network"],
    "required_stop": ["$named"],
    "should_start": ["mysql"],
    "should_stop": ["rabbitmq-server"],
    "default_start": ["5"],
    "default_stop": ["0", "2"],
    "short_description": "a short description",
    "start_on": "started networking and (runlevel [23])",
    "stop_on": "stopping networking",
    "author": "An Author <author@example.org>",
    "version": "1.5",
    "emits": ["x-event"],
    "export": ["LANGUAGE"],
    "expect": "fork",
    "task": True,
    "manual": True,
    "console": "none",
    "instance": "$NUMBER",
    "usage": "NUMBER=1",
    "oom_score": -500,
    "apparmor_load": "/etc/apparmor.d/x",
    "apparmor_profile": "profile-x",
    "cgroups": ["memory x"],
    "debug": True,
}  # fmt: skip

# Other fields that a field needs.
BESIDES: dict[str, dict[str, Any]] = {
    "export": {"environment": {"LANGUAGE": "de"}},
    "on_required_failure": {"requires": ["postgresql"]},
}

HOSTILE = (
    "\nExecStartPre=/bin/false\n[Install]\nend script\nexec false\n",
    "'; touch /tmp/broken-out; '",
    '"; touch /tmp/broken-out; "',
    "$(touch /tmp/broken-out)",
    "`touch /tmp/broken-out`",
    "\\",
    "\r\nend script\r\ntouch /tmp/broken-out",
    "*/ %n ${x} $$ %% #",
    "\n### END INIT INFO\ntouch /tmp/broken-out\n",
    "}\ntouch /tmp/broken-out\n: {",
)


def least(**more: Any) -> Service:
    """Return a minimal service with these fields."""
    return Service(**{**LEAST, **more})


def everything(**more: Any) -> Service:
    """Return a service that declares every field, as far as the fields go together."""
    fields = {**FIELDS, "name": "x", "script": "", "background": True, "task": False}
    fields |= {"executable": "/bin/sleep", "arguments": ["1000"], "expect": "none", "manual": False}
    return Service(**{**fields, **more})


def hostile(text: str) -> dict[str, Any]:
    """Return fields with a text in every field that accepts it."""
    line = text.replace("\n", " ")
    return {
        "description": line, "short_description": line, "author": line, "version": line,
        "arguments": [text, f"a{text}", f"{text}b"], "usage": text, "documentation": [text],
        "environment": {"V": text}, "provides": [text], "required_start": [text],
        "should_start": [text], "required_stop": [text], "should_stop": [text],
        "requires": [text], "after": [text],
        "log": {"path": f"/tmp/log{line}", "stderr_path": f"/tmp/{line}/err"},
        "health": {"kind": "command", "command": ["/bin/true", text]},
        "start_on": text, "stop_on": text, "emits": [text], "export": [text], "instance": line,
        "cgroups": [text], "apparmor_profile": line, "log_file": f"/tmp/log{line}/x",
        "output": f"/tmp/{line}", "working_directory": f"/tmp/{line}", "user": line, "group": line,
        "environment_files": [f"/tmp/{line}"], "root": f"/tmp/{line}",
        "pass_environment": [text], "apparmor_load": f"/tmp/{line}",
        "directories": [{"path": f"/tmp/{line}", "user": line}],
        "readiness": {"kind": "command", "command": ["/bin/true", text]},
        "before_start": ["/bin/true", text], "after_stop": ["/bin/true", text],
    }  # fmt: skip
