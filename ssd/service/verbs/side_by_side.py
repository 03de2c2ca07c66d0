"""Stop several services at once, in the time of the slowest."""

from ssd.service import verbs
from ssd.service.verbs.performing import begin_line, complain, end_line
from ssd.service.verbs.steps import Steps
from ssd.service.verbs.stopping import stop_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service


def stop(services: "Sequence[Service]", program: str, table: "ProcessTable | None") -> list[int]:
    """Stop services side by side, show a console line for each; return their statuses."""
    many = [Steps(service, table) for service in services]
    moves = [verbs.decide("stop", *end) for end in stop_all(many)]
    for steps, move in zip(many, moves):
        end_line(begin_line(steps.service, "stop"), move)
        complain(steps, program)
    return [move.status for move in moves]
