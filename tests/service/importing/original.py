"""How supervisord itself reads a configuration: one line of JSON, for each process of it.

usage: PYTHON original.py FILE, with a Python that has the package supervisor
"""

import json
import os
import shlex
import sys

from supervisor import datatypes, options  # type: ignore[import-not-found]


def facts(group, process) -> dict[str, object]:
    """Return what a process of supervisord is."""
    restart = {
        False: "never",
        datatypes.RestartUnconditionally: "always",
        datatypes.RestartWhenExitUnexpected: "unexpected",
    }
    logs = {
        f"{stream}_logfile": "AUTO" if path is datatypes.Automatic else path
        for stream in ("stdout", "stderr")
        for path in [getattr(process, f"{stream}_logfile")]
    }
    plain = (
        "name command directory umask priority autostart startsecs startretries uid stopsignal "
        "stopwaitsecs stopasgroup killasgroup exitcodes redirect_stderr environment "
        "stdout_logfile_maxbytes stdout_logfile_backups stdout_syslog stderr_syslog"
    ).split()
    return {
        **{name: getattr(process, name) for name in plain},
        **logs,
        "argv": shlex.split(process.command),
        "autorestart": restart[process.autorestart],
        "group": group.name,
        "of_group": group.priority,
    }


def main(path: str) -> int:
    """Print what supervisord makes of a file."""
    made = options.ServerOptions()
    made.configfile = path
    made.here = os.path.abspath(os.path.dirname(path))
    try:
        groups = made.read_config(path).process_group_configs
        found = [facts(group, each) for group in groups for each in group.process_configs]
    except ValueError as error:  # also of a command line, which it splits only at a start
        found = str(error)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
