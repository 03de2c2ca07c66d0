"""Build the namespace's world, play the cases asked for, print one line of JSON for each.

Standard input holds the order: command, its side, case ids and their file, and the paths to
keep visible.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from .. import cases
from . import kit, world
from .events import Events, end_everything
from .trial import Trial


def main() -> None:
    """Do all of it as process 1."""
    order = json.load(sys.stdin)
    if os.getpid() != 1:
        sys.exit("this must be the first process of a PID namespace")
    chosen = [case for case in cases.load(Path(order["data"])) if case.id in order["ids"]]
    world.build(order["keep"])
    kit.build()
    events = Events()
    for case in chosen:
        print(json.dumps({"id": case.id, **attempt(events, order, case)}), flush=True)


def attempt(events: Events, order: dict, case) -> dict:
    """Run one case; a fault of the set-up is reported as a traceback, and the next case follows."""
    try:
        return {"outcome": Trial(events, order["side"], order["command"], case).play()}
    except (OSError, RuntimeError, LookupError, ValueError):
        return {"fault": traceback.format_exc()}
    finally:
        end_everything(events)


main()
