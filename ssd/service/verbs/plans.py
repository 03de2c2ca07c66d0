"""What ``--plan`` says of a service, in one sentence."""

from ssd.service.outcome import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.outcome import Outcome

# The actions of a verb -> what would happen.
SENTENCES = {
    ("start",): "{name} would be started",
    ("stop",): "{name} would be stopped{who}",
    ("stop", "start"): "{name} would be stopped{who} and started again",
    ("reload",): "{name} would be told to reload{who}",
}
STARTED, CLEARED = "{name} would be started", "{name} is not running; its pidfile would be removed"


def foretell(outcome: "Outcome", verb: str, words: str) -> str:
    """Say what a planned verb would do. ``verb`` is resolved; ``words`` end its console line."""
    name, actions = outcome.name, tuple(outcome.actions)
    if outcome.outcome == ABSENT:
        return f"{name}: {outcome.error}"
    if outcome.failed:
        return f"{name}: {verb} would fail: {outcome.error}"
    pids = [str(each["pid"]) for each in outcome.before.processes]
    who = f" (process {', '.join(pids)})" if pids else ""
    if not outcome.changed:
        if actions and outcome.before.state == "dead" and outcome.after.state == "stopped":
            return CLEARED.format(name=name)
        return f"{name} {words}{who}: nothing would be done"
    sentence = SENTENCES[actions] if pids or "start" not in actions else STARTED
    return sentence.format(name=name, who=who)
