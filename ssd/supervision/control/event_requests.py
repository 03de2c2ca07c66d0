"""The verb ``events`` of the control socket: what has happened, and what happens from now on."""

from ssd.supervision.control.json_text import encode
from ssd.supervision.control.protocol import line, success

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.control.connections import Client
    from ssd.supervision.control.protocol import Request
    from ssd.supervision.events import Event

MAX_EVENTS = 256  # that are kept for clients that come later


class Follower:
    """A request for all events to come."""

    __slots__ = ("client", "head", "count")

    def __init__(self, client: "Client", head: bytes) -> None:
        self.client = client
        self.head = head  # of its lines: the id
        self.count = 0


class EventRequests:
    """The last events, and who follows those to come."""

    __slots__ = ("kept", "followers")

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.followers: list[Follower] = []

    def answer(self, client: "Client", request: "Request") -> None:
        """Send the last events; with ``follow`` go on with those that come."""
        follow = request.flag("follow")
        count = request.number("lines", 0 if follow else MAX_EVENTS)
        head = encode(request.id).encode("ascii")
        if follow:
            client.send(line(request.id, begun="events"))
        for event in self.kept[-count:] if count > 0 else []:
            client.send(_line(head, _text(event)))
        if not follow:
            client.send(success(request.id))
            return
        follower = Follower(client, head)
        self.followers.append(follower)
        client.tasks.append(follower)

    def heard(self, event: "Event") -> None:
        """Keep an event, and pass it on; it is written once, however many follow."""
        self.kept.append(event)
        if len(self.kept) > 2 * MAX_EVENTS:
            del self.kept[:MAX_EVENTS]
        if self.followers:
            text = _text(event)
            for follower in list(self.followers):
                follower.client.send(_line(follower.head, text))


def _text(event: "Event") -> bytes:
    return encode({**event.to_dict(), "text": str(event)}).encode("ascii")


def _line(head: bytes, text: bytes) -> bytes:
    return b'{"id":%s,"event":%s}\n' % (head, text)
