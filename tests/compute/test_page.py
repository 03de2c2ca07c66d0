"""The tables of docs/reference/compute.md match the program."""

import re
import socket
from pathlib import Path


def lines_of_the_page(page: Path) -> list[str]:
    """Return the last column of the table of steps."""
    section = page.read_text().split("## How it comes up, and down")[1].split("\n## ")[0]
    rows = [row.split(" | ")[-1] for row in section.splitlines() if row.startswith("| ")]
    return [found[1] for row in rows if (found := re.fullmatch(r"`(.*)` \|", row))]


def test_log_has_the_lines_that_the_page_shows(checkout, compute, tmp_path) -> None:
    """From start to end, with a reload."""
    wanted = lines_of_the_page(checkout / "docs" / "reference" / "compute.md")
    assert 14 == len(wanted)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        service = compute({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for text in wanted:
            service.await_line(text)
            if text.startswith("Waiting for signals"):
                service.signal("HUP")
            elif text == "Reloaded":
                service.signal("TERM")
        assert 0 == service.end()


def test_page_names_every_option(checkout) -> None:
    """Each option of config.py has a row."""
    from ssd.compute import config

    page = (checkout / "docs" / "reference" / "compute.md").read_text()
    assert [] == [one.name for one in config.OPTIONS if f"| {one.name} | " not in page]


def test_page_names_every_exit_status(checkout) -> None:
    """Each exit status has a row."""
    from ssd.statuses import FAILED, INVALID, NOT_CONFIGURED, NOT_INSTALLED, SUCCESS

    page = (checkout / "docs" / "reference" / "compute.md").read_text()
    statuses = (SUCCESS, FAILED, INVALID, NOT_INSTALLED, NOT_CONFIGURED)
    assert [] == [status for status in statuses if f"| {status} | " not in page]
