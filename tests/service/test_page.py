"""The pages on services show the decisions and the fields as they are."""

from conftest import CHECKOUT
from kit import pages

from ssd.service import verbs

PAGE = (CHECKOUT / "docs/reference/service.md").read_text()


def test_page_shows_the_decisions() -> None:
    """Every row of the table of verbs, in its order."""
    assert pages.verb_table() in (CHECKOUT / "docs/reference/verbs.md").read_text()


def test_page_shows_the_fields() -> None:
    """With kind, default and meaning."""
    assert pages.field_table() in PAGE


def test_page_tells_of_every_verb() -> None:
    """Each has an entry."""
    assert [] == [verb for verb in verbs.VERBS if f"\n**{verb}**\n: " not in PAGE]
