"""Drive a supervisor in an asyncio loop."""

from ssd.aio import until_due

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ssd.supervision.events import Event
    from ssd.supervision.supervisor import Supervisor


async def run(supervisor: "Supervisor") -> None:
    """Drive a supervisor until it was shut down and all has stopped; other tasks run meanwhile.

    They may call its wishes (``start``, ``stop`` ...) at any time, in the thread of the loop. A
    cancelled task leaves the services as they are; another may go on.
    """
    while not supervisor.advance():
        await until_due(supervisor)


async def follow(supervisor: "Supervisor") -> "AsyncIterator[Event]":
    """Drive a supervisor as ``run`` does, and yield each event."""
    supervisor.take()
    over = False
    while not over:
        over = supervisor.advance()
        for event in supervisor.take():
            yield event
        if not over:
            await until_due(supervisor)
