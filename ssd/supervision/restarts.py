"""Whether and when an ended service comes back: only the decision.

``respawn`` of a declaration is the policy (``ssd.service.fields.TABLES``). The first restart in
a row waits ``delay`` seconds, the second ``backoff``, and each further one twice as long, up to
``delay_max``; ``reset`` seconds up begin a new row. The window of ``limit`` and ``interval`` is
Upstart's: it begins with its first restart, and does not slide.
"""

from ssd.signals import signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.types import Respawn

AGAIN, OVER, LOST = "again", "over", "lost"  # the inputs of ssd.supervision.states
JITTER = 0.1  # of the delay, so that many services do not come back at one moment
MAX_DOUBLINGS = 40  # 2 ** 40 times any backoff is longer than any delay_max

NEVER, ALWAYS, FAILURE = "never", "always", "failure"


class History:
    """What counts of the past: restarts in a row, and those of the window that has begun."""

    __slots__ = ("row", "begun", "count")

    def __init__(self, row: int = 0, begun: float = 0.0, count: int = 0) -> None:
        self.row = row
        self.begun = begun
        self.count = count


class Verdict:
    """What to do about an end: AGAIN after ``seconds``, OVER, or LOST for a ``reason``."""

    __slots__ = ("input", "seconds", "reason")

    def __init__(self, input: str, seconds: float = 0.0, reason: str = "") -> None:
        self.input = input
        self.seconds = seconds
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Verdict):
            return NotImplemented
        mine, theirs = (self.input, self.seconds), (other.input, other.seconds)
        return mine == theirs and self.reason == other.reason

    def __repr__(self) -> str:
        return f"Verdict({self.input!r}, {self.seconds!r}, {self.reason!r})"


def is_normal(policy: "Respawn", status: int | None) -> bool:
    """Tell whether an end is declared normal: such a service stays down.

    ``status``: the exit status, minus the signal's number, or None if nobody knows it.
    """
    if status is None:
        return False
    for normal in policy["normal_exit"]:
        if isinstance(normal, int) and normal == status:
            return True
        if isinstance(normal, str) and -(signal_number(normal) or 0) == status < 0:
            return True
    return False


def judge(
    policy: "Respawn",
    history: History,
    status: int | None,
    uptime: float,
    now: float,
    chance: float,
    what: str,
) -> Verdict:
    """Judge the end of a main process, or a start that has failed; count a restart.

    uptime: seconds since it was ready; 0 if it never was. now: seconds of a clock that never goes
    back. chance: from 0 up to 1, for the jitter. what: the end in words.
    An end with an unknown ``status`` (None) counts as a failure.
    """
    when = policy["when"]
    if is_normal(policy, status) or (status == 0 and when != ALWAYS):
        return Verdict(OVER)
    if when == NEVER:
        return Verdict(LOST, reason=what)
    if uptime >= policy["reset"] > 0:
        history.row = 0
    limit, interval = policy["limit"], policy["interval"]
    if limit and interval:
        if history.count == 0 or now - history.begun > interval:
            history.begun, history.count = now, 0
        history.count += 1
        if history.count > limit:
            times = f"more than {limit} restarts in {interval:g} seconds"
            return Verdict(LOST, reason=f"{what}; {times}")
    seconds = delay(policy, history.row) * (1 + JITTER * chance)
    history.row += 1
    return Verdict(AGAIN, seconds)


def delay(policy: "Respawn", row: int) -> float:
    """Return the seconds before a restart, ``row`` restarts after the first, without jitter."""
    if row == 0:
        return float(policy["delay"])
    grown = policy["backoff"] * 2 ** min(row - 1, MAX_DOUBLINGS)
    return float(min(max(policy["delay"], grown), max(policy["delay"], policy["delay_max"])))
