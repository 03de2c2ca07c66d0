"""A supervisor of jobs that answers from a table, over a real socket."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Fields = dict[str, Any]


class FakeJobs:
    """What a supervisor answers, and what it was asked.

    answers: of each command the last line of its answer, or all of its lines; a text is the reason
    for which it refuses. A command without a row is done. requests: without id and verb. pause: the
    seconds that it takes to the last line.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Fields | list[Fields] | str] = {}
        self.requests: list[Fields] = []
        self.pause = 0.0
        self.run: Callable[..., tuple[int, str, str]] = lambda *words: (0, "", "")

    def answer(self, request: Fields) -> list[Fields]:
        """Return the lines for a request."""
        given = self.answers.get(request["command"], {})
        if isinstance(given, str):
            return [{"ok": False, "error": "refused", "message": given, "kind": "refused"}]
        *first, last = given if isinstance(given, list) else [given]
        return [*first, {"ok": True, **last}]


@contextlib.contextmanager
def serving(jobs: FakeJobs, path: Path) -> Iterator[None]:
    """Serve one client after the other until the end of the block."""
    over = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:  # the block has ended
                    return
                with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
                    for line in lines:
                        request = json.loads(line)
                        assert "job" == request.pop("verb")
                        number = request.pop("id")
                        jobs.requests.append(request)
                        for each in jobs.answer(request):
                            if "ok" in each:
                                over.wait(jobs.pause)
                            client.sendall(json.dumps({"id": number, **each}).encode() + b"\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
