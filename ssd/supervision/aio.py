"""Drive a supervisor in an asyncio loop."""

from ssd.aio import until_due

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.supervisor import Supervisor


async def run(supervisor: "Supervisor") -> None:
    """Drive a supervisor until it was shut down and all has stopped; other tasks run meanwhile.

    They may call its wishes (``start``, ``stop`` ...) at any time, in the thread of the loop. A
    cancelled task leaves the services as they are; another may go on.
    """
    while not supervisor.advance():
        await until_due(supervisor)
