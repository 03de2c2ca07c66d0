"""The log_ functions as Python: what they write and return."""

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
    """A number or its text; 255 for a number that does not fit."""
    assert returned == lsb.log_end_msg(status)
    assert capfd.readouterr().out.endswith("\n")


@pytest.mark.parametrize("function", [lsb.log_end_msg, lsb.log_action_end_msg])
@pytest.mark.parametrize("text", ["x", "1x", "--1", "\u0661", " 1", "1" * 5000 + "x"])
def test_invalid_status_ends_the_line_and_is_an_error(
    function, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line does not stay open."""
    with pytest.raises(ValueError, match="is not an exit status"):
        function(text)
    assert "failed" in capfd.readouterr().out
