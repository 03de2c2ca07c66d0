"""Jobs that start their program by start-stop-daemon."""

import pytest

from ssd.service.sources.upstart.unwrapping import unwrap

PLAIN = {"executable": "/bin/a", "arguments": [], "working_directory": "/"}
SEEN: dict[str, dict[str, object] | None] = {
    "start-stop-daemon --start --exec /bin/a": PLAIN,
    "/sbin/start-stop-daemon -S -q -x /bin/a": PLAIN,
    "ssd --start --startas /bin/a --exec /bin/b": PLAIN,
    "start-stop-daemon --start --chuid nova --exec /bin/a -- --config-file=/c d": {
        **PLAIN, "user": "nova", "arguments": ["--config-file=/c", "d"],
    },
    "start-stop-daemon --start -c u:g -d /d -r /r -k 7 -N 5 -n a -x /bin/a": {
        **PLAIN, "user": "u", "group": "g", "working_directory": "/d", "root": "/r",
        "umask": "007", "nice": 5, "process_name": "a",
    },
    "start-stop-daemon --start --pidfile /run/a --make-pidfile --exec /bin/a": {
        **PLAIN, "pidfile": "/run/a",
    },
    "start-stop-daemon --start --background --exec /bin/a": None,
    "start-stop-daemon --start --test --exec /bin/a": None,
    "start-stop-daemon --start --iosched idle --exec /bin/a": None,
    "start-stop-daemon --stop --exec /bin/a": None,
    "start-stop-daemon --start --exec a": None,
    "start-stop-daemon --start --no-such-option": None,
    "start-stop-daemon --start --umask x --exec /bin/a": None,
    "start-stop-daemon": None,
    "/bin/a --start": None,
    "": None,
}  # fmt: skip


@pytest.mark.parametrize("command", SEEN)
def test_program_behind_start_stop_daemon_is_seen(command: str) -> None:
    """With all that its options say; one that no field can express leaves it as it is."""
    assert SEEN[command] == unwrap(command.split())
