"""Clients on a Unix socket that disturb nobody, whatever they do.

One epoll descriptor stands for the listening socket and all clients, so that any loop can wait for
them. A client gets one turn each time it is its turn: one request, or one piece of a long answer.
What it has asked for waits until it reads. Nothing here knows what a request means.
"""

import _socket
import errno
import os
import select

from ssd.supervision.control.protocol import (
    MAX_LINE,
    MAX_LINE_OF_JOBS,
    Fault,
    Request,
    Requests,
    failure,
)
from ssd.supervision.control.unix_socket import Peer, accept, peer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Task(Protocol):
        """A request that is not answered yet."""

        count: int


MAX_CLIENTS = 64
MAX_WITH_JOBS = 512  # at least: each job that starts others, and each event, may wait
MAX_GUESTS = 32  # of them: clients of other users than root and the owner
MAX_OPEN = 16  # requests of one client that are not answered yet
MAX_HELD = 1 << 18  # bytes that wait for a client to read them, and
MAX_OF_ONE = 256  # as many more for each service that it has asked something of
PIECE = 1 << 14  # bytes of a long answer that are made in one turn
TURN = 4  # clients that are served before services have their turn
_TAKEN = 1 << 14  # bytes that are read in one turn

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
_GONE = select.EPOLLHUP | select.EPOLLERR
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class Client:
    """One connection.

    ``tasks``: requests that wait for something, of whoever answers them; each has a number
    ``count`` of lines that it may send at any time.
    """

    __slots__ = ("peer", "tasks", "_server", "_sock", "_requests", "_held", "_size", "_long",
                 "_ended", "_leaving", "_events")  # fmt: skip

    def __init__(self, server: "Connections", sock: "_socket.socket", peer: Peer) -> None:
        self.peer = peer
        self.tasks: list[Task] = []
        self._server = server
        self._sock = sock
        self._requests = Requests(server.longest_line(peer))
        self._held: list[bytes] = []  # lines to send; the first may be sent in part
        self._size = 0
        self._long: list[Iterator[bytes]] = []  # answers whose pieces are made when it reads
        self._ended = False  # it sends nothing more
        self._leaving = False  # it is closed when it has read the rest
        self._events = 0

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._sock.fileno()

    @property
    def idle(self) -> bool:
        """Whether it waits for nothing."""
        return not (self.tasks or self._long) or self._leaving

    def send(self, line: bytes) -> None:
        """Give the client a line, when it reads. One that reads too little is told, and closed."""
        if self._leaving:
            return
        self._held.append(line)
        self._size += len(line)
        if self._size > MAX_HELD and self._size > self._most():
            self.refuse("slow", f"{self._size} bytes were not read")
        else:
            self._server.wish(self)

    def _most(self) -> int:
        return MAX_HELD + MAX_OF_ONE * sum(task.count for task in self.tasks)

    def send_long(self, pieces: "Iterator[bytes]") -> None:
        """Give the client an answer in pieces, each made when it has read the one before."""
        if not self._leaving:
            self._long.append(pieces)
            self._server.wish(self)

    def refuse(self, error: str, message: str, id: "int | str | None" = None) -> None:
        """Tell the client why it is closed, and drop what it has not read."""
        if self._leaving:
            return
        self._held = [*self._held[:1], failure(id, error, message)]
        self._size = sum(map(len, self._held))
        self._leave()
        self._server.wish(self)
        self._server.told(f"a client of user {self.peer.uid} is closed: {message}")

    def _leave(self) -> None:
        self._leaving = True
        self._long.clear()
        self._server.left(self)

    def turn(self, events: int) -> None:
        """Do one thing for the client, then let others have their turn."""
        if not self._flush() or events & _GONE and not events & _IN:
            return self._server.close(self)
        if not self._held and not self._leaving:
            self._serve(events)
            if not self._flush():
                return self._server.close(self)
        over = self._leaving or self._ended and not self._requests.ready and self.idle
        if over and not self._held:
            return self._server.close(self)
        return self._server.wish(self)

    def _serve(self, events: int) -> None:
        """Go on with an answer, or take a request, or else read."""
        if self._long:
            return self._go_on()
        if not self._requests.ready:
            if not events & _IN or self._ended:
                return None
            try:
                data = self._sock.recv(_TAKEN)
            except BlockingIOError:
                return None
            except OSError:  # it has gone
                data = b""
            self._ended = not data
            self._requests.receive(data)
        found = self._requests.next()
        if isinstance(found, Fault):
            self._fault(found)
        elif found is not None and len(self.tasks) >= MAX_OPEN:
            self.send(failure(found.id, "busy", f"{MAX_OPEN} requests of this client wait"))
        elif found is not None:
            self._server.answer(self, found)
        return None

    def _fault(self, fault: Fault) -> None:
        if fault.fatal:
            self.refuse(fault.error, fault.message, fault.id)
        else:
            self.send(failure(fault.id, fault.error, fault.message))

    def _go_on(self) -> None:
        """Make the next pieces of a long answer."""
        made = 0
        while self._long and made < PIECE:
            piece = next(self._long[0], None)
            if piece is None:
                self._long.pop(0)
            else:
                made += len(piece)
                self.send(piece)

    def _flush(self) -> bool:
        """Send what the client takes; tell whether it is still there."""
        while self._held:
            data = b"".join(self._held) if self._size <= PIECE else self._held[0]
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                return True
            except OSError:  # it has gone
                return False
            self._size -= sent
            if sent == len(data) and len(data) > len(self._held[0]):
                self._held.clear()
            else:
                self._forget(sent)
        return True

    def _forget(self, sent: int) -> None:
        """Drop so many bytes that are sent."""
        while self._held and sent >= len(self._held[0]):
            sent -= len(self._held.pop(0))
        if sent:
            self._held[0] = self._held[0][sent:]

    def wanted(self) -> int:
        """Return the events to wait for (epoll_ctl(2))."""
        if self._held:
            return _OUT
        if self._long or self._requests.ready or self._leaving:
            return _OUT  # at once, after the turns of others
        return 0 if self._ended else _IN

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


class Connections:
    """The listening socket and its clients.

    ``answer``: called with a client and a request. ``admits``: tells of a peer why it may not use
    the socket, None if it may. ``left``: called when a client goes. ``told``: takes sentences for
    a log. ``owner``: user whose clients, like root's, are no guests. ``many``: they serve jobs.
    """

    __slots__ = ("answer", "admits", "left", "told", "owner", "places", "clients", "_listener",
                 "_epoll", "_spare", "_deaf", "_paused")  # fmt: skip

    def __init__(
        self,
        listener: "_socket.socket",
        *,
        answer: "Callable[[Client, Request], None]",
        admits: "Callable[[Peer], str | None]",
        left: "Callable[[Client], None]" = lambda client: None,
        told: "Callable[[str], None]" = lambda text: None,
        owner: int,
        many: bool = False,
    ) -> None:
        self.places = MAX_WITH_JOBS if many else MAX_CLIENTS
        self.answer = answer
        self.admits = admits
        self.left = left
        self.told = told
        self.owner = owner
        self.clients: dict[int, Client] = {}  # by descriptor; first who did nothing longest
        self._listener = listener
        listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(listener.fileno(), _IN)
        self._spare = _spare()
        self._deaf = self._paused = False

    def fileno(self) -> int:
        """Return a descriptor that is readable when ``turn`` has something to do."""
        return self._epoll.fileno()

    def turn(self) -> None:
        """Give a turn to everybody who has something; never waits."""
        for fd, events in self._epoll.poll(0, TURN):
            if fd == self._listener.fileno():
                self._accept()
            elif (client := self.clients.get(fd)) is not None:
                self.clients[fd] = self.clients.pop(fd)
                client.turn(events)

    def wish(self, client: Client) -> None:
        """Wait for what a client waits for now."""
        wanted = client.wanted()
        if wanted != client._events and client.fileno() in self.clients:
            self._epoll.modify(client.fileno(), wanted)
            client._events = wanted

    @property
    def listener(self) -> int:
        """The descriptor of the listening socket."""
        return self._listener.fileno()

    def _accept(self) -> None:
        """Take one client; more of them have the next turns."""
        try:
            sock = accept(self._listener)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._turn_away()
            return  # the client has gone already
        sock.setblocking(False)
        try:
            who = peer(sock)
        except OSError:
            sock.close()
            return
        self._admit(sock, who)

    def _admit(self, sock: "_socket.socket", who: Peer) -> None:
        """Take a client that may come in; a client that waits for nothing leaves for it."""
        refused = self.admits(who)
        error = "denied"
        if refused is None and self._is_full(who) and not self._evict(who):
            error, refused = "busy", "there are too many clients"
        if refused is not None:
            if error == "denied":
                self.told(f"user {who.uid} (process {who.pid}) may not use the socket")
            try:
                sock.send(failure(None, error, refused))
            except OSError as gone:
                self.told(f"user {who.uid} was not told: {gone.strerror}")
            sock.close()
            return
        client = Client(self, sock, who)
        self.clients[sock.fileno()] = client
        client._events = _IN
        self._epoll.register(sock.fileno(), _IN)

    def _is_guest(self, who: Peer) -> bool:
        return who.uid not in (0, self.owner)

    def longest_line(self, who: Peer) -> int:
        """Return how many bytes a request of a user may have."""
        return MAX_LINE_OF_JOBS if self._serves_jobs and not self._is_guest(who) else MAX_LINE

    def _is_full(self, who: Peer) -> bool:
        guests = sum(self._is_guest(each.peer) for each in self.clients.values())
        taken = len(self.clients)
        if taken >= self.places and not (self._serves_jobs and taken < _quarter()):
            return True
        return self._is_guest(who) and guests >= MAX_GUESTS

    @property
    def _serves_jobs(self) -> bool:
        return self.places == MAX_WITH_JOBS

    def _evict(self, who: Peer) -> bool:
        """Close the client that has done nothing for longest, among those that wait for nothing."""
        for client in self.clients.values():
            if client.idle and (self._is_guest(client.peer) or not self._is_guest(who)):
                self.close(client)
                return True
        return False

    def _turn_away(self) -> None:
        """Close a client that there is no descriptor for: it would be announced again for ever."""
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
            try:
                accept(self._listener).close()
            except OSError as error:
                self.told(f"no client can be taken: {error.strerror}")
            self._spare = _spare()
        if self._spare < 0 and not self._deaf:  # until a client goes
            self._deaf = True
            self._listen()

    def hear(self) -> None:
        """Take clients again, if there was no descriptor for them."""
        if self._deaf:
            self._spare = _spare()
            self._deaf = False
            self._listen()

    def pause(self, paused: bool) -> None:
        """Take no new clients, or take them again; the kernel lets them wait meanwhile."""
        self._paused = paused
        self._listen()

    def _listen(self) -> None:
        """Wait for new clients, if there is somebody who takes them."""
        self._epoll.modify(self._listener.fileno(), 0 if self._deaf or self._paused else _IN)

    def close(self, client: Client) -> None:
        """Close a client."""
        if self.clients.pop(client.fileno(), None) is not None:
            self._epoll.unregister(client.fileno())
            client.close()
            self.left(client)
            self.hear()

    def close_all(self, error: str, message: str) -> None:
        """Tell every client that waits for something why it gets no answer, and close all."""
        for client in list(self.clients.values()):
            if not client.idle:
                client.refuse(error, message)
                client._flush()
            self.close(client)
        self._epoll.close()
        self._listener.close()
        if self._spare >= 0:
            os.close(self._spare)


def _quarter() -> int:
    """Return a quarter of the descriptors that this process may have: the rest is for the jobs."""
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4


def _spare() -> int:
    """Return a descriptor to give up when there is no other; -1 if there is none even now."""
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
