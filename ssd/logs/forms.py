"""The forms of a log: plain, with a time before each line, or a JSON object a line.

Pure. A form is applied to each piece of output as it comes: the line that a piece ends in is begun
in the file, and nothing waits in memory. Where the next piece goes on follows from the file's last
bytes, so another process can go on, too.
"""

import os
from _json import encode_basestring
from time import localtime, strftime

TAIL = 3  # bytes at the end of a file that tell how to go on: UTF-8 takes up to 4
_seconds, _clock, _zone = -1, "", ""


def timestamp(time: float) -> str:
    """Write a time, in seconds since the epoch, as ISO 8601 with milliseconds and offset."""
    global _seconds, _clock, _zone
    whole = int(time // 1)
    if whole != _seconds:  # once a second: the rest is the same for each line
        there = localtime(whole)
        zone = strftime("%z", there)
        _seconds, _clock = whole, strftime("%Y-%m-%dT%H:%M:%S", there)
        _zone = f"{zone[:3]}:{zone[3:5]}"
    return f"{_clock}.{int((time - whole) * 1000):03}{_zone}"


class Form:
    """Plain: the bytes as they are."""

    __slots__ = ()
    name = "plain"

    def apply(
        self, data: bytes, tail: bytes, time: float, service: str, stream: str
    ) -> tuple[int, bytes]:
        """Return how many bytes at the file's end to write over, and what with.

        ``tail``: the last bytes of the file, TAIL or as many as there are.
        """
        return 0, data

    def finish(self, tail: bytes) -> tuple[int, bytes]:
        """End the begun line, because its writer has ended. The same values."""
        return 0, b""


class Stamped(Form):
    """Each line after its time: that at which its first byte was read."""

    __slots__ = ()
    name = "timestamp"

    def apply(
        self, data: bytes, tail: bytes, time: float, service: str, stream: str
    ) -> tuple[int, bytes]:
        """See Form."""
        stamp = timestamp(time).encode() + b" "
        ended = data.endswith(b"\n")
        lines = (data[:-1] if ended else data).replace(b"\n", b"\n" + stamp)
        first = b"" if _begun(tail) else stamp
        return 0, first + lines + (b"\n" if ended else b"")

    def finish(self, tail: bytes) -> tuple[int, bytes]:
        """See Form."""
        return 0, b"\n" if _begun(tail) else b""


class Json(Form):
    r"""Each line as an object: time, name, stream, text. A byte that is no UTF-8 becomes \xNN."""

    __slots__ = ()
    name = "json"

    def apply(
        self, data: bytes, tail: bytes, time: float, service: str, stream: str
    ) -> tuple[int, bytes]:
        """See Form."""
        begun = _begun(tail)
        held = unfinished(tail) if begun else 0
        data = tail[len(tail) - held :] + data
        end = len(data) - unfinished(data)
        head = (
            f'{{"time":"{timestamp(time)}","name":{encode_basestring(_decoded(service))},'
            f'"stream":"{stream}","text":"'
        ).encode()
        text = _escape(data[:end], b'"}\n' + head)
        if not begun:
            text = head + text
        if data.endswith(b"\n"):
            text = text[: -len(head)]
        return held, text + data[end:]

    def finish(self, tail: bytes) -> tuple[int, bytes]:
        """See Form."""
        if not _begun(tail):
            return 0, b""
        held = unfinished(tail)
        return held, _escape(tail[len(tail) - held :]) + b'"}\n'


FORMS = {form.name: form for form in (Form(), Stamped(), Json())}


def _decoded(name: str) -> str:
    r"""Return a name as JSON can have it: a byte that is no UTF-8 becomes \xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _begun(tail: bytes) -> bool:
    """Tell whether a file with this end is in the middle of a line."""
    return bool(tail) and not tail.endswith(b"\n")


def _escape(text: bytes, newline: bytes = b"\\n") -> bytes:
    """Return bytes as the inside of a JSON string, with something in place of each newline."""
    # A lone surrogate: in no text that was decoded, and written as it is.
    lines = text.decode("utf-8", "backslashreplace").replace("\n", "\ud800")
    return (
        encode_basestring(lines)[1:-1]
        .encode("utf-8", "surrogatepass")
        .replace(b"\xed\xa0\x80", newline)
    )


def unfinished(data: bytes) -> int:
    """Return how many bytes at the end begin a character of UTF-8 that more bytes can end."""
    for back in range(1, min(TAIL, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue  # inside a character
        length = 2 if byte & 0xE0 == 0xC0 else 3 if byte & 0xF0 == 0xE0 else 4
        return back if byte >= 0xC0 and back < length else 0
    return 0
