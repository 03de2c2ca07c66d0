"""The package's public names."""

import ssd.supervision


def test_public_names_load_on_use() -> None:
    """Each is where ``__all__`` says, and nothing else is public."""
    for name in ssd.supervision.__all__:
        assert getattr(ssd.supervision, name).__name__ == name
