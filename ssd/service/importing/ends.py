"""What the stop and the reload of a traced script are in a declaration: schedule and signal."""

from ssd.cli.options import STOP, Options, read
from ssd.service.importing.trace.answers import HARMLESS
from ssd.service.sources.start_args import fields_of_stop
from ssd.signal_names import signal_name
from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Record = dict[str, Any]
    Fields = dict[str, object]
    Tell = Callable[..., None]

PATIENCE = 30  # seconds, if the script itself does not wait
AFTER_KILL = 5  # seconds
SKELETON = "TERM/30/KILL/5"  # Debian's, in two calls: by the pidfile, then by the program
RELOADS = ("reload", "force-reload")


def stops(record: "Record", verb: str = "stop") -> "list[Options]":
    """Return the options of the calls of start-stop-daemon that a verb stops or signals with.

    Those that found the daemon; if none did, all of a stop: others stop other daemons.
    """
    calls = [
        (event["found"], options)
        for event, options in calls_of(record, verb)
        if options.command == STOP
    ]
    found = [options for number, options in calls if number]
    return found or [options for _, options in calls if verb == "stop"]


def calls_of(record: "Record", verb: str) -> "Iterator[tuple[dict[str, Any], Options]]":
    """Yield the calls of start-stop-daemon that a verb makes, and their options."""
    for event in record["events"]:
        # A call whose words are wrong has found nothing, not even none.
        if event["kind"] == "call" and "found" in event and event["verb"] == verb:
            options = Options()
            read(event["words"][1:], options)
            yield event, options


def by_signals(record: "Record") -> bool:
    """Tell whether a stop ends its daemon by signals of its own, and not by start-stop-daemon."""
    return any(e["kind"] == "signal" and e["verb"] == "stop" for e in record["events"])


def fields(record: "Record", stubborn: "Record | None", tell: "Tell") -> "Fields":
    """Return the fields of stop and reload.

    ``stubborn``: the record of a daemon that survives all but KILL, if the stop sends signals.
    """
    made: Fields = {}
    calls = stops(record)
    if calls:
        made |= _by_tool(calls[0], tell)
    elif stubborn is not None:
        made["stop_schedule"] = _escalation(stubborn["events"], tell)
    elif record["daemons"]:
        tell("stop", f"{_unseen(record)}: the default TERM/30/KILL/5 is declared")
    signum = _reload(record)
    if signum:
        made["reload_signal"] = signal_name(signum).removeprefix("SIG")
    return made


def _unseen(record: "Record") -> str:
    """Say what a stop does that sends no signal."""
    runs = [
        " ".join(event["words"])
        for event in record["events"]
        if event["kind"] == "call"
        and event["verb"] == "stop"
        and event["role"] in ("daemon", "query")
    ]
    return f"sends no signal, but runs {', '.join(runs)}" if runs else "no signal was seen"


def _by_tool(options: Options, tell: "Tell") -> "Fields":
    """Return the fields of a --stop, its schedule written out."""
    made = fields_of_stop(options, f"/{PATIENCE}")
    text = str(made.get("stop_schedule", f"TERM/{PATIENCE}"))
    if not options.has("retry"):
        tell("stop", f"does not wait for the end: {text} waits {PATIENCE} seconds", False)
    elif text.isdigit():  # it begins with --signal
        text = f"{_item(options.signal)}/{text}/KILL/{text}"
    return {**made, "stop_schedule": text}


def _escalation(events: "list[dict[str, Any]]", tell: "Tell") -> str:
    """Return the schedule of signals that the script sends itself, with its sleeps between them."""
    items: list[str] = []
    waited = 0.0
    last = 0
    for event in events:
        if event["verb"] != "stop":
            continue
        if event["kind"] == "signal" and event["signal"] not in HARMLESS:
            if last and event["signal"] != last:
                items.append(f"{round(waited)}")
            if event["signal"] != last:
                items.append(_item(event["signal"]))
                waited = 0.0
            last = event["signal"]
        elif event["kind"] == "call" and event["role"] == "sleep":
            waited += _seconds(event["words"])
    if not items:
        return SKELETON
    if last == signals.SIGKILL:
        return "/".join([*items, str(AFTER_KILL)])
    if not round(waited):
        tell("stop", f"does not wait for the end: {PATIENCE} seconds are declared", False)
    return "/".join([*items, str(round(waited) or PATIENCE)])


def _item(signum: int) -> str:
    """Return a signal as an item of a schedule."""
    name = signal_name(signum).removeprefix("SIG")
    return f"-{name}" if name.isdigit() else name


def _seconds(words: "list[str]") -> float:
    """Return how long a call of sleep(1) waits; 0 if its words are not numbers."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    total = 0.0
    for word in words[1:]:
        number = word[:-1] if word[-1:] in units else word
        try:
            total += float(number) * units.get(word[-1:], 1)
        except ValueError:
            return 0.0
    return total


def _reload(record: "Record") -> int:
    """Return the signal that a reload sends, 0 if it sends none or starts the daemon again."""
    for verb in RELOADS:
        for options in stops(record, verb):
            if options.signal not in (0, signals.SIGTERM, signals.SIGKILL):
                return int(options.signal)
        for event in record["events"]:
            if event["kind"] == "signal" and event["verb"] == verb:
                if event["signal"] not in (signals.SIGTERM, signals.SIGKILL):
                    return int(event["signal"])
    return 0
