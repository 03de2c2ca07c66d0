"""``ssd-service lsb [--as NAME] FUNCTION [ARGUMENT...]``: one LSB function as a command."""

from ssd.statuses import FAILED, FATAL, INVALID, UNIMPLEMENTED, UNKNOWN
from ssd.stdio import write

# function -> module, in the order of docs/reference/lsb.md
FUNCTIONS = {
    "start_daemon": "calls",
    "pidofproc": "calls",
    "killproc": "calls",
    "status_of_proc": "calls",
    "log_daemon_msg": "log",
    "log_progress_msg": "log",
    "log_end_msg": "log",
    "log_action_msg": "log",
    "log_action_begin_msg": "log",
    "log_action_cont_msg": "log",
    "log_action_end_msg": "log",
    "log_success_msg": "log",
    "log_failure_msg": "log",
    "log_warning_msg": "log",
    "log_begin_msg": "log",
    "get_lsb_header_val": "calls",
    "init_is_upstart": "calls",
}

# The status after a system error, for functions whose status 1 means something else.
FAULTS = {"start_daemon": FATAL, "pidofproc": UNKNOWN, "status_of_proc": UNKNOWN}


def main(words: list[str]) -> int:
    """Call a function with words and return its exit status.

    ``--as NAME`` comes first and names the program in messages: scripts/init-functions gives
    the $0 of its script, as the messages of the original do.
    """
    program = "ssd-service"
    if words[:1] == ["--as"] and len(words) > 1:
        program, words = words[1], words[2:]

    def say(text: str) -> None:
        write(2, f"{program}: {text}\n")

    home = FUNCTIONS.get(words[0]) if words else None
    if home is None:
        say(f"lsb: {_unknown(words)}; known: {' '.join(FUNCTIONS)}")
        return UNIMPLEMENTED
    name, *arguments = words
    try:
        function = getattr(__import__(f"ssd.service.lsb.{home}", fromlist=[name]), name)
        return int(function(say, arguments) if home == "calls" else function(*arguments))
    except ValueError as error:
        say(f"{name}: {error}")
        return INVALID
    except BaseException as error:  # noqa: BLE001 - FAULTS has a status for it
        # A problem of this command: no descriptor left, a broken package, an interruption.
        from ssd.sentences import describe

        say(f"{name}: {describe(error)}")
        return FAULTS.get(name, FAILED)


def _unknown(words: list[str]) -> str:
    return f"unknown function {words[0]!r}" if words else "no function given"
