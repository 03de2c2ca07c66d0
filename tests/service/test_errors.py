"""What an error about a declaration says."""

import pytest

from ssd.service.errors import DeclarationError, UnknownService, nearest


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DeclarationError("unknown field"), "unknown field"),
        (DeclarationError("unknown field", "umsk", nearest="umask"),
         "umsk: unknown field; did you mean umask?"),
        (DeclarationError("not UTF-8", file="/etc/ssd/nap.toml", line=3),
         "/etc/ssd/nap.toml:3: not UTF-8"),
        (DeclarationError("must be text", "user", file="nap", line=1), "nap:1: user: must be text"),
    ],
)  # fmt: skip
def test_declaration_error_names_place_and_field(error: DeclarationError, text: str) -> None:
    """As far as they are known, and the key that was probably meant."""
    assert text == str(error)


def test_unknown_service_names_the_places() -> None:
    """All that were searched."""
    error = UnknownService("nop", ["/etc/ssd/nop.toml", "/etc/ssd/nop"], "nap")
    assert (
        "nop: unrecognized service (none of /etc/ssd/nop.toml, /etc/ssd/nop); did you mean nap?"
    ) == str(error)


@pytest.mark.parametrize(
    ("word", "found"), [("umsk", "umask"), ("outptu", "output"), ("xyzzy", None), ("", None)]
)
def test_nearest_is_a_similar_word_or_none(word: str, found: str | None) -> None:
    """Nothing is proposed where no known word is like the given one."""
    assert found == nearest(word, ["umask", "output", "user"])
