"""The verbs of scripts/nova-lab. Exit statuses: 0 done, 1 failed, 2 bad usage, 3 nothing runs."""

import fcntl
import inspect
import os
import sys
import time
from collections.abc import Callable

if __package__ in (None, ""):  # python3 tests/lab: the folder above holds the package
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # And the checkout above that has ssd: nothing is installed yet.
    sys.path[:0] = [tests, os.path.dirname(tests)]

from lab import building, running, services
from lab.layout import Lab, Unsuitable
from lab.steps import StepFailed, say

USAGE = """usage: scripts/nova-lab up | down | status | ready [SECONDS] | start NAME | stop NAME
  up      build what is missing, start broker, placement and conductor, wait until they answer
  down    stop everything that runs in the lab, nova-compute too
  status  tell what runs; exit status 0: all of it, 1: some of it, 3: nothing
  ready   wait until nova-compute consumes from its queue (60 seconds unless told)
  start, stop  one of epmd, broker, placement, conductor
NOVA_LAB is the lab's folder, .nova-lab in the checkout if unset; user nova has to reach it."""


def up(lab: Lab) -> int:
    """Build what is missing and start the services."""
    began = time.monotonic()
    say(f"the lab is in {lab.root}")
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
    """Tell how each service is."""
    needed = [running.tell(lab, service.name) for service in services.everything(lab)]
    codes = [*needed, running.tell(lab, running.COMPUTE)]  # which is up to whoever uses the lab
    if not any(needed):
        return 0
    return 1 if 0 in codes else 3


def ready(lab: Lab, seconds: str = "60") -> int:
    """Wait until nova-compute answers."""
    return running.await_compute(lab, int(seconds))


def start(lab: Lab, name: str) -> int:
    """Start one service."""
    running.start(lab, services.named(lab, name).name)
    return 0


def stop(lab: Lab, name: str) -> int:
    """Stop one service."""
    running.stop(lab, services.named(lab, name).name)
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


def main(arguments: list[str]) -> int:
    """Carry out one verb."""
    verb, *words = arguments or [""]
    if verb in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    try:
        work = VERBS[verb]
        inspect.signature(work).bind(None, *words)
    except (KeyError, TypeError):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        lab = Lab.here()
        if verb in READS_ONLY:
            return work(lab, *words)
        with open(lab.lock, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another up or down goes first
            return work(lab, *words)
    except (Unsuitable, StepFailed) as error:
        say(str(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
