"""The log_ family as Python: what it writes and returns."""

import pytest

from ssd.service import lsb
from ssd.service.lsb.log import OVERFLOW


@pytest.mark.parametrize(
    ("status", "returned"),
    [(0, 0), (3, 3), (255, 255), (256, OVERFLOW), (-1, OVERFLOW), ("7", 7), ("+0", 0)],
)
def test_line_returns_the_status_it_ends_with(
    status: int | str, returned: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """A number or a text of one; 255 where it can be no exit status."""
    assert returned == lsb.log_end_msg(status)
    assert capfd.readouterr().out.endswith("\n")


@pytest.mark.parametrize("function", [lsb.log_end_msg, lsb.log_action_end_msg])
@pytest.mark.parametrize("text", ["x", "1x", "--1", "\u0661", " 1", "1" * 5000 + "x"])
def test_text_that_is_no_status_ends_the_line_and_is_an_error(
    function, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What was begun does not stay open."""
    with pytest.raises(ValueError, match="is not an exit status"):
        function(text)
    assert "failed" in capfd.readouterr().out
