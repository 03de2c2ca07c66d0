"""The least that a Python supervisor needs: a yardstick, not a program to use.

usage: python -IS floor.py DIRECTORY

DIRECTORY/services has a line for each service: name, log file or -, and the words of its command.
One thread, one epoll, a pidfd for each service, a pipe and splice(2) for each log, posix_spawn.
There is no safety: no declaration is checked, nothing is locked, no log is rotated, no identity
changed, no order kept, and whoever connects to DIRECTORY/socket and says nothing blocks it.
"""

import _signal
import _socket
import os
import select
import sys
import time

SECONDS = 2  # what a stop grants before SIGKILL
NULL = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0)
CALLS = {}  # descriptor -> what to do when it is readable
SERVICES = {}
poller = select.epoll()
due, stopping = [], 0.0


def watch(fd, call):
    """Call something when a descriptor is readable."""
    CALLS[fd] = call
    poller.register(fd, select.EPOLLIN)


class Service:
    """A service: its process, and its pipe if it has a log."""

    __slots__ = ("name", "argv", "actions", "pid", "fd", "began", "failed")

    def __init__(self, name, log, argv):
        self.name, self.argv, self.failed = name, argv, 0
        self.actions = [NULL, (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
        if log != "-":
            out, into = os.pipe()
            self.actions[1:] = [(os.POSIX_SPAWN_DUP2, into, fd) for fd in (1, 2)]
            # Not O_APPEND, which splice(2) refuses.
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            os.lseek(file, 0, os.SEEK_END)
            watch(out, lambda: os.splice(out, file, 1 << 20))
        self.start()

    def start(self):
        """Start its process."""
        self.began = time.monotonic()
        self.pid = os.posix_spawn(
            self.argv[0], self.argv, os.environ, file_actions=self.actions, setsid=True
        )
        self.fd = os.pidfd_open(self.pid)
        watch(self.fd, self.ended)

    def ended(self):
        """Reap its process; start the next one, later if it lived for less than 0.1 s."""
        # close(2) alone would leave it in the epoll while a child that has just been spawned has
        # a copy: vfork(2) returns before execve(2) closes that.
        poller.unregister(self.fd)
        del CALLS[self.fd]
        os.close(self.fd)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass  # process 1 has reaped it below
        self.pid = 0
        now = time.monotonic()
        if stopping:
            del SERVICES[self.name]
        elif now - self.began > 0.1:
            self.failed = 0
            self.start()
        else:
            self.failed += 1
            due.append((now + 0.1 * 2**self.failed, self))
            due.sort(key=lambda pair: pair[0])


def signalled():
    """Stop at TERM; reap what others left if it is process 1."""
    global stopping
    for number in os.read(woken, 64):
        if number == _signal.SIGTERM:
            stopping = time.monotonic() + SECONDS
            due.clear()
            send(_signal.SIGTERM)
    while os.getpid() == 1 and os.waitpid(-1, os.WNOHANG)[0]:
        pass


def send(number):
    """Signal all services that run, and forget the others."""
    for service in list(SERVICES.values()):
        if service.pid:
            _signal.pidfd_send_signal(service.fd, number)
        else:
            del SERVICES[service.name]


def asked():
    """Answer a client: the pids of one service or of all."""
    fd = server._accept()[0]
    name = os.read(fd, 100).decode()
    chosen = SERVICES.values() if name == "all" else [SERVICES[name]]
    os.write(fd, "".join(f"{one.name} {one.pid}\n" for one in chosen).encode())
    os.close(fd)


os.chdir(sys.argv[1])
woken, wake = os.pipe()
os.set_blocking(wake, False)
_signal.set_wakeup_fd(wake)
for number in (_signal.SIGTERM, *([_signal.SIGCHLD] if os.getpid() == 1 else [])):
    _signal.signal(number, lambda *_: None)
watch(woken, signalled)
if os.path.exists("socket"):
    os.unlink("socket")
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.bind("socket")
server.listen(5)
watch(server.fileno(), asked)
with open("services") as lines:
    for line in lines:
        name, log, *argv = line.split()
        SERVICES[name] = Service(name, log, argv)
while SERVICES or not stopping:
    until = stopping or (due[0][0] if due else 0)
    for fd, _ in poller.poll(max(0, until - time.monotonic()) if until else None):
        if fd in CALLS:
            CALLS[fd]()
    now = time.monotonic()
    if stopping and now >= stopping:
        send(_signal.SIGKILL)
        stopping = now + SECONDS
    while due and due[0][0] <= now:
        due.pop(0)[1].start()
