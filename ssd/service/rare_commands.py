"""The keywords of a Command that few declarations need: only those load this."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.service.declaration import Service


def keywords(service: "Service", added: "dict[bytes, bytes]") -> "dict[str, Any]":
    """Return the keywords; ``added`` are the variables that the declaration adds."""
    found: dict[str, Any] = {}
    if service.cpu_scheduling is not None:
        lowest = 0 if service.cpu_scheduling[:5] == "other" else 1
        found["cpu_scheduling"] = scheduling(service.cpu_scheduling, lowest)
    if service.io_scheduling is not None:
        priority = 7 if service.io_scheduling[:4] == "idle" else 4
        found["io_scheduling"] = scheduling(service.io_scheduling, priority)
    if service.limits:
        found["limits"] = _limits(service.limits)
    if service.login:  # over its variables; without it the user's HOME is over a declared one
        found["login"], found["variables"] = True, added
    if service.oom_score is not None:
        found["oom_score_adj"] = -1000 if service.oom_score == "never" else service.oom_score
    for name in ("capabilities", "no_new_privs", "securebits"):
        found[name] = getattr(service, name)
    return found


def scheduling(text: str, priority: int) -> "tuple[str, int]":
    """Read ``NAME[:PRIORITY]``."""
    name, colon, given = text.partition(":")
    return name, int(given) if colon else priority


def _limits(declared: "dict[str, int | str]") -> "dict[int, tuple[int, int]]":
    """Return resource number -> (soft, hard) for setrlimit(2)."""
    from ssd.surroundings import limits

    return {limits.number(name): limits.pair(limit) for name, limit in declared.items()}
