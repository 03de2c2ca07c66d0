"""The verbs of scripts/nova-lab. Exit statuses: 0 done, 1 failed, 2 bad usage, 3 nothing runs."""

import fcntl
import inspect
import os
import sys
import time
from collections.abc import Callable

if __package__ in (None, ""):  # python3 scripts/lab: the directory above holds the package
    scripts = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # And the checkout above that has ssd: nothing is installed yet.
    sys.path[:0] = [scripts, os.path.dirname(scripts)]

from lab import building, running
from lab.layout import Lab, Unsuitable
from lab.services import NAMES, ON_REQUEST
from lab.steps import Interrupted, StepFailed, heed_signals, say

USAGE = """usage: scripts/nova-lab up | down | status | ready [SECONDS] | start NAME | stop NAME
  up      build what is missing, start broker, placement and conductor, wait until they answer
  down    stop everything that runs in the lab, nova-compute too
  status  tell what runs; exit status 0: all of it, with nova-compute and api or without, 1: some
          of it or one cannot tell, 3: nothing
  ready   wait until nova-compute consumes from its queue (60 seconds by default)
  start, stop  one of epmd, broker, placement, conductor, and api: nova's API, which up leaves out
NOVA_LAB is the lab's directory, .nova-lab in the checkout if unset; user nova must reach it.
Needs root, Debian 12 or newer, a mirror of it and of PyPI, and 500 MB of disk; the first up
takes two minutes where both are near."""


def up(lab: Lab) -> int:
    """Build what is missing and start the services."""
    began = time.monotonic()
    say(f"the lab is in {lab.root}, what its steps print in {lab.log}")
    building.build(lab)
    running.start_all(lab)
    say(f"up after {time.monotonic() - began:.1f} s; nova-compute is started by")
    say(f"  {' '.join(running.words(lab, running.COMPUTE, 'start'))}")
    return 0


def down(lab: Lab) -> int:
    """Stop the services and see that no process is left."""
    running.stop_all(lab)
    left = running.leftovers(lab)
    for pid, words in left:
        say(f"process {pid} is left: {words}")
    if not left:
        say("no process of the lab is left")
    return 1 if left else 0


def status(lab: Lab) -> int:
    """Print the status of each service."""
    needed = [running.tell(lab, name) for name in NAMES]
    # The others are started by the user of the lab.
    codes = [*needed, *(running.tell(lab, name) for name in (running.COMPUTE, *ON_REQUEST))]
    if not any(needed):
        return 0
    return 3 if {1, 3}.issuperset(codes) else 1  # 4: cannot tell


def ready(lab: Lab, seconds: str = "60") -> int:
    """Wait until nova-compute answers."""
    return running.await_compute(lab, int(seconds))


def start(lab: Lab, name: str) -> int:
    """Start one service."""
    running.start(lab, name)
    return 0


def stop(lab: Lab, name: str) -> int:
    """Stop one service."""
    running.stop(lab, name)
    return 0


VERBS: dict[str, Callable[..., int]] = {
    "up": up,
    "down": down,
    "status": status,
    "ready": ready,
    "start": start,
    "stop": stop,
}
READS_ONLY = ("status", "ready")
WITHOUT_LAB = {"down": 0, "status": 3}  # their exit statuses if nothing has been built


def main(arguments: list[str]) -> int:
    """Carry out one verb."""
    verb, *words = arguments or [""]
    if verb in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    try:
        _check(verb, words)
        return _carry_out(verb, words)
    except Unusable as error:
        print(f"nova-lab: {error}\n{USAGE}", file=sys.stderr)
        return 2
    except Interrupted as error:
        say(str(error), file=sys.stderr)
        return 128 + error.number
    except (Unsuitable, StepFailed, OSError) as error:
        say(str(error), file=sys.stderr)
        return 1


class Unusable(Exception):
    """Bad usage."""


def _check(verb: str, words: list[str]) -> None:
    """Raise Unusable for an unknown verb, and for too few, too many or wrong words."""
    if verb not in VERBS:
        raise Unusable(f"no verb {verb}" if verb else "a verb is missing")
    try:
        inspect.signature(VERBS[verb]).bind(None, *words)
    except TypeError as error:
        raise Unusable(f"{verb}: {error}") from None
    if verb == "ready" and words and not words[0].isdecimal():
        raise Unusable(f"ready: {words[0]} is not a number of seconds")
    if verb in ("start", "stop") and words[0] not in (*NAMES, *ON_REQUEST):
        raise Unusable(f"{verb}: no service {words[0]}")


def _carry_out(verb: str, words: list[str]) -> int:
    lab, work = Lab.here(), VERBS[verb]
    if verb == "up":
        lab.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    elif not lab.root.is_dir():
        if verb not in WITHOUT_LAB:
            raise Unsuitable(f"there is no lab in {lab.root}; first: scripts/nova-lab up")
        say(f"there is no lab in {lab.root}")
        return WITHOUT_LAB[verb]
    heed_signals()
    if verb in READS_ONLY:
        return work(lab, *words)
    with open(lab.lock, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waits for another nova-lab that is at work on this directory")
            fcntl.flock(lock, fcntl.LOCK_EX)
        return work(lab, *words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
