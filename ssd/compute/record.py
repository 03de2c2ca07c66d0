"""The service's record of itself, in a file that other programs can watch.

nova keeps this record in its database; here it is a file. Its report_count increases with every
report, also across restarts, as nova's does.
"""

import datetime
import json
import logging
import os
import pathlib
import threading
from typing import Any

LOG = logging.getLogger(__name__)

UP = "up"
STOPPING = "stopping"
DOWN = "down"


def _now() -> str:
    """Return the current time in UTC, in ISO 8601 with milliseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


class StateFile:
    """One JSON object in one file, which readers always see complete."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """Return the object; empty if the file is missing or holds something else.

        Raises OSError if the file cannot be read.
        """
        try:
            held = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            LOG.warning("%s is not a state file (%s): counting from 0", self.path, error)
            return {}
        return held if isinstance(held, dict) else {}

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file. On an OSError the old file stays, and no draft is left."""
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


class ServiceRecord:
    """What one service reports about itself, and its file. Safe from any thread."""

    def __init__(self, file: StateFile, *, host: str, binary: str, topic: str) -> None:
        self.file = file
        self._lock = threading.Lock()
        held = file.read().get("report_count")
        self._fields: dict[str, Any] = {
            "host": host,
            "binary": binary,
            "topic": topic,
            "pid": os.getpid(),
            "state": None,
            "report_count": held if isinstance(held, int) else 0,
            "rpc_answers": 0,
            "started_at": _now(),
            "updated_at": None,
        }

    def update(self, **fields: Any) -> None:
        """Set `fields`; the next `save` writes them."""
        with self._lock:
            self._fields.update(fields)

    def rpc_answered(self) -> None:
        """Count one answer of the service's own RPC server."""
        with self._lock:
            self._fields["rpc_answers"] += 1

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all fields."""
        with self._lock:
            return dict(self._fields)

    def save(self, state: str) -> None:
        """Count one report and write it as `state` (UP, STOPPING, DOWN). Raises OSError."""
        with self._lock:
            self._fields.update(
                state=state,
                report_count=self._fields["report_count"] + 1,
                updated_at=_now(),
            )
            self.file.write(self._fields)
