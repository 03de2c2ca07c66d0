"""What init says."""

from ssd.upstart.messages import LEVELS, Messages


def test_lower_levels_are_left_out() -> None:
    """Lower levels are left out."""
    told: list[tuple[str, str]] = []
    messages = Messages()
    messages.listeners.append(lambda level, text: told.append((level, text)))
    for level in LEVELS:
        messages.tell(level, level)
    assert [level for level, _ in told] == ["message", "warn", "error", "fatal"]
    messages.priority = "fatal"
    messages.tell("error", "x")
    assert len(told) == 4
